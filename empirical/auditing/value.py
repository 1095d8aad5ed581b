"""Is a verifier better than none, and what is what it keeps worth? (THEORY §28: worth; the decision is ours.)"""

import math
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.special import ndtri

from empirical.auditing.rates import POWER, Estimate
from empirical.auditing.resample import Function, Numbers, Resampled
from theory.display import inline, record
from theory.types import Rates
from theory.worth import worth

Answer = Literal["yes", "no", "undecided"]
Kind = Literal["better", "harmful", "wasteful", "keeps everything", "keeps nothing", "worthless", "undecided"]


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


def worth_estimate(found: Resampled, level: float, classes: int = 2) -> Worth:
    """Worth and its gain with intervals at ``level``, for any design."""
    observed = found.observed_rates()
    estimates = []
    for function, low, high in ((worth_of, 0.0, 1.0), (unverified_worth, 0.0, 1.0), (gain_of, -1.0, 1.0)):
        value = function(classes)
        estimates.append(Estimate(float(value(*observed)), *found.interval(value, level, (low, high))))
    return Worth(*estimates)


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
    if max(value.verified.high, value.unverified.high) <= 0:
        return Better("no", "worthless", 0.0)
    if value.gain.high < 0:
        return Better("no", "harmful" if p_star.high < 0.5 else "wasteful", 0.0)
    return Better("undecided", "undecided", units_needed(found, gain_of(classes), level))


def units_needed(found: Resampled, function: Function, level: float, power: float = POWER) -> float:
    """Fresh units, as many as these records hold per unit, whose interval excludes 0, with ``power``.

    ((z_level + z_power) s/value)^2, s the standard deviation of the function for one unit, by the bootstrap.
    """
    value = float(function(*found.observed_rates()))
    draws = function(*found.draws())
    draws = draws[np.isfinite(draws)]
    if not draws.size or not math.isfinite(value) or value == 0:
        return math.nan
    reach = ndtri((1 + level) / 2) + ndtri(power)
    return float(math.ceil(found.units * (reach * float(draws.std()) / value) ** 2))


def scaled(estimate: Estimate, factor: Any) -> Estimate:
    """An estimate times a number."""
    return Estimate(*(end * factor for end in estimate))
