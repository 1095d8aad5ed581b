"""Every confidence interval of the project: Student's t over repetitions, exact ones from counts, the bootstrap.

Intervals from counts (`clopper_pearson`, `melded_p_star`) broadcast over arrays of counts, keep their level at every
count, zero included, and are conservative: they cover with at least the stated probability whatever the rates. The
first is a theorem; the second has no general proof and no known exception, and
``tests/empirical/auditing/test_intervals.py`` sums its coverage exactly. Score intervals of the ratio
(Miettinen-Nurminen, Koopman) are shorter, but cover 84 % where psi is near 0, which is where good verifiers live.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrik, betainc, betaincc, betainccinv, betaincinv, ndtr, ndtri, polygamma, stdtrit

from sims.running.roots import find_roots

Numbers = NDArray[np.float64]
CONFIDENCE = 0.95
"""Level of every interval in tables, figures and reports that does not state another."""
REACH, STEPS = 7.5, 120
"""Expectations over a Beta law are sums over STEPS midpoints of [-REACH, REACH] in its normal scores."""
DRAWS, DRAWN_AT_ONCE = 2000, 2_000_000
"""Of the bootstrap: how often the tests are drawn again, and how many counts lie in memory together."""


class Mean(NamedTuple):
    """Over independent repetitions (fresh data sets)."""

    mean: Any
    error: Any
    """Standard error."""
    low: Any
    """Of the t interval."""
    high: Any


def mean_over(values: np.ndarray, axis: int = -1) -> Mean:
    """Mean over repetitions, at least 2, which lie along ``axis``; NaN where any is."""
    count = values.shape[axis]
    mean, error = values.mean(axis), values.std(axis, ddof=1) / np.sqrt(count)
    reach = t_quantile(count - 1) * error
    return Mean(mean, error, mean - reach, mean + reach)


def t_interval(values: np.ndarray, level: float = CONFIDENCE) -> tuple[float, float]:
    """Student's t interval of the mean of repetitions (count,); NaN of a single one.

    Its ends may differ from those of `mean_over` in the last bit, and are those of the experiments' published tables.
    """
    if len(values) < 2:
        return np.nan, np.nan
    reach = t_quantile(len(values) - 1, level) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - reach), float(values.mean() + reach)


def t_quantile(freedom: Any, level: float = CONFIDENCE) -> Any:
    """How many standard errors a t interval reaches to each side; NaN without a degree of freedom, inf is normal."""
    return stdtrit(freedom, 0.5 + level / 2)


def clopper_pearson(count: Any, total: Any, level: float) -> tuple[Numbers, Numbers]:
    """Exact central interval of a binomial proportion; [0, 1] where ``total`` is 0.

        low: P(X >= count | low) = (1 - level)/2,   high: P(X <= count | high) = (1 - level)/2

    Source: clopper1934use.
    """
    count, total = np.broadcast_arrays(np.asarray(count, float), np.asarray(total, float))
    tail = (1 - level) / 2
    low = np.where(count > 0, betaincinv(np.maximum(count, 1), total - count + 1, tail), 0.0)
    high = np.where(count < total, betainccinv(count + 1, np.maximum(total - count, 1), tail), 1.0)
    return low, high


def binomial_p_value(count: Any, total: Any, share: Any) -> Numbers:
    """Two-sided exact test of "the proportion is ``share``", twice the smaller tail: rejects as `clopper_pearson`."""
    count, total = np.broadcast_arrays(np.asarray(count, float), np.asarray(total, float))
    at_least = np.where(count > 0, betainc(np.maximum(count, 1), total - count + 1, share), 1.0)
    at_most = np.where(count < total, betaincc(count + 1, np.maximum(total - count, 1), share), 1.0)
    return np.minimum(2 * np.minimum(at_least, at_most), 1.0)


def binomial_band(total: int, share: float, level: float) -> list[int]:
    """[low, high], the central quantiles of a binomial count: the least k with P(X <= k) of at least either tail."""
    found = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        count = max(int(np.ceil(bdtrik(tail, total, share))), 0)
        while count > 0 and bdtr(count - 1, total, share) >= tail:
            count -= 1
        while bdtr(count, total, share) < tail:
            count += 1
        found.append(count)
    return found


def melded_p_star(
    correct_kept: Any, correct: Any, wrong_kept: Any, wrong: Any, level: float
) -> tuple[Numbers, Numbers]:
    """Interval of p* = phi/(phi + psi) from two binomial counts, by melding their exact intervals.

    Its low end is the (1 - level)/2 quantile of A/(A + B), with independent

        A ~ Beta(correct_kept, correct - correct_kept + 1),   B ~ Beta(wrong_kept + 1, wrong - wrong_kept)

    the laws whose quantiles are the low Clopper-Pearson limits of phi and the high ones of psi (a zero parameter puts
    all mass on the end of [0, 1]); the high end is that of 1 - p* with the two counts exchanged. Where one rate is
    known the interval is Clopper-Pearson's of the other; it excludes 1/2 exactly when Fisher's one-sided test of
    phi = psi rejects at (1 - level)/2. [0, 1] where nothing is known. Source: fay2015combining.
    """
    counts = (np.asarray(value, float) for value in (correct_kept, correct, wrong_kept, wrong))
    hits, trials, rival_hits, rival_trials = np.broadcast_arrays(*counts)
    tail = (1 - level) / 2
    low = _melded_low(hits, trials, rival_hits, rival_trials, tail)
    return low, 1 - _melded_low(rival_hits, rival_trials, hits, trials, tail)


def _melded_low(hits: Numbers, trials: Numbers, rival_hits: Numbers, rival_trials: Numbers, tail: float) -> Numbers:
    """The ``tail`` quantile of A/(A + B), see `melded_p_star`."""
    low = np.zeros(hits.shape)
    certain = (hits > 0) & (rival_hits == rival_trials)  # B = 1
    worst = betaincinv(hits[certain], trials[certain] - hits[certain] + 1, tail)
    low[certain] = worst / (worst + 1)
    both = (hits > 0) & (rival_hits < rival_trials)
    if both.any():
        first = hits[both], trials[both] - hits[both] + 1
        second = rival_hits[both] + 1, rival_trials[both] - rival_hits[both]
        ratio = _ratio_quantile(first, second, tail)
        low[both] = ratio / (1 + ratio)
    return low


Shape = tuple[Numbers, Numbers]


def _ratio_quantile(first: Shape, second: Shape, tail: float) -> Numbers:
    """The ``tail`` quantile of A/B for independent A ~ Beta(*first), B ~ Beta(*second).

    P(A <= r B) is the expectation, over the narrower of the two, of the wider one's distribution function: a
    smooth integrand in the narrower one's normal scores, for which midpoints converge faster than any power.
    """
    scores = (np.arange(STEPS) + 0.5) * (2 * REACH / STEPS) - REACH
    weights = np.exp(-(scores**2) / 2)
    weights /= weights.sum()
    over_first = _log_variance(first) < _log_variance(second)
    narrow = tuple(np.where(over_first, a, b) for a, b in zip(first, second, strict=True))
    wide = tuple(np.where(over_first, b, a) for a, b in zip(first, second, strict=True))
    nodes = betaincinv(narrow[0][..., None], narrow[1][..., None], ndtr(scores))

    def excess(log_ratio: Numbers, index: NDArray[np.intp]) -> Numbers:
        """Normal score of P(A <= r B) less that of ``tail``: nearly linear in log r."""
        node, ratio, flipped = nodes[index], np.exp(log_ratio)[..., None], over_first[index][..., None]
        a, b = wide[0][index][..., None], wide[1][index][..., None]
        place = np.clip(np.where(flipped, node / ratio, node * ratio), 0, 1)
        share = np.sum(weights * np.where(flipped, betaincc(a, b, place), betainc(a, b, place)), -1)
        return ndtri(np.clip(share, 1e-300, 1 - 1e-16)) - ndtri(tail)

    root = np.sqrt(tail)
    low = np.log(betaincinv(*first, tail / 2)) - np.log(betainccinv(*second, tail / 2))
    high = np.log(betaincinv(*first, root)) - np.log(betainccinv(*second, root))
    return np.exp(find_roots(excess, low - 1e-9, high + 1e-9))


def _log_variance(shape: Shape) -> Numbers:
    """Variance of the logarithm of a Beta variable."""
    return polygamma(1, shape[0]) - polygamma(1, shape[0] + shape[1])


def bootstrap(scores: Sequence[np.ndarray], shared: bool, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Means over seeds in resampled test examples, (rows, draws): rows stay paired.

    ``scores`` has one array (rows, tests) per seed. Examples are resampled within each seed, the same for all rows;
    ``shared`` says that seeds have the same test examples, which are then resampled together.
    """
    parts = [np.mean(scores, axis=0)] if shared else scores
    rng = np.random.default_rng(seed)
    return np.mean([_resampled(part, draws, rng) for part in parts], axis=0)


def _resampled(part: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    tests = part.shape[1]
    step = max(1, DRAWN_AT_ONCE // tests)
    sizes = [min(step, draws - start) for start in range(0, draws, step)]
    shares = np.full(tests, 1 / tests)
    with np.errstate(invalid="ignore"):  # failed models are NaN
        return np.concatenate([part @ rng.multinomial(tests, shares, size).T for size in sizes], axis=1) / tests


def middle(draws: np.ndarray, level: float = CONFIDENCE) -> tuple[float, float]:
    """The percentile interval of bootstrap draws."""
    low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
