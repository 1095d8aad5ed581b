"""A verifier that scores: its rates, p* and worth against the threshold, and the best threshold for each, guarded."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from empirical.auditing.checks import check_classes, check_level, check_seed, finite, judgements
from empirical.auditing.design import CORRECT, KINDS, UNJUDGED, WRONG, Design, Grouping, grouping, of_kinds
from empirical.auditing.estimates import rates_by
from empirical.auditing.rates import Counts, Estimate, Rates, rates
from empirical.auditing.resample import Resampled, resample
from empirical.auditing.value import exact_worth, worth_of
from theory.display import record
from theory.errors import InputError

MOST_THRESHOLDS = 50
DRAWS = 4_000


@dataclass(frozen=True, kw_only=True)
class ThresholdCurve:
    """Rates at each threshold; see `threshold_curve`. Arrays of shape (t,), from the most lenient to the strictest."""

    threshold: NDArray[np.float64]
    low_is_good: bool
    """Whether kept means score <= threshold; else score >= threshold."""
    design: Design
    counts: Counts
    """Of judged records, each counted once."""
    rates: Rates
    """With intervals at ``level`` for each threshold on its own."""
    worth: Estimate
    """W, clean samples that one generated sample is worth, likewise; for ``n_classes``."""
    p_star_guarded: Estimate
    """p* with intervals that hold at all thresholds together with probability ``level`` (Bonferroni)."""
    purity_guarded: Estimate
    worth_guarded: Estimate
    unverified: float
    """W of keeping everything."""
    auc: float
    """P(a correct label has the better score than a wrong one), ties half; below 1/2 the score points the other way."""
    level: float
    n_classes: int | None = None

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)

    @property
    def best(self) -> int:
        """Index of the threshold with the largest guarded low end of p*; the most lenient of equals."""
        return int(np.argmax(self.p_star_guarded.low))

    @property
    def best_worth(self) -> int | None:
        """Index of the threshold with the largest guarded low end of worth; None where none is surely above 0."""
        low = self.worth_guarded.low
        return int(np.argmax(low)) if low.max() > 0 else None

    @property
    def most_lenient_below(self) -> int | None:
        """Index of the most lenient threshold at which p < p* is sure together with all others, None without one.

        Purity's interval must lie above 1/2 at the level that holds for all thresholds together.
        """
        sure = np.flatnonzero(self.purity_guarded.low > 0.5)
        return int(sure[0]) if sure.size else None


def threshold_curve(
    correct: ArrayLike,
    score: ArrayLike,
    level: float = 0.95,
    most: int = MOST_THRESHOLDS,
    *,
    low_is_good: bool = False,
    n_classes: int | None = None,
    weight: ArrayLike | None = None,
    group: ArrayLike | None = None,
    seed: int = 0,
) -> ThresholdCurve:
    """phi, psi, p*, kept rate, purity and worth of the rule "keep where score >= t", for thresholds t.

    The thresholds are the distinct scores, or ``most`` quantiles of them. Choosing the best of many thresholds is
    optimistic: its own interval covers its p* less often than stated. The guarded intervals are at level
    1 - (1 - level)/t, so that whichever threshold is chosen, by whatever rule, its interval covers at ``level``.

    Args:
        correct: whether each label is correct, shape (n,); None or NaN where nobody judged.
        score: the verifier's score of each record, finite, shape (n,).
        level: of the intervals, in (0, 1).
        most: how many thresholds at most, 1 or more.
        low_is_good: the rule is "keep where score <= t".
        n_classes: K, for the worth. weight, group, seed: as for `empirical.audit`.

    Raises:
        ValueError: no records, unequal lengths, nothing judged, entries out of range.
    """
    judged, value = judgements("correct", correct), finite("score", score)
    if judged.shape != value.shape or judged.size == 0:
        raise InputError(
            f"correct has {judged.size} records, score {value.size}; give one entry per record, at least one"
        )
    if not (judged != UNJUDGED).any():
        raise InputError("correct is missing in every record; judge some of them, drawn at random")
    check_level(level)
    check_seed(seed)
    if most < 1:
        raise InputError(f"most = {most} must be 1 or more; it is the number of thresholds")
    by = grouping(weight, group, judged.size)
    return of_scores(judged, value, by, level, most, low_is_good, check_classes(n_classes), seed)


def of_scores(
    judged: NDArray[np.int8],
    score: NDArray[np.float64],
    by: Grouping,
    level: float,
    most: int = MOST_THRESHOLDS,
    low_is_good: bool = False,
    n_classes: int | None = None,
    seed: int = 0,
) -> ThresholdCurve:
    """`threshold_curve` of arrays that have been checked."""
    good = -score if low_is_good else score
    threshold = _thresholds(good, most)
    passed = np.searchsorted(threshold, good, side="right")  # thresholds that a record is not below
    counts = Counts(*(count for side in (CORRECT, WRONG) for count in _counts(passed[judged == side], threshold.size)))
    design, strict, classes = Design.of(judged, by), guarded_level(level, threshold.size), n_classes or 2
    if design.plain:
        found, guarded = rates(counts, level), rates(counts, strict)
        worth, sure = exact_worth(counts, level, classes), exact_worth(counts, strict, classes)
    else:
        drawn = _resampled(judged, passed, threshold.size, by, design, seed)
        found, guarded = (_stacked([rates_by(each, at) for each in drawn]) for at in (level, strict))
        worth, sure = (_worths(drawn, classes, at) for at in (level, strict))
    p = float(found.p.value[0])
    unverified = float(worth_of(classes)(np.array(p), np.array(1.0), np.array(1.0)))
    return ThresholdCurve(
        threshold=-threshold if low_is_good else threshold,
        low_is_good=low_is_good,
        design=design,
        counts=counts,
        rates=found,
        worth=worth,
        p_star_guarded=guarded.p_star,
        purity_guarded=guarded.purity,
        worth_guarded=sure,
        unverified=unverified,
        auc=area(judged, good),
        level=level,
        n_classes=n_classes,
    )


def guarded_level(level: float, count: int) -> float:
    """Level of each of ``count`` intervals that hold together at ``level`` (Bonferroni)."""
    return 1 - (1 - level) / count


def area(judged: NDArray[np.int8], good: NDArray[np.float64]) -> float:
    """P(a correct label's value exceeds a wrong one's), ties half, of judged records; NaN where a kind is missing."""
    return exceeds(good[judged == CORRECT], good[judged == WRONG])


def exceeds(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """P(one of the first exceeds one of the second), ties half; NaN where there are none of either."""
    if not first.size or not second.size:
        return float("nan")
    few, many = sorted((np.sort(first), np.sort(second)), key=len)
    below = sum(int(np.searchsorted(many, few, side).sum()) for side in ("left", "right"))  # ties in one of the two
    share = below / (2 * few.size * many.size)
    return share if first.size <= second.size else 1 - share


def counts_above(threshold: NDArray[np.float64], score: NDArray[np.float64], correct: NDArray[np.bool_]) -> Counts:
    """Counts of the rule "kept where score >= t", for every t."""
    above = lambda part: part.size - np.searchsorted(np.sort(part), threshold, side="left")
    right, wrong = score[correct], score[~correct]
    return Counts(above(right), right.size - above(right), above(wrong), wrong.size - above(wrong))


def _counts(passed: NDArray[np.intp], size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """At each threshold, how many are kept and how many dropped."""
    dropped = np.cumsum(np.bincount(passed, minlength=size + 1))[:size]
    return passed.size - dropped, dropped


def _thresholds(score: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Distinct scores, ascending; where there are too many, those at evenly spaced ranks."""
    ordered = np.sort(score)
    distinct = ordered[np.r_[True, ordered[1:] != ordered[:-1]]]
    if distinct.size <= most:
        return distinct
    return np.unique(ordered[(np.arange(most) * score.size) // most])


def _resampled(judged: Any, passed: Any, size: int, by: Grouping, design: Design, seed: int) -> list[Resampled]:
    """Of every threshold, with the same draws."""
    kept = (np.arange(size + 1)[:, None] > np.arange(size)).astype(int)  # by thresholds passed
    sums = KINDS[:, kept].reshape(-1, size, 6)
    kind = judged.astype(np.intp) * (size + 1) + passed
    return resample(of_kinds(kind, sums, by, seed), design.whole, DRAWS, seed)


def _stacked(found: list[Rates]) -> Rates:
    return Rates(*(Estimate(*map(np.array, zip(*each, strict=True))) for each in zip(*found, strict=True)))


def _worths(drawn: list[Resampled], classes: int, level: float) -> Estimate:
    value = worth_of(classes)
    ends = [(float(value(*each.observed_rates())), *each.interval(value, level, (0.0, 1.0))) for each in drawn]
    return Estimate(*map(np.array, zip(*ends, strict=True)))
