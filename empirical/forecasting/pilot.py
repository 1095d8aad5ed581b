"""The pilot: accuracy of one's own learner on clean samples of three sizes or more, and noisy runs beside it."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from empirical.forecasting.pilot_table import Numbers as Numbers
from empirical.forecasting.pilot_table import read
from theory.errors import InputError

LEAST = 3
"""Clean sizes, below which no curve is fitted."""


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


def pilot(given: Any, ignored: Collection[str] = ()) -> Pilot:
    """A pilot from a path, a data frame, a mapping of columns, or an array (rows, 2) of n and accuracy.

    Columns: ``n``, ``accuracy`` in [0, 1]; a line per run, or ``repeats`` with their mean (and ``sd`` between them);
    ``tested``, the size of the test set; ``p``, the share of labels that was made wrong at random, 0 if left out.
    ``run`` and ``seed`` may number the lines; any other column is refused, unless it is one of those ``ignored``.

    Raises:
        ValueError: see `pilot_table.read`; fewer than three clean sizes; no noise that could be seen: one run a size,
            and no ``tested``. TypeError: another kind of object.
    """
    rows = _rows(read(given, ignored))
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


def _rows(table: Mapping[str, Numbers]) -> list[dict[str, float]]:
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
