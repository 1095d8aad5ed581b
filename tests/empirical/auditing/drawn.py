"""Records drawn for tests of the audit, and its intervals of them with few draws."""

import numpy as np
from scipy.stats import binom

from empirical.auditing.binary import count, of_resampled
from empirical.auditing.design import UNJUDGED, Design, Grouping, units
from empirical.auditing.resample import resample

ALONE = Grouping(None, None)
LEVEL = 0.95


def labels(rng, p, phi, psi, size):
    """Judgements (2 correct, 1 wrong), and what is kept."""
    correct = rng.random(size) >= p
    return 1 + correct.astype(np.int8), rng.random(size) < np.where(correct, phi, psi)


def of_counts(counts):
    """The same with four counts."""
    return np.repeat(np.array([2, 2, 1, 1], np.int8), counts), np.repeat([True, False, True, False], counts)


def grouped(rng, count, size, icc, rates):
    """Groups of ``size`` with rates of their own, Beta with an intraclass correlation."""
    group = np.repeat(np.arange(count), size)
    own = [rng.beta(rate * (1 / icc - 1), (1 - rate) * (1 / icc - 1), count)[group] for rate in rates]
    return *labels(rng, *own, group.size), Grouping(None, group)


def drawn_of(judged, kept, by=ALONE, draws=2000, seed=0):
    """The bootstrap of one verifier."""
    [found] = resample(units(judged, kept[:, None], by, seed), Design.of(judged, by).whole, draws, seed)
    return found


def audited(judged, kept, by=ALONE, draws=2000, seed=0, n_classes=None):
    """The audit with so many draws."""
    found = drawn_of(judged, kept, by, draws, seed)
    return of_resampled(found, Design.of(judged, by), count(judged, kept), LEVEL, n_classes)


def some_judged(rng, judged, share):
    """Judgements with all but a share taken away, the first one left."""
    away = rng.random(judged.size) >= share
    away[0] = False
    return np.where(away, UNJUDGED, judged).astype(np.int8)


def is_share(hits, trials, share, false_fail=1e-6):
    """Whether so many hits may be those of a probability; says no wrongly at most that often."""
    low, high = binom.interval(1 - false_fail, trials, share)
    return bool(low <= hits <= high)


def too_few(hits, trials, share=LEVEL, false_fail=1e-6):
    """Whether hits are too few for a probability of at least ``share``; says so wrongly at most that often."""
    return bool(binom.cdf(hits, trials, share) < false_fail)
