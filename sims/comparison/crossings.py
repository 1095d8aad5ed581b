"""Where a measured curve crosses zero, with a confidence interval (THEORY §6).

A curve is known at grid points x_i as independent means h_i with standard errors s_i. Between them the
not-a-knot cubic spline is used, h(x) = sum_i w_i(x) h_i, which is linear in the data, so that its standard error
s(x)^2 = sum_i w_i(x)^2 s_i^2 is known as well. The interval inverts a test (Fieller's method): it is the set of x
around a crossing at which h(x) = 0 is not rejected by Student's t with Welch-Satterthwaite degrees of freedom.
It is wide where the curve is flat and open where the grid ends, as it should be.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import ndtri_exp, stdtr

from sims.running.intervals import CONFIDENCE, t_quantile
from theory.errors import InputError

POINTS_PER_STEP = 64
ROUNDING = 1e-12
LARGEST_Z = 37.0


class Curve(NamedTuple):
    """Means of a measured quantity along a grid; zero is the level whose crossing is sought."""

    x: np.ndarray
    """Grid, increasing, at least 4 points."""
    mean: np.ndarray
    error: np.ndarray
    """Standard error of each mean; independent between points."""
    df: np.ndarray
    """Degrees of freedom of each standard error (seeds - 1)."""


class Crossing(NamedTuple):
    """One change of sign."""

    x: float
    """Where the interpolated mean is zero."""
    low: float
    """Lower end of the interval; NaN where it reaches the end of the grid."""
    high: float
    """Upper end, likewise."""
    rising: bool
    """Whether the curve goes from negative to positive."""
    coarse: bool
    """Whether the grid does not resolve the crossing, so that neither place nor interval mean much: the mean jumps by
    more than half of its range between the two grid points around it, or the spline errs by more than the data do."""


class Value(NamedTuple):
    """The interpolated curve at a point."""

    mean: float
    error: float
    z: float
    """mean/error as the standard normal quantile of its t probability."""


def weights(x: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Interpolation weights w_i(at): rows are points of ``at``, columns grid points."""
    return _spline(x.tobytes())(at)


@lru_cache(maxsize=2)
def _spline(x: bytes) -> CubicSpline:
    """Of the unit vectors on a grid, which the curves of a sweep share."""
    grid = np.frombuffer(x)
    return CubicSpline(grid, np.eye(len(grid)), axis=0)


@lru_cache(maxsize=1)
def _fine(x: bytes) -> tuple[np.ndarray, np.ndarray]:
    """A grid refined, and the weights there."""
    fine = _refine(np.frombuffer(x))
    return fine, _spline(x)(fine)


def standardised(curve: Curve, at: np.ndarray, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mean, error, degrees of freedom) of the interpolated curve; ``scale`` multiplies the errors."""
    return _weighted(curve, weights(curve.x, at), scale)


def _weighted(curve: Curve, w: np.ndarray, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    parts = (w * curve.error * scale) ** 2
    variance = parts.sum(axis=1)
    df = variance**2 / np.maximum((parts**2 / curve.df).sum(axis=1), np.finfo(float).tiny)
    return w @ curve.mean, np.sqrt(variance), df


def value_at(curve: Curve, x: float) -> Value:
    """The interpolated curve at ``x`` as estimate, standard error and z. NaN outside the grid."""
    if not curve.x[0] <= x <= curve.x[-1]:
        return Value(np.nan, np.nan, np.nan)
    mean, error, df = (float(part[0]) for part in standardised(curve, np.array([x])))
    return Value(mean, error, float(normal_z(mean, error, df)))


def normal_z(difference: np.ndarray | float, error: np.ndarray | float, df: np.ndarray | float) -> np.ndarray:
    """difference/error, as the standard normal quantile that has its tail probability under Student's t.

    At most LARGEST_Z, where the probability underflows. NaN where the error is no more than rounding (accuracies
    saturated at 0 or 1): nothing can be tested there.
    """
    statistic = np.divide(difference, np.where(np.asarray(error) > ROUNDING, error, np.nan))
    with np.errstate(divide="ignore"):
        tail = np.log(stdtr(df, -np.abs(statistic)))
    return np.sign(statistic) * np.minimum(-ndtri_exp(tail), LARGEST_Z)


def crossings(curve: Curve, confidence: float = CONFIDENCE) -> list[Crossing]:
    """All changes of sign that the data establish, in increasing x.

    A stretch where h = 0 is not rejected counts as one crossing if the curve is significantly positive on one
    side and negative on the other, or if it touches an end of the grid and the mean changes sign in it (its
    interval is open there). Dips that noise explains are none.

    Raises:
        ValueError: fewer than 4 points, or a grid that does not increase.
    """
    if len(curve.x) < 4 or np.any(np.diff(curve.x) <= 0):
        raise InputError(f"crossings need at least 4 increasing grid points, got {curve.x!r}")
    fine, w = _fine(curve.x.tobytes())
    mean, error, df = _weighted(curve, w)
    critical = t_quantile(df, confidence)
    side = np.where(mean > critical * error, 1, np.where(mean < -critical * error, -1, 0))
    found = []
    for first, last in _stretches(side):
        before = side[first - 1] if first > 0 else 0
        after = side[last + 1] if last + 1 < len(fine) else 0
        # bounds one point outside the stretch, so that the change of sign lies between them
        start, stop = max(first - 1, 0), min(last + 1, len(fine) - 1)
        changes = np.flatnonzero(np.diff(np.sign(mean[start : stop + 1])))
        if before == after != 0 or not len(changes):
            continue
        middle = start + changes[len(changes) // 2]
        root = _root(lambda x: float(standardised(curve, np.array([x]))[0][0]), fine[middle], fine[middle + 1])
        inner = (fine[first], fine[last]) if first <= last else (root, root)
        low = _edge(curve, fine[first - 1], inner[0], confidence) if before else np.nan
        high = _edge(curve, fine[last + 1], inner[1], confidence) if after else np.nan
        rising = after > before if before or after else bool(mean[stop] > mean[start])
        found.append(Crossing(root, low, high, bool(rising), _is_coarse(curve, root)))
    return found


def _refine(x: np.ndarray) -> np.ndarray:
    steps = [np.linspace(a, b, POINTS_PER_STEP, endpoint=False) for a, b in zip(x[:-1], x[1:], strict=True)]
    return np.append(np.concatenate(steps), x[-1])


def _stretches(side: np.ndarray) -> list[tuple[int, int]]:
    """Maximal runs of zeros, and the empty runs (i, i - 1) between neighbours of opposite sign."""
    edges = np.flatnonzero(np.diff(side)) + 1  # where a run of equals starts
    starts, stops = np.insert(edges, 0, 0), np.append(edges, len(side))
    runs = []
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        if side[start] == 0:
            runs.append((start, stop - 1))
        elif start and side[start - 1] == -side[start]:
            runs.append((start, start - 1))
    return runs


def _edge(curve: Curve, outside: float, inside: float, confidence: float) -> float:
    """Where |h| = critical error, between a point where zero is rejected and one where it is not."""

    def excess(x: float) -> float:
        mean, error, df = (part[0] for part in standardised(curve, np.array([x])))
        return float(abs(mean) - t_quantile(df, confidence) * error)

    return _root(excess, outside, inside)


def _root(function: Callable[[float], float], a: float, b: float) -> float:
    """Root between a and b, where the function differs in sign."""
    return float(brentq(function, a, b, xtol=1e-12))


def _is_coarse(curve: Curve, root: float) -> bool:
    right = int(np.clip(np.searchsorted(curve.x, root), 1, len(curve.x) - 1))
    jump = abs(curve.mean[right] - curve.mean[right - 1]) > np.ptp(curve.mean) / 2
    return bool(jump or interpolation_error(curve, root) > value_at(curve, root).error / 2)


def interpolation_error(curve: Curve, x: float) -> float:
    """About by how much the spline itself errs at ``x``: from what the nearest inner grid point changes there.

    Without that point the spacing is twice as large, and the error of a cubic spline some 8 times. Of the change, what
    noise explains (3 standard errors) is taken off first. 0 where there are only 4 points.
    """
    if len(curve.x) < 5:
        return 0.0
    left_out = 1 + int(np.argmin(np.abs(curve.x[1:-1] - x)))
    fewer = np.insert(weights(np.delete(curve.x, left_out), np.array([x]))[0], left_out, 0.0)
    change = weights(curve.x, np.array([x]))[0] - fewer
    return max(abs(change @ curve.mean) - 3 * float(np.sqrt(((change * curve.error) ** 2).sum())), 0.0) / 8
