"""The same by direct experiment: labels of one's own points corrupted and verified at the rates, a probe fitted."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from empirical.features.points import Points
from empirical.features.probes import fit
from sims.running.intervals import mean_over
from theory.types import Rates

LEAST_TEST = 20
"""Clean points that must be left to test on."""
AT_ONCE = 2_000_000
"""Numbers of points that lie in memory together."""


class Measured(NamedTuple):
    """Accuracy on clean points that were not trained on: over random subsets of these N points, no others."""

    accuracy: float
    low: float
    high: float
    repetitions: int
    """Of those asked for: without draws that kept one label only."""


NOTHING = Measured(np.nan, np.nan, np.nan, 0)


def measure(points: Points, rates: Rates, n: int, ridge: float, loss: str, repetitions: int, seed: int) -> Measured:
    """Mean over random subsets of n points, with its t interval; NaN where fewer than 20 points would be left.

    ``ridge`` is lambda itself, relative to the mean over what is kept.
    """
    if n > len(points.x) - LEAST_TEST:
        return NOTHING
    rng = np.random.default_rng([seed, n])
    step = max(1, AT_ONCE // (n * points.x.shape[1]))
    sizes = [min(step, repetitions - done) for done in range(0, repetitions, step)]
    found = np.concatenate([_some(points, rates, n, ridge, loss, size, rng) for size in sizes])
    found = found[~np.isnan(found)]
    if len(found) < 2:
        return NOTHING
    mean = mean_over(found)
    return Measured(float(mean.mean), float(mean.low), float(mean.high), len(found))


def curate(
    positive: NDArray[np.bool_], rates: Rates, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Labels +-1 that err at rate p, and whether the verifier keeps them; rates are numbers or pairs, y = -1 first."""
    p, phi, psi = (np.broadcast_to(np.asarray(rate, float), 2)[positive.astype(int)] for rate in rates)
    wrong = rng.random(positive.shape) < p
    kept = rng.random(positive.shape) < np.where(wrong, psi, phi)
    return np.where(positive ^ wrong, 1.0, -1.0), kept


def _some(
    points: Points, rates: Rates, n: int, ridge: float, loss: str, repetitions: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Accuracies of some repetitions, NaN for a draw that kept one label only."""
    total = len(points.x)
    chosen = rng.permuted(np.tile(np.arange(total), (repetitions, 1)), axis=1)[:, :n]
    label, kept = curate(points.positive[chosen], rates, rng)
    probes = fit(points.x[chosen], label, kept, ridge, loss)
    right = ((points.x @ probes.w.T + probes.b > 0) == points.positive[:, None]).T.astype(float)
    np.put_along_axis(right, chosen, 0.0, axis=1)
    return np.where(probes.found, right.sum(1) / (total - n), np.nan)
