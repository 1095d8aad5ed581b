"""A linear generator whose labels are kept by whether they are right: a mixture of two Gaussians cut in half."""

from typing import NamedTuple

from theory.arrays import Array, dot, of, outer
from theory.laws.law import EDGED, Projection, Traits
from theory.laws.wedge import both_signs, residual_variance


class HalfPlane(NamedTuple):
    """c in span(mu, g), g = (cos, sin), density ~ [phi N(c; r e_1, I) + psi N(c; -r e_1, I)] where g.c > 0, else 0.

    The component of mean s r e_1 is that of the points whose label y' = sign(g.x) is right (s = +1) or wrong (-1): they
    are kept with probability phi or psi, whatever x is. phi = psi is no verification, the limit v = g of `Wedge`.
    With m_s = s r e_1, h_s = g.m_s, w = (phi, psi), mass Z_s = Phi(h_s) and f_s = pdf(h_s) (THEORY §11).
    """

    signal: Array
    cos_generator: Array
    phi: Array
    psi: Array

    @property
    def dimension(self) -> int:
        """k = 2: the span of mu and g."""
        return 2

    @property
    def traits(self) -> Traits:
        """Cut off by the generator."""
        return EDGED

    def axis(self) -> Array:
        """g."""
        xp, along = of(self), self.cos_generator
        return xp.stack([along, xp.sqrt(xp.maximum(1 - along**2, 0.0))], -1)

    def kept_rate(self) -> Array:
        """kappa = sum_s w_s Z_s."""
        xp, h = of(self), self.signal * self.cos_generator
        return self.phi * xp.ndtr(h) + self.psi * xp.ndtr(-h)

    def moments(self) -> tuple[Array, Array]:
        """kappa b = sum w (Z m + f g),  kappa C = sum w (Z (I + m m^T) + f (m g^T + g m^T) - h f g g^T)."""
        xp, g = of(self), self.axis()
        b, c = 0.0, 0.0
        for sign, weight in ((1, self.phi), (-1, self.psi)):
            h = sign * self.signal * self.cos_generator
            m = sign * self.signal[..., None] * xp.eye(2)[0]
            mass, edge = (weight * xp.ndtr(h))[..., None], (weight * xp.pdf(h))[..., None]
            b = b + mass * m + edge * g
            bent = outer(m, g) + outer(g, m) - h[..., None, None] * outer(g, g)
            c = c + mass[..., None] * (xp.eye(2) + outer(m, m)) + edge[..., None] * bent
        kept = self.kept_rate()[..., None]
        return b / kept, c / kept[..., None]

    def project(self, x: Array, a: Array, tau: Array) -> Projection:
        """As `Wedge.project`, with the half-plane's mass Phi(t) in place of the wedge's."""
        xp, g, n = of(x, a, tau, self), self.axis(), x.shape[-1]
        variance = (dot(a, a) + tau**2)[..., None]
        spread = xp.sqrt(residual_variance(g, a, tau))[..., None]
        shift, excess = both_signs(self.signal, x, a, variance)
        t = (g[..., :1] * shift + dot(g, a)[..., None] * excess) / spread
        rates = xp.concatenate([self.phi[..., None] + xp.zeros(n), self.psi[..., None] + xp.zeros(n)], -1)
        scale = xp.sqrt(2 * xp.pi * variance) * self.kept_rate()[..., None]
        share = rates * xp.exp(-variance * excess**2 / 2) / scale
        fold = lambda both: both[..., :n] + both[..., n:]
        mass = xp.ndtr(t)
        parts = (mass * shift, mass * excess, xp.pdf(t) / spread)
        basis = (xp.eye(2)[0], a, g - a * dot(g, a)[..., None] / variance)
        return Projection(fold(share * mass), tuple(fold(share * part) for part in parts), basis)
