"""Where the law of worth is not exact: one fixed ridge, and finite dimension (THEORY §28; ours)."""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, ndtr

from theory._check import curation_of, in_range
from theory.ceilings import efficiency
from theory.crossings import crossings
from theory.engine import solve
from theory.errors import InputError, KindError
from theory.quadrature import legendre, midpoints
from theory.solvers import work
from theory.status import NOT_CONVERGED
from theory.threshold import kept_rate
from theory.types import Problem, Rates, Spectrum


class CleanEquivalent(NamedTuple):
    """Clean data that give the same accuracy, at the same loss and ridge."""

    alpha: np.ndarray
    """Clean samples per dimension, every one found, rising: one as a rule, three near 1 at a small ridge, none where
    accuracy is 1/2 or less or was not found."""
    accuracy: float
    status: int
    """Of the solution that is matched, or "not converged" where the search took more than `MOST_WORK`: an index into
    `theory.types.STATUSES`."""


MOST_WORK = 5e7
"""Of one search, in the units of `theory.solvers.work`."""
_WIDEST = np.log(1e5)
_STEPS = 1201


def clean_equivalent(problem: Problem, alpha: float, loss: str) -> CleanEquivalent:
    """All clean sample ratios at which the same loss and ridge reach the accuracy of this problem at n/d = alpha.

    Where the theorem of the best penalty says alpha W, a fixed small ridge says less, or, near one sample a dimension,
    several numbers. A search on a grid of the logarithm between delta e, below which clean data cannot do it (their
    own e is at most 1), and 1e5 times that; two roots nearer than one part in a hundred are missed.

    Args:
        problem: independent setting, numbers, no intercept. alpha: n/d. loss: a key of `theory.losses.LOSSES`.

    Raises:
        ValueError: an argument outside its range, or an array. TypeError: another setting, a `Spectrum`, an intercept.
    """
    rates = curation_of(problem, "independent")
    signal = problem.signal
    if problem.intercept or isinstance(signal, Spectrum):
        raise KindError("clean_equivalent is for one signal and no intercept; with them there is no one such number")
    if any(np.ndim(field) for field in (signal, problem.ridge, alpha)) or np.ndim(kept_rate(rates)):
        raise InputError("clean_equivalent takes numbers, as the count of roots differs between problems; loop")
    noisy = solve(problem, alpha, loss)
    accuracy, status = float(noisy.accuracy), int(noisy.status)
    least = float(alpha * kept_rate(rates) * efficiency(noisy, problem, alpha))
    if not (accuracy > 0.5 and least > 0):
        return CleanEquivalent(np.empty(0), accuracy, status)
    clean = problem._replace(curation=Rates(0.0, 1.0, 1.0))

    def excess(log_alpha: np.ndarray, _: np.ndarray) -> np.ndarray:
        found = solve(clean, np.exp(log_alpha), loss)
        return np.asarray(found.overlap / found.bulk_norm / signal) - np.sqrt(least)

    low = np.log(least) - 1e-3
    with work.allowance(MOST_WORK):
        zeros = crossings(excess, 1, low, low + _WIDEST, _STEPS)
        if work.gone():
            return CleanEquivalent(np.empty(0), accuracy, NOT_CONVERGED)
    return CleanEquivalent(np.exp(zeros.x[np.isfinite(zeros.x)]), accuracy, status)


_NORMAL_NODES, _CHI_NODES, _TAIL = 160, 96, 9.0


def finite_averaging(signal: float, purity: float, m: int, d: int) -> float:
    """Mean accuracy of averaging m kept samples in d dimensions: exactly, at any size.

        E Phi(r cos),   cos = (s r + g/sqrt(m)) / sqrt((s r + g/sqrt(m))^2 + chi^2_(d-1)/m),   s = (2 Bin(m, pi) - m)/m

    which is that of the **random** number m s^2 of clean samples (s < 0: mirrored), and not of m (2 pi - 1)^2, its
    limit. Source: THEORY §28. Raises ValueError for signal <= 0, purity outside [0, 1], m < 1, d < 2.
    """
    in_range("signal", signal, 0, np.inf, open_low=True, remedy="signal is ||mu||")
    in_range("purity", purity, 0, 1, remedy="purity is the correct share of what is kept")
    in_range("m", m, 1, np.inf, remedy="m counts kept samples")
    in_range("d", d, 2, np.inf, remedy="in one dimension there is nothing to learn but a sign")
    correct = np.arange(m + 1)
    share = _binomial(m, purity)
    likely = share > 1e-17
    lead = (2 * correct[likely] - m) / m
    return float(share[likely] @ _averaged(signal, lead, m, d))


def _binomial(m: int, purity: float) -> np.ndarray:
    """P(k of m correct), k = 0, ..., m."""
    correct = np.arange(m + 1)
    if purity in (0, 1):
        return (correct == m * purity).astype(float)
    log_ways = gammaln(m + 1) - gammaln(correct + 1) - gammaln(m - correct + 1)
    found: np.ndarray = np.exp(log_ways + correct * np.log(purity) + (m - correct) * np.log1p(-purity))
    return found


def _averaged(signal: float, lead: np.ndarray, m: int, d: int) -> np.ndarray:
    """E Phi(r cos) given each lead s."""
    g, step = midpoints(-_TAIL, _TAIL, _NORMAL_NODES)
    middle = np.sqrt(d - 1.0)
    chi, weight = legendre(max(middle - _TAIL, 0.0), middle + _TAIL, _CHI_NODES)
    log_density = (d - 2) * np.log(chi) - chi**2 / 2
    chance = weight * np.exp(log_density - log_density.max())
    normal = np.exp(-(g**2) / 2)
    both = np.outer(normal / normal.sum(), chance / chance.sum())
    along = signal * lead[:, None, None] + g[:, None] / np.sqrt(m)
    cosine = along / np.sqrt(along**2 + chi**2 / m)
    found: np.ndarray = np.sum(both * ndtr(signal * cosine), (-2, -1))
    return found
