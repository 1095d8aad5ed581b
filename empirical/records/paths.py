"""Nested fields by dotted path: ``r.correct`` is field correct of r, ``filters.0`` the first entry of filters.

A column whose own name has dots goes before; inner names with dots cannot be addressed.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from empirical.records.names import steady

ENTRIES = 8
"""Entries of a list that have names of their own where all columns are asked for."""
DEPTH = 8
MOST = 1000
"""Columns, where all are asked for."""

Steps = tuple[str, ...]


def steps(name: str, top: Iterable[str]) -> Steps:
    """From the outermost name to the value. Outer blanks of ``top``, the outermost names, do not count."""
    top = list(top)
    whole = steady(name, top)
    if whole in top or "." not in name:
        return (whole,)
    first, *inner = name.split(".")
    return (steady(first, top), *inner)


def dig(value: Any, path: Sequence[str]) -> Any:
    """What a JSON value has at a path, None where it has nothing there."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and (place := _place(step)) is not None and place < len(value):
            value = value[place]
        else:
            return None
    return value


def has(value: Any, path: Sequence[str]) -> bool:
    """Whether a JSON value has anything at a path, and be it null."""
    *outer, last = path
    inner = dig(value, outer)
    if isinstance(inner, list):
        place = _place(last)
        return place is not None and place < len(inner)
    return isinstance(inner, dict) and last in inner


def leaves(records: Iterable[Any]) -> list[str]:
    """Paths at which some of the records, which are objects, have a value that is no object and no list."""
    found: dict[str, None] = {}
    outer: set[str] = set()

    def go(value: Any, name: str, depth: int) -> None:
        inner: Iterator[tuple[str, Any]]
        if isinstance(value, dict) and value and depth < DEPTH:
            inner = iter(value.items())
        elif isinstance(value, list) and value and depth < DEPTH:
            inner = ((str(place), entry) for place, entry in enumerate(value[:ENTRIES]))
        else:
            if len(found) < MOST and not isinstance(value, (dict, list)):
                found.setdefault(name)
            return
        outer.add(name)
        for step, entry in inner:
            if not name:
                go(entry, step, depth + 1)
            elif "." not in step:
                go(entry, f"{name}.{step}", depth + 1)

    for record in records:
        go(record, "", 0)
    return [name for name in found if name not in outer]


def typed_leaves(schema: pa.Schema) -> list[str]:
    """Paths of a schema to what is not nested; of lists the first entries."""
    found: list[str] = []

    def go(kind: pa.DataType, name: str, depth: int) -> None:
        if depth > DEPTH or len(found) >= MOST:
            return
        if pa.types.is_struct(kind):
            for place in range(kind.num_fields):
                if "." not in kind.field(place).name:
                    go(kind.field(place).type, f"{name}.{kind.field(place).name}", depth + 1)
        elif is_list(kind):
            size = kind.list_size if pa.types.is_fixed_size_list(kind) else 1
            for place in range(min(size, ENTRIES)):
                go(kind.value_type, f"{name}.{place}", depth + 1)
        else:
            found.append(name)

    for field in schema:
        go(field.type, field.name, 0)
    return found


def type_at(kind: pa.DataType, path: Sequence[str]) -> pa.DataType | None:
    """The type at a path within a type, None where there is nothing."""
    for step in path:
        if pa.types.is_struct(kind) and kind.get_field_index(step) >= 0:
            kind = kind.field(kind.get_field_index(step)).type
        elif is_list(kind) and _place(step) is not None:
            kind = kind.value_type
        else:
            return None
    return kind


def entry(array: pa.Array, path: Sequence[str]) -> pa.Array:
    """What an array has at a path, for which `type_at` has found a type; null where a list is too short."""
    for step in path:
        if pa.types.is_struct(array.type):
            array = pc.struct_field(array, [step])
        else:
            place = int(step)
            ends = pc.list_slice(array, place, place + 1, return_fixed_size_list=True)
            array = pc.list_element(ends, 0)
    return array


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is one of lists."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _place(step: str) -> int | None:
    """A step as a place in a list."""
    return int(step) if step.isascii() and step.isdecimal() and len(step) < 7 else None
