"""With an intercept and two classes: whether the direction that kept labels teach is right (THEORY §21)."""

from typing import NamedTuple

import numpy as np
from scipy.stats.contingency import odds_ratio

from empirical.auditing.rates import Counts, Estimate, Verdict, verdict_of
from theory.display import inline


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
    table = np.array([[first.correct_kept, first.wrong_kept], [second.wrong_kept, second.correct_kept]])
    right, wrong = first.correct_kept * second.correct_kept, first.wrong_kept * second.wrong_kept
    value = right / wrong if wrong else (np.inf if right else np.nan)
    low, high = odds_ratio(table, kind="conditional").confidence_interval(level)
    found = Estimate(float(value), *(float(end) for end in (low, high)))
    return Direction(found, verdict_of(found, 1.0))
