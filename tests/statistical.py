"""Tests on means with a stated false-failure rate."""

import numpy as np
from scipy.stats import norm, t


def rejects_mean(samples, expected, allowance=0.0, false_fail=1e-6):
    """Whether independent ``samples`` reject |mean - expected| <= allowance, by a two-sided t test.

    If the statement is true this returns True with probability at most ``false_fail``.
    """
    samples = np.asarray(samples, float)
    excess = max(abs(samples.mean() - expected) - allowance, 0.0)
    return bool(2 * t.sf(excess / standard_error(samples), len(samples) - 1) < false_fail)


def detectable(samples, allowance=0.0, false_fail=1e-6):
    """The smallest shift of ``expected`` that `rejects_mean` must reject, however the allowance is used up.

    If |mean - expected| <= allowance, a test against expected +- this fails to reject with probability false_fail.
    """
    threshold = t.isf(false_fail / 2, len(samples) - 1)
    return 2 * (allowance + threshold * standard_error(samples))


def standard_error(samples):
    """Of the mean of independent samples."""
    samples = np.asarray(samples, float)
    return samples.std(ddof=1) / np.sqrt(len(samples))


def rejects_order(small, large, ratio, orders, false_fail=1e-6):
    """Whether samples of two errors reject that the error falls like size^-k with k in ``orders`` = (low, high).

    The statement ratio^-high <= mean(large)/mean(small) <= ratio^-low is two signs of linear combinations; each is
    tested at half of ``false_fail``, normal approximation of means over thousands.
    """
    sign = np.sign(np.mean(small))
    small, large = sign * np.asarray(small, float), sign * np.asarray(large, float)
    scores = []
    for order, side in zip(orders, (1, -1), strict=True):
        factor = ratio**-order
        excess = side * (large.mean() - factor * small.mean())
        scores.append(excess / np.hypot(standard_error(large), factor * standard_error(small)))
    return bool(max(scores) > norm.isf(false_fail / 2))
