from functools import partial

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy.stats import ks_2samp

from sims import exact_law
from sims.exact_law import TRUNCATION, blocks_needed, run_draws
from sims.trial import make_trials
from theory import predict
from theory.types import ClassRates, Cosines, Problem

FALSE_FAILURE = 1e-6
"""Family-wise, of each statistical test below: the level of one comparison is this over their number."""

MEASURED = ("m", "wrong", "kept_wrong", "overlap", "norm", "accuracy")


def independent(p, phi, psi, signal=1.2, ridge=0.1, prior=0.5):
    pair = lambda rate: np.broadcast_to(np.asarray(rate, float), (2,))
    curation = ClassRates(pair(p), pair(phi), pair(psi), np.array([1 - prior, prior]))
    return Problem(np.array(signal), curation, np.array(ridge))


def linear(cos_generator, cos_verifier, cos_between, signal=1.2, ridge=0.1):
    cosines = (np.array(c) for c in (cos_generator, cos_verifier, cos_between))
    return Problem(np.array(signal), Cosines(*cosines), np.array(ridge))


def batch(problem, count):
    return jax.tree.map(lambda leaf: np.repeat(leaf[None], count, axis=0), problem)


def words(count, stream):
    return np.stack([np.full(count, stream), np.zeros(count), np.arange(count)], axis=1).astype(np.uint32)


WIDTH = 128
"""One width, so that each setting compiles once, and no wider than the many tests of few draws can bear."""


def draws(problem, n, d, count, seed, blocks=None, stream=1):
    many = batch(problem, WIDTH)
    chosen = blocks_needed(many, n, d) if blocks is None else np.full(WIDTH, blocks)
    chunks = words(-(-count // WIDTH) * WIDTH, stream).reshape(-1, WIDTH, 3)
    parts = [jax.device_get(run_draws(seed, chunk, many, chosen, n, d)) for chunk in chunks]
    return jax.tree.map(lambda *parts: np.concatenate(parts)[:count], *parts)


GRID = [
    (60, 20, independent(0.2, 0.9, 0.3)),
    (60, 20, independent(0.35, 1.0, 1.0, signal=2.0, ridge=1.0)),  # all kept
    (60, 20, independent([0.1, 0.4], [0.9, 0.6], [0.2, 0.7], prior=0.3, ridge=0.01)),
    (21, 30, independent(0.3, 0.7, 0.2, ridge=1.0)),  # m < d, odd
    (21, 30, independent(0.3, 0.05, 0.05)),  # now and then nothing is kept
    (40, 7, linear(0.6, 0.4, 0.2, ridge=1.0)),
    (40, 7, linear(0.3, 0.9, -0.1, signal=2.0, ridge=1e-3)),
]


@pytest.mark.statistical
@pytest.mark.parametrize(("n", "d"), sorted({row[:2] for row in GRID}))
def test_the_law_is_that_of_direct_simulation(fresh_seed, n, d):
    """Kolmogorov-Smirnov, 20,000 draws a side; the twin has a ridge 5 % larger."""
    count, problems = 20_000, [row[2] for row in GRID if row[:2] == (n, d)]
    level = FALSE_FAILURE / (len(GRID) * len(MEASURED))
    simulate = make_trials(n, d, "squared")
    for stream, problem in enumerate(problems):
        direct = jax.device_get(simulate(fresh_seed, words(count, stream), batch(problem, count)))
        exact = draws(problem, n, d, count, fresh_seed, stream=stream + 100)
        for name in MEASURED:
            ours, theirs = (getattr(side, name) for side in (exact, direct))
            ours, theirs = ours[exact.converged], theirs[direct.converged]
            assert ks_2samp(ours, theirs).pvalue > level, (name, problem)
        assert (exact.converged == (exact.m > 0)).all()
        assert (direct.converged == (direct.m > 0)).all()
        if problem.ridge == 1:  # where 5 % of it is no trifle
            twin = draws(problem._replace(ridge=np.array(1.05)), n, d, count, fresh_seed, stream=stream + 100)
            assert ks_2samp(twin.norm[twin.converged], direct.norm[direct.converged]).pvalue < level


@pytest.mark.slow
@pytest.mark.statistical
@pytest.mark.parametrize("ridge", [1e-3, 0.1, 2.0])
@pytest.mark.parametrize(("n", "d"), [(6, 4), (33, 20), (15, 40), (200, 100), (101, 33)])
def test_the_law_over_a_larger_grid(fresh_seed, n, d, ridge):
    count = 20_000
    level = FALSE_FAILURE / (15 * 8 * len(MEASURED))
    simulate = make_trials(n, d, "squared")
    rates = [(0.1, 0.9, 0.3), (0.4, 0.5, 0.5), (0.6, 1.0, 0.1)]
    problems = [independent(*some, signal=r, ridge=ridge) for some in rates for r in (0.5, 2.5)]
    problems += [linear(0.6, 0.4, 0.2, ridge=ridge), linear(0.5, -0.3, 0.1, signal=2.0, ridge=ridge)]
    for stream, problem in enumerate(problems):
        direct = jax.device_get(simulate(fresh_seed, words(count, stream), batch(problem, count)))
        exact = draws(problem, n, d, count, fresh_seed, stream=stream + 100)
        assert (exact.converged == (exact.m > 0)).all()
        for name in MEASURED:
            ours, theirs = getattr(exact, name)[exact.converged], getattr(direct, name)[direct.converged]
            assert ks_2samp(ours, theirs).pvalue > level, (name, problem)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("problem", "n", "d", "count"),
    [
        (independent(0.2, 2 / 3, 2 / 3, signal=1.0, ridge=0.01), 3_000_000, 1_000_000, 2_000),
        (linear(0.5, 0.4, 0.2, signal=1.5), 30_000, 10_000, 512),
    ],
)
def test_large_d_is_the_theory(fresh_seed, problem, n, d, count):
    """The mean over draws within its standard error of the limit d -> inf (whose own bias is of order 0.1/d)."""
    accuracy = draws(problem, n, d, count, fresh_seed).accuracy
    error = accuracy.std() / np.sqrt(count)
    limit = lambda problem: float(predict(problem, n / d).accuracy)
    assert abs(accuracy.mean() - limit(problem)) < 5.5 * error + 0.2 / d  # 4e-8 two-sided
    twin = limit(problem._replace(ridge=1.05 * problem.ridge))
    assert abs(accuracy.mean() - twin) > 5.5 * error + 0.2 / d


@partial(jax.jit, static_argnames="blocks")
def pieces(problem, n, d, seed, blocks):
    """What `draws` draws for one trial: the kept samples, and the triangular factors A_0, B_0, A_1, ..., one a row."""
    special, count = exact_law.SPECIAL[problem.curation.setting]
    k_kept, k_blocks = jax.random.split(exact_law.trial_key(seed, words(1, 1)[0]))
    kept, j = count(k_kept, problem, n), jnp.arange(blocks)
    left, rows = d - special - (special + 1) * j, kept.m - (special + 1.0) * j
    pairs = lambda first, second: jnp.stack([first, second], axis=1).ravel()
    keys = jax.vmap(jax.random.fold_in, in_axes=(None, 0))(k_blocks, jnp.arange(2 * blocks))
    heights, widths = pairs(left, rows), pairs(rows, left + special + 1)
    return kept, jnp.moveaxis(exact_law._triangle(keys, heights, widths, special + 1), -1, 0)


def assembled(problem, n, d, seed, blocks):
    """The same draw with U written out in the Krylov basis: (U, 1)."""
    kept, triangles = jax.device_get(pieces(problem, n, d, seed, MOST))
    size, m = len(kept.factor), float(kept.m)
    g = np.zeros((blocks * size, blocks * size))
    for j in range(blocks):
        here = slice(size * j, size * (j + 1))
        g[here, here] = triangles[2 * j].T
        if j:
            g[here, size * (j - 1) : size * j] = triangles[2 * j + 1]
    head = np.zeros((blocks * size, size))
    head[:size] = np.sqrt(m) * kept.factor.T
    return np.concatenate([head[:, 1:], g], axis=1), head[:, 0], m


def solved(u, ones, penalty):
    """(overlap, norm) of (U^T U + penalty I)^-1 U^T 1 in 60 digits."""
    with mpmath.workdps(60):
        u, ones = mpmath.matrix(u.tolist()), mpmath.matrix(ones.tolist())
        weights = mpmath.lu_solve(u.T * u + mpmath.mpf(penalty) * mpmath.eye(u.cols), u.T * ones)
        return float(weights[0]), float(mpmath.norm(weights))


MOST = 5


@pytest.mark.parametrize("blocks", [1, MOST])
@pytest.mark.parametrize(("n", "d"), [(12, 33), (7, 5)])
@pytest.mark.parametrize("ridge", [1e-6, 0.1, 1e12])
@pytest.mark.parametrize("problem", [independent(0.2, 0.9, 0.5), linear(0.6, 0.4, 0.2)])
def test_elimination_is_dense_algebra(problem, n, d, blocks, ridge):
    """`assembled` without block J is the first of the two cuts, digit by digit, at any ridge."""
    problem = problem._replace(ridge=np.array(ridge))
    for seed in range(2):
        found = draws(problem, n, d, 1, seed, blocks=blocks)
        if not found.converged[0]:  # a cut too early: the numbers are withheld
            assert np.isnan(found.accuracy[0])
            continue
        u, ones, m = assembled(problem, n, d, seed, blocks)
        overlap, norm = solved(u, ones, m * ridge)
        assert found.overlap[0] == pytest.approx(overlap, rel=1e-10, abs=1e-10 * norm)
        assert found.norm[0] == pytest.approx(norm, rel=1e-10)


@pytest.mark.parametrize("ridge", [1e-6, 1e-3, 0.1, 10.0])
@pytest.mark.parametrize(("n", "d"), [(2000, 1000), (1000, 1000), (500, 2000), (30_000, 1000), (4, 1_000_000)])
def test_what_is_cut_off_is_certified(n, d, ridge):
    """More blocks refine the same draw; the change is within the certificate, and that within TRUNCATION."""
    problem = independent(0.2, 0.9, 0.5, ridge=ridge)
    chosen = int(blocks_needed(batch(problem, 1), n, d)[0])
    few = draws(problem, n, d, 64, 0, blocks=chosen)
    many = draws(problem, n, d, 64, 0, blocks=2 * chosen + 8)
    assert few.converged.all()
    np.testing.assert_array_equal(few.m, many.m)
    change = np.abs(few.accuracy - many.accuracy)
    assert (change <= few.truncation + 1e-13).all()
    assert few.truncation.max() <= TRUNCATION


def test_a_cut_too_early_is_flagged():
    found = draws(independent(0.2, 0.9, 0.5, ridge=1e-3), 3000, 1000, 16, 0, blocks=3)
    assert not found.converged.any()
    assert np.isnan(found.accuracy).all()
    assert (found.truncation > TRUNCATION).all()


def test_nothing_is_cut_off_where_the_data_are_small():
    for problem, size in ((independent(0.2, 0.9, 0.5), 2), (linear(0.6, 0.4, 0.2), 4)):
        for n, d in ((40, 9), (9, 40), (3, 3), (50, 4)):
            found = draws(problem, n, d, 64, 0)
            assert (found.converged == (found.m > 0)).all()
            assert found.truncation[found.converged].max() < 1e-13
            assert found.blocks.max() <= min(n, d) // size + 2


@pytest.mark.parametrize(("n", "d"), [(1, 1), (1, 5), (5, 1), (2, 2), (3, 1000)])
def test_smallest_sizes(n, d):
    """Against the ridge solution by hand where it is simple: n = 1 gives w = u / (|u|^2 + ridge)."""
    found = draws(independent(0.2, 1.0, 1.0, ridge=0.5), n, d, 256, 0)
    assert found.converged.all()
    assert (found.m == n).all()
    assert (np.abs(found.overlap) <= found.norm * (1 + 1e-12)).all()
    if n == 1:  # norm = |u| / (|u|^2 + ridge) <= 1 / (2 sqrt(ridge))
        assert (found.norm <= 0.5 / np.sqrt(0.5) + 1e-12).all()
    if d == 1:
        np.testing.assert_allclose(np.abs(found.overlap), found.norm, rtol=1e-12)


def test_nothing_kept_is_flagged_and_counted():
    found = draws(independent(1.0, 1.0, 0.0), 50, 10, 16, 0)
    assert (found.m == 0).all()
    assert (found.wrong == 50).all()
    assert not found.converged.any()
    assert np.isnan(found.accuracy).all()


def test_a_draw_depends_on_its_own_words_alone():
    """Not on its neighbours' problems, blocks or position."""
    problem = independent(0.2, 0.9, 0.5)
    alone = draws(problem, 300, 100, WIDTH, 0, blocks=12)
    many, odd = batch(problem, WIDTH), np.arange(WIDTH) % 2 == 1
    other = many._replace(ridge=np.where(odd, 1e-3, many.ridge))
    mixed = run_draws(0, words(WIDTH, 1), other, np.where(odd, 40, 12), 300, 100)
    np.testing.assert_allclose(mixed.accuracy[::2], alone.accuracy[::2], rtol=1e-12)
    turned = run_draws(0, words(WIDTH, 1)[::-1], many, np.full(WIDTH, 12), 300, 100)
    np.testing.assert_allclose(turned.accuracy[::-1], alone.accuracy, rtol=1e-12)


def test_blocks_grow_where_convergence_is_slow_and_not_with_d():
    blocks = lambda ridge, n, d: int(blocks_needed(batch(independent(0.2, 1.0, 1.0, ridge=ridge), 1), n, d)[0])
    assert blocks(0.1, 4000, 2000) == blocks(0.1, 4_000_000, 2_000_000)
    assert blocks(1e-3, 4000, 2000) > blocks(0.1, 4000, 2000)
    assert blocks(1e-3, 10_000, 10_000) > blocks(1e-3, 40_000, 10_000)
