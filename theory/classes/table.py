"""Predictions for a whole table of problems with K classes: columns in, columns out."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from theory import status
from theory._check import in_column, in_range
from theory.classes.population import check_solvable, population
from theory.classes.prediction import ClassesPrediction, check, predict
from theory.classes.threshold import p_star_classes, spread_evenly
from theory.decimals import typed
from theory.errors import InputError
from theory.line_faults import LineFault, TableError, refused
from theory.types import ClassesProblem, Confusion, Rates

COLUMN_NAMES = (
    *("classes", "loss", "intercept", "signal", "gram", "prior"),
    *("p", "phi", "psi", "label", "keep", "alpha", "delta", "ridge"),
)
"""Columns that are read; all others are left aside."""
SHAPES = ("orthogonal", "simplex")
"""Words for ``gram``: means of norm ``signal`` at right angles, or as far apart as K vectors can be."""
LISTS = {"class_accuracy": 1, "mean_scores": 2, "overlap": 2, "bulk_covariance": 2}
"""Results that are lists, by their axes: written row by row, separated by semicolons."""
YES, NO = ("1", "true", "yes"), ("0", "false", "no", "")


class _Line(NamedTuple):
    """One line, read."""

    problem: ClassesProblem
    classes: int
    loss: str
    intercept: bool
    alpha: Any
    given: dict[str, float]
    """Numbers that are known without a computation: p and p*_K of rates, delta where it was given."""


def predict_table(columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """`theory.classes.prediction.predict` for every line of a table.

    Args:
        columns: arrays of one length, or single values. ``classes`` = K; ``ridge``; ``loss`` (squared where it is left
            out) and ``intercept`` (0); samples by ``alpha`` = n/d, or by ``delta`` = m/d, kept, where there is no
            alpha. Means by ``signal``, their norm, with ``gram`` "orthogonal" (which it is where it is left out) or
            "simplex", or by ``gram`` alone, K x K numbers. Labels by ``p``, ``phi``, ``psi``, or by ``label`` and
            ``keep``, K x K numbers each. ``prior``: K numbers, equal where it is left out. Lists are read row by row,
            separated by semicolons, or are arrays.

    Returns:
        The fields of `ClassesPrediction` as NumPy arrays in the order of the lines, ``status`` in words, lists as they
        are read. A line without solution has accuracy NaN, converged False and a status that says why.

    Raises:
        ValueError: a missing column, or a value outside its range, naming the column and the line (counted from 1).
    """
    lines = _checked(columns)
    length = len(lines)
    found: dict[str, np.ndarray] = {}
    for group in _groups(lines):
        result = _solved(lines, group, length)
        for name, values in result._replace(status=status.name(result.status))._asdict().items():
            column = found.setdefault(name, np.empty(length, object if name in LISTS else np.asarray(values).dtype))
            column[group] = [_joined(value) for value in values] if name in LISTS else values
    for i, line in enumerate(lines):
        for name, value in line.given.items():
            found[name][i] = value
    return found


def check_table(columns: Mapping[str, Any]) -> None:
    """Raise ValueError as `predict_table` does for single lines; nothing is solved."""
    _checked(columns)


def _checked(columns: Mapping[str, Any]) -> list[_Line]:
    """The lines, read."""
    length = _length(columns)
    faults: list[LineFault] = []
    lines = [line for i in range(length) if (line := _read(i, _cells(columns, i), faults)) is not None]
    if faults:
        raise TableError(faults, length)
    return lines


def _length(columns: Mapping[str, Any]) -> int:
    """Number of lines. Raises ValueError for columns of different lengths."""
    sizes = {name: len(columns[name]) for name in COLUMN_NAMES if name in columns and np.ndim(columns[name])}
    if len(set(sizes.values()) - {1}) > 1:
        words = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise InputError(f"columns of different lengths: {words}; give all of them the same number, or single values")
    return max(sizes.values(), default=1)


def _cells(columns: Mapping[str, Any], line: int) -> dict[str, Any]:
    """What a line says; nothing where its cell is empty."""
    cells = {name: columns[name] for name in COLUMN_NAMES if name in columns}
    cells = {name: list(cell)[line % len(cell)] if np.ndim(cell) else cell for name, cell in cells.items()}
    return {name: cell for name, cell in cells.items() if not _is_empty(cell)}


def _is_empty(cell: Any) -> bool:
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or (np.ndim(cell) == 0 and cell != cell)


def _read(line: int, cells: dict[str, Any], faults: list[LineFault]) -> _Line | None:
    """A line as a problem; None where it is none, with a fault."""
    try:
        return _line(cells)
    except InputError as error:
        faults.append(LineFault(line, "", str(error)))
        return None


def _solved(lines: list[_Line], group: list[int], length: int) -> ClassesPrediction:
    """Lines of one group in one call. What is refused only now is refused with its lines."""
    predicted = lambda some: _predict([lines[i] for i in np.array(group)[some]])
    every = np.arange(len(group))
    try:
        return predicted(every)
    except InputError:
        faults = [fault._replace(line=group[fault.line]) for fault in refused(predicted, every)]
        raise TableError(faults, length) from None


def _line(cells: dict[str, Any]) -> _Line:
    """A line as a problem. Raises ValueError for what is missing or outside its range."""
    for name in ("classes", "ridge"):
        if name not in cells:
            raise InputError(f"column {name} is missing; a table of classes needs classes, ridge, and alpha or delta")
    number = _number(cells, "classes")
    if number < 2 or number % 1:
        raise InputError(f"classes = {typed(number)} is no whole number of 2 or more; K counts the classes")
    check_solvable(number)
    classes, loss, intercept = int(number), str(cells.get("loss", "squared")), _flag(cells.get("intercept", "0"))
    check(loss, intercept)
    curation, known = _curation(cells, classes)
    signal, gram = _means(cells, classes)
    prior = _list(cells, "prior", classes, 1) if "prior" in cells else np.full(classes, 1 / classes)
    problem = ClassesProblem(signal, curation, _ranged(cells, "ridge"), gram, prior)
    alpha = _alpha(cells, float(population(problem).kept_rate))
    if "alpha" not in cells:
        known["delta"] = _number(cells, "delta")
    return _Line(problem, classes, loss, intercept, alpha, known)


def _curation(cells: dict[str, Any], classes: int) -> tuple[Confusion, dict[str, float]]:
    """Tables of labels, from ``label`` and ``keep`` or from the three rates; with what these alone say."""
    if "label" in cells or "keep" in cells:
        if not {"label", "keep"} <= set(cells):
            raise InputError("label and keep go together, K x K numbers each; give both, or p, phi and psi")
        return Confusion(*(_list(cells, name, classes, 2) for name in ("label", "keep"))), {}
    missing = [name for name in ("p", "phi", "psi") if name not in cells]
    if missing:
        raise InputError(f"column {missing[0]} is missing; labels need p, phi and psi, or label and keep")
    rates = Rates(*(_ranged(cells, name) for name in ("p", "phi", "psi")))
    return spread_evenly(rates, classes), {"p": rates.p, "p_star": float(p_star_classes(rates, classes))}


def _means(cells: dict[str, Any], classes: int) -> tuple[float, np.ndarray]:
    """(signal, gram) of a problem: mu_k.mu_l = signal^2 gram_kl, signal 1 where gram is numbers and it is not given."""
    gram = cells.get("gram", SHAPES[0])
    if not isinstance(gram, str) or gram.strip().lower() not in SHAPES:
        return _ranged(cells, "signal") if "signal" in cells else 1.0, _list(cells, "gram", classes, 2)
    if "signal" not in cells:
        raise InputError(f"column signal is missing; {gram} means need their norm, or give gram as K x K numbers")
    same = np.eye(classes)
    simplex = (classes * same - 1) / (classes - 1)
    return _ranged(cells, "signal"), same if gram.strip().lower() == "orthogonal" else simplex


def _alpha(cells: dict[str, Any], kept_rate: float) -> float:
    """n/d, given or from m/d."""
    if "alpha" in cells:
        return _ranged(cells, "alpha")
    if "delta" not in cells:
        raise InputError("column alpha is missing; give alpha, generated samples per dimension, or delta, kept ones")
    delta = _number(cells, "delta")
    in_range("delta", delta, 0, np.inf, open_low=True, remedy="delta = m/d is a ratio of kept samples")
    if kept_rate == 0:
        raise InputError(f"delta = {typed(delta)}, but nothing is kept; give alpha, or labels of which some are kept")
    return delta / kept_rate


def _ranged(cells: dict[str, Any], name: str) -> float:
    """A number in the range that the vocabulary has for its column."""
    value = _number(cells, name)
    in_column(name, value)
    return value


def _number(cells: dict[str, Any], name: str) -> float:
    try:
        return float(cells[name])
    except (TypeError, ValueError):
        raise InputError(f"column {name}: {cells[name]!r} is not a number") from None


def _list(cells: dict[str, Any], name: str, classes: int, axes: int) -> np.ndarray:
    """K or K x K numbers, from an array or from words between semicolons."""
    cell, size = cells[name], classes**axes
    words: Sequence[Any] = cell.split(";") if isinstance(cell, str) else np.ravel(cell).tolist()
    try:
        numbers = np.array([float(word) for word in words])
    except (TypeError, ValueError):
        also = f", or {' or '.join(SHAPES)}" if name == "gram" else ""
        raise InputError(
            f"column {name}: {cell!r} is no list of numbers; give {size} between semicolons{also}"
        ) from None
    if len(numbers) != size:
        what = "K" if axes == 1 else "K x K"
        raise InputError(f"column {name} has {len(numbers)} numbers; with classes = {classes} it needs {what} = {size}")
    return numbers.reshape((classes,) * axes)


def _flag(cell: Any) -> bool:
    word = str(int(cell) if isinstance(cell, bool | np.bool_ | float | np.floating) else cell).strip().lower()
    if word not in (*YES, *NO):
        raise InputError(f"intercept = {cell!r} is neither 1 (an unpenalised intercept is fitted) nor 0")
    return word in YES


def _groups(lines: list[_Line]) -> list[list[int]]:
    """Lines that can be predicted in one call: the same K, loss and intercept."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for i, line in enumerate(lines):
        groups.setdefault((line.classes, line.loss, line.intercept), []).append(i)
    return list(groups.values())


def _together(lines: list[_Line]) -> _Line:
    """Lines of one group as one problem with an axis."""
    problems = [line.problem for line in lines]
    fields = zip(*((*problem.curation, *problem[:1], *problem[2:]) for problem in problems), strict=True)
    label, keep, signal, ridge, gram, prior = (np.stack([np.asarray(value) for value in field]) for field in fields)
    problem = ClassesProblem(signal, Confusion(label, keep), ridge, gram, prior)
    return lines[0]._replace(problem=problem, alpha=np.array([line.alpha for line in lines]))


def _predict(lines: list[_Line]) -> ClassesPrediction:
    """Lines of one group, predicted in one call."""
    line = _together(lines)
    return predict(line.problem, line.alpha, line.loss, intercept=line.intercept)


def _joined(values: np.ndarray) -> str:
    return ";".join(f"{value:.12g}" for value in np.ravel(values))
