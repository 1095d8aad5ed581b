"""Step 2 of a trial: the verifier says which samples are kept."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Key

from sims.draw import Sample, by_class, directions, of_class
from theory.types import Cosines, Problem


def verify(key: Key[Array, ""], problem: Problem, sample: Sample) -> Bool[Array, " n"]:
    """Mask of the kept samples.

    Independent setting: kept with probability phi_y where y' = y and psi_y where y' != y. Linear setting:
    kept iff sign(v.x) = y' (the key is not used). Source: THEORY §1-2.
    """
    if isinstance(problem.curation, Cosines):
        v = directions(problem.curation, sample.x.shape[1]).verifier
        return jnp.where(sample.x @ v >= 0, 1.0, -1.0) == sample.label
    rates = by_class(problem.curation)
    correct = sample.label == sample.y
    keep = jnp.where(correct, of_class(rates.phi, sample.y), of_class(rates.psi, sample.y))
    return jax.random.uniform(key, sample.y.shape) < keep
