"""The normal numbers of the data: the map from words against its definition, and the law of what comes out."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binomtest, chi2, kstwobign, norm

from sims.normal import BLOCK, normal, pair, points, words
from tests.statistical import rejects_mean

FALSE_FAIL = 1e-8
"""Of each comparison."""
BINS = 2**16
LARGEST = np.sqrt(2 * 53 * np.log(2))
numbers_of = jax.jit(pair)
drawn = jax.jit(normal, static_argnums=(1, 2))


def hard_words():
    """Every single bit and its complement, the ends, and what is next to a change of octave of the logarithm."""
    bits = [1 << place for place in range(64)]
    some = [0, 2**64 - 1, *bits, *(2**64 - 1 - bit for bit in bits)]
    for octave in range(1, 40):
        turn = int(mpmath.floor(mpmath.sqrt(0.5) * mpmath.mpf(2) ** (53 - octave))) // 2 << 12
        some += [turn + step * 4096 for step in (-2, -1, 0, 1, 2) if turn + step * 4096 >= 0]
    return np.array(some, np.uint64)


def exact_pair(first, second):
    """The two numbers by their definition, in forty digits."""
    with mpmath.workdps(40):
        unit = lambda word: mpmath.mpf(2 * (int(word) >> 12) + 1) / 2**53
        radius, angle = mpmath.sqrt(-2 * mpmath.log(unit(first))), mpmath.pi / 4 * unit(second)
        z = [radius * mpmath.cos(angle), radius * mpmath.sin(angle)]
        z = z[::-1] if int(second) & 1 else z
        return [-value if int(second) & bit else value for value, bit in zip(z, (2, 4), strict=True)]


def relative_errors(first, second):
    found = np.asarray(numbers_of(first, second)).T
    for a, b, numbers in zip(first, second, found, strict=True):
        exact = exact_pair(a, b)
        yield max(abs(float(mpmath.mpf(float(z)) / value - 1)) for z, value in zip(numbers, exact, strict=True))


def test_numbers_are_those_of_the_definition_at_extreme_words():
    """To 1e-15 of their size, at every extreme word against others, and at random ones."""
    extreme, rng = hard_words(), np.random.default_rng(0)
    other = rng.integers(0, 2**64, len(extreme), np.uint64)
    many = rng.integers(0, 2**64, (2, 1000), np.uint64)
    for first, second in ((extreme, other), (other, extreme), (extreme, extreme[::-1]), many):
        assert max(relative_errors(first, second)) < 1e-15
    assert max(relative_errors(extreme[:8] + np.uint64(4096), extreme[8:16])) < 1e-15
    wrong = numbers_of(extreme[:8] + np.uint64(2**40), other[:8])[0]  # the twin: another word is seen
    right = [float(exact_pair(*both)[0]) for both in zip(extreme[:8], other[:8], strict=True)]
    assert np.all(np.abs(np.asarray(wrong) / right - 1) > 1e-15)


def test_the_largest_number_is_that_of_the_least_word():
    z = np.asarray(numbers_of(jnp.zeros(8, jnp.uint64), jnp.arange(8, dtype=jnp.uint64)))
    np.testing.assert_allclose(np.abs(z).max(0), LARGEST, rtol=1e-15)
    least = np.abs(numbers_of(jnp.asarray([2**64 - 1], jnp.uint64), jnp.zeros(1, jnp.uint64)))
    assert 0 < least.min() < least.max() < 2e-8


def test_symmetry_is_exact():
    """One bit each for the two signs and for the order: nothing else changes, to the last bit."""
    first, second = np.random.default_rng(1).integers(0, 2**64, (2, 10_000), np.uint64)
    z, w = map(np.asarray, numbers_of(first, second))
    exchanged, left, right = (map(np.asarray, numbers_of(first, second ^ np.uint64(bit))) for bit in (1, 2, 4))
    np.testing.assert_array_equal([*left, *right], [-z, w, z, -w])
    np.testing.assert_array_equal(np.abs([*exchanged]), np.abs([w, z]))


@pytest.mark.parametrize("shape", [(2, 3, 5), (1, 40, 7), (3, 1, 1)])
def test_words_are_those_of_jax(key, shape):
    expected = jax.random.bits(jax.random.clone(key), shape, "uint64")
    np.testing.assert_array_equal(words(key, *shape), expected)
    assert len(np.unique(expected)) == np.prod(shape)


def test_keys_of_another_kind_are_refused():
    with pytest.raises(TypeError, match="threefry2x32; this one is rbg"):
        normal(jax.random.key(0, impl="rbg"), 4, 4)


def uniform_counts(seed, total, stretch=1.0):
    """How many of ``total`` numbers lie between neighbouring quantiles of the normal law, and beyond whole sigmas."""
    counts, beyond = np.zeros(BINS), np.zeros(9)
    rows, columns = 1000, 1000
    for part in range(-(-total // (rows * columns))):
        z = stretch * np.asarray(drawn(jax.random.key(seed + part), rows, columns)).ravel()
        counts += np.bincount((ndtr(z) * BINS).astype(int).clip(0, BINS - 1), minlength=BINS)
        beyond += [np.count_nonzero(np.abs(z) > sigma) for sigma in range(9)]
    return counts, beyond


def kolmogorov(counts):
    """P-value of the largest distance at the quantiles, which is at most that of Kolmogorov and Smirnov."""
    total = counts.sum()
    distance = np.abs(np.cumsum(counts) / total - np.arange(1, BINS + 1) / BINS).max()
    return kstwobign.sf(np.sqrt(total) * distance)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("total", "wrong"), [(10**7, 1.01), pytest.param(10**8, 1.003, marks=pytest.mark.slow)], ids=["7", "8"]
)
def test_numbers_are_normal(fresh_seed, total, wrong):
    """Kolmogorov-Smirnov, and how many lie beyond 1, ..., 8 sigma (binomial); false-failure rate 9e-8 in all.

    The twin is scaled by ``wrong``: distances and counts are off by 8 standard deviations more than it takes.
    """
    counts, beyond = uniform_counts(fresh_seed, total)
    assert kolmogorov(counts) > FALSE_FAIL
    for sigma in range(1, 9):
        assert binomtest(int(beyond[sigma]), total, 2 * norm.sf(sigma)).pvalue > FALSE_FAIL, sigma
    counts, beyond = uniform_counts(fresh_seed, total, wrong)
    assert kolmogorov(counts) < FALSE_FAIL
    assert binomtest(int(beyond[2]), total, 2 * norm.sf(2)).pvalue < FALSE_FAIL


@pytest.mark.statistical
@pytest.mark.parametrize("sigma", [4, 5, 6, 7])
def test_tails_given_a_small_word(fresh_seed, sigma):
    """A number beyond sigma has u < exp(-sigma^2/2) < 2^-k: of such words, P(|z| > sigma) is 2^k times the tail.

    Binomial, a million pairs; false-failure rate 2e-8. The twin is a tail that is 5 % heavier, 12 standard errors.
    """
    zeros, total = int(sigma**2 / (2 * np.log(2))), 10**6
    rng = np.random.default_rng(fresh_seed)
    first, second = rng.integers(0, 2**64, (2, total), np.uint64)
    tail = 2.0**zeros * 2 * norm.sf(sigma)
    for z in numbers_of(first >> np.uint64(zeros), second):
        beyond = int(np.count_nonzero(np.abs(np.asarray(z)) > sigma))
        assert binomtest(beyond, total, tail).pvalue > FALSE_FAIL
        assert binomtest(beyond, total, 1.05 * tail).pvalue < FALSE_FAIL


@pytest.mark.parametrize(("sigma", "allowed"), [(7.0, 1e-5), (7.5, 2e-3), (8.0, 0.02)])
def test_tails_by_counting_every_word(sigma, allowed):
    """No chance: the mass beyond sigma, summed over all first words that reach it, with the angle integrated."""
    reaching = np.arange(int(np.exp(-(sigma**2) / 2) * 2**52) + 2, dtype=np.uint64)
    z = numbers_of(reaching << np.uint64(12), np.zeros_like(reaching))[0]  # the angle is next to 0: z is the radius
    radius = np.asarray(z)
    mass = np.sum(np.arccos(sigma / radius[radius > sigma])) * 2 / np.pi / 2**52
    assert abs(mass / (2 * norm.sf(sigma)) - 1) < allowed
    assert abs(mass / (2 * norm.sf(sigma + 0.01)) - 1) > allowed


def dependence(z, w):
    """Whether two columns of numbers are seen not to be independent, by moments and by a table of 16 x 16 cells."""
    moments = [z * w, (z**2 - 1) * (w**2 - 1), z * (w**2 - 1), (z**2 - 1) * w, z**3 * w, z * w**3]
    cell = (ndtr(z) * 16).astype(int) * 16 + (ndtr(w) * 16).astype(int)
    excess = np.bincount(cell, minlength=256) - len(z) / 256
    table = chi2.sf(np.sum(excess**2) / (len(z) / 256), 255)
    return any(rejects_mean(moment, 0.0, false_fail=FALSE_FAIL) for moment in moments) or table < FALSE_FAIL


@pytest.mark.statistical
def test_the_two_of_a_pair_are_independent(fresh_seed):
    """A million pairs; false-failure rate 7e-8. The twins: one leans on the other, one has a size in common, and one
    has the larger first, as without the bit that orders them."""
    first, second = np.random.default_rng(fresh_seed).integers(0, 2**64, (2, 10**6), np.uint64)
    z, w = map(np.asarray, numbers_of(first, second))
    assert not dependence(z, w)
    assert dependence(z, np.sqrt(1 - 0.02**2) * w + 0.02 * z)
    common = np.random.default_rng(fresh_seed + 1).chisquare(50, len(z))
    assert dependence(z * np.sqrt(50 / common), w * np.sqrt(50 / common))
    assert dependence(*map(np.asarray, numbers_of(first, second & ~np.uint64(1))))


@pytest.mark.statistical
def test_neighbours_are_independent(fresh_seed):
    """Next column, next row, the same place of the next block, and the two halves of a block; failure rate 5e-7.

    Six fields of 600 x 600 numbers. The twin is a field whose blocks all have one key.
    """
    rows = 2 * (BLOCK // 1200)  # about that of a block
    fields = np.stack([np.asarray(drawn(jax.random.key(fresh_seed + part), 600, 600)) for part in range(6)])

    def seen(fields, down, right):
        before, after = fields[:, : fields.shape[1] - down, : 600 - right], fields[:, down:, right:]
        return dependence(before.ravel(), after.ravel())

    for down, right in [(0, 1), (1, 0), (2, 0), (rows // 2, 0), (rows, 0)]:
        assert not seen(fields, down, right), down
    assert seen(np.tile(fields[:, :rows], (1, 10, 1)), rows, 0)


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 3), (7, 1), (2, 40_000), (5, 40_000), (400, 100), (333, 200), (1001, 99)]
)
def test_points_are_their_blocks(shape):
    """Rows written by hand from the words of each block's key; every number is there once, and mean by row."""
    n, d = shape
    key, rng = jax.random.key(5), np.random.default_rng(0)
    y, mu = rng.choice([-1.0, 1.0], n), rng.normal(size=d)
    blocks = -(-n // (2 * max(1, BLOCK // (2 * d))))
    half = -(-n // (2 * blocks))
    expected = np.full((max(n, 2 * half), d), np.nan)
    for block in range(blocks):
        start = min(2 * half * block, len(expected) - 2 * half)
        made = jax.random.bits(jax.random.fold_in(key, block), (2, half, d), "uint64")
        expected[start : start + 2 * half] = np.concatenate(numbers_of(*made))
    found = np.asarray(drawn(jax.random.clone(key), n, d))
    assert found.shape == shape
    assert len(np.unique(found)) == n * d
    np.testing.assert_allclose(found, expected[:n], rtol=1e-15)
    moved = jax.jit(points)(jax.random.clone(key), jnp.asarray(y), jnp.asarray(mu))
    np.testing.assert_allclose(moved, found + np.outer(y, mu), atol=4e-15)


def test_a_trial_s_numbers_do_not_depend_on_those_beside_it():
    """Under vmap, as on a GPU, and alone."""
    keys = jax.random.split(jax.random.key(3), 5)
    together = jax.jit(jax.vmap(lambda key: normal(key, 70, 1000)))(keys)
    for place in range(5):
        np.testing.assert_allclose(together[place], drawn(keys[place], 70, 1000), rtol=1e-15)
    assert len(np.unique(together)) == together.size
