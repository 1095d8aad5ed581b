"""Linear setting: p, phi, psi from the cosines of (mean, generator, verifier), in closed form (THEORY §3)."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import log_ndtr, ndtr, owens_t
from jax.scipy.stats.norm import logpdf, pdf

from theory._check import check_cosines, in_range, require_x64
from theory.types import Cosines, Rates, Scalar

_TAIL = -4.0
"""Below this h, Phi2(h, k)/Phi(h) comes from quadrature: Owen's T has absolute precision only."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)


def rates(signal: Scalar, cosines: Cosines) -> Rates:
    """Error rate and verifier's rates when y' = sign(g.x) is kept iff sign(v.x) = y'.

    With X = y g.x ~ N(r cos(g,mu), 1), Y = y v.x ~ N(r cos(v,mu), 1) and corr(X, Y) = cos(g,v):

        p   = P(X < 0)         = Phi(-r cos(g,mu))
        phi = P(Y > 0 | X > 0) = Phi2(r cos(g,mu), r cos(v,mu); cos(g,v)) / Phi(r cos(g,mu))
        psi = P(Y < 0 | X < 0) = Phi2(-r cos(g,mu), -r cos(v,mu); cos(g,v)) / Phi(-r cos(g,mu))

    psi is computed as a ratio, so it stays right where p is tiny or underflows to 0. Fields broadcast;
    differentiable. Raises ValueError for signal <= 0 and for cosines of no three unit vectors.
    Source: THEORY §3; checked against Monte Carlo.
    """
    require_x64()
    in_range("signal", signal, 0, np.inf, open_low=True, remedy="signal is ||mu||")
    check_cosines(cosines)
    h, k, rho = (jnp.asarray(x, float) for x in cosines)
    h, k, rho = jnp.broadcast_arrays(jnp.asarray(signal, float) * h, jnp.asarray(signal, float) * k, rho)
    return Rates(p=ndtr(-h), phi=conditional_orthant(h, k, rho), psi=conditional_orthant(-h, -k, rho))


class Edges(NamedTuple):
    """First and mixed derivatives of Phi2(h, k; rho)."""

    by_h: Scalar
    """phi(h) Phi((k - rho h)/s), s^2 = 1 - rho^2."""
    by_k: Scalar
    """phi(k) Phi((h - rho k)/s)."""
    corner: Scalar
    """phi2(h, k; rho), the derivative by rho and by h and k together."""


def edges(h: Scalar, k: Scalar, rho: Scalar) -> Edges:
    """Derivatives of `orthant`; what moments of a normal vector truncated to a wedge are made of."""
    s = _sine(rho)
    across = (k - rho * h) / s
    return Edges(pdf(h) * ndtr(across), pdf(k) * ndtr((h - rho * k) / s), pdf(h) * pdf(across) / s)


@jax.custom_jvp
def _orthant(h: Scalar, k: Scalar, rho: Scalar) -> Scalar:
    """Phi2(h, k; rho) by Owen's T: absolute error 1e-16."""
    value = jnp.clip(_by_owens_t(h, k, rho), 0.0, jnp.minimum(ndtr(h), ndtr(k)))
    value = jnp.where(rho >= 1, ndtr(jnp.minimum(h, k)), value)
    return jnp.where(rho <= -1, jnp.maximum(ndtr(h) - ndtr(-k), 0.0), value)


@_orthant.defjvp
def _orthant_jvp(primals, tangents):
    by = edges(*primals)
    return _orthant(*primals), by.by_h * tangents[0] + by.by_k * tangents[1] + by.corner * tangents[2]


def orthant(h: Scalar, k: Scalar, rho: Scalar) -> Scalar:
    """Phi2(h, k; rho) = P(X < h, Y < k), X and Y standard normal with correlation rho. Fields broadcast."""
    return _orthant(*jnp.broadcast_arrays(*(jnp.asarray(x, float) for x in (h, k, rho))))


@jax.custom_jvp
def _conditional_orthant(h: Scalar, k: Scalar, rho: Scalar) -> Scalar:
    """P(Y < k | X < h) = Phi2(h, k; rho) / Phi(h), for arguments of one shape; derivatives in closed form.

    With s^2 = 1 - rho^2 and Q the value:

        dQ/dh   = phi(h)/Phi(h) [Phi((k - rho h)/s) - Q]
        dQ/dk   = phi(k) Phi((h - rho k)/s) / Phi(h)
        dQ/drho = phi2(h, k; rho) / Phi(h)
    """
    ratio = jnp.where(h > _TAIL, _orthant(h, k, rho) / ndtr(jnp.maximum(h, _TAIL)), _by_quadrature(h, k, rho))
    aligned, opposed = ndtr(k) / ndtr(h), -jnp.expm1(log_ndtr(-k) - log_ndtr(h))
    ratio = jnp.where(rho >= 1, jnp.where(k < h, aligned, 1.0), ratio)
    ratio = jnp.where(rho <= -1, jnp.where(h + k > 0, opposed, 0.0), ratio)
    return jnp.clip(ratio, 0.0, 1.0)


@_conditional_orthant.defjvp
def _conditional_orthant_jvp(primals, tangents):
    h, k, rho = primals
    dh, dk, drho = tangents
    value = _conditional_orthant(h, k, rho)
    s = _sine(rho)
    by_h = jnp.exp(logpdf(h) - log_ndtr(h)) * (ndtr((k - rho * h) / s) - value)
    by_k = jnp.exp(logpdf(k) + log_ndtr((h - rho * k) / s) - log_ndtr(h))
    by_rho = jnp.exp(logpdf(h) + logpdf((k - rho * h) / s) - log_ndtr(h)) / s
    return value, by_h * dh + by_k * dk + by_rho * drho


conditional_orthant = jax.jit(_conditional_orthant)
"""P(Y < k | X < h), compiled once per shape."""


def _sine(rho: Scalar) -> Scalar:
    """sqrt(1 - rho^2), kept off zero at its own rounding error, so that quotients by it stay finite."""
    return jnp.sqrt(jnp.maximum((1 - rho) * (1 + rho), 1e-16))


def _by_owens_t(h: Scalar, k: Scalar, rho: Scalar) -> Scalar:
    """Phi2 = [Phi(h) + Phi(k)]/2 - T(h, (k/h - rho)/s) - T(k, (h/k - rho)/s) - [h k < 0]/2."""
    away = lambda x: jnp.where(jnp.abs(x) < 1e-100, 1e-100, x)
    h, k, s = away(h), away(k), _sine(rho)
    half = jnp.where((h > 0) == (k > 0), 0.0, 0.5)
    wedges = owens_t(h, (k / h - rho) / s) + owens_t(k, (h / k - rho) / s)
    return (ndtr(h) + ndtr(k)) / 2 - wedges - half


def _by_quadrature(h: Scalar, k: Scalar, rho: Scalar) -> Scalar:
    """E[Phi(z(t)) | t > 0], X = h - t, z(t) = (k - rho h + rho t)/s, for h far below 0 (t is of order 1/|h|).

    Where z varies slowly the integral is taken over t; where it is steep, over z after integration by parts,
    Phi(z(0)) + integral of P(t' > t) phi(z(t)) dz. Gauss-Legendre, absolute error below 1e-13.
    """
    h = jnp.minimum(h, _TAIL)
    s = _sine(rho)
    z0 = (k - rho * h) / s
    density = lambda t: jnp.exp(logpdf(h - t) - log_ndtr(h))
    over_t = _legendre(lambda t: ndtr(z0 + rho * t / s) * density(t), 0.0, 38.0 / -h)
    slope = jnp.where(jnp.abs(rho) > 0.1, jnp.abs(rho), 0.1)
    survival = lambda t: jnp.exp(log_ndtr(h - t) - log_ndtr(h))
    shell = lambda sign, u: survival(s * u / slope) * jnp.exp(logpdf(z0 + sign * u))
    near, far = jnp.clip(-9 - z0, 0.0, 1e3), jnp.clip(9 - z0, 0.0, 1e3)
    rising = _legendre(partial(shell, 1.0), near, far)
    falling = _legendre(partial(shell, -1.0), jnp.clip(z0 - 9, 0.0, 1e3), jnp.clip(z0 + 9, 0.0, 1e3))
    over_z = ndtr(z0) + jnp.where(rho > 0, rising, -falling)
    return jnp.where(jnp.abs(rho) <= -h * s, over_t, over_z)


def _legendre(integrand, low: Scalar, high: Scalar) -> Scalar:
    """Integral over [low, high] by the 96-point Gauss-Legendre rule, one node at a time (no added axis)."""
    half, middle = (high - low) / 2, (high + low) / 2
    total = jnp.zeros_like(half + middle)
    add = lambda i, sum_: sum_ + jnp.asarray(_WEIGHTS)[i] * integrand(middle + half * jnp.asarray(_NODES)[i])
    return half * jax.lax.fori_loop(0, len(_NODES), add, total)
