"""Tests on means with a stated false-failure rate."""

import numpy as np
from scipy.stats import t


def rejects_mean(samples, expected, allowance=0.0, false_fail=1e-6):
    """Whether independent ``samples`` reject |mean - expected| <= allowance, by a two-sided t test.

    If the statement is true this returns True with probability at most ``false_fail``.
    """
    samples = np.asarray(samples, float)
    error = samples.std(ddof=1) / np.sqrt(len(samples))
    excess = max(abs(samples.mean() - expected) - allowance, 0.0)
    return bool(2 * t.sf(excess / error, len(samples) - 1) < false_fail)
