"""Linear generator and verifier: a mixture of two Gaussians cut to a wedge."""

from typing import NamedTuple

from theory.arrays import Array, dot, of, outer
from theory.geometry import corner, edges, orthant
from theory.laws.law import EDGED, Projection, Traits


class Wedge(NamedTuple):
    """Linear setting: c = s r e_1 + N(0, I_3), s = +-1 equally likely, truncated to g.c > 0 and v.c > margin.

    With m_s = s r e_1, h = g.m_s, k = v.m_s - margin, rho = g.v and Z_s = Phi2(h, k; rho), derivatives in m of
    Z are the truncated moments: E[c - m; wedge] = grad Z, E[(c - m)(c - m)^T - I; wedge] = Hess Z. A verifier
    that keeps what it agrees with has margin 0; a positive margin keeps only what it is sure of ("keep easy").
    """

    signal: Array
    cos_generator: Array
    cos_verifier: Array
    cos_between: Array
    margin: Array

    @property
    def dimension(self) -> int:
        """k = 3."""
        return 3

    @property
    def traits(self) -> Traits:
        """Cut off by the generator."""
        return EDGED

    def axes(self) -> tuple[Array, Array]:
        """g and v in an orthonormal basis whose first vector is mu/||mu||; v has a third entry, g has none."""
        xp, g1, v1 = of(self), self.cos_generator, self.cos_verifier
        g2, rest = xp.sqrt(xp.maximum(1 - g1**2, 0.0)), xp.sqrt(xp.maximum(1 - v1**2, 0.0))
        aligned = g2 < 1e-12
        v2 = xp.where(aligned, rest, (self.cos_between - g1 * v1) / xp.where(aligned, 1.0, g2))
        v2 = xp.clip(v2, -rest, rest)
        v3 = xp.sqrt(xp.maximum(rest**2 - v2**2, 0.0))
        return xp.stack([g1, g2, xp.zeros_like(g1)], -1), xp.stack([v1, v2, v3], -1)

    def kept_rate(self) -> Array:
        """kappa = Z_+ + Z_-."""
        return orthant(*self._corners()).sum(-1)

    def _corners(self) -> tuple[Array, Array, Array]:
        """h, k and rho, for s = +1 and -1 on a last axis."""
        xp, r, t = of(self), self.signal, self.margin
        h, k, t, rho = xp.broadcast_arrays(r * self.cos_generator, r * self.cos_verifier, t, self.cos_between)
        return xp.stack([h, -h], -1), xp.stack([k - t, -k - t], -1), xp.stack([rho, rho], -1)

    def moments(self) -> tuple[Array, Array]:
        """E[c] and E[c c^T], from Z, grad Z and Hess Z of both signs."""
        xp, (g, v), (h, k, rho) = of(self), self.axes(), self._corners()
        mass, edge, tip = orthant(h, k, rho), edges(h, k, rho), corner(h, k, rho)
        total = mass.sum(-1)
        m = self.signal[..., None] * xp.eye(3)[0]
        gradient = outer(edge.by_h, g) + outer(edge.by_k, v)
        square = lambda weight: weight.sum(-1)[..., None, None]
        by_hh, by_kk = square(-h * edge.by_h - rho * tip), square(-k * edge.by_k - rho * tip)
        cross, mixed = outer(g, v), outer(m, gradient[..., 0, :] - gradient[..., 1, :])
        symmetric = lambda matrix: matrix + matrix.swapaxes(-1, -2)
        hessian = by_hh * outer(g, g) + by_kk * outer(v, v) + square(tip) * symmetric(cross)
        first = (mass[..., 0] - mass[..., 1])[..., None] * m + gradient.sum(-2)
        second = total[..., None, None] * (xp.eye(3) + outer(m, m)) + hessian + symmetric(mixed)
        return first / total[..., None], second / total[..., None, None]

    def project(self, x: Array, a: Array, tau: Array) -> Projection:
        """Given s and x, c is normal with mean m + a (x - a.m)/sigma^2 and covariance I - a a^T/sigma^2.

        So the wedge's mass given x is Phi2 at the standardised means of g.c and v.c, and E[c; wedge | x] is
        that mass times the mean plus covariance times gradient.
        """
        xp, (g, v), n = of(x, a, tau, self), self.axes(), x.shape[-1]
        variance = (dot(a, a) + tau**2)[..., None]
        spread_g, spread_v = (xp.sqrt(residual_variance(axis, a, tau))[..., None] for axis in (g, v))
        along = lambda axis: axis - a * dot(axis, a)[..., None] / variance
        rho = xp.clip(dot(g, along(v))[..., None] / (spread_g * spread_v), -1.0, 1.0)
        shift, excess = both_signs(self.signal, x, a, variance)
        h = (g[..., :1] * shift + dot(g, a)[..., None] * excess) / spread_g
        k = (v[..., :1] * shift + dot(v, a)[..., None] * excess - self.margin[..., None]) / spread_v
        mass, edge = orthant(h, k, rho), edges(h, k, rho)
        scale = xp.sqrt(2 * xp.pi * variance) * self.kept_rate()[..., None]
        share = xp.exp(-variance * excess**2 / 2) / scale
        fold = lambda both: both[..., :n] + both[..., n:]
        parts = (mass * shift, mass * excess, edge.by_h / spread_g, edge.by_k / spread_v)
        basis = (xp.eye(3)[0], a, along(g), along(v))
        return Projection(fold(share * mass), tuple(fold(share * part) for part in parts), basis)


def both_signs(signal: Array, x: Array, a: Array, variance: Array) -> tuple[Array, Array]:
    """s r and (x - a_mu s r)/sigma^2 at the nodes x, for s = +1, then for s = -1, on the last axis."""
    xp, n = of(x, a, variance), x.shape[-1]
    shift = signal[..., None] * xp.concatenate([xp.ones(n), -xp.ones(n)])
    return shift, (xp.concatenate([x, x], -1) - a[..., :1] * shift) / variance


def residual_variance(axis: Array, a: Array, tau: Array) -> Array:
    """1 - (axis.a)^2/(||a||^2 + tau^2) = (tau^2 + ||a||^2 - (axis.a)^2)/(...), without cancellation."""
    across = a - axis * dot(axis, a)[..., None]
    return (tau**2 + dot(across, across)) / (dot(a, a) + tau**2)
