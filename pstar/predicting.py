"""Theory for a notebook: the functions of `theory` on plain numbers, in NumPy's float64; JAX is not needed."""

import warnings
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pstar.numbers import exact, plain
from theory.columns import KEEPS_WRONG, SETTINGS
from theory.errors import InputError, KindError, Note
from theory.types import ClassesProblem, ClassRates, Problem, Rates, Solution, Spectrum

if TYPE_CHECKING:
    import pandas as pd

    from theory.classes.prediction import ClassesPrediction
    from theory.prediction import Prediction

Number = float | np.ndarray
"""A number, or an array where an array was given."""


def predict(problem: Problem, alpha: Number, loss: str = "squared") -> "Prediction":
    """Threshold, kept data and accuracy of the classifier trained on it, exact as d -> infinity.

    Args:
        problem: numbers, or arrays of them that broadcast.
        alpha: n/d, samples generated per dimension.
        loss: "squared", "logistic" or "hinge".

    Returns:
        `Prediction`; ``status`` says "ok", or in words why there is no solution, and accuracy is then NaN. Warns
        (`theory.errors.Note`) where psi > phi everywhere, in case the two are swapped.

    Raises:
        InputError: a number outside its range, or an unknown loss.
    """
    from theory.prediction import predict

    given, ratio = checked(problem), exact(alpha, "alpha")
    _broadcastable(given, ratio)
    found: Prediction = _in_words(predict(given, ratio, loss))
    _note_swapped(given.curation)
    return found


def predict_classes(
    problem: ClassesProblem,
    alpha: Number,
    loss: str = "squared",
    *,
    classes: int | None = None,
    intercept: bool = False,
) -> "ClassesPrediction":
    """The same for K classes: threshold p*_K, kept data and trained accuracy, exact as d -> infinity.

    Args:
        problem: with `Rates`, whose wrong labels are spread evenly, or a `Confusion`; numbers, or arrays of them with
            the classes on the last axes. Means by their norm ``signal``, or by a ``gram`` matrix.
        alpha: n/d, samples generated per dimension.
        loss: "squared", "logistic" (softmax; of classes that differ up to K = 4) or "averaging", the strongest penalty.
        classes: K, where ``problem`` has no table that says it. intercept: whether one is fitted, without penalty.

    Raises:
        InputError: a number outside its range, tables of different K, or an unknown loss.
    """
    from theory.classes.prediction import predict

    if not isinstance(problem, ClassesProblem):
        raise KindError(f"{problem!r} is no ClassesProblem; make one: ClassesProblem(2.0, Rates(0.3, 0.9, 0.2), 0.1)")
    fields = {name: exact(value, name) for name, value in problem._asdict().items() if value is not None}
    given, ratio = problem._replace(**fields), exact(alpha, "alpha")
    found: ClassesPrediction = _in_words(predict(given, ratio, loss, classes=classes, intercept=intercept))
    _note_swapped(given.curation)
    return found


def solve(problem: Problem, alpha: Number, loss: str = "squared") -> Solution:
    """The trained classifier alone: its overlap with the class mean, its norm, its accuracy. Arguments as `predict`."""
    from theory.engine import solve

    given, ratio = checked(problem), exact(alpha, "alpha")
    _broadcastable(given, ratio)
    found: Solution = _in_words(solve(given, ratio, loss))
    return found


def predict_table(columns: "Mapping[str, Any] | pd.DataFrame", ignore: Collection[str] = ()) -> "pd.DataFrame":
    """`predict` for every line of a table, quickly: a line per line, with the table's index.

    Args:
        columns: ``signal``, ``alpha``, ``ridge``, ``loss``, and those of a setting: ``p``, ``phi``, ``psi``, or
            ``p_negative``, ``p_positive``, ... with ``prior``, or cosines (with ``margin`` or ``real``); ``setting``
            names it where they do not. Single values hold for all lines. Results of an earlier call, of sweeps and of
            comparisons may stand beside.
        ignore: other columns that it has, which are not read.

    Raises:
        InputError: a column that is missing, not known or there twice, or values outside their range, with their lines.
    """
    import pandas as pd

    from empirical.records.names import odd
    from pstar.tables import unknown
    from theory.table import predict_table

    if not hasattr(columns, "items"):
        raise KindError(f"{type(columns).__name__} is no table; give a DataFrame (pandas.read_csv of a file) or a dict")
    names = [str(name).strip() for name in getattr(columns, "columns", columns)]
    found = [*odd(names), *unknown(names, False, ignore, lambda names: f"ignore={names}")]
    if found:
        raise InputError(f"the table {'; '.join(found)}")
    read = {name: values for name, (_, values) in zip(names, columns.items(), strict=True) if name not in ignore}
    return pd.DataFrame(predict_table(read), index=getattr(columns, "index", None))


def p_star(rates: Rates | ClassRates) -> Number:
    """Breakdown error rate phi/(phi + psi): with infinite data, training on what is kept succeeds iff p < p*."""
    from theory.threshold import p_star

    return _of_rates(p_star, rates)


def kept_rate(rates: Rates | ClassRates) -> Number:
    """Share of the samples that is kept, (1 - p) phi + p psi."""
    from theory.threshold import kept_rate

    return _of_rates(kept_rate, rates)


def purity(rates: Rates | ClassRates) -> Number:
    """Share of the kept samples whose label is correct; above 1/2 iff p < p*. NaN where nothing is kept."""
    from theory.threshold import purity

    return _of_rates(purity, rates)


def worth(rates: Rates | ClassRates, classes: int = 2, intercept: bool = False) -> Number:
    """How many clean samples one generated sample is worth, after verification and at the best penalty.

        ((1 - p) phi - p psi/(K - 1))^2 / ((1 - p) phi + p psi);   0 where p >= p*

    A verifier helps at finite data iff this is above that of Rates(p, 1, 1). Exact for every convex loss where errors
    do not depend on x and the penalty is the best one; at a fixed small penalty a sample is worth less.

    Args:
        rates: of generator and verifier.
        classes: K; with more than two, errors are spread evenly over the wrong labels.
        intercept: of `ClassRates`, what the direction is worth to a classifier that has one.

    Raises:
        InputError: a number outside its range. KindError: not `Rates` or `ClassRates`.
    """
    from theory.worth import worth

    if getattr(rates, "setting", "") != "independent":
        raise KindError(f"worth takes Rates or ClassRates, not {rates!r}; where errors depend on x it has no law")
    found: Number = plain(worth(_one_shape(exact(rates)), exact(classes, "classes"), intercept))
    return found


def checked(problem: Problem) -> Problem:
    """A problem in float64. Raises KindError for what is none, InputError for what is no number."""
    if not isinstance(problem, Problem):
        raise KindError(f"{problem!r} is no Problem; make one: Problem(signal=2.0, curation=Rates(...), ridge=0.1)")
    if not hasattr(problem.curation, "setting"):
        known = ", ".join(setting.parameters for setting in SETTINGS.values())
        raise KindError(f"curation = {problem.curation!r} must be one of {known}")
    if isinstance(problem.curation, type):
        raise KindError(
            f"curation is the class {problem.curation.__name__}; give its numbers: Rates(p=0.3, phi=0.9, psi=0.2)"
        )
    curation = _one_shape(exact(problem.curation, "curation"))
    return Problem(exact(problem.signal, "signal"), curation, exact(problem.ridge, "ridge"), problem.intercept)


def _note_swapped(curation: Any) -> None:
    """Warn of a verifier that is worse than none, in case its two rates are in each other's place."""
    if hasattr(curation, "psi") and np.all(np.asarray(curation.psi) > np.asarray(curation.phi)):
        warnings.warn(Note(KEEPS_WRONG), stacklevel=3)


def _broadcastable(problem: Problem, alpha: np.ndarray) -> None:
    """Raise InputError where the fields are of shapes that do not meet."""
    last = 1 if isinstance(problem.curation, ClassRates) else 0
    shapes = {name: field.shape[: field.ndim - last] for name, field in problem.curation._asdict().items()}
    coloured = isinstance(problem.signal, Spectrum)
    levels = problem.signal._asdict() if coloured else {"signal": problem.signal}
    shapes |= {name: field.shape[:-1] if coloured else np.shape(field) for name, field in levels.items()}
    shapes |= {"ridge": np.shape(problem.ridge), "alpha": np.shape(alpha)}
    try:
        np.broadcast_shapes(*shapes.values())
    except ValueError:
        given = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape)
        raise InputError(
            f"arrays of shapes that do not meet: {given}; give all one shape, or a column, [[0.1], [0.2]], for a grid"
        ) from None


def _in_words(found: Any) -> Any:
    """Plain numbers, and the status by its name."""
    from theory.status import name

    return plain(found._replace(status=name(found.status)))


def _of_rates(function: Any, rates: Rates | ClassRates) -> Number:
    if getattr(rates, "setting", "") != "independent":
        name = function.__name__
        raise KindError(
            f"{name} takes Rates or ClassRates, not {rates!r}; of a problem: predict(problem, alpha).{name}"
        )
    found: Number = plain(function(_one_shape(exact(rates))))
    return found


def _one_shape(rates: Any) -> Any:
    """Rates per class, of one shape; other curations as they are. Raises InputError where the last axis is no class."""
    if not isinstance(rates, ClassRates):
        return rates
    try:
        shape = np.broadcast_shapes(*(np.shape(rate) for rate in rates))
    except ValueError:
        given = ", ".join(f"{name} {np.shape(rate)}" for name, rate in rates._asdict().items())
        raise InputError(f"ClassRates of shapes {given}: give one number for each class, (y = -1, y = +1)") from None
    if shape[-1:] != (2,):
        raise InputError(f"ClassRates of shape {shape}: the last axis must be the two classes, (y = -1, y = +1)")
    return ClassRates(*(np.broadcast_to(rate, shape) for rate in rates))
