"""From distances to accuracies with intervals, differences with verdicts, and crossings.

Arrays are (seeds, tests): every repetition has its own data, generator, students and test matrices. Two models of a
repetition are compared on its test matrices, so that differences are paired.
"""

from typing import Literal, NamedTuple

import numpy as np

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


class Crossing(NamedTuple):
    """Where a curve changes sign; NaN where it does not, or where the interval reaches the end of the points."""

    x: float
    low: float
    high: float


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

    Mean and standard error are interpolated linearly, which for the error is an upper bound however the points are
    correlated. The interval holds the points around the crossing at which zero is not rejected (Student's t, 95 %).
    Of several crossings the last is meant. Without an interval (one repetition) its ends are NaN.
    """
    mean = gains.mean(0)
    rises = np.flatnonzero((mean[:-1] < 0) & (mean[1:] >= 0))
    if not len(rises):
        return Crossing(np.nan, np.nan, np.nan)
    left = rises[-1]
    at = x[left] - mean[left] * (x[left + 1] - x[left]) / (mean[left + 1] - mean[left])
    if len(gains) < 2:
        return Crossing(float(at), np.nan, np.nan)
    error = t_quantile(len(gains) - 1) * gains.std(0, ddof=1) / np.sqrt(len(gains))
    fine = np.unique(np.concatenate([np.linspace(x[0], x[-1], 2001), x]))
    height, reach = np.interp(fine, x, mean), np.interp(fine, x, error)
    before, after = fine[(height < -reach) & (fine < at)], fine[(height > reach) & (fine > at)]
    return Crossing(float(at), float(before[-1]) if len(before) else np.nan, float(after[0]) if len(after) else np.nan)
