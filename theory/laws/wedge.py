"""Linear generator and verifier: a mixture of two Gaussians cut to a wedge, or to a half-space without verifier."""

from typing import NamedTuple

import jax.numpy as jnp
from jax.scipy.special import ndtr
from jax.scipy.stats.norm import pdf
from jaxtyping import Array

from theory.geometry import edges, orthant
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
        g1, v1 = self.cos_generator, self.cos_verifier
        g2, rest = jnp.sqrt(jnp.maximum(1 - g1**2, 0.0)), jnp.sqrt(jnp.maximum(1 - v1**2, 0.0))
        aligned = g2 < 1e-12
        v2 = jnp.where(aligned, rest, (self.cos_between - g1 * v1) / jnp.where(aligned, 1.0, g2))
        v2 = jnp.clip(v2, -rest, rest)
        v3 = jnp.sqrt(jnp.maximum(rest**2 - v2**2, 0.0))
        return jnp.stack([g1, g2, jnp.zeros_like(g1)]), jnp.stack([v1, v2, v3])

    def kept_rate(self) -> Array:
        """kappa = Z_+ + Z_-."""
        return jnp.sum(orthant(*self._corners()), -1)

    def _corners(self) -> tuple[Array, Array, Array]:
        """h, k and rho, for s = +1 and -1 on a last axis."""
        r, t = self.signal, self.margin
        h, k, t, rho = jnp.broadcast_arrays(r * self.cos_generator, r * self.cos_verifier, t, self.cos_between)
        return jnp.stack([h, -h], -1), jnp.stack([k - t, -k - t], -1), jnp.stack([rho, rho], -1)

    def moments(self) -> tuple[Array, Array]:
        """E[c] and E[c c^T], from Z, grad Z and Hess Z of both signs."""
        (g, v), (h, k, rho) = self.axes(), self._corners()
        mass, edge = jnp.asarray(orthant(h, k, rho)), edges(h, k, rho)
        total = jnp.sum(mass)
        m = self.signal * jnp.eye(3)[0]
        gradient = jnp.outer(edge.by_h, g) + jnp.outer(edge.by_k, v)
        by_hh = jnp.sum(-h * edge.by_h - rho * edge.corner)
        by_kk = jnp.sum(-k * edge.by_k - rho * edge.corner)
        cross, mixed = jnp.outer(g, v), jnp.outer(m, gradient[0] - gradient[1])
        hessian = by_hh * jnp.outer(g, g) + by_kk * jnp.outer(v, v) + jnp.sum(edge.corner) * (cross + cross.T)
        first = (mass[0] - mass[1]) * m + jnp.sum(gradient, 0)
        second = total * (jnp.eye(3) + jnp.outer(m, m)) + hessian + mixed + mixed.T
        return first / total, second / total

    def project(self, x: Array, a: Array, tau: Array) -> Projection:
        """Given s and x, c is normal with mean m + a (x - a.m)/sigma^2 and covariance I - a a^T/sigma^2.

        So the wedge's mass given x is Phi2 at the standardised means of g.c and v.c, and E[c; wedge | x] is
        that mass times the mean plus covariance times gradient.
        """
        g, v = self.axes()
        variance, n = a @ a + tau**2, len(x)
        spread_g, spread_v = (jnp.sqrt(_residual_variance(axis, a, tau)) for axis in (g, v))
        along = lambda axis: axis - a * (axis @ a) / variance
        rho = jnp.clip(g @ along(v) / (spread_g * spread_v), -1.0, 1.0)
        shift = self.signal * jnp.concatenate([jnp.ones(n), -jnp.ones(n)])
        excess = (jnp.concatenate([x, x]) - a[0] * shift) / variance
        h = (g[0] * shift + (g @ a) * excess) / spread_g
        k = (v[0] * shift + (v @ a) * excess - self.margin) / spread_v
        mass, edge = orthant(h, k, rho), edges(h, k, rho)
        share = jnp.exp(-variance * excess**2 / 2) / (jnp.sqrt(2 * jnp.pi * variance) * self.kept_rate())
        fold = lambda both: both[:n] + both[n:]
        parts = (mass * shift, mass * excess, edge.by_h / spread_g, edge.by_k / spread_v)
        basis = (jnp.eye(3)[0], a, along(g), along(v))
        return Projection(fold(share * mass), tuple(fold(share * part) for part in parts), basis)


def _residual_variance(axis: Array, a: Array, tau: Array) -> Array:
    """1 - (axis.a)^2/(||a||^2 + tau^2) = (tau^2 + ||a||^2 - (axis.a)^2)/(...), without cancellation."""
    across = a - axis * (axis @ a)
    return (tau**2 + across @ across) / (a @ a + tau**2)


class Everything(NamedTuple):
    """Law without verification: c = s r e_1 + N(0, I_2), s = +-1 equally likely, truncated to g.c > 0.

    That is u = y'x of every point, c in span(mu, g), g = (cos, sin). The limit v = g of `Wedge`.
    """

    signal: Array
    cos_generator: Array

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
        return jnp.stack([self.cos_generator, jnp.sqrt(jnp.maximum(1 - self.cos_generator**2, 0.0))])

    def moments(self) -> tuple[Array, Array]:
        """b = (2 Phi(h) - 1) r e_1 + 2 phi(h) g, h = r cos(g, mu); C = I + r^2 e_1 e_1^T as u u^T = x x^T."""
        h, mean = self.signal * self.cos_generator, jnp.eye(2)[0]
        b = (2 * ndtr(h) - 1) * self.signal * mean + 2 * pdf(h) * self.axis()
        return b, jnp.eye(2) + self.signal**2 * jnp.outer(mean, mean)

    def project(self, x: Array, a: Array, tau: Array) -> Projection:
        """As `Wedge.project`, with the half-plane's mass Phi(h) in place of the wedge's."""
        g, n = self.axis(), len(x)
        variance = a @ a + tau**2
        across = a - g * (g @ a)
        spread = jnp.sqrt((tau**2 + across @ across) / variance)
        shift = self.signal * jnp.concatenate([jnp.ones(n), -jnp.ones(n)])
        excess = (jnp.concatenate([x, x]) - a[0] * shift) / variance
        h = (g[0] * shift + (g @ a) * excess) / spread
        share = jnp.exp(-variance * excess**2 / 2) / jnp.sqrt(2 * jnp.pi * variance)
        fold = lambda both: both[:n] + both[n:]
        parts = (ndtr(h) * shift, ndtr(h) * excess, pdf(h) / spread)
        basis = (jnp.eye(2)[0], a, g - a * (g @ a) / variance)
        return Projection(fold(share * ndtr(h)), tuple(fold(share * part) for part in parts), basis)
