"""Margins of confusions, the worst of them first, and how many independent records a share stands on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv, ndtr

from empirical.auditing.design import Grouping
from empirical.auditing.rates import Estimate
from empirical.auditing.scores import guarded_level
from sims.running.intervals import REACH, STEPS, clopper_pearson, t_quantile

RIVALS = 5
"""Labels of a class that are looked at, the most frequent wrong ones among its kept."""
MOST_PAIRS = 100
"""Confusions whose intervals are computed, the worst ones."""
HALVINGS, TINY = 30, 1e-9
Numbers = NDArray[np.float64]


def table(cell: NDArray[Any], weight: Any, size: int) -> Numbers:
    """Weights (K, K) by true class and label, from K truth + label of each record."""
    return np.bincount(cell, weight, size**2).astype(np.float64).reshape(size, size)


class Effect:
    """How many independent records stand behind a share of some of the records."""

    def __init__(self, truth: Any, label: Any, kept: Any, by: Grouping, weight: Any) -> None:
        """Arrays (n,) of class numbers, of what is kept, and of weights."""
        self.truth, self.label, self.kept, self.by, self.weight = truth, label, kept, by, weight
        self.there = np.bincount(truth, minlength=int(max(truth.max(), label.max())) + 1) > 0

    def records(self, counted: NDArray[np.bool_], total: float, among: NDArray[np.bool_] | None = None) -> float:
        """Of the share ``counted`` of ``among``, whose weights sum to ``total``."""
        if self.by.weight is None and self.by.group is None:
            return total
        some = np.ones(counted.size, bool) if among is None else among
        part, size = (self._by_unit(self.weight * flag) for flag in (counted & some, some))
        count = int((size > 0).sum())
        share = part.sum() / total
        spread, residual = share * (1 - share), float(((part - share * size) ** 2).sum())
        known = total**2 / float((size**2).sum())
        if spread > 0 and residual > 0 and count > 1:
            wide = t_quantile(count - 1) / t_quantile(np.inf)
            known = max(known, spread * total**2 / residual * (count - 1) / count / wide**2)
        return float(known)

    def _by_unit(self, values: Any) -> Any:
        return values if self.by.group is None else np.bincount(self.by.group, values)

    def of(self, k: int, rivals: list[int]) -> tuple[list[float], list[float]]:
        """For a class and its rivals, records behind the share of the pair in the class, and of k in the pair."""
        if self.by.weight is None and self.by.group is None:
            return [np.inf] * len(rivals), [np.inf] * len(rivals)
        mine = self.kept & (self.truth == k)
        right = mine & (self.label == k)
        pairs = [right | (mine & (self.label == rival)) for rival in rivals]
        total = lambda some: float((self.weight * some).sum())
        return (
            [self.records(pair, total(mine), mine) for pair in pairs],
            [self.records(right, total(pair), pair) if pair.any() else 0.0 for pair in pairs],
        )


class Margins:
    """Of the confusions (class, rival) that are looked at: pi_kk - pi_kl, by counts (K, K), with the records behind."""

    def __init__(self, counts: Numbers, effect: Effect) -> None:
        """From counts (K, K) by true class and label."""
        self.counts = counts
        self.there = [k for k in range(len(counts)) if effect.there[k]]
        rivals = {k: _rivals(counts, k) for k in self.there}
        self.pairs = [(k, rival) for k in self.there for rival in rivals[k]]
        k, rival = np.array(self.pairs).T
        self.total, self.right = counts.sum(1)[k], counts[k, k]
        self.pair = self.right + counts[k, rival]
        behind = np.array([known for k in self.there for known in zip(*effect.of(k, rivals[k]), strict=True)]).T
        self.of_class, self.of_pair = np.minimum(behind[0], self.total), np.minimum(behind[1], self.pair)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.value = (2 * self.right - self.pair) / self.total

    def ends(self, level: float, some: NDArray[np.intp]) -> tuple[Numbers, Numbers]:
        """Intervals of ``some``, each on its own."""
        total, right, pair = self.total[some], self.right[some], self.pair[some]
        with np.errstate(invalid="ignore", divide="ignore"):
            part, share = pair / total, np.where(pair > 0, right / pair, 0.5)
        known = self.of_class[some], self.of_pair[some]
        low = _low(part, known[0], share, known[1], (1 - level) / 2)
        high = -_low(part, known[0], 1 - share, known[1], (1 - level) / 2)
        return np.where(total == 0, -1.0, low), np.where(total == 0, 1.0, high)

    def worst(self, errors: float = 0.0) -> NDArray[np.intp]:
        """The MOST_PAIRS with the smallest margin, or margin and so many standard errors, the smallest first."""
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.sqrt((self.pair / self.total - self.value**2 + 1 / self.of_class) / self.of_class)
        reached = self.value + errors * error
        return np.argsort(np.where(np.isnan(reached), -np.inf, reached), kind="stable")[:MOST_PAIRS]

    def smallest(self, level: float) -> Estimate:
        """a: above the smallest low end, and below the smallest of high ends that hold together."""
        low = self.ends(level, self.worst(-2))[0].min()
        high = self.ends(guarded_level(level, len(self.pairs)), self.worst(4))[1].min()
        return Estimate(float(np.min(self.value)), float(low), float(high))


def _rivals(counts: Numbers, k: int) -> list[int]:
    order = [int(rival) for rival in np.argsort(-counts[k], kind="stable") if rival != k][:RIVALS]
    return [rival for rival in order if counts[k, rival] > 0] or order[:1]


def _low(part: Any, of_class: Any, right: Any, of_pair: Any, tail: float) -> Numbers:
    """The ``tail`` quantile of t (2 s - 1), s by the low ends of Clopper and Pearson, t by those that are worse."""
    scores = (np.arange(STEPS) + 0.5) * (2 * REACH / STEPS) - REACH
    weights = np.exp(-(scores**2) / 2) / np.exp(-(scores**2) / 2).sum()
    lead = 2 * _quantile(right * of_pair, (1 - right) * of_pair + 1, ndtr(scores)) - 1  # (pairs, STEPS)
    hits, misses = (np.asarray(count, float)[:, None] for count in (part * of_class, (1 - part) * of_class))

    def below(value: Numbers) -> Numbers:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.clip(np.nan_to_num(value[:, None] / lead, nan=1.0), 0, 1)
        above = _law(hits, misses + 1, share)  # t is small, which is worse where s > 1/2
        under = 1 - _law(hits + 1, misses, share)
        at_zero = np.where(value[:, None] >= 0, 1.0, 0.0)
        chance = np.where(lead > 0, np.where(value[:, None] >= 0, above, 0.0), np.where(value[:, None] < 0, under, 1.0))
        return np.sum(weights * np.where(lead == 0, at_zero, chance), -1)

    low, high = np.full(len(hits), -1.0), np.ones(len(hits))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        less = below(middle) < tail
        low, high = np.where(less, middle, low), np.where(less, high, middle)
    return low


def _quantile(hits: Any, misses: Any, share: Any) -> Numbers:
    hits, misses = hits[:, None], misses[:, None]
    return np.where(hits > 0, np.where(misses > 0, betaincinv(np.maximum(hits, TINY), misses, share), 1.0), 0.0)


def _law(hits: Any, misses: Any, share: Any) -> Numbers:
    """P(Beta <= share); a parameter 0 puts all on an end of [0, 1]."""
    inside = betainc(np.maximum(hits, TINY), np.maximum(misses, TINY), share)
    return np.where(hits <= 0, 1.0, np.where(misses <= 0, share >= 1, inside))


def wrong_labels_lead(
    label: NDArray[Any], truth: NDArray[Any], by: Grouping, effect: Effect, size: int, level: float
) -> bool:
    """Whether wrong labels lead, all classes together: then some class is lost, though it may not be known which.

    Rivals are chosen on one half of the units and counted on the other, both ways: each at half the level.
    """
    unit = np.arange(label.size) if by.group is None else by.group
    half = np.random.default_rng(0).permutation(int(unit.max()) + 1) % 2 == 0
    for side in (True, False):
        first, second = (effect.kept & (half[unit] == (side == one)) for one in (True, False))
        cell = (truth * size + label)[first]
        counts = table(cell, effect.weight[first], size)
        np.fill_diagonal(counts, -1.0)
        right, rival = second & (label == truth), second & (label == counts.argmax(1)[truth])
        among = right | rival
        total = float(effect.weight[among].sum())
        if not total:
            continue
        records = min(effect.records(right, total, among), float(among.sum()))
        share = float(effect.weight[right].sum()) / total
        if clopper_pearson(share * records, records, guarded_level(level, 2))[1] < 0.5:
            return True
    return False
