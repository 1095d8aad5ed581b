"""The independent setting: a scalar mixture of two Gaussians."""

from typing import NamedTuple

import jax.numpy as jnp
from jax.scipy.stats.norm import pdf
from jaxtyping import Array

from theory.laws.law import SMOOTH, Projection, Traits


class Independent(NamedTuple):
    """Label errors and verdicts independent of the noise: c = s r + N(0, 1), P(s = 1) = purity."""

    signal: Array
    purity: Array

    @property
    def dimension(self) -> int:
        """k = 1."""
        return 1

    @property
    def traits(self) -> Traits:
        """No edges."""
        return SMOOTH

    def moments(self) -> tuple[Array, Array]:
        """b = (2 pi - 1) r, C = 1 + r^2."""
        return jnp.stack([(2 * self.purity - 1) * self.signal]), jnp.stack([jnp.stack([1 + self.signal**2])])

    def project(self, x: Array, a: Array, tau: Array) -> Projection:
        """x ~ N(s r a, a^2 + tau^2) and E[c | x, s] = s r + a (x - s r a)/(a^2 + tau^2)."""
        variance = a[0] ** 2 + tau**2
        scale, mean = jnp.sqrt(variance), self.signal * a[0]
        right = self.purity * pdf((x - mean) / scale) / scale
        wrong = (1 - self.purity) * pdf((x + mean) / scale) / scale
        regression = a[0] / variance * ((x - mean) * right + (x + mean) * wrong)
        return Projection(right + wrong, (self.signal * (right - wrong) + regression,), (jnp.ones(1),))
