"""Where a classifier of K classes breaks even with its generator, accuracy = 1 - p, at fixed n/d (THEORY §12)."""

import numpy as np

from theory.arrays import quiet
from theory.classes.population import population
from theory.classes.prediction import predict
from theory.classes.symmetric import Effort
from theory.crossings import POINTS, Crossings, crossings
from theory.errors import InputError, KindError
from theory.solvers import work
from theory.types import ClassesProblem, Rates

SOFTMAX_POINTS = 65
"""Bracketing points where every point is a search."""
CURVE = 4.5e7
"""Work (`theory.solvers.work`) for all of them, and for the roots: seconds."""


def p_gain(
    problem: ClassesProblem, alpha: float, loss: str = "squared", *, classes: int | None = None, intercept: bool = False
) -> Crossings:
    """The roots of `searched`; arguments and refusals as there."""
    return searched(problem, alpha, loss, classes=classes, intercept=intercept)[0]


@quiet
def searched(
    problem: ClassesProblem, alpha: float, loss: str = "squared", *, classes: int | None = None, intercept: bool = False
) -> tuple[Crossings, float]:
    """All roots of accuracy(p) = 1 - p on [0, 1], up to three; rising where retraining wins beyond it.

    One curve: single numbers, of which p is left aside. Unverified, phi = psi, p*_K itself is always one of them: both
    sides are 1/K. Two roots between neighbours of the bracketing grid are missed. Softmax is bracketed by a coarse
    rule, and a root of it then moved once, by Newton, to where the plain rule has it.

    Returns:
        The roots, and the share of the bracketing points that have a solution within `CURVE`, halved where a root was
        not reached; elsewhere roots are missed.

    Raises:
        ValueError: as `predict`; softmax of classes that differ, where each point takes seconds.
        TypeError: errors that are not spread evenly, so that p is no axis.
    """
    rates = problem.curation
    if not isinstance(rates, Rates):
        raise KindError("p_gain is on the axis of p, which Rates have; give Rates, or compare accuracies one by one")
    if np.ndim(alpha) or any(np.ndim(number) for number in (problem.signal, problem.ridge, *rates)):
        raise InputError("p_gain takes one curve: single numbers for signal, phi, psi, ridge and alpha")
    if loss == "logistic" and not population(problem, classes).alike:
        raise InputError("p_gain of softmax takes classes that are alike; take squared loss")

    def excess(p: np.ndarray, effort: Effort) -> np.ndarray:
        moved = problem._replace(curation=rates._replace(p=p))
        found = predict(moved, alpha, loss, classes=classes, intercept=intercept, effort=effort)
        return np.asarray(found.accuracy - (1 - p))

    if loss != "logistic":
        values = excess(np.linspace(0.0, 1.0, POINTS), "plain")
        found = crossings(lambda p, curve: excess(p, "plain"), 1, 0.0, 1.0, POINTS, values[None])
        return found, float(np.isfinite(values).mean())
    with work.allowance(CURVE):
        values = excess(np.linspace(0.0, 1.0, SOFTMAX_POINTS), "coarse")
        found = crossings(lambda p, curve: excess(p, "coarse"), 1, 0.0, 1.0, SOFTMAX_POINTS, values[None])
        ends = np.clip(found.x + 1e-4 * np.array([[-1], [1]]), 0, 1)
        slope = np.diff(np.stack([excess(end, "coarse") for end in ends]), axis=0)[0] / np.diff(ends, axis=0)[0]
        found = found._replace(x=np.clip(found.x - excess(found.x, "plain") / slope, 0, 1))
    known = np.isfinite(found.x)
    return Crossings(*(field[known] for field in found)), float(np.isfinite(values).mean()) * (known.all() or 0.5)
