"""Label errors and verdicts independent of x given the class (THEORY §2)."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from sims.population import by_class, of_class
from sims.settings.base import Sample, Setting
from theory.types import Problem


class _Independent(Setting):
    def classes(self, key: Key[Array, ""], problem: Problem, n: int) -> Float[Array, " n"]:
        """P(y = +1) is the prior."""
        return jnp.where(jax.random.uniform(key, (n,)) < by_class(problem.curation).prior[1], 1.0, -1.0)

    def label(
        self, key: Key[Array, ""], problem: Problem, x: Float[Array, "n d"], y: Float[Array, " n"]
    ) -> Float[Array, " n"]:
        """y' = -y with probability p_y."""
        wrong = jax.random.uniform(key, y.shape) < of_class(by_class(problem.curation).p, y)
        return jnp.where(wrong, -y, y)

    def keep(self, key: Key[Array, ""], problem: Problem, sample: Sample) -> Bool[Array, " n"]:
        """Kept with probability phi_y where y' = y and psi_y where y' != y."""
        rates = by_class(problem.curation)
        correct = sample.label == sample.y
        keep = jnp.where(correct, of_class(rates.phi, sample.y), of_class(rates.psi, sample.y))
        return jax.random.uniform(key, sample.y.shape) < keep


SETTING = _Independent()
