"""Coloured features on the simulating road: dimensions by level, what is refused, spectra from a file. Needs no JAX.

In d dimensions level j has a whole number of them: those nearest to f_j d that sum to d, by largest remainder (what
rounding down leaves over goes to the largest remainders, the first of equals first). A level with a share and no
dimension is refused, as the spectrum would silently be another one.
"""

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sims.running.toml import shown
from theory.decimals import typed
from theory.errors import InputError
from theory.types import Spectrum

MAX_LEVELS = 256
"""Most levels of a spectrum in a sweep, where every row repeats them."""

COLUMNS = Spectrum._fields
NEEDED = "eigenvalues, signals_sq and, unless equal, shares"
MOST_TOLD = 5
"""Faults of a file that are told."""


def apportion(shares: Any, total: Any, xp: Any = np) -> Any:
    """Whole numbers nearest to shares * total that sum to ``total``, by largest remainder.

    Args:
        shares: not negative, of any sum above 0. total: a whole number. xp: NumPy or jax.numpy.
    """
    exact = total * shares / xp.sum(shares)
    whole = xp.floor(exact + 1e-9)
    rank = xp.argsort(xp.argsort(-xp.round(exact - whole, 9), stable=True), stable=True)
    return (whole + (rank < total - xp.sum(whole))).astype(int)


def faults(spectrum: Spectrum) -> Iterator[str]:
    """What makes a spectrum none, a line each."""
    s, f, signal = (np.atleast_1d(np.asarray(values, float)) for values in spectrum)
    lengths = [len(values) for values in (s, f, signal)]
    if len(set(lengths)) > 1 or not lengths[0]:
        given = ", ".join(f"{len(values)} {name}" for name, values in zip(COLUMNS, (s, f, signal), strict=True))
        yield f"{given}: give one of each per level"
        return
    for name, values in zip(COLUMNS, (s, f, signal), strict=True):
        wrong = values[~(np.isfinite(values) & (values >= 0))]
        if len(wrong):
            yield f"{name}: {typed(wrong[0])} is outside [0, inf)"
            return
    if abs(f.sum() - 1) > 1e-9:
        yield f"shares sum to {f.sum():.10g}; they must sum to 1"
    if not np.any(s * f > 0):
        yield "eigenvalues: none is above 0 on a level with a share; make one positive"
    if not np.any(signal > 0):
        yield "signals_sq: all are 0, and there is nothing to learn; make one positive"
    for name, values in (("eigenvalue", s), ("share", f)):
        if np.any((values == 0) & (signal > 0)):
            yield f"signals_sq above 0 on a level of {name} 0, where it could not be missed; raise the {name}"


def room_fault(spectrum: Spectrum, d: int) -> str:
    """Why a spectrum has no room in d dimensions; empty where it has."""
    shares = np.atleast_1d(np.asarray(spectrum.shares, float))
    empty = np.flatnonzero((shares > 0) & (apportion(shares, d) == 0))
    if not len(empty):
        return ""
    share = typed(shares[empty[0]])
    return f"d = {d} has no dimension for level {empty[0] + 1} of share {share}; raise d, or merge levels"


def check_spectrum(spectrum: Spectrum, d: int) -> None:
    """Raise InputError unless it is a spectrum with room in d dimensions."""
    for fault in faults(spectrum):
        raise InputError(f"spectrum: {fault}")
    if fault := room_fault(spectrum, d):
        raise InputError(f"spectrum: {fault}")


def power_law(decay: float, signal_decay: float, levels: int, signal: float) -> Spectrum:
    """s_j = c j^-decay and mu_j^2 = C j^-signal_decay on levels j = 1, ..., J of equal shares.

    c makes the mean eigenvalue 1, that of white noise, so that the ridge is on the same scale; C makes ||mu|| = signal.
    All to 12 digits.
    """
    j = np.arange(1.0, levels + 1)
    s, pull = j**-decay, j**-signal_decay
    numbers = (s / s.mean(), np.full(levels, 1 / levels), signal**2 * pull / pull.sum())
    return Spectrum(*(tuple(float(f"{value:.12g}") for value in values) for values in numbers))


def equal_shares(levels: int) -> tuple[float, ...]:
    """Those of levels that are given without."""
    return (1 / levels,) * levels


def read_csv(path: Path) -> Spectrum:
    """A spectrum from a CSV with a line per level and columns eigenvalues, signals_sq and, unless equal, shares.

    Outer blanks of names do not count.

    Raises:
        InputError: no such file; columns that are missing, twice there or not known; lines with too few or too many
            fields, entries that are no finite numbers: all of it, with the lines of an editor.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, line) for line in reader if line]
    except (OSError, ValueError, csv.Error) as error:  # ValueError: no UTF-8, or a path that can be none
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    names = [name.strip() for name in lines[0][1]] if lines else []
    wrong = [f"no column {name}; it needs {NEEDED}" for name in COLUMNS if name != "shares" and name not in names]
    wrong += [f"{names.count(name)} columns {name}; rename all but one" for name in COLUMNS if names.count(name) > 1]
    wrong += [f"a column {shown(name)}, which is not known; it needs {NEEDED}" for name in names if name not in COLUMNS]
    if wrong:
        raise InputError(f"{path} has {'; and '.join(wrong[:MOST_TOLD])}")
    if not lines[1:]:
        raise InputError(f"{path} has no line below its names; give one for every level")
    rows = [_row(line, names, place, wrong) for place, line in lines[1:]]
    if wrong:
        raise InputError(f"{path}, {'; and '.join(wrong[:MOST_TOLD])}")
    columns = {name: tuple(row[names.index(name)] for row in rows) for name in names}
    return Spectrum(**({"shares": equal_shares(len(rows))} | columns))


def _row(line: list[str], names: list[str], place: int, wrong: list[str]) -> list[float]:
    """The numbers of a line."""
    if len(line) != len(names):
        wrong.append(f"line {place}: {len(line)} fields for {len(names)} columns; mend the line")
        return []
    found = []
    for name, word in zip(names, line, strict=True):
        try:
            number = float(word)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            wrong.append(f"line {place}, column {name}: {shown(word)} is not a finite number; recode it")
        found.append(number)
    return found


def mahalanobis_sq(spectrum: Spectrum) -> Any:
    """R^2 = sum mu_j^2/s_j over the last axis; levels without signal count nothing."""
    s, _, signal = (np.asarray(values, float) for values in spectrum)
    with np.errstate(over="ignore"):
        return np.sum(np.divide(signal, s, out=np.zeros_like(signal), where=s > 0), axis=-1)


def norm(spectrum: Spectrum) -> float:
    """||mu||, what tables call the signal, to 12 digits."""
    return float(f"{math.sqrt(math.fsum(np.atleast_1d(spectrum.signals_sq).tolist())):.12g}")
