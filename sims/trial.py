"""One trial: draw, verify, fit, measure. Then many of them under one compilation."""

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key, UInt32

from sims.draw import draw, draw_fixed
from sims.fit import fit
from sims.losses import Loss
from sims.measure import Measurement, measure
from sims.population import by_class, check_population, eigenvalues, mean
from sims.verify import verify
from theory.types import Problem


def trial(
    key: Key[Array, ""], problem: Problem, *, n: int, d: int, loss: Loss, fixed_counts: bool = False
) -> Measurement:
    """Train one classifier on verified synthetic data and measure it.

    Args:
        key: the only source of randomness.
        problem: signal, curation (the parameter object of any setting) and ridge, all scalars; its intercept, which
            is no array, and a `Spectrum` with Rates or ClassRates only.
        n: samples generated. d: dimension. loss: "squared" or "logistic". These three are static.
        fixed_counts: how many points of each class are right, wrong, kept and dropped is their expectation and no
            chance (`sims.draw.draw_fixed`); static, independent setting.

    Raises:
        KindError: a `Spectrum`, an intercept or fixed counts in a setting without, or an intercept that is traced.
    """
    check_population(problem)
    if fixed_counts:
        sample, kept = draw_fixed(key, problem, n, d)
    else:
        k_draw, k_verify = jax.random.split(key)
        sample = draw(k_draw, problem, n, d)
        kept = verify(k_verify, problem, sample)
    fitted = fit(loss, sample.x, sample.label, kept, jnp.asarray(problem.ridge, float), bool(problem.intercept))
    prior = jnp.asarray(by_class(problem.curation).prior, float) if problem.intercept else None
    return measure(sample, kept, fitted, mean(problem, d), eigenvalues(problem, d), prior)


def trial_key(root_seed: int | Array, words: UInt32[Array, "3"]) -> Key[Array, ""]:
    """Key of one trial: the root key folded with two words that name the cell and one that counts seeds.

    A function of the cell's own parameters and the seed alone, so that a trial's random numbers depend on
    neither batch, order nor what else is in the grid.
    """
    key = jax.random.key(root_seed)
    for position in range(3):
        key = jax.random.fold_in(key, words[position])
    return key


@cache
def make_trials(
    n: int, d: int, loss: Loss, together: int = 1, intercept: bool | None = None, fixed_counts: bool = False
) -> Callable[..., Measurement]:
    """Compiled batch of trials for one static shape: (root_seed, words (b, 3), problem (b,), count=b) -> (b,) rows.

    Everything but the shape and b is traced: a sweep over p, phi, psi, signal, ridge or the cosines compiles once. Of
    the rows, the first ``count`` are computed. Trials run one after the other, which on a CPU is quicker than vmap (a
    matrix that stays in the cache, no waiting for the slowest fit) and makes their bits independent of the batch;
    on a GPU, ``together`` > 1 of them run at once. b must be a multiple of it. ``intercept`` is said here, as it is no
    array, and not in the problem.
    """

    def one(root_seed: Array, words: Array, problem: Problem) -> Measurement:
        given = problem._replace(intercept=intercept)
        return trial(trial_key(root_seed, words), given, n=n, d=d, loss=loss, fixed_counts=fixed_counts)

    several = jax.vmap(one, in_axes=(None, 0, 0)) if together > 1 else one

    @jax.jit
    def run(root_seed: int | Array, words: Array, problem: Problem, count: int | Array | None = None) -> Measurement:
        trials = len(words) if count is None else count

        def take(leaf: Array, i: Array) -> Array:
            return leaf[i] if together == 1 else jax.lax.dynamic_slice_in_dim(leaf, i * together, together)

        def put(leaf: Array, values: Array, i: Array) -> Array:
            return jax.lax.dynamic_update_slice_in_dim(leaf, values.reshape(together), i * together, 0)

        def advance(i: Array, found: Measurement) -> Measurement:
            rows = several(root_seed, take(words, i), jax.tree.map(lambda leaf: take(leaf, i), problem))
            return jax.tree.map(lambda leaf, values: put(leaf, values, i), found, rows)

        blank = jax.eval_shape(jax.vmap(one, in_axes=(None, 0, 0)), root_seed, words, problem)
        empty = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), blank)
        return jax.lax.fori_loop(0, -(-trials // together), advance, empty)

    return run
