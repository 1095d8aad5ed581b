"""Real data beside synthetic: the first samples are real, that is correctly labelled and kept, the others as linear."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from sims.settings.base import Sample
from sims.settings.linear import Linear
from theory.types import Problem


class _Mixture(Linear):
    def label(
        self, key: Key[Array, ""], problem: Problem, x: Float[Array, "n d"], y: Float[Array, " n"]
    ) -> Float[Array, " n"]:
        """y for the real samples, sign(g.x) for the others."""
        return jnp.where(_real(problem, len(y)), y, super().label(key, problem, x, y))

    def keep(self, key: Key[Array, ""], problem: Problem, sample: Sample) -> Bool[Array, " n"]:
        """The real samples, and of the others what the verifier confirms."""
        return _real(problem, len(sample.y)) | super().keep(key, problem, sample)


def _real(problem: Problem, n: int) -> Bool[Array, " n"]:
    """Samples 0 .. round(real n) - 1: which ones they are does not matter, as all are drawn alike."""
    return jnp.arange(n) < jnp.round(problem.curation.real * n)


SETTING = _Mixture()
