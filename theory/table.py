"""Predictions for a whole table of problems: columns in, columns out."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from theory import settings, status
from theory._check import check_alpha
from theory.columns import CLASS_RATES, COLUMNS, SHARED, SPECTRUM, by_our_names, setting_of
from theory.errors import InputError
from theory.losses import LOSSES
from theory.prediction import Prediction, predict
from theory.settings.base import Setting
from theory.types import Problem, Spectrum

KNOWN = frozenset((*COLUMNS, *CLASS_RATES, "intercept", "loss", "setting"))
BLOCK = 65_536
"""Lines that are solved at once."""


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
    columns = by_our_names(columns)
    length = _length(columns)
    losses, named = (_words(name, columns.get(name), length) for name in ("loss", "setting"))
    lists, fitted = _lists(columns, length), _flags("intercept", columns.get("intercept"), length)
    found: dict[str, np.ndarray] = {}
    levels = np.array([len(line[0]) for line in lists]) if lists else np.zeros(length, int)
    for name, intercept, count in dict.fromkeys(zip(named, fitted.tolist(), levels.tolist(), strict=True)):
        setting = settings.named(setting_of(list(columns), name).name)
        lines = np.flatnonzero((named == name) & (fitted == intercept) & (levels == count))
        numbers = _numbers(setting, columns, length, () if count else ("signal",))
        numbers = {column: values[lines] for column, values in numbers.items()}
        if count:
            numbers |= dict(zip(SPECTRUM, np.array([lists[i] for i in lines]).swapaxes(0, 1), strict=True))
        _check_lines(setting, numbers, losses[lines], intercept, lines if length > 1 else lines[:0])
        for loss in dict.fromkeys(losses[lines]):
            part = losses[lines] == loss
            some = {column: values[part] for column, values in numbers.items()}
            for field, values in _predict_lines(setting, some, str(loss), intercept).items():
                found.setdefault(field, np.empty(length, values.dtype))[lines[part]] = values
    return found


def problem_of(columns: Mapping[str, Any]) -> tuple[Problem, float, str]:
    """The first line of a table as a problem in plain numbers, n/d, and the loss."""
    columns = by_our_names(columns)
    setting = settings.named(setting_of(list(columns), str(np.ravel(columns.get("setting", ""))[0])).name)
    lists = _lists(columns, 1)
    numbers = {name: values[0] for name, values in _numbers(setting, columns, 1, () if lists else ("signal",)).items()}
    numbers |= dict(zip(SPECTRUM, map(np.array, lists[0]), strict=True)) if lists else {}
    intercept = bool(_flags("intercept", columns.get("intercept"), 1)[0])
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


def _words(name: str, values: Any, length: int) -> np.ndarray:
    """A column of names; empty where there is none."""
    words = np.asarray("" if values is None else values, dtype=object)
    for line, word in enumerate(words.ravel()):  # of a single value once, however long the table
        if not isinstance(word, str):
            raise InputError(f"line {line + 1}, column {name}: {word!r} is not a name")
    return np.broadcast_to(words, (length,))


def _flags(name: str, values: Any, length: int) -> np.ndarray:
    """A column of 0 and 1, or of True and False; False where there is none."""
    numbers = _as_numbers(name, False if values is None else values)
    for line, value in enumerate(np.ravel(numbers)):
        if value not in (0, 1):
            raise InputError(f"line {line + 1}, column {name}: {value:g} is neither 0 nor 1")
    return np.broadcast_to(numbers == 1, (length,))


def _lists(columns: Mapping[str, Any], length: int) -> list[tuple[list[float], ...]]:
    """Eigenvalues, shares and signals_sq of every line, of one length each: empty on lines of white noise.

    Nothing where the table has none of the columns.
    """
    present = [name for name in SPECTRUM if name in columns]
    if not present:
        return []
    if len(present) < len(SPECTRUM):
        missing = next(name for name in SPECTRUM if name not in columns)
        raise InputError(f"column {missing} is missing; a spectrum needs {', '.join(SPECTRUM)}")
    lines = list(zip(*(_list_column(name, columns[name], length) for name in SPECTRUM), strict=True))
    for line, lists in enumerate(lines):
        if len({len(values) for values in lists}) > 1:
            sizes = ", ".join(f"{len(values)} {name}" for name, values in zip(SPECTRUM, lists, strict=True))
            raise InputError(f"line {line + 1}: a spectrum of {sizes}; give one of each for every level")
    return lines


def _list_column(name: str, values: Any, length: int) -> list[list[float]]:
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
            raise InputError(f"line {line + 1}, column {name}: {bad[0]!r} is not a number; write 1;0.5;0.25")
        found.append([float(part) for part in parts])
    return found * length if len(found) == 1 else found


def _is_empty(entry: Any) -> bool:
    """Whether a line has no list: an empty cell, as pandas reads it or as it is written."""
    if entry is None or isinstance(entry, str):
        return not entry
    return bool(np.ndim(entry) == 0 and entry != entry)


def _numbers(
    setting: Setting, columns: Mapping[str, Any], length: int, population: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """The columns that the setting reads, and those of its population. Raises ValueError for one that is missing."""
    names = (*population, *(name for name in SHARED if name != "signal"), *setting.names(columns))
    for name in (*names, "loss"):
        if name not in columns:
            raise InputError(f"column {name} is missing; the table needs {', '.join((*names, 'loss'))}")
    return {name: np.broadcast_to(_as_numbers(name, columns[name]), (length,)) for name in names}


def _as_numbers(name: str, values: Any) -> np.ndarray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        bad = next((i, value) for i, value in enumerate(np.ravel(values)) if not _is_number(value))
        raise InputError(f"line {bad[0] + 1}, column {name}: {bad[1]!r} is not a number") from None


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _check_lines(
    setting: Setting, numbers: dict[str, np.ndarray], losses: np.ndarray, intercept: bool, lines: np.ndarray
) -> None:
    """Raise ValueError for the first line that is no problem; checks whole columns unless something is wrong.

    ``lines``: their places in the table; none where the table has one line, which needs no number.
    """
    try:
        _check(setting, numbers, losses, intercept)
    except ValueError:
        for i, line in enumerate(lines):
            try:
                _check(setting, {name: column[i] for name, column in numbers.items()}, losses[i : i + 1], intercept)
            except ValueError as error:
                raise InputError(f"line {line + 1}: {error}") from None
        raise


def _check(setting: Setting, numbers: Mapping[str, Any], losses: np.ndarray, intercept: bool) -> None:
    check_alpha(numbers["alpha"])
    settings.check_problem(_problem(setting, numbers, intercept))
    unknown = [loss for loss in losses if loss not in LOSSES]
    if unknown:
        raise InputError(f"loss = {unknown[0]!r} is unknown; choose from {', '.join(LOSSES)}")


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
