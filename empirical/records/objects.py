"""Which fields of JSON objects are wanted, and what they hold; shared by lines and arrays of objects."""

import json
import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from empirical.records.faults import Faults, shown
from empirical.records.gathering import from_python
from empirical.records.names import All, absent, odd, twice
from empirical.records.paths import Steps, dig, entry, has, leaves, steps
from sims.running.owned import owned

TYPES = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
LOOKED_AT = 100
"""Objects of a block that say which types to expect."""
INNER = 1 << 21
"""Bytes that one thread of pyarrow reads; an object that is longer is left to the json module."""
DIGITS = 4000
"""Of a whole number; Python reads no more than 4,300, and what has more is kept as text."""


STRANGE = re.compile(rb"(?m)^[ \t\r]*[^{\s]")
"""A line that begins as no object does. pyarrow must not see one: some, as ``null``, end the process."""


class NotAnObject(ValueError):
    """JSON that cannot be a record; its message says why."""


class Fields:
    """The wanted fields of a file's objects."""

    def __init__(self, names: Sequence[str], first: Sequence[dict[str, Any]], faults: Faults, want: All | None = None):
        """Found by the first records. With ``want``, no record may have another field than ``names``."""
        self.names = list(names)
        self._want = want
        self._top = {name for record in first for name in record}
        self._present = leaves(first)
        top = {name for record in first for name in record}
        self.paths: list[Steps] = [steps(name, top) for name in names]
        self.keys = frozenset(step for path in self.paths for step in path)
        self._unseen = set(range(len(self.paths)))
        self._faults = faults

    def _schema(self, first: Sequence[dict[str, Any]]) -> pa.Schema | None:
        """Types as these records have them; None where pyarrow is not to read them: lists, mixed or nested values."""
        tree: dict[str, Any] = {}
        for path in self.paths:
            found = [dig(record, path) for record in first]
            kinds = {type(value) for value in found} - {type(None)}
            kind = pa.float64() if kinds == {int, float} else TYPES.get(next(iter(kinds), str))
            if kind is None or (len(kinds) > 1 and kinds != {int, float}) or any(step.isdigit() for step in path[1:]):
                return None
            *outer, last = path
            node = tree
            for step in outer:
                node = node.setdefault(step, {})
                if not isinstance(node, dict):
                    return None
            if last in node:
                return None
            node[last] = kind
        return pa.schema(_typed(tree))

    def values(self, record: Any) -> list[Any]:
        """The wanted values of one record. Raises NotAnObject for what is none, or where a value is nested."""
        if not isinstance(record, dict):
            raise NotAnObject(f"is {shown(record)}, not a JSON object; give one object per record")
        found = [dig(record, path) for path in self.paths]
        if self._unseen:
            self._unseen -= {place for place in self._unseen if has(record, self.paths[place])}
        if self._want is not None and len(record) and not record.keys() <= self._top:
            strange = next(name for name in record if name not in self._top)
            raise NotAnObject(f"has a field {shown(strange)}, which the first records have not; give all the same")
        for place, (name, value) in enumerate(zip(self.names, found, strict=True)):
            if self._want is not None and self._want.lists(name) and _is_numbers(value):
                found[place] = ";".join(map(repr, value))
            elif isinstance(value, (dict, list)):
                kind = "an object" if isinstance(value, dict) else "a list"
                inner = [path for path in leaves([{name: value}])[:3] if path != name and self._want is None]
                remedy = f"name what is in it, as {', '.join(map(shown, inner))}" if inner else "give a plain value"
                raise NotAnObject(f"column {shown(name)} holds {kind} of {len(value)}; {remedy}")
        return found

    def quick(self, data: bytes, first: Sequence[dict[str, Any]], within_list: bool = False) -> list[pa.Array] | None:
        """The wanted columns of objects by pyarrow, where they are like the ``first``; None where anything is unusual.

        One object after the other, or with commas between them if ``within_list``.
        """
        schema = self._schema(first)
        if schema is None or (not within_list and STRANGE.search(data)):
            return None
        if within_list:
            data, schema = b'{"":[' + data + b"]}", pa.schema([("", pa.list_(pa.struct(list(schema))))])
        try:
            table = pj.read_json(
                owned(data),
                pj.ReadOptions(block_size=len(data) if within_list else INNER),
                pj.ParseOptions(
                    explicit_schema=schema, unexpected_field_behavior="ignore" if self._want is None else "error"
                ),
            )
        except (pa.ArrowException, UnicodeDecodeError):
            return None
        if within_list:
            if table.num_rows != 1 or table[""].null_count:
                return None
            objects = table[""].combine_chunks().flatten()
            if objects.null_count:
                return None
            columns = [entry(objects, path) for path in self.paths]
        else:
            columns = [entry(table[path[0]].combine_chunks(), path[1:]) for path in self.paths]
        if any(pa.types.is_float64(column.type) and not _all_finite(column) for column in columns):
            return None  # a number too large, or NaN: the other way shows it as it is written
        for place in list(self._unseen):
            if columns[place].null_count < len(columns[place]) or any(has(r, self.paths[place]) for r in first):
                self._unseen.discard(place)
        return columns

    def check(self, rows: int) -> None:
        """Raise RecordsError for fields that no record has."""
        if rows:
            missing = Faults(self._faults.source)
            for place in sorted(self._unseen):
                missing.add(absent(self.names[place], self._present))
            Faults.refuse(missing)

    def arrays(self, rows: Sequence[Sequence[Any]]) -> list[pa.Array]:
        """The values of some records as columns."""
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(self.names)
        return [from_python(column) for column in columns]


def outermost(first: Sequence[dict[str, Any]], faults: Faults) -> list[str]:
    """The names of the fields that records have, with what is wrong with them; those that two have are left out."""
    written = list(dict.fromkeys(name for record in first for name in record))
    for fault in odd(written):
        faults.add(fault)
    unusable = twice(written)
    return [name.strip() for name in written if name.strip() and name.strip() not in unusable]


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(entry) in (int, float) for entry in value)


def decoder(keys: frozenset[str]) -> json.JSONDecoder:
    """A decoder that refuses an object in which one of ``keys`` occurs twice, and takes numbers of any length."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            for name in made:
                if name in keys and names.count(name) > 1:
                    raise NotAnObject(f"has {names.count(name)} keys {shown(name)}; rename all but one")
        return made

    def whole(digits: str) -> int | str:
        return int(digits) if len(digits) < DIGITS else digits

    return json.JSONDecoder(object_pairs_hook=unique, parse_int=whole)


def why(error: ValueError | RecursionError) -> str:
    """What is wrong, without the place in the text."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos + 1}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _typed(tree: dict[str, Any]) -> list[pa.Field]:
    return [pa.field(name, pa.struct(_typed(kind)) if isinstance(kind, dict) else kind) for name, kind in tree.items()]


def _all_finite(column: pa.Array) -> bool:
    return bool(pc.all(pc.is_finite(column), min_count=0).as_py())
