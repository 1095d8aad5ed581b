"""Predictions for a whole table of problems: columns in, columns out."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from theory import settings, status
from theory._check import in_column
from theory.columns import CLASS_RATES, COLUMNS, SHARED, setting_of
from theory.errors import InputError
from theory.losses import LOSSES
from theory.prediction import Prediction, predict
from theory.settings.base import Setting
from theory.types import Problem

KNOWN = frozenset((*COLUMNS, *CLASS_RATES, "loss", "setting"))
BLOCK = 65_536
"""Lines that are solved at once."""


def predict_table(columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """`theory.prediction.predict` for every line of a table.

    Args:
        columns: arrays of one length (or single values) named as in THEORY §1: ``signal``, ``alpha``, ``ridge``,
            ``loss``, and those of a setting (`theory.columns.SETTINGS`): ``p``, ``phi``, ``psi`` (or all of p_negative,
            p_positive, phi_negative, ..., with ``prior`` = P(y = +1), default 1/2), or the three cosines. ``setting``
            names it, for the table or line by line, where the columns do not (`theory.columns.setting_of`).

    Returns:
        The fields of `Prediction` as NumPy arrays, in the order of the lines, ``status`` in words. A line without
        solution has accuracy NaN, converged False and a status that says why.

    Raises:
        ValueError: a missing column, or a value outside its range, naming the column and the line (counted from 1).
    """
    length = _length(columns)
    losses, named = (_words(name, columns.get(name), length) for name in ("loss", "setting"))
    found: dict[str, np.ndarray] = {}
    for name in dict.fromkeys(named):
        setting = settings.named(setting_of(list(columns), name).name)
        lines = np.flatnonzero(named == name)
        numbers = _numbers(setting, columns, length)
        part = {column: values[lines] for column, values in numbers.items()}
        _check_lines(setting, part, losses[lines], lines if length > 1 else lines[:0])
        for loss in dict.fromkeys(losses[lines]):
            part = lines[losses[lines] == loss]
            predicted = _predict_lines(setting, {column: values[part] for column, values in numbers.items()}, str(loss))
            for field, values in predicted.items():
                found.setdefault(field, np.empty(length, values.dtype))[part] = values
    return found


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


def _numbers(setting: Setting, columns: Mapping[str, Any], length: int) -> dict[str, np.ndarray]:
    """The columns that the setting reads. Raises ValueError for one that is missing."""
    own = setting.names(columns)
    for name in (*SHARED, *own, "loss"):
        if name not in columns:
            raise InputError(f"column {name} is missing; the table needs {', '.join((*SHARED, 'loss', *own))}")
    return {name: np.broadcast_to(_as_numbers(name, columns[name]), (length,)) for name in (*SHARED, *own)}


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


def _check_lines(setting: Setting, numbers: dict[str, np.ndarray], losses: np.ndarray, lines: np.ndarray) -> None:
    """Raise ValueError for the first line that is no problem; checks whole columns unless something is wrong.

    ``lines``: their places in the table; none where the table has one line, which needs no number.
    """
    try:
        _check(setting, numbers, losses)
    except ValueError:
        for i, line in enumerate(lines):
            try:
                _check(setting, {name: column[i] for name, column in numbers.items()}, losses[i : i + 1])
            except ValueError as error:
                raise InputError(f"line {line + 1}: {error}") from None
        raise


def _check(setting: Setting, numbers: Mapping[str, Any], losses: np.ndarray) -> None:
    for name in SHARED:
        in_column(name, numbers[name])
    setting.check(setting.curation(numbers))
    unknown = [loss for loss in losses if loss not in LOSSES]
    if unknown:
        raise InputError(f"loss = {unknown[0]!r} is unknown; choose from {', '.join(LOSSES)}")


def _predict_lines(setting: Setting, numbers: dict[str, np.ndarray], loss: str) -> dict[str, np.ndarray]:
    parts = []
    for start in range(0, len(numbers["signal"]), BLOCK):
        part = {name: column[start : start + BLOCK] for name, column in numbers.items()}
        found = predict(Problem(part["signal"], setting.curation(part), part["ridge"]), part["alpha"], loss)
        parts.append([np.broadcast_to(np.asarray(field), part["signal"].shape) for field in found])
    whole = Prediction(*(np.concatenate(fields) for fields in zip(*parts, strict=True)))
    return whole._replace(status=status.name(whole.status))._asdict()
