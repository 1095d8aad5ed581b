"""Is a verifier better than none, and what is what it keeps worth? (THEORY §28: worth; the decision is ours.)"""

import math
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.special import betainc, betaincinv, ndtr, ndtri

from empirical.auditing.rates import POWER, Counts, Estimate
from empirical.auditing.resample import Function, Numbers, Resampled
from sims.running.intervals import REACH, STEPS, clopper_pearson
from sims.running.roots import find_roots
from theory.display import inline, record
from theory.types import Rates
from theory.worth import worth

FEWEST = 5
"""Units, below which nobody can say how many would decide."""
Answer = Literal["yes", "no", "undecided"]
Kind = Literal["better", "harmful", "wasteful", "keeps everything", "keeps nothing", "worthless", "undecided"]


ROOT = 1e-13
"""How sure an exact end of worth is."""
TINY = 1e-9
"""In place of a parameter 0, and of an end of worth that is above 0, as purity says, and below what nodes resolve."""


class Worth(NamedTuple):
    """Clean samples that one generated sample is worth, at the best penalty, with the verifier and without."""

    verified: Estimate
    """W = ((1-p) phi - p psi/(K-1))^2 / ((1-p) phi + p psi)"""
    unverified: Estimate
    """W of phi = psi = 1: (1 - pK/(K-1))^2"""
    gain: Estimate
    """The difference, in [-1, 1]."""

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)


class Better(NamedTuple):
    """Whether the verifier is better than none: worth per generated sample exceeds that of keeping everything."""

    answer: Answer
    kind: Kind
    """Why. "harmful": it keeps wrong labels more readily than correct ones, phi < psi; "wasteful": phi > psi or not
    known, but what it drops costs more than what it cleans; "worthless": so is all, as p is beyond both thresholds."""
    more: float
    """Further units (records, or groups) that would decide with a power of 80 %; 0 where decided, NaN if unknown."""

    def __repr__(self) -> str:
        """All in one line."""
        return inline(self)


def worth_of(classes: int = 2) -> Function:
    """W as a function of p, phi and psi, 0 where nothing is kept."""

    def value(p: Numbers, phi: Numbers, psi: Numbers) -> Numbers:
        kept = np.where(p < 1, phi, 1.0), np.where(p > 0, psi, 1.0)  # of none it does not matter how many
        unknown = np.isnan(p) | np.isnan(kept[0]) | np.isnan(kept[1])
        nothing = kept[0] + kept[1] == 0
        first = np.where(unknown | nothing, 1.0, kept[0])
        rates = Rates(np.where(unknown, 0.0, p), first, np.where(unknown, 1.0, kept[1]))
        return np.where(unknown, np.nan, np.where(nothing, 0.0, worth(rates, classes)))

    return value


def unverified_worth(classes: int = 2) -> Function:
    """W of phi = psi = 1."""
    value = worth_of(classes)
    return lambda p, phi, psi: value(p, np.ones_like(p), np.ones_like(p))


def gain_of(classes: int = 2) -> Function:
    """W less that of no verifier."""
    verified, unverified = worth_of(classes), unverified_worth(classes)
    return lambda p, phi, psi: verified(p, phi, psi) - unverified(p, phi, psi)


def exact_worth(counts: Counts, level: float, classes: int = 2) -> Estimate:
    """W with its interval from four counts, or arrays of them, by melding two exact laws, without draws.

    W = kappa lead(pi)^2, lead = max((K pi - 1)/(K - 1), 0), grows with kappa and with pi. The low end is the lower
    quantile of that of independent kappa ~ Beta(kept, dropped + 1) and pi ~ Beta(correct, wrong + 1) of the kept,
    the high end that with the other ends of Clopper and Pearson. The bootstrap of other designs has its further unit in
    sums that the shares have in common, and a slightly lower end at small counts. Source: fay2015combining.
    """
    total, kept, right = (np.asarray(part, float) for part in (counts.total, counts.kept, counts.correct_kept))
    lead = lambda share: np.maximum((classes * share - 1) / (classes - 1), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(kept > 0, kept / total * lead(right / np.where(kept > 0, kept, 1.0)) ** 2, 0.0)
    tail = (1 - level) / 2
    low = _melded((kept, total - kept + 1), (right, kept - right + 1), lead, tail)
    high = _melded((kept + 1, total - kept), (right + 1, kept - right), lead, 1 - tail)
    low = np.where(_mass(right, kept - right + 1, 1 / classes) < tail, np.maximum(low, TINY), 0.0)
    high = np.where(_mass(right + 1, kept - right, 1 / classes) < 1 - tail, np.maximum(high, TINY), 0.0)
    return Estimate(value, low, high)


def _mass(a: Numbers, b: Numbers, share: float) -> Numbers:
    """P(Beta(a, b) <= share < 1); a parameter 0 puts all on an end of [0, 1]."""
    inside = betainc(np.maximum(a, TINY), np.maximum(b, TINY), share)
    return np.asarray(np.where(a <= 0, 1.0, np.where(b <= 0, 0.0, inside)), np.float64)


def _melded(first: tuple[Numbers, Numbers], second: tuple[Numbers, Numbers], lead: Any, tail: float) -> Numbers:
    """The ``tail`` quantile of A lead(B)^2 for independent Beta variables; a parameter 0 is an end of [0, 1]."""
    scores = (np.arange(STEPS) + 0.5) * (2 * REACH / STEPS) - REACH
    weights = np.exp(-(scores**2) / 2) / np.exp(-(scores**2) / 2).sum()
    sizes = np.broadcast_arrays(*first, *second)
    k, m, a, b = (np.asarray(size, np.float64).reshape(-1, 1) for size in sizes)
    node = np.where(
        a <= 0, 0.0, np.where(b <= 0, 1.0, betaincinv(np.maximum(a, 1e-9), np.maximum(b, 1e-9), ndtr(scores)))
    )
    factor = lead(node) ** 2

    def below(value: Numbers, index: Any) -> Numbers:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.clip(np.where(factor[index] > 0, value[:, None] / factor[index], 1.0), 0.0, 1.0)
        kept, left = k[index], m[index]
        inside = betainc(np.maximum(kept, 1e-9), np.maximum(left, 1e-9), share)
        sure = np.where(kept <= 0, 1.0, np.where(left <= 0, (share >= 1).astype(float), inside))
        return np.sum(weights * sure, -1)

    score = lambda share: ndtri(np.clip(share, 1e-300, 1 - 1e-16))
    zero = np.zeros(len(k))
    some = below(zero, slice(None)) < tail
    place = np.flatnonzero(some)
    found = zero.copy()
    found[some] = find_roots(
        lambda value, index: score(below(value, place[index])) - score(tail), zero[some], np.ones(place.size), ROOT
    )
    return found.reshape(sizes[0].shape)


def worth_estimate(found: Resampled, level: float, classes: int = 2, counts: Counts | None = None) -> Worth:
    """Worth and its gain with intervals at ``level``, for any design; ``counts`` where four of them say all."""
    observed = found.observed_rates()

    def estimate(function: Function, low: float) -> Estimate:
        value, ends = float(function(*observed)), found.interval(function, level, (low, 1.0))
        hold = float(np.fmin(ends[0], value)), float(np.fmax(ends[1], value))  # at its greatest the gain turns round
        return Estimate(value, *hold)

    if counts is None:
        verified = _verified(found, level, classes)
        low, high = found.ends(*found.errors, level, (0.0, 1.0))
    else:
        verified = Estimate(*map(float, exact_worth(counts, level, classes)))
        low, high = map(float, clopper_pearson(counts.wrong, counts.total, level))
    p, ones = np.array([observed[0], high, low], float), np.ones(3)
    unverified = Estimate(*unverified_worth(classes)(p, ones, ones).tolist())
    return Worth(verified, unverified, estimate(gain_of(classes), -1.0))


def _verified(found: Resampled, level: float, classes: int) -> Estimate:
    """W = kappa lead(pi)^2, which knows nothing of what is dropped."""

    def value(kept: Any, pure: Any) -> Any:
        lead = np.maximum((classes * np.asarray(pure, float) - 1) / (classes - 1), 0.0)
        return np.where(np.asarray(kept) > 0, kept * lead**2, 0.0)

    kept, dropped, right, wrong = (float(found.observed[place]) for place in (0, 1, 2, 4))
    share = lambda part, whole: part / whole if whole > 0 else math.nan
    least, largest = (value(*found.kept_and_purity(side)) for side in (0.0, 1.0))
    ends = found.ends(least, largest, level, (0.0, 1.0))
    return Estimate(float(value(share(kept, kept + dropped), share(right, right + wrong))), *ends)


def better(
    value: Worth, p_star: Estimate, kept: float, dropped: float, found: Resampled, level: float, classes: int = 2
) -> Better:
    """The decision; ``kept`` and ``dropped`` are weights of records."""
    if not kept:
        return Better("no", "keeps nothing", 0.0)
    if not dropped:
        return Better("no", "keeps everything", 0.0)
    if value.gain.low > 0:
        return Better("yes", "better", 0.0)
    worthless = max(value.verified.high, value.unverified.high) <= 0
    if worthless or value.gain.high < 0:
        return Better("no", "harmful" if p_star.high < 0.5 else "worthless" if worthless else "wasteful", 0.0)
    return Better("undecided", "undecided", units_needed(found, gain_of(classes), level))


def units_needed(found: Resampled, function: Function, level: float, power: float = POWER) -> float:
    """Fresh units, as many as these records hold per unit, whose interval excludes 0, with ``power``.

    ((z_level + z_power) s/value)^2, s the standard deviation of the function for one unit, by the bootstrap. NaN of
    fewer than FEWEST units.
    """
    value = float(function(*found.observed_rates()))
    draws = function(*found.draws())
    draws = draws[np.isfinite(draws)]
    if found.units < FEWEST or not draws.size or not math.isfinite(value) or value == 0:
        return math.nan
    reach = ndtri((1 + level) / 2) + ndtri(power)
    return float(math.ceil(found.units * (reach * float(draws.std()) / value) ** 2))


def scaled(estimate: Estimate, factor: Any) -> Estimate:
    """An estimate times a number."""
    return Estimate(*(end * factor for end in estimate))
