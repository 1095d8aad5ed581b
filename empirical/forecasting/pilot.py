"""The pilot: accuracy of one's own learner on clean samples of three sizes or more, and noisy runs beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from empirical import records
from theory.errors import InputError, KindError

if TYPE_CHECKING:
    pass

Numbers = NDArray[np.float64]
LEAST = 3
"""Clean sizes, below which no curve is fitted."""
OPTIONAL = ("repeats", "sd", "tested", "p")
GAPS = ("sd", "tested")
"""Columns that may have gaps."""


class Size(NamedTuple):
    """All runs of one size, and of one share of wrong labels."""

    n: float
    accuracy: float
    """Mean over its runs."""
    runs: float
    sd: float
    """Between runs; NaN where there is one, or where it is not said."""
    tested: float
    """Size of the test set; NaN where it is not said."""
    p: float


class Pilot(NamedTuple):
    """What the learner was seen to do."""

    clean: tuple[Size, ...]
    """By rising n."""
    noisy: tuple[Size, ...]
    """Runs on labels of which a known share p was made wrong, spread evenly and unverified."""


def pilot(given: Any) -> Pilot:
    """A pilot from a path, a data frame, a mapping of columns, or an array (rows, 2) of n and accuracy.

    Columns: ``n``, ``accuracy`` in [0, 1]; a line per run, or ``repeats`` with their mean (and ``sd`` between them);
    ``tested``, the size of the test set; ``p``, the share of labels that was made wrong at random, 0 if left out.

    Raises:
        ValueError: fewer than three clean sizes, numbers outside their range, no noise that could be seen: one run a
            size, and no ``tested``. TypeError: another kind of object.
    """
    table = _table(given)
    rows = _rows(table)
    clean = _sizes([row for row in rows if row["p"] == 0])
    if len(clean) < LEAST:
        raise InputError(
            f"the pilot has {len(clean)} clean size{'s' * (len(clean) != 1)}; a learning curve needs {LEAST}: train on "
            "a quarter and on a sixteenth of the samples too"
        )
    noisy = _sizes([row for row in rows if row["p"] > 0])
    if not any(size.sd == size.sd for size in clean) and not all(size.tested == size.tested for size in clean):
        raise InputError(
            "the pilot has one run of every size and no column 'tested': its noise cannot be seen. Repeat each size "
            "with other samples (three times or more), or say on how many samples each run was tested"
        )
    return Pilot(clean, noisy)


def _table(given: Any) -> dict[str, Numbers]:
    """The columns that are known, as numbers."""
    if isinstance(given, (str, Path)):
        there = set(records.columns(Path(given)))
        read = records.read(Path(given), ("n", "accuracy", *(name for name in OPTIONAL if name in there)))
        return {name: records.as_numbers(column, name in GAPS) for name, column in read.items()}
    if hasattr(given, "items"):
        found = {str(name): values for name, values in given.items()}
    else:
        array = _numbers("pilot", given)
        if array.ndim != 2 or array.shape[1] != 2:
            raise InputError(f"pilot has shape {array.shape}; it must be (rows, 2), n and accuracy, or a table by name")
        found = {"n": array[:, 0], "accuracy": array[:, 1]}
    for name in ("n", "accuracy"):
        if name not in found:
            raise InputError(f"the pilot has no column {name!r}; it has {', '.join(map(repr, found)) or 'none'}")
    table = {name: _numbers(name, found[name]) for name in ("n", "accuracy", *OPTIONAL) if name in found}
    lengths = {name: values.size for name, values in table.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"the pilot's columns differ in length ({lengths}); give one entry a run")
    for name, values in table.items():
        if name not in GAPS and not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values))) + 1
            raise InputError(
                f"pilot: {name} of record {row} is missing or not finite; fill it in, or leave the record out"
            )
    return table


def _numbers(name: str, values: Any) -> Numbers:
    try:
        return np.asarray(values, float)
    except (TypeError, ValueError):
        what = "give a path, a table or a dict with n and accuracy" if name == "pilot" else "give numbers"
        raise KindError(f"{name} of kind {type(values).__name__} is not of numbers; {what}") from None


RANGES = {
    "n": (1, np.inf, "n counts the samples of a run"),
    "accuracy": (0, 1, "accuracy is a share of right answers; divide per cents by 100"),
    "repeats": (1, np.inf, "repeats counts the runs that a line is the mean of"),
    "sd": (0, 1, "sd is the standard deviation between runs, in units of accuracy"),
    "tested": (1, np.inf, "tested counts the samples of the test set"),
    "p": (0, 1, "p is the share of labels that was made wrong"),
}


def _rows(table: Mapping[str, Numbers]) -> list[dict[str, float]]:
    for name, values in table.items():
        low, high, meaning = RANGES[name]
        bad = (values < low) | (values > high)
        if bad.any():
            row = int(np.argmax(bad))
            limits = f"[{low}, {high}]" if np.isfinite(high) else f"[{low}, inf)"
            raise InputError(f"pilot: {name} of record {row + 1} is {values[row]:g}, outside {limits}; {meaning}")
    count = len(table["n"])
    constant = {"repeats": 1.0, "sd": np.nan, "tested": np.nan, "p": 0.0}
    whole = {name: np.full(count, value) for name, value in constant.items()} | dict(table)
    return [{name: float(values[row]) for name, values in whole.items()} for row in range(count)]


def _sizes(rows: list[dict[str, float]]) -> tuple[Size, ...]:
    keys = sorted({(row["n"], row["p"]) for row in rows})
    return tuple(_size([row for row in rows if (row["n"], row["p"]) == key]) for key in keys)


def _size(rows: list[dict[str, float]]) -> Size:
    """Lines of one size together: the variance within lines that have one, and that between lines."""
    runs, mean = (np.array([row[name] for row in rows]) for name in ("repeats", "accuracy"))
    total = runs.sum()
    accuracy = float(runs @ mean / total)
    inner = np.array([row["sd"] ** 2 * (row["repeats"] - 1) if row["repeats"] > 1 else 0.0 for row in rows])
    freedom = total - 1 if np.isfinite(inner).all() else len(rows) - 1
    squares = np.where(np.isfinite(inner), inner, 0.0).sum() + runs @ (mean - accuracy) ** 2
    sd = float(np.sqrt(squares / freedom)) if freedom > 0 else np.nan
    seen = total if np.isfinite(inner).all() else len(rows)
    tested = np.array([row["tested"] for row in rows])
    known = tested[np.isfinite(tested)]
    return Size(
        n=rows[0]["n"],
        accuracy=accuracy,
        runs=float(seen if np.isfinite(sd) else total),
        sd=sd,
        tested=float(known.min()) if known.size == len(rows) else np.nan,
        p=rows[0]["p"],
    )
