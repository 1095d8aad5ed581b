"""Correctly labelled data, and two laws at a ratio: real data with synthetic, or a wedge less a narrower one."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from theory.laws.law import EDGED, SMOOTH, Projection, Traits
from theory.laws.wedge import Wedge


class Clean(NamedTuple):
    """Correctly labelled, unselected data: c = r e_1 + N(0, I_3)."""

    signal: Array

    @property
    def dimension(self) -> int:
        """k = 3."""
        return 3

    @property
    def traits(self) -> Traits:
        """No edges."""
        return SMOOTH

    def moments(self) -> tuple[Array, Array]:
        """b = r e_1, C = I + r^2 e_1 e_1^T."""
        m = self.signal * jnp.eye(3)[0]
        return m, jnp.eye(3) + jnp.outer(m, m)

    def project(self, x: Array, a: Array, tau: Array) -> Projection:
        """x ~ N(r a_mu, ||a||^2 + tau^2) and E[c | x] = r e_1 + a (x - r a_mu)/(||a||^2 + tau^2)."""
        variance = a @ a + tau**2
        excess = (x - self.signal * a[0]) / variance
        density = jnp.exp(-variance * excess**2 / 2) / jnp.sqrt(2 * jnp.pi * variance)
        return Projection(density, (self.signal * density, density * excess), (jnp.eye(3)[0], a))


class Mixture(NamedTuple):
    """A share of one law and the rest of another with the same signal: real data mixed with synthetic.

    The share may exceed 1, which takes the second law away: where a wedge with a margin is removed from one
    without, what stays is what the verifier is not sure of ("keep hard").
    """

    first: Wedge | Clean
    second: Wedge | Clean
    share: Array

    @property
    def dimension(self) -> int:
        """k = 3."""
        return 3

    @property
    def traits(self) -> Traits:
        """Those of a wedge; separable where both parts are, by the same generator."""
        return EDGED._replace(separable=self.first.traits.separable and self.second.traits.separable)

    @property
    def signal(self) -> Array:
        """r, common to both."""
        return self.first.signal

    def moments(self) -> tuple[Array, Array]:
        """Weighted means of both laws' moments."""
        (b, c), (other_b, other_c) = self.first.moments(), self.second.moments()
        mix = lambda mine, other: self.share * mine + (1 - self.share) * other
        return mix(b, other_b), mix(c, other_c)

    def project(self, x: Array, a: Array, tau: Array) -> Projection:
        """Weighted sum of both laws' projections; two of a kind are projected as one, which halves what is compiled."""
        if type(self.first) is type(self.second):
            both = jax.tree.map(lambda *leaves: jnp.stack(leaves), self.first, self.second)
            found = jax.vmap(lambda law: law.project(x, a, tau))(both)
            one, two = (jax.tree.map(lambda leaf, i=i: leaf[i], found) for i in (0, 1))
        else:
            one, two = self.first.project(x, a, tau), self.second.project(x, a, tau)
        mine, rest = (lambda part: self.share * part), (lambda part: (1 - self.share) * part)
        parts = (*map(mine, one.parts), *map(rest, two.parts))
        return Projection(mine(one.density) + rest(two.density), parts, (*one.basis, *two.basis))
