"""Why a solution was not found (THEORY §4): codes into `theory.types.STATUSES`."""

from typing import Any

import numpy as np

from theory.arrays import Array, of
from theory.types import STATUSES, Scalar

OK, NOTHING_KEPT, NOT_UNIQUE, SEPARABLE, COPLANAR, NOT_CONVERGED, CONSTANT, ONE_LABEL, *_OF_CLASSES = range(
    len(STATUSES)
)
TIED, NOT_RESOLVED, TOO_MANY, LABEL_MISSING, NOT_FINITE, OUT_OF_BOUNDS = _OF_CLASSES
LEAST = float(np.finfo(np.float64).tiny)
"""Kept rates, ratios and lengths below are 0: a float64 smaller than this has lost digits."""
EXPLAINED = {
    "nothing kept": "nothing kept: the verifier drops all that this generator makes",
    "not unique": "not unique: at ridge = 0 no more kept samples than dimensions; give ridge > 0",
    "separable": "separable: at ridge = 0 the loss has no minimum on kept data that can be separated; give ridge > 0",
    "too near to coplanar": "too near to coplanar: the classifier nearly lies in the space of mean, generator and "
    "verifier, where the equations are not resolved; raise the ridge or lower n/d",
    "not converged": "not converged: the equations were not solved to the stated tolerance",
    "constant classifier": "constant classifier: this loss with an intercept says the same label of every point; take "
    "logistic or squared loss, or leave the intercept out",
    "one label kept": "one label kept: all kept labels are the same, so that an intercept grows without end; keep both",
    "tied": "tied: two classes always have the same score, as where neither of their labels is kept; drop one of them",
    "not resolved": "not resolved: two quadrature rules differ by more than is tolerated; raise the ridge",
    "label missing": "label missing: no kept label is of some class, whose intercept then falls without end; leave "
    "the intercept out, or the class",
    "not finite": "not finite: a number is beyond float64; bring signal, ridge and n/d nearer to 1",
    "out of bounds": "out of bounds: rounding made a number impossible; bring signal, ridge and n/d nearer to 1",
    "too many classes": "too many classes: softmax is solved up to K = 20 where classes are alike, and up to K = 4 "
    "where means, priors or errors differ; take squared loss",
}
"""What a status means and what to do."""


def code(converged: Scalar, delta: Scalar, unique: Scalar = True, why: Scalar = NOT_CONVERGED) -> Array:
    """The status of each cell, as far as it can be told under ``jit``: `separable` is the exception.

    ``unique``: whether the minimiser is. ``why``: the code where none of the other reasons is one.
    """
    xp = of(converged, delta, unique, why)
    why = xp.where(unique, why, NOT_UNIQUE)
    why = xp.where(xp.asarray(delta) >= LEAST, why, NOTHING_KEPT)
    return xp.where(converged, OK, why)


def name(codes: Any) -> np.ndarray:
    """The statuses in words."""
    return np.asarray(STATUSES, dtype=object)[np.asarray(codes)]
