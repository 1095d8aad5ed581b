"""Learned errors: y' = sign(g.x), kept with probability phi where that is correct and psi where not (THEORY §11)."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from sims.population import sign
from sims.settings.base import Sample, Setting
from sims.settings.independent import SETTING as INDEPENDENT
from theory.types import Problem, Rates


class _Learned(Setting):
    def label(
        self, key: Key[Array, ""], problem: Problem, x: Float[Array, "n d"], y: Float[Array, " n"]
    ) -> Float[Array, " n"]:
        """sign(g.x), g in the plane of the first two axes."""
        along = jnp.asarray(problem.curation.cos_generator, float)
        return sign(along * x[:, 0] + jnp.sqrt((1 - along) * (1 + along)) * x[:, 1])

    def keep(self, key: Key[Array, ""], problem: Problem, sample: Sample) -> Bool[Array, " n"]:
        """As independent: with probability phi where y' = y, psi where y' != y."""
        rates = Rates(0.5, problem.curation.phi, problem.curation.psi)
        return INDEPENDENT.keep(key, problem._replace(curation=rates), sample)


SETTING = _Learned()
