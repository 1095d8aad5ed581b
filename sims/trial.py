"""One trial: draw, verify, fit, measure. Then many of them under one compilation."""

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key, UInt32

from sims.draw import draw, mean
from sims.fit import fit
from sims.losses import Loss
from sims.measure import Measurement, measure
from sims.verify import verify
from theory.types import Problem


def trial(key: Key[Array, ""], problem: Problem, *, n: int, d: int, loss: Loss) -> Measurement:
    """Train one classifier on verified synthetic data and measure it.

    Args:
        key: the only source of randomness.
        problem: signal, curation (`Rates`, `ClassRates` or `Cosines`) and ridge, all scalars.
        n: samples generated. d: dimension. loss: "squared" or "logistic". These three are static.
    """
    k_draw, k_verify = jax.random.split(key)
    sample = draw(k_draw, problem, n, d)
    kept = verify(k_verify, problem, sample)
    fitted = fit(loss, sample.x, sample.label, kept, jnp.asarray(problem.ridge, float))
    return measure(sample, kept, fitted, mean(problem, d))


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
def make_trials(n: int, d: int, loss: Loss) -> Callable[[Array, Array, Problem], Measurement]:
    """Compiled batch of trials for one static shape: (root_seed, words (b, 3), problem (b,)) -> (b,) rows.

    Everything but (n, d, loss) and the batch width is traced: a sweep over p, phi, psi, signal, ridge or the
    cosines compiles once.
    """

    def one(root_seed: Array, words: Array, problem: Problem) -> Measurement:
        return trial(trial_key(root_seed, words), problem, n=n, d=d, loss=loss)

    return jax.jit(jax.vmap(one, in_axes=(None, 0, 0)))
