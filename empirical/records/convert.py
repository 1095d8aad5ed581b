"""Columns as flags, numbers, quality and labels. What does not fit is refused, all of it, with its place and remedy."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from empirical.records.column import Column, is_text
from empirical.records.faults import Faults, shown
from empirical.records.words import MISSING, key, meaning

DISTINCT = 1000
"""Words that are looked at; no column of flags has more."""
TOLD = 1000
"""Records with a fault that are looked at; the others are counted."""
GAP = (
    "has no value; fill it in, or take the record out if what is missing is missing by chance (records that were hard "
    "to judge are not)"
)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True, eq=False)
class Flags:
    """Yes or no of every record."""

    values: NDArray[np.bool_]
    """False where it is not known."""
    known: NDArray[np.bool_]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Labels:
    """The name of every record."""

    codes: NDArray[np.int64]
    """Places in ``names``, -1 where it is missing."""
    names: list[str]
    """Each of them occurs; in the order of their characters."""
    notes: tuple[str, ...] = ()


def as_flags(column: Column, true: Iterable[str] = (), false: Iterable[str] = (), missing: bool = False) -> Flags:
    """Yes and no from booleans, 0 and 1, -1 and 1, or words, capitals and outer blanks aside (`words.YES`, `words.NO`).

    Where a column holds one of the words ``true`` or ``false``, those decide: with ``true`` alone every other word of
    it means no, which the notes say. Missing records are refused unless ``missing``. Raises RecordsError.
    """
    true, false = list(true), list(false)
    faults = _typed(column, "yes and no")
    if faults:
        raise Faults.error(*(part for part in (column.pending, faults) if part))
    codes, distinct = _coded(column.values)
    keys = [key(word) for word in distinct]
    means = meaning(keys, true, false)
    known = means.yes | means.no | means.missing
    of_word = lambda test, other, null: np.array([*map(test, keys), other, null])[codes]
    bad, gaps = of_word(lambda k: k not in known, True, False), of_word(means.missing.__contains__, False, True)
    yes = of_word(means.yes.__contains__, False, False)
    strange = list(dict.fromkeys(word.strip() for word, k in zip(distinct, keys, strict=True) if k not in known))
    if len(strange) == 2 and not (means.yes | means.no) & set(keys) and is_text(column.values.type):
        first, second = map(shown, sorted(strange))
        what = f"holds {first} and {second}; say which means yes: --true {first}, or --true {second}"
        faults.add(f"column {shown(column.name)} {what}", *_place(column, int(np.argmax(bad))))
    else:
        _refuse(column, bad, "which is neither yes nor no; recode it, or name it with --true or --false", faults)
    if true and not false and len(set(keys) - means.missing) > 1 and set(keys) - means.missing <= set(map(key, true)):
        both = ", ".join(map(shown, distinct))
        faults.add(f"column {shown(column.name)} holds {both}, all of them named by --true; name what means yes alone")
    if {"0", "-1"} <= means.no & set(keys) and not {"0", "-1"} & set(map(key, (*true, *false))):
        faults.add(f"column {shown(column.name)} holds both 0 and -1; say which mean no, as with --false 0,-1")
    if not missing:
        _refuse_gaps(column, gaps, faults)
    Faults.refuse(column.pending, faults)
    guessed = [shown(word) for word, k in zip(distinct, keys, strict=True) if k in means.guessed]
    more = ", ..." if len(guessed) > 6 else ""
    said = f"column {shown(column.name)}: {', '.join(guessed[:6])}{more} mean{'s' * (len(guessed) == 1)} "
    return Flags(yes, ~gaps, (said + ("no" if true else "yes"),) if guessed else ())


def as_numbers(column: Column, missing: bool = False) -> NDArray[np.float64]:
    """Finite numbers; NaN where they are missing, which is refused unless ``missing``. Raises RecordsError."""
    numbers, faults = _numbers(column, missing)
    Faults.refuse(column.pending, faults)
    return numbers


def partly(column: Column) -> tuple[NDArray[np.float64], NDArray[np.bool_], Faults]:
    """Numbers, NaN where there is none; where that is a fault, which is in what is returned and does not raise."""
    if not len(column):
        return np.empty(0), np.empty(0, bool), Faults(column.pending.source)
    numbers, faults = _numbers(column, missing=True)
    if numbers.size < len(column):
        return np.full(len(column), np.nan), np.ones(len(column), bool), faults
    return numbers, np.isnan(numbers) & ~column.missing & ~_words_for_nothing(column), faults


def as_quality(column: Column, missing: bool = False) -> NDArray[np.float64]:
    """`as_numbers` in [0, 1]."""
    numbers, faults = _numbers(column, missing)
    if numbers.size:
        outside = (numbers < 0) | (numbers > 1)
        _refuse(column, outside, "not a number in [0, 1]; divide per cents by 100", faults)
    Faults.refuse(column.pending, faults)
    return numbers


def as_labels(column: Column, missing: bool = False) -> Labels:
    """Names as the file writes them, without outer blanks; no word stands for a missing one. Raises RecordsError."""
    coded = _encoded(column.values)
    raw = pa.array([str(value) for value in coded[1].to_pylist()], pa.large_string())
    raw = pc.if_else(pc.equal(raw, "nan"), "", raw) if pa.types.is_floating(column.values.type) else raw
    names = pc.utf8_trim_whitespace(raw)
    unique = names.unique().filter(pc.not_equal(names.unique(), ""))
    unique = unique.take(pc.sort_indices(unique))
    places = pc.fill_null(pc.index_in(names, unique), -1).to_numpy()
    codes = np.append(places, -1)[coded[0]].astype(np.int64)
    faults = Faults(column.pending.source)
    if not missing:
        _refuse_gaps(column, codes < 0, faults)
    Faults.refuse(column.pending, faults)
    some = np.bincount(places[places >= 0], minlength=len(unique)) > 1
    merged = [shown(unique[int(place)].as_py()) for place in np.flatnonzero(some)[:6]]
    note = f"column {shown(column.name)}: outer blanks do not count, so that {', '.join(merged)} is one name"
    return Labels(codes, unique.to_pylist(), (note,) if merged else ())


def _numbers(column: Column, missing: bool) -> tuple[NDArray[np.float64], Faults]:
    """Numbers, NaN where missing, and what is wrong with them; no numbers where the type is wrong."""
    values = column.values
    faults = _typed(column, "numbers")
    if pa.types.is_boolean(values.type):
        faults.add(f"column {shown(column.name)} holds true and false, not numbers; name another")
    if faults:
        return np.empty(0), faults
    bad: NDArray[np.bool_] | None = None
    if is_text(values.type):
        numbers, bad = _parsed(values)
    elif pa.types.is_decimal(values.type):
        numbers = _array(values.cast(pa.string()).cast(pa.float64()))
    else:
        numbers = _array(values.cast(pa.float64(), safe=False))
    wrong = np.isinf(numbers) if bad is None else np.isinf(numbers) | bad
    _refuse(column, wrong, _not_a_number, faults)
    if not missing:
        _refuse_gaps(column, np.isnan(numbers) & ~wrong, faults)
    return np.where(wrong, np.nan, numbers), faults


def _words_for_nothing(column: Column) -> NDArray[np.bool_]:
    """Where text says that there is nothing, as NA does."""
    if not is_text(column.values.type):
        return np.zeros(len(column), bool)
    words = pc.utf8_lower(pc.utf8_trim_whitespace(column.values))
    return pc.fill_null(pc.is_in(words, pa.array(sorted(MISSING), words.type)), False).to_numpy().astype(bool)


def _parsed(values: pa.ChunkedArray) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    """Numbers of text, and where there are none although there is a word; NaN there, and where it is missing."""
    try:
        return _array(values.cast(pa.float64())), None
    except pa.ArrowInvalid:
        pass
    trimmed = pc.utf8_trim_whitespace(values)
    gaps = pc.is_in(pc.utf8_lower(trimmed), pa.array(sorted(MISSING), trimmed.type))
    trimmed = pc.if_else(gaps, pa.scalar(None, trimmed.type), trimmed)
    try:
        return _array(trimmed.cast(pa.float64())), None
    except pa.ArrowInvalid:
        texts = trimmed.to_pylist()
    fits = np.array([text is None or _NUMBER.fullmatch(text) is not None for text in texts], bool)
    numbers = [float(text) if text is not None and fit else np.nan for text, fit in zip(texts, fits, strict=True)]
    return np.array(numbers), ~fits


def _array(values: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.array(values.to_numpy(), np.float64)  # null as NaN; a copy, which may be written to


def _encoded(values: pa.ChunkedArray) -> tuple[NDArray[np.int64], pa.Array]:
    """For every record the place of its value among the distinct ones, -1 for null."""
    if values.num_chunks == 0:
        return np.empty(0, np.int64), values.combine_chunks()
    if is_text(values.type):  # as one piece: to make the dictionaries of many pieces one is slow
        whole = values.cast(pa.large_string()).combine_chunks()
        pieces = whole.chunks if isinstance(whole, pa.ChunkedArray) else [whole]
        values = pa.chunked_array(pieces, pa.large_string())
    coded = values.dictionary_encode().unify_dictionaries()
    places = [pc.fill_null(chunk.indices, -1).to_numpy() for chunk in coded.chunks]
    return np.concatenate(places), coded.chunk(0).dictionary


def _coded(values: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    """Likewise, the distinct ones as text; no more than `DISTINCT`, all others have the place after those."""
    places, distinct = _encoded(values)
    words = [str(value) for value in distinct.slice(0, DISTINCT).to_pylist()]
    return np.minimum(places, len(words)), words


def _typed(column: Column, what: str) -> Faults:
    """A fault where the type of a column is not one of text, numbers or booleans."""
    faults, kind = Faults(column.pending.source), column.values.type
    tests = (is_text, pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    if not any(test(kind) for test in (*tests, pa.types.is_null)):
        faults.add(f"column {shown(column.name)} is of type {kind}, which holds no {what}; name another, or recode it")
    return faults


def _place(column: Column, index: int) -> tuple[int, str]:
    return column.places.number(index), column.places.where(index)


def _not_a_number(value: object) -> str:
    text = str(value).strip()
    if _NUMBER.fullmatch(text.replace(",", ".", 1)) and "," in text:
        return "not a finite number; write the comma as a point"
    if text.endswith("%"):
        return "not a finite number; write per cents as shares"
    return "not a finite number; recode it"


def _refuse(column: Column, bad: NDArray[np.bool_], why: str | Callable[[object], str], faults: Faults) -> None:
    """A fault for every record that is ``bad``; ``why`` may look at its value."""
    rows = np.flatnonzero(bad)
    for row in rows[:TOLD].tolist():
        value = column.values[row].as_py()
        said = why if isinstance(why, str) else why(value)
        faults.add(f"column {shown(column.name)} is {shown(value)}, {said}", *_place(column, row))
    faults.count(max(rows.size - TOLD, 0))


def _refuse_gaps(column: Column, gaps: NDArray[np.bool_], faults: Faults) -> None:
    if gaps.any():
        what = f"column {shown(column.name)} {GAP}"
        faults.add(what, *_place(column, int(np.argmax(gaps))), times=int(gaps.sum()))
