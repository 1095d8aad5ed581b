"""From distances to accuracies with intervals, differences with verdicts, and crossings.

Arrays are (seeds, tests): every repetition has its own data, generator, students and test matrices. Two models of a
repetition are compared on its test matrices, so that differences are paired.
"""

from typing import Literal, NamedTuple

import numpy as np
from scipy.stats import f

from sims.running.intervals import CONFIDENCE, clopper_pearson, t_interval, t_quantile

Verdict = Literal["better", "worse", "undecided", "failed"]


class Accuracy(NamedTuple):
    """Share of tests that are correct, with two intervals; NaN where a model failed."""

    mean: float
    low: float
    """Binomial (Clopper-Pearson), over test matrices: for these models."""
    high: float
    seed_low: float
    """Student's t over repetitions: for models trained like these. NaN with one repetition."""
    seed_high: float


class Difference(NamedTuple):
    """Paired difference of two accuracies, its interval and what it says."""

    mean: float
    low: float
    high: float
    verdict: Verdict
    above: int
    """Repetitions whose own test matrices put the difference above zero (95 %, paired)."""
    below: int


Curve = Literal["parabola", "line from point to point"]
MISFIT = 0.01
"""Level at which a parabola is rejected."""


class Crossing(NamedTuple):
    """Where a curve changes sign; NaN where it does not, or where the interval reaches the end of the points."""

    x: float
    low: float
    high: float
    curve: Curve = "line from point to point"
    """What was read off."""


def accuracy(hits: np.ndarray) -> Accuracy:
    """Accuracy of hits (seeds, tests), 0 and 1; NaN rows for failed models make all of it NaN."""
    if np.isnan(hits).any():
        return Accuracy(*(np.nan,) * 5)
    low, high = (float(end) for end in clopper_pearson(hits.sum(), hits.size, CONFIDENCE))
    over_seeds = (float(np.clip(end, 0, 1)) for end in t_interval(hits.mean(1)))
    return Accuracy(float(hits.mean()), low, high, *over_seeds)


def difference(hits: np.ndarray, others: np.ndarray) -> Difference:
    """How far ``hits`` are above ``others``, both (seeds, tests).

    The interval is Student's t over repetitions; with one repetition the normal one over its test matrices, which
    speaks of these two models only. The verdict is undecided where it holds zero.
    """
    gain = hits - others
    if np.isnan(gain).any():
        return Difference(np.nan, np.nan, np.nan, "failed", 0, 0)
    each = gain.mean(1)
    reach = t_quantile(np.inf) * gain.std(1, ddof=1) / np.sqrt(gain.shape[1])
    above, below = int((each > reach).sum()), int((each < -reach).sum())
    low, high = t_interval(each) if len(each) > 1 else (float(each[0] - reach[0]), float(each[0] + reach[0]))
    verdict: Verdict = "better" if low > 0 else "worse" if high < 0 else "undecided"
    return Difference(float(each.mean()), low, high, verdict, above, below)


def crossing(x: np.ndarray, gains: np.ndarray) -> Crossing:
    """Where the mean of gains (seeds, points) along increasing ``x`` goes from below zero to above.

    Each repetition's gains are replaced by their parabola (least squares), so that points share their noise, where
    there are more repetitions than points and the mean gains do not reject it (Hotelling's T^2, at MISFIT). Elsewhere
    mean and standard error are interpolated linearly, which for the error is an upper bound however the points are
    correlated. The interval holds the points around the crossing at which zero is not rejected (Student's t, 95 %).
    Of several crossings the last is meant. Without an interval (one repetition) its ends are NaN.
    """
    fine = np.unique(np.concatenate([np.linspace(x[0], x[-1], 2001), x]))
    smooth = _parabolas(x, gains, fine)
    if smooth is None:
        return Crossing(*_zero(x, gains.mean(0), fine, _reach(x, gains, fine)))
    return Crossing(*_zero(fine, smooth.mean(0), fine, _reach(fine, smooth, fine)), "parabola")


def _parabolas(x: np.ndarray, gains: np.ndarray, fine: np.ndarray) -> np.ndarray | None:
    """Every repetition's parabola at ``fine``; None where it cannot be tested, or is rejected."""
    seeds, free = len(gains), len(x) - 3
    if free < 1 or seeds <= len(x):
        return None
    powers = np.vander(x, 3)
    across = np.linalg.svd(powers)[0][:, 3:]  # what no parabola has
    off = gains @ across
    spread = np.atleast_2d(np.cov(off, rowvar=False))
    if np.linalg.matrix_rank(spread) < free:
        return None
    distance = seeds * off.mean(0) @ np.linalg.solve(spread, off.mean(0))
    if f.sf(distance * (seeds - free) / (free * (seeds - 1)), free, seeds - free) < MISFIT:
        return None
    fitted: np.ndarray = gains @ np.linalg.pinv(powers).T @ np.vander(fine, 3).T
    return fitted


def _reach(x: np.ndarray, gains: np.ndarray, fine: np.ndarray) -> np.ndarray | None:
    """Half the 95 % interval of the mean gain; None with one repetition."""
    if len(gains) < 2:
        return None
    error = t_quantile(len(gains) - 1) * gains.std(0, ddof=1) / np.sqrt(len(gains))
    found: np.ndarray = np.interp(fine, x, error)
    return found


def _zero(x: np.ndarray, mean: np.ndarray, fine: np.ndarray, reach: np.ndarray | None) -> tuple[float, float, float]:
    rises = np.flatnonzero((mean[:-1] < 0) & (mean[1:] >= 0))
    if not len(rises):
        return np.nan, np.nan, np.nan
    left = rises[-1]
    at = float(x[left] - mean[left] * (x[left + 1] - x[left]) / (mean[left + 1] - mean[left]))
    if reach is None:
        return at, np.nan, np.nan
    height = np.interp(fine, x, mean)
    before, after = fine[(height < -reach) & (fine < at)], fine[(height > reach) & (fine > at)]
    return at, float(before[-1]) if len(before) else np.nan, float(after[0]) if len(after) else np.nan
