"""A verifier that scores: phi, psi and p* against the threshold on its score, and the best threshold, guarded."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from empirical.auditing.checks import check_level, finite, flags
from empirical.auditing.rates import Counts, Estimate, Rates, rates
from theory.display import record
from theory.errors import InputError

MOST_THRESHOLDS = 50


@dataclass(frozen=True, kw_only=True)
class ThresholdCurve:
    """Rates at each threshold, kept means score >= threshold; see `threshold_curve`. Arrays of shape (t,)."""

    threshold: NDArray[np.float64]
    counts: Counts
    rates: Rates
    """With intervals at ``level`` for each threshold on its own."""
    p_star_guarded: Estimate
    """p* with intervals that hold at all thresholds together with probability ``level`` (Bonferroni)."""
    level: float

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)

    @property
    def best(self) -> int:
        """Index of the threshold with the largest guarded low end of p*; the most lenient of equals."""
        return int(np.argmax(self.p_star_guarded.low))

    @property
    def most_lenient_below(self) -> int | None:
        """Index of the lowest threshold at which p < p* is sure together with all others, None where there is none.

        Purity's interval must lie above 1/2 at the level that holds for all thresholds together.
        """
        strict = rates(self.counts, guarded_level(self.level, self.threshold.size)).purity.low
        sure = np.flatnonzero(strict > 0.5)
        return int(sure[0]) if sure.size else None


def threshold_curve(
    correct: ArrayLike, score: ArrayLike, level: float = 0.95, most: int = MOST_THRESHOLDS
) -> ThresholdCurve:
    """phi, psi, p*, kept rate and purity of the rule "keep where score >= t", for thresholds t.

    The thresholds are the distinct scores, or ``most`` quantiles of them. Choosing the best of many thresholds is
    optimistic: its own interval covers its p* less often than stated. The guarded intervals are at level
    1 - (1 - level)/t, so that whichever threshold is chosen, by whatever rule, its interval covers at ``level``.

    Args:
        correct: whether each label is correct, shape (n,).
        score: the verifier's score, finite, higher is more likely kept, shape (n,).
        level: of the intervals, in (0, 1).
        most: how many thresholds at most, 1 or more.

    Raises:
        ValueError: no records, unequal lengths, entries out of range.
    """
    right, value = flags("correct", correct), finite("score", score)
    if right.shape != value.shape or right.size == 0:
        raise InputError(
            f"correct has {right.size} records, score {value.size}; give one entry per record, at least one"
        )
    check_level(level)
    if most < 1:
        raise InputError(f"most = {most} must be 1 or more; it is the number of thresholds")
    threshold = _thresholds(value, most)
    counts = counts_above(threshold, value, right)
    guarded = rates(counts, guarded_level(level, threshold.size)).p_star
    return ThresholdCurve(
        threshold=threshold, counts=counts, rates=rates(counts, level), p_star_guarded=guarded, level=level
    )


def guarded_level(level: float, count: int) -> float:
    """Level of each of ``count`` intervals that hold together at ``level`` (Bonferroni)."""
    return 1 - (1 - level) / count


def counts_above(threshold: NDArray[np.float64], score: NDArray[np.float64], correct: NDArray[np.bool_]) -> Counts:
    """Counts of the rule "kept where score >= t", for every t."""
    above = lambda part: part.size - np.searchsorted(np.sort(part), threshold, side="left")
    right, wrong = score[correct], score[~correct]
    return Counts(above(right), right.size - above(right), above(wrong), wrong.size - above(wrong))


def _thresholds(score: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Distinct scores, ascending; where there are too many, those at evenly spaced ranks."""
    distinct = np.unique(score)
    if distinct.size <= most:
        return distinct
    return np.unique(np.sort(score)[(np.arange(most) * score.size) // most])
