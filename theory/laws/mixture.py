"""Correctly labelled data, and two laws at a ratio: real data with synthetic, or a wedge less a narrower one."""

from typing import NamedTuple

from theory.arrays import Array, column, dot, is_jax, of, outer
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
        xp = of(self)
        m = self.signal[..., None] * xp.eye(3)[0]
        return m, xp.eye(3) + outer(m, m)

    def project(self, x: Array, a: Array, tau: Array) -> Projection:
        """x ~ N(r a_mu, ||a||^2 + tau^2) and E[c | x] = r e_1 + a (x - r a_mu)/(||a||^2 + tau^2)."""
        xp, signal = of(x, a, tau, self), self.signal[..., None]
        variance = (dot(a, a) + tau**2)[..., None]
        excess = (x - signal * a[..., :1]) / variance
        density = xp.exp(-variance * excess**2 / 2) / xp.sqrt(2 * xp.pi * variance)
        return Projection(density, (signal * density, density * excess), (xp.eye(3)[0], a))


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
        mix = lambda share, mine, other: share * mine + (1 - share) * other
        return mix(column(self.share), b, other_b), mix(column(column(self.share)), c, other_c)

    def project(self, x: Array, a: Array, tau: Array) -> Projection:
        """Weighted sum of both laws' projections."""
        one, two = self._projections(x, a, tau)
        share = column(self.share)
        mine, rest = (lambda part: share * part), (lambda part: (1 - share) * part)
        parts = (*map(mine, one.parts), *map(rest, two.parts))
        return Projection(mine(one.density) + rest(two.density), parts, (*one.basis, *two.basis))

    def _projections(self, x: Array, a: Array, tau: Array) -> tuple[Projection, Projection]:
        """Of both laws; two of a kind as one where they are compiled, which halves what that takes."""
        if type(self.first) is not type(self.second) or not is_jax((x, a, tau, self)):
            return self.first.project(x, a, tau), self.second.project(x, a, tau)
        import jax

        both = jax.tree.map(lambda *fields: jax.numpy.stack(fields), self.first, self.second)
        found = jax.vmap(lambda law: law.project(x, a, tau))(both)
        one, two = (jax.tree.map(lambda field, i=i: field[i], found) for i in (0, 1))
        return one, two
