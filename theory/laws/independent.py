"""The independent setting: a scalar mixture of two Gaussians."""

from typing import NamedTuple

from theory.arrays import Array, column, of
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
        xp = of(self)
        b, c = (2 * self.purity - 1) * self.signal, 1 + self.signal**2
        return xp.asarray(b)[..., None], xp.asarray(c)[..., None, None]

    def project(self, x: Array, a: Array, tau: Array) -> Projection:
        """x ~ N(s r a, a^2 + tau^2) and E[c | x, s] = s r + a (x - s r a)/(a^2 + tau^2)."""
        xp, signal, purity = of(x, a, tau, self), column(self.signal), column(self.purity)
        scale = xp.sqrt(a**2 + column(tau) ** 2)
        z, shift = x / scale, signal * a / scale
        of_right, of_wrong = z - shift, z + shift
        right = purity / scale * xp.pdf(of_right)
        wrong = (1 - purity) / scale * xp.pdf(of_wrong)
        regression = a / scale * (of_right * right + of_wrong * wrong)
        return Projection(right + wrong, (signal * (right - wrong) + regression,), (xp.ones(1),))
