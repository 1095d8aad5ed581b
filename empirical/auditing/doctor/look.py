"""What a column of records looks like: a flag, a number, a label, a text, an id."""

import json
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from empirical.records import words

Kind = Literal["flag", "number", "label", "text", "id", "constant", "empty", "nested"]
Values: TypeAlias = Sequence[Any] | pa.ChunkedArray
"""Of one column; missing as null, None, NaN or a word for it."""

MOST_CLASSES = 50
"""Values that a column of labels has at most."""
FEW = 20
"""Whole numbers of at most so many values may be names of classes."""
LONG = 40
"""Characters from which a value is a text."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as it was read, and what it looks like; arrays have an entry per record."""

    name: str
    kind: Kind
    code: NDArray[np.int64]
    """Which of the distinct values each record has; -1 where it has none."""
    values: tuple[str, ...]
    """The distinct values in the order in which they occur; empty where there are more than 50."""
    distinct: int
    missing: int
    """Records without a value."""
    yes: tuple[str, ...] = ()
    """Of a flag: its words for yes."""
    no: tuple[str, ...] = ()
    flags: NDArray[np.float64] | None = None
    """Of a flag, or of what is always the same word of one: 1, 0, NaN where missing."""
    numbers: NDArray[np.float64] | None = None
    """Of numbers, NaN where missing."""

    @property
    def share(self) -> float:
        """Of yes among what is there."""
        return math.nan if self.flags is None else float(np.nanmean(self.flags))


def column(name: str, values: Values) -> Column:
    """Look at a column."""
    code, found, nested = _encoded(values)
    gone = _is_missing(found)
    if gone.any():
        place = np.append(np.where(gone, -1, np.cumsum(~gone) - 1), -1)
        code, found = place[code], found.filter(pa.array(~gone))
    shown = tuple(map(_written, found.to_pylist())) if len(found) <= MOST_CLASSES else ()
    side = [(word, words.key(word)) for word in shown]
    flags = None
    keys = {key for _, key in side}
    if shown and keys <= words.YES | words.NO and not {"0", "-1"} <= keys:  # of which both could be the no
        flags = np.array([*(float(key in words.YES) for _, key in side), math.nan])[code]
    yes, no = (tuple(word for word, key in side if key in common) for common in (words.YES, words.NO))
    numbers = _numbers(found)
    missing = int((code < 0).sum())
    both = flags is not None and bool(yes and no)
    return Column(
        name=name,
        kind="nested" if nested else _kind(found, numbers, both, len(code) - missing),
        code=code,
        values=shown,
        distinct=len(found),
        missing=missing,
        yes=yes if flags is not None else (),
        no=no if flags is not None else (),
        flags=flags,
        numbers=None if numbers is None else np.append(numbers, math.nan)[code],
    )


def alike(values: Sequence[str]) -> list[tuple[str, ...]]:
    """Names that differ by blanks, case or form of characters only, together."""
    groups: dict[str, list[str]] = {}
    for value in values:
        key = "".join(unicodedata.normalize("NFKC", value).split()).casefold()
        groups.setdefault(key, []).append(value)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _encoded(values: Values) -> tuple[NDArray[np.int64], Any, bool]:
    """Codes, -1 for none; the distinct values (Arrow); whether they are JSON of objects or lists.

    Values of several kinds are compared as text.
    """
    array, nested = arrow(values)
    whole = array.combine_chunks().dictionary_encode()
    return whole.indices.fill_null(-1).to_numpy().astype(np.int64), whole.dictionary, nested


def arrow(values: Values) -> tuple[Any, bool]:
    """Values as Arrow has them; objects and lists, where there are any, as JSON."""
    nested = False
    if not isinstance(values, pa.ChunkedArray):
        nested = any(isinstance(value, (dict, list)) for value in values)
        if nested:
            values = [value if value is None else json.dumps(value, sort_keys=True, default=str) for value in values]
        try:
            values = pa.chunked_array([pa.array(values, from_pandas=True)])
        except (pa.ArrowException, OverflowError):
            values = pa.chunked_array([pa.array([None if value is None else _written(value) for value in values])])
    return values, nested


def _is_missing(found: Any) -> NDArray[np.bool_]:
    if _is_text(found):
        small = pc.utf8_lower(pc.utf8_trim_whitespace(found))
        return pc.is_in(small, value_set=pa.array(sorted(words.MISSING), found.type)).to_numpy(zero_copy_only=False)
    return pc.is_null(found, nan_is_null=True).to_numpy(zero_copy_only=False)


def _is_text(found: Any) -> bool:
    return bool(pa.types.is_string(found.type) or pa.types.is_large_string(found.type))


def _written(value: Any) -> str:
    return f"{value:.0f}" if isinstance(value, float) and value % 1 == 0 else str(value)


def _numbers(found: Any) -> NDArray[np.float64] | None:
    """The distinct values as numbers; None where one is none, or there are none."""
    if not len(found) or pa.types.is_temporal(found.type):
        return None
    try:
        for part in (found.slice(0, 100), found):  # most text is seen to be none at once
            plain = pc.utf8_trim_whitespace(part) if _is_text(part) else part
            numbers = pc.cast(plain, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return numbers
    except pa.ArrowException:
        return None


def _kind(found: Any, numbers: NDArray[np.float64] | None, both: bool, present: int) -> Kind:
    """``both``: whether there are words for yes and for no. ``present``: records with a value."""
    if not len(found):
        return "empty"
    if both:
        return "flag"
    if len(found) == 1:
        return "constant"
    repeated = len(found) < present
    if numbers is not None:
        if not (numbers == np.trunc(numbers)).all() or not np.isfinite(numbers).all():
            return "number"
        if len(found) <= FEW and repeated:
            return "label"
        return "id" if _counts(numbers) else "number"
    if _is_text(found) and pc.mean(pc.utf8_length(found.slice(0, 1000))).as_py() > LONG:
        return "text"
    return "label" if len(found) <= MOST_CLASSES and repeated else "id"


def _counts(values: NDArray[np.float64]) -> bool:
    """Whether whole numbers rise as they first occur, or leave few gaps: those of ids, and seldom those of scores."""
    return bool((np.diff(values) > 0).all()) or float(values.max() - values.min()) < 1.5 * len(values)
