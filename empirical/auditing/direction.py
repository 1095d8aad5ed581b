"""With an intercept and two classes: whether the direction that kept labels teach is right (THEORY §21)."""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, logsumexp

from empirical.auditing.rates import Counts, Estimate, Verdict, verdict_of
from theory.display import inline

WIDEST = 60.0
"""Largest |log| of an odds ratio that is looked for."""


class Direction(NamedTuple):
    """Whether o_1 o_2 > 1, o_k the odds that a kept record of class k is labelled correctly."""

    odds_product: Estimate
    """o_1 o_2, which is the odds ratio of class and label among the kept; in [0, inf]."""
    verdict: Verdict
    """"below": p is below the direction's threshold, so that balanced accuracy is above 1/2 at any sample size."""

    def __repr__(self) -> str:
        """All in one line."""
        return inline(self)


def direction(first: Counts, second: Counts, level: float) -> Direction:
    """From the counts of two classes. The interval is the exact conditional one, of Fisher's test (fisher1935logic)."""
    right, wrong = first.correct_kept * second.correct_kept, first.wrong_kept * second.wrong_kept
    value = right / wrong if wrong else (np.inf if right else np.nan)
    low, high = _conditional(first.correct_kept, first.kept, second.wrong_kept, second.kept, level)
    return Direction(Estimate(float(value), low, high), verdict_of(Estimate(value, low, high), 1.0))


def _conditional(x: int, n: int, y: int, m: int, level: float) -> tuple[float, float]:
    """Interval of the odds ratio of x of n against y of m, given x + y: P(x' | w) ~ C(n, x') C(m, x + y - x') w^x'."""
    total = x + y
    support = np.arange(max(0, total - m), min(n, total) + 1)
    free = (support, n - support, total - support, m - total + support)
    weight = -sum(gammaln(count + 1) for count in free)

    def beyond(log_ratio: float, tail: np.ndarray) -> float:
        mass = weight + log_ratio * support
        return float(logsumexp(mass[tail]) - logsumexp(mass) - np.log((1 - level) / 2))

    from scipy.optimize import brentq  # slow to import, and few need it

    ends = [0.0, np.inf]
    for side, tail in enumerate((support >= x, support <= x)):
        if not tail.all():
            ends[side] = float(np.exp(brentq(beyond, -WIDEST, WIDEST, (tail,), xtol=1e-10)))
    return ends[0], ends[1]
