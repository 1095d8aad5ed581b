"""Predictions for a whole table of problems: columns in, columns out."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from theory import settings, status
from theory._check import check_alpha, outside
from theory.columns import CLASS_RATES, COLUMNS, SETTINGS, SHARED, SPECTRUM, by_our_names, setting_of
from theory.decimals import typed, widened
from theory.errors import InputError
from theory.line_faults import LineFault, TableError, refused
from theory.losses import LOSSES
from theory.prediction import Prediction, predict
from theory.settings.base import Setting
from theory.types import Problem, Spectrum

KNOWN = frozenset((*COLUMNS, *CLASS_RATES, "intercept", "loss", "setting"))
BLOCK = 65_536
"""Lines that are solved at once."""
_Group = tuple[Setting, dict[str, np.ndarray], bool, np.ndarray]
"""Lines of one setting, with an intercept or without, and their places."""


def predict_table(columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """`theory.prediction.predict` for every line of a table.

    Args:
        columns: arrays of one length (or single values) named as in THEORY §1: ``signal``, ``alpha``, ``ridge``,
            ``loss``, and those of a setting (`theory.columns.SETTINGS`): ``p``, ``phi``, ``psi`` (or all of p_negative,
            p_positive, phi_negative, ..., with ``prior`` = P(y = +1), default 1/2), or the three cosines. ``setting``
            names it, for the table or line by line, where the columns do not (`theory.columns.setting_of`). In the
            independent setting also ``intercept``, 0 or 1, and in the place of ``signal`` a spectrum, ``eigenvalues``,
            ``shares`` and ``signals_sq``: a list on each line, or text with ; between the numbers. p_minus, p_plus,
            ..., prior_plus are other names of p_negative, p_positive, ..., prior.

    Returns:
        The fields of `Prediction` as NumPy arrays, in the order of the lines, ``status`` in words. A line without
        solution has accuracy NaN, converged False and a status that says why.

    Raises:
        ValueError: a missing column, or a value outside its range, naming the column and the line (counted from 1).
    """
    length, losses, groups = _checked(columns)
    found: dict[str, np.ndarray] = {}
    for setting, own, intercept, lines in groups:
        for loss in dict.fromkeys(losses[lines]):
            part = losses[lines] == loss
            some = {column: values[part] for column, values in own.items()}
            for field, values in _predict_lines(setting, some, str(loss), intercept).items():
                found.setdefault(field, np.empty(length, values.dtype))[lines[part]] = values
    return found


def check_table(columns: Mapping[str, Any]) -> None:
    """Raise ValueError as `predict_table` does; nothing is computed."""
    _checked(columns)


def _checked(columns: Mapping[str, Any]) -> tuple[int, np.ndarray, list[_Group]]:
    """The number of lines, their losses, and the groups that are predicted together."""
    columns = by_our_names(columns)
    length = _length(columns)
    faults: list[LineFault] = []
    losses, named = (_words(name, columns.get(name), length, faults) for name in ("loss", "setting"))
    if "loss" in columns:
        _known("loss", losses, LOSSES, faults)
    _known("setting", named, ("", *SETTINGS), faults)
    lists = _lists(columns, length, faults)
    fitted = _flags("intercept", columns.get("intercept"), length, faults)
    numbers = _Numbers(columns, length, faults)
    levels = np.array([len(line[0]) for line in lists]) if lists else np.zeros(length, int)
    groups: list[_Group] = []
    for name, intercept, count in dict.fromkeys(zip(named, fitted.tolist(), levels.tolist(), strict=True)):
        if name not in SETTINGS and name:
            continue
        setting = settings.named(setting_of(list(columns), name).name)
        lines = np.flatnonzero((named == name) & (fitted == intercept) & (levels == count))
        own = numbers.of(setting, () if count else ("signal",))
        own = {column: values[lines] for column, values in own.items()}
        if count:
            own |= dict(zip(SPECTRUM, np.array([lists[i] for i in lines]).swapaxes(0, 1), strict=True))
        _check_lines(setting, own, intercept, lines, faults)
        groups.append((setting, own, intercept, lines))
    if faults:
        raise TableError(faults, length)
    return length, losses, groups


def problem_of(columns: Mapping[str, Any]) -> tuple[Problem, float, str]:
    """The first line of a table as a problem in plain numbers, n/d, and the loss."""
    columns = by_our_names(columns)
    setting = settings.named(setting_of(list(columns), str(np.ravel(columns.get("setting", ""))[0])).name)
    faults: list[LineFault] = []
    lists = _lists(columns, 1, faults)
    read = _Numbers(columns, 1, faults).of(setting, () if lists else ("signal",))
    intercept = bool(_flags("intercept", columns.get("intercept"), 1, faults)[0])
    if faults:
        raise TableError(faults, 1)
    numbers = {name: values[0] for name, values in read.items()}
    numbers |= dict(zip(SPECTRUM, map(np.array, lists[0]), strict=True)) if lists else {}
    return _problem(setting, numbers, intercept), float(numbers["alpha"]), str(np.ravel(columns["loss"])[0])


def _length(columns: Mapping[str, Any]) -> int:
    """Number of lines. Raises ValueError where there is no column that is known, or two are of different lengths."""
    sizes = {name: np.size(values) for name, values in columns.items() if name in KNOWN and np.size(values) != 1}
    if len(set(sizes.values())) > 1:
        one, *others = sizes.items()
        other = next(pair for pair in others if pair[1] != one[1])
        found = f"column {one[0]} has {one[1]} lines and column {other[0]} {other[1]}"
        raise InputError(f"{found}; give all of them the same number, or single values")
    return next(iter(sizes.values()), 1)


def _words(name: str, values: Any, length: int, faults: list[LineFault]) -> np.ndarray:
    """A column of names; empty where there is none."""
    words = np.asarray("" if values is None else values, dtype=object)
    for line, word in enumerate(words.ravel()):  # of a single value once, however long the table
        if not isinstance(word, str):
            faults.append(LineFault(line, name, f"column {name}: {word!r} is not a name"))
    return np.broadcast_to(words, (length,))


def _known(name: str, words: np.ndarray, known: Collection[str], faults: list[LineFault]) -> None:
    """A fault for each word that is none of the known ones."""
    for word in dict.fromkeys(filter(lambda word: isinstance(word, str) and word not in known, words)):
        what = f"{name} = {word!r} is unknown; choose from {', '.join(filter(None, known))}"
        faults += [LineFault(line, name, what) for line in np.flatnonzero(words == word).tolist()]


def _flags(name: str, values: Any, length: int, faults: list[LineFault]) -> np.ndarray:
    """A column of 0 and 1, or of True and False; False where there is none."""
    before = len(faults)
    numbers = _as_numbers(name, False if values is None else values, faults)
    if len(faults) == before:
        wrong = np.flatnonzero(~np.isin(numbers, (0, 1)))
        said = (f"column {name}: {typed(np.ravel(numbers)[line])} is neither 0 nor 1" for line in wrong.tolist())
        faults += [LineFault(line, name, what) for line, what in zip(wrong.tolist(), said, strict=True)]
    return np.broadcast_to(numbers == 1, (length,))


def _lists(columns: Mapping[str, Any], length: int, faults: list[LineFault]) -> list[tuple[list[float], ...]]:
    """Eigenvalues, shares and signals_sq of every line, of one length each: empty on lines of white noise.

    Nothing where the table has none of the columns.
    """
    present = [name for name in SPECTRUM if name in columns]
    if not present:
        return []
    if len(present) < len(SPECTRUM):
        missing = next(name for name in SPECTRUM if name not in columns)
        raise InputError(f"column {missing} is missing; a spectrum needs {', '.join(SPECTRUM)}")
    before = len(faults)
    lines = list(zip(*(_list_column(name, columns[name], length, faults) for name in SPECTRUM), strict=True))
    told = {fault.line for fault in faults[before:]}
    for line, lists in enumerate(lines):
        if len({len(values) for values in lists}) > 1:
            if line not in told:
                sizes = ", ".join(f"{len(values)} {name}" for name, values in zip(SPECTRUM, lists, strict=True))
                what = f"a spectrum of {sizes}; give one of each for every level"
                faults.append(LineFault(line, SPECTRUM[0], what))
            lines[line] = ([], [], [])
    return lines


def _list_column(name: str, values: Any, length: int, faults: list[LineFault]) -> list[list[float]]:
    """A list of numbers on every line; one text, or one list of numbers, holds for all lines."""
    entries = [values] if isinstance(values, str) else list(values)
    if not any(isinstance(entry, str) or np.ndim(entry) for entry in entries) and (
        length == 1 or len(entries) != length
    ):
        entries = [entries]
    found: list[list[float]] = []
    for line, entry in enumerate(entries):
        if _is_empty(entry):
            found.append([])
            continue
        parts = entry.replace(",", ";").split(";") if isinstance(entry, str) else np.ravel(entry).tolist()
        bad = [part for part in parts if not _is_number(part)]
        if bad:
            what = f"column {name}: {bad[0]!r} is not a number; write 1;0.5;0.25"
            faults.append(LineFault(line, name, what))
        found.append([] if bad else [float(part) for part in parts])
    return found * length if len(found) == 1 else found


def _is_empty(entry: Any) -> bool:
    """Whether a line has no list: an empty cell, as pandas reads it or as it is written."""
    if entry is None or isinstance(entry, str):
        return not entry
    return bool(np.ndim(entry) == 0 and entry != entry)


class _Numbers:
    """The columns of numbers of a table, each read once."""

    def __init__(self, columns: Mapping[str, Any], length: int, faults: list[LineFault]):
        """None as yet; what is no number goes to ``faults``."""
        self._columns, self._length, self._faults = columns, length, faults
        self._read: dict[str, np.ndarray] = {}

    def of(self, setting: Setting, population: tuple[str, ...]) -> dict[str, np.ndarray]:
        """What a setting reads, and those of its population. Raises ValueError for a column that is missing."""
        names = (*population, *(name for name in SHARED if name != "signal"), *setting.names(self._columns))
        for name in (*names, "loss"):
            if name not in self._columns:
                raise InputError(f"column {name} is missing; the table needs {', '.join((*names, 'loss'))}")
            if name != "loss" and name not in self._read:
                values = self._columns[name]
                if np.asarray(values).dtype.kind == "b":
                    self._faults.append(LineFault(0, name, f"column {name}: it holds true and false, not numbers"))
                read = _as_numbers(name, values, self._faults)
                self._read[name] = np.broadcast_to(read, (self._length,))
        return {name: self._read[name] for name in names}


def _as_numbers(name: str, values: Any, faults: list[LineFault]) -> np.ndarray:
    """In float64, NaN where there is none."""
    try:
        return widened(values)
    except (TypeError, ValueError, OverflowError):
        entries = np.asarray(values, object)
        wrong = [(line, value) for line, value in enumerate(np.ravel(entries)) if not _is_number(value)]
        faults += [LineFault(line, name, f"column {name}: {_brief(value)} is not a number") for line, value in wrong]
        flat = [float(value) if _is_number(value) else np.nan for value in np.ravel(entries)]
        return np.array(flat).reshape(entries.shape)


def _brief(value: Any) -> str:
    """A value in quotes, the beginning of a long one."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python prints
        return "an integer of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}... ({len(text):,} characters)"


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _check_lines(
    setting: Setting, numbers: dict[str, np.ndarray], intercept: bool, lines: np.ndarray, faults: list[LineFault]
) -> None:
    """Add a fault for everything about some lines that is no problem: numbers outside their range, then the lines
    that are well so far and do not hold together. Checks whole columns unless something is wrong.

    ``lines``: their places in the table.
    """
    told = {(fault.line, fault.column) for fault in faults}
    for name, values in numbers.items():
        if name in SPECTRUM:
            continue
        column = COLUMNS[name.removesuffix("_negative").removesuffix("_positive")]
        inside = (values > column.low if column.open_low else values >= column.low) & (values <= column.high)
        for place in np.flatnonzero(~(inside & np.isfinite(values))).tolist():
            if (line := int(lines[place]), name) not in told:
                ends = (column.low, column.high)
                what = outside(name, values[place], *ends, open_low=column.open_low, remedy=column.meaning)
                faults.append(LineFault(line, name, what))

    def check(some: np.ndarray) -> None:
        part = {name: values[some] for name, values in numbers.items()}
        check_alpha(part["alpha"])
        settings.check_problem(_problem(setting, part, intercept))

    bad = np.array(sorted({fault.line for fault in faults}), int)
    well = np.flatnonzero(~np.isin(lines, bad))
    faults += [fault._replace(line=int(lines[fault.line])) for fault in refused(check, well)]


def _problem(setting: Setting, numbers: Mapping[str, Any], intercept: bool) -> Problem:
    coloured = SPECTRUM[0] in numbers
    signal = Spectrum(*(numbers[name] for name in SPECTRUM)) if coloured else numbers["signal"]
    return Problem(signal, setting.curation(numbers), numbers["ridge"], intercept or None)


def _predict_lines(
    setting: Setting, numbers: dict[str, np.ndarray], loss: str, intercept: bool
) -> dict[str, np.ndarray]:
    parts = []
    for start in range(0, len(numbers["alpha"]), BLOCK):
        part = {name: column[start : start + BLOCK] for name, column in numbers.items()}
        found = predict(_problem(setting, part, intercept), part["alpha"], loss)
        parts.append([np.broadcast_to(np.asarray(field), part["alpha"].shape) for field in found])
    whole = Prediction(*(np.concatenate(fields) for fields in zip(*parts, strict=True)))
    return whole._replace(status=status.name(whole.status))._asdict()
