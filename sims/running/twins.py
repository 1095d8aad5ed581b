"""Values of a grid that differ by rounding alone are one value, and it is said; the union of two linspaces has them."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from theory.decimals import typed
from theory.errors import Note

RELATIVE = 1e-12
"""Of two values that are taken for one, the difference is no more than this share of the larger."""
SHOWN = 5

T = TypeVar("T")


def merged(name: str, values: Iterable[T], numbers: Callable[[T], Sequence[float]] | None = None) -> tuple[T, ...]:
    """The values, each once, in their order; of those that are nearly equal the one that prints shortest.

    Where some are merged, a `Note` names the key and them. ``numbers`` are those of a value; by default it is one, or
    consists of them.
    """
    found = list(dict.fromkeys(values))
    flat: Callable[[Any], Sequence[float]] = numbers or _numbers
    groups: dict[tuple[int, ...], list[T]] = {}
    rank = _ranks(number for value in found for number in flat(value))
    for value in found:
        groups.setdefault(tuple(rank[number] for number in flat(value)), []).append(value)
    if len(groups) == len(found):
        return tuple(found)
    kept = {key: min(group, key=lambda value: len(_told(value))) for key, group in groups.items()}
    pairs = [(kept[key], value) for key, group in groups.items() for value in group if value is not kept[key]]
    told = "; ".join(f"{_told(one)} for {_told(other)}" for one, other in pairs[:SHOWN])
    more = f"; and {len(pairs) - SHOWN:,} more" if len(pairs) > SHOWN else ""
    warnings.warn(Note(f"{name}: values that differ by rounding alone are one: {told}{more}"), stacklevel=2)
    return tuple(kept.values())


def _numbers(value: Any) -> Sequence[float]:
    return value if isinstance(value, tuple) else (value,)


def _ranks(numbers: Iterable[float]) -> dict[float, int]:
    """For each number the number of the cluster that it is in."""
    found: dict[float, int] = {}
    first: float | None = None
    for number in sorted(set(numbers)):
        if first is None or abs(number - first) > RELATIVE * max(abs(number), abs(first)):
            first = number
            found[number] = len(found) + 1
        else:
            found[number] = found[first]
    return found


def _told(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_told, value))}]"
    return typed(value) if isinstance(value, (int, float)) else str(value)
