"""Rounds of self-training at finite (n, d): draw, verify, fit, measure, with the fitted weights as next generator.

In the settings linear and learned, whose generator is a direction.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, UInt32

from sims.draw import draw
from sims.fit import fit
from sims.losses import Loss
from sims.measure import Measurement, measure
from sims.population import Directions, directions, mean
from sims.trial import trial_key
from sims.verify import verify
from theory.errors import KindError
from theory.types import Problem


class Round(NamedTuple):
    """What was trained in each round on what the generator before it made; first axis: rounds 1, 2, ..."""

    cos_generator: Float[Array, " rounds"]
    """cos(w, mu) of the trained weights, the generator of the next round. NaN from a failed fit on."""
    cos_between: Float[Array, " rounds"]
    """cos(w, v); NaN in the setting learned, whose verifier has no direction."""
    measurement: Measurement
    """Counts of the data trained on, and the trained classifier."""


def rounds_trial(
    key: Key[Array, ""], problem: Problem, *, n: int, d: int, loss: Loss, rounds: int, verified: bool
) -> Round:
    """Retrain ``rounds`` times, each time on n fresh points that the last classifier labels.

    Args:
        key: the only source of randomness; round t uses it folded with t.
        problem: with `Cosines` or `Learned`, all scalars; its cosines are those of the first generator.
        n: samples generated a round. d: dimension, at least 3. loss: "squared" or "logistic".
        rounds: trainings. verified: whether the verifier filters; otherwise all is kept. These five are static.

    Source: THEORY §7, §11.
    """
    if problem.curation.setting not in ("linear", "learned"):
        raise KindError("rounds are defined in the settings linear and learned: curation must be Cosines or Learned")
    mu, axes = mean(problem, d), _axes(problem, d)

    def advance(generator: Array, index: Array) -> tuple[Array, Round]:
        k_draw, k_verify = jax.random.split(jax.random.fold_in(key, index))
        sample = draw(k_draw, problem, n, d, generator)
        kept = verify(k_verify, problem, sample) if verified else jnp.ones(n, bool)
        fitted = fit(loss, sample.x, sample.label, kept, jnp.asarray(problem.ridge, float))
        usable = fitted.converged & jnp.all(jnp.isfinite(generator))
        weights = jnp.where(usable, fitted.weights, jnp.nan)
        found = measure(sample, kept, fitted._replace(weights=weights, converged=usable), mu)
        unit = weights / jnp.linalg.norm(weights)
        return weights, Round(unit @ axes.mean, unit @ axes.verifier, found)

    return jax.lax.scan(advance, axes.generator, jnp.arange(rounds))[1]


def _axes(problem: Problem, d: int) -> Directions:
    """The directions of mean, first generator and verifier; learned: one of NaN for the verifier."""
    if problem.curation.setting == "linear":
        return directions(problem.curation, d)
    along = problem.curation.cos_generator  # cos(g, v) = cos(g, mu) with v = mu/r: g in the plane of two axes
    return directions((along, 1.0, along), d)._replace(verifier=jnp.full(d, jnp.nan))


@cache
def make_rounds(
    n: int, d: int, loss: Loss, rounds: int, verified: bool
) -> Callable[[Array, UInt32[Array, "b 3"], Problem], Round]:
    """Compiled trials of one static shape: (root_seed, words (b, 3), scalar problem) -> fields (b, rounds).

    They run one after the other, as those of `sims.trial.make_trials` do on a CPU.
    """

    def many(root_seed: Array, words: Array, problem: Problem) -> Round:
        one = lambda word: rounds_trial(
            trial_key(root_seed, word), problem, n=n, d=d, loss=loss, rounds=rounds, verified=verified
        )
        return jax.lax.map(one, words)

    return jax.jit(many)
