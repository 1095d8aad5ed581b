"""A pilot as it is given, read strictly: its columns as numbers within their range, every fault at once."""

import shlex
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical import records
from theory.decimals import typed
from theory.errors import InputError, KindError

Numbers = NDArray[np.float64]
NEEDED = ("n", "accuracy")
RANGES = {
    "n": (1, np.inf, "n counts the samples of a run"),
    "accuracy": (0, 1, "accuracy is a share of right answers; divide per cents by 100"),
    "repeats": (1, np.inf, "repeats counts the runs that a line is the mean of"),
    "sd": (0, 1, "sd is the standard deviation between runs, in units of accuracy"),
    "tested": (1, np.inf, "tested counts the samples of the test set"),
    "p": (0, 1, "p is the share of labels that was made wrong"),
}
GAPS = ("sd", "tested")
"""Columns that may have gaps."""
NAMED = ("run", "seed")
"""Columns that number the runs, and say nothing."""
SYMBOLS = {"size": "n", "samples": "n", "acc": "accuracy", "runs": "repeats", "std": "sd", "noise": "p"}
"""How others call them."""


def read(given: Any, ignored: Collection[str] = ()) -> dict[str, Numbers]:
    """The columns of a path, a data frame, a mapping of columns, or an array (rows, 2) of n and accuracy.

    Raises:
        RecordsError: columns that are missing or not known (but for those ``ignored``), numbers outside their range.
        KindError: another kind of object.
    """
    raw = _columns(given)
    faults = records.Faults(raw.pending.source)
    _check_names([*raw, *raw.unusable], ignored, faults)
    parts, table = {id(raw.pending): raw.pending, id(faults): faults}, {}
    for name in RANGES:
        if name not in raw:
            continue
        table[name], told, found = records.partly(raw[name])
        parts[id(found)] = found
        _check_range(raw[name], table[name], told, faults)
    records.Faults.refuse(*parts.values())
    return table


def _columns(given: Any) -> records.Columns:
    if isinstance(given, (str, Path)):
        return records.table(Path(given), records.All(hints=tuple(RANGES)))
    if hasattr(given, "items"):
        return records.of_mapping("the pilot", given)
    try:
        array = np.asarray(given, float)
    except (TypeError, ValueError):
        kind = type(given).__name__
        raise KindError(f"pilot of kind {kind} is not of numbers; give a path, a table or a dict") from None
    if array.ndim != 2 or array.shape[1] != 2:
        raise InputError(f"pilot has shape {array.shape}; it must be (rows, 2), n and accuracy, or a table by name")
    return records.of_mapping("the pilot", {"n": array[:, 0], "accuracy": array[:, 1]})


def _check_names(names: list[str], ignored: Collection[str], faults: records.Faults) -> None:
    for name in names:
        if name not in (*RANGES, *NAMED, *ignored):
            free = [other for other in RANGES if other not in names]
            also = {word: meant for word, meant in SYMBOLS.items() if meant in free}
            remedy = f"leave it out, or do not read it: --ignore {shlex.quote(name)}"
            faults.add(records.unknown(name, free, remedy, also))
    for name in NEEDED:
        if name not in names:
            faults.add(records.absent(name, names))


def _check_range(column: records.Column, numbers: Numbers, told: NDArray[np.bool_], faults: records.Faults) -> None:
    low, high, meaning = RANGES[column.name]
    limits = f"[{low}, {high}]" if np.isfinite(high) else f"[{low}, inf)"
    bad = (numbers < low) | (numbers > high)
    gaps = np.isnan(numbers) & ~told & (column.name not in GAPS)
    for row in np.flatnonzero(bad | gaps).tolist():
        what = f"is {typed(numbers[row])}, outside {limits}; {meaning}"
        what = "has no value; fill it in, or leave the line out" if gaps[row] else what
        faults.add(f"column {column.name!r} {what}", column.places.number(row), column.line(row))
