"""Linear setting: p, phi, psi from the cosines of (mean, generator, verifier), in closed form (THEORY §3)."""

from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from theory._check import check_cosines, in_range, require_x64
from theory.arrays import NUMPY, Array, is_jax, of, quiet
from theory.types import Cosines, Rates, Scalar

_TAIL = -4.0
"""Below this h, Phi2(h, k)/Phi(h) comes from quadrature: Owen's T has absolute precision only."""
_FAR = -50.0
"""Below this h, Phi(h)/phi(h) comes from its series, of which four terms are good to 1e-14."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)


@quiet
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
    require_x64(signal, cosines)
    in_range("signal", signal, 0, np.inf, open_low=True, remedy="signal is ||mu||")
    check_cosines(cosines)
    xp = of(signal, cosines)
    r, *cosines = xp.broadcast_arrays(*(xp.asarray(x, float) for x in (signal, *cosines)))
    h, k, rho = r * cosines[0], r * cosines[1], cosines[2]
    return Rates(p=xp.ndtr(-h), phi=conditional_orthant(h, k, rho), psi=conditional_orthant(-h, -k, rho))


class Edges(NamedTuple):
    """First derivatives of Phi2(h, k; rho)."""

    by_h: Array
    """phi(h) Phi((k - rho h)/s), s^2 = 1 - rho^2."""
    by_k: Array
    """phi(k) Phi((h - rho k)/s)."""


def edges(h: Scalar, k: Scalar, rho: Scalar) -> Edges:
    """Derivatives of `orthant`; what moments of a normal vector truncated to a wedge are made of."""
    xp, s = of(h, k, rho), _sine(rho)
    return Edges(xp.pdf(h) * xp.ndtr((k - rho * h) / s), xp.pdf(k) * xp.ndtr((h - rho * k) / s))


def corner(h: Scalar, k: Scalar, rho: Scalar) -> Array:
    """phi2(h, k; rho), the derivative of `orthant` by rho, and by h and k together."""
    xp, s = of(h, k, rho), _sine(rho)
    return xp.pdf(h) * xp.pdf((k - rho * h) / s) / s


def orthant(h: Scalar, k: Scalar, rho: Scalar) -> Array:
    """Phi2(h, k; rho) = P(X < h, Y < k), X and Y standard normal with correlation rho. Fields broadcast."""
    xp = of(h, k, rho)
    h, k, rho = xp.broadcast_arrays(*(xp.asarray(x, float) for x in (h, k, rho)))
    return (_phi2 if xp is NUMPY else _differentiable().orthant)(h, k, rho)


def conditional_orthant(h: Scalar, k: Scalar, rho: Scalar) -> Scalar:
    """P(Y < k | X < h) = Phi2(h, k; rho) / Phi(h), for arguments of one shape."""
    return _differentiable().conditional_orthant(h, k, rho) if is_jax((h, k, rho)) else _ratio(h, k, rho)


class _Derived(NamedTuple):
    """What JAX computes with: the same functions, with derivatives in closed form."""

    orthant: Any
    conditional_orthant: Any


@cache
def _differentiable() -> _Derived:
    """Derivatives of `orthant` as `edges` and `corner`; of Q = Phi2(h, k; rho)/Phi(h), with s^2 = 1 - rho^2:

    dQ/dh   = phi(h)/Phi(h) [Phi((k - rho h)/s) - Q]
    dQ/dk   = phi(k) Phi((h - rho k)/s) / Phi(h)
    dQ/drho = phi2(h, k; rho) / Phi(h)
    """
    import jax

    whole, ratio = jax.custom_jvp(_phi2), jax.custom_jvp(_ratio)

    @whole.defjvp
    def whole_jvp(primals, tangents):
        slopes = (*edges(*primals), corner(*primals))
        return whole(*primals), sum(slope * moved for slope, moved in zip(slopes, tangents, strict=True))

    @ratio.defjvp
    def ratio_jvp(primals, tangents):
        h, k, rho = primals
        xp, s = of(h, k, rho), _sine(rho)
        value, logpdf, log_ndtr = ratio(h, k, rho), xp.logpdf, xp.log_ndtr
        by_h = xp.exp(logpdf(h) - log_ndtr(h)) * (xp.ndtr((k - rho * h) / s) - value)
        by_k = xp.exp(logpdf(k) + log_ndtr((h - rho * k) / s) - log_ndtr(h))
        by_rho = xp.exp(logpdf(h) + logpdf((k - rho * h) / s) - log_ndtr(h)) / s
        return value, by_h * tangents[0] + by_k * tangents[1] + by_rho * tangents[2]

    return _Derived(whole, jax.jit(ratio))


def _phi2(h: Scalar, k: Scalar, rho: Scalar) -> Scalar:
    """Phi2 = [Phi(h) + Phi(k)]/2 - T(h, (k/h - rho)/s) - T(k, (h/k - rho)/s) - [h k < 0]/2: absolute error 1e-16."""
    xp, s = of(h, k, rho), _sine(rho)
    away = lambda x: xp.where(abs(x) < 1e-100, 1e-100, x)
    h, k = away(h), away(k)
    of_h, of_k = xp.ndtr(h), xp.ndtr(k)
    wedges = xp.owens_t(h, (k / h - rho) / s) + xp.owens_t(k, (h / k - rho) / s)
    least, half = xp.minimum(of_h, of_k), xp.where((h > 0) == (k > 0), 0.0, 0.5)
    value = xp.clip((of_h + of_k) / 2 - wedges - half, 0.0, least)
    value = xp.where(rho >= 1, least, value)
    return xp.where(rho <= -1, xp.maximum(of_h - xp.ndtr(-k), 0.0), value)


def _ratio(h: Scalar, k: Scalar, rho: Scalar) -> Scalar:
    """Phi2(h, k; rho) / Phi(h), precise relative to itself where Phi(h) is tiny."""
    xp = of(h, k, rho)
    in_reach = lambda h, k, rho: _phi2(h, k, rho) / xp.ndtr(xp.maximum(h, _TAIL))
    ratio = xp.on_parts(h > _TAIL, in_reach, _by_quadrature, h, k, rho)
    aligned, opposed = xp.ndtr(k) / xp.ndtr(h), -xp.expm1(xp.log_ndtr(-k) - xp.log_ndtr(h))
    ratio = xp.where(rho >= 1, xp.where(k < h, aligned, 1.0), ratio)
    ratio = xp.where(rho <= -1, xp.where(h + k > 0, opposed, 0.0), ratio)
    return xp.clip(ratio, 0.0, 1.0)


def _sine(rho: Scalar) -> Scalar:
    """sqrt(1 - rho^2), kept off zero at its own rounding error, so that quotients by it stay finite."""
    xp = of(rho)
    return xp.sqrt(xp.maximum((1 - rho) * (1 + rho), 1e-16))


def _by_quadrature(h: Scalar, k: Scalar, rho: Scalar) -> Scalar:
    """E[Phi(z(t)) | t > 0], X = h - t, z(t) = (k - rho h + rho t)/s, for h far below 0 (t is of order 1/|h|).

    Where z varies slowly the integral is taken over t; where it is steep, over z after integration by parts,
    Phi(z(0)) + integral of P(t' > t) phi(z(t)) dz. Gauss-Legendre, absolute error below 1e-12 (by JAX, whose
    log_ndtr is less precise below -20, up to 3e-11 there).
    """
    xp, h, s = of(h, k, rho), of(h).minimum(h, _TAIL), _sine(rho)
    z0 = (k - rho * h) / s
    log_mills = _log_mills(h)
    density = lambda t: xp.exp(h * t - t * t / 2 - log_mills)
    over_t = _legendre(lambda t: xp.ndtr(z0 + rho * t / s) * density(t), 0.0, 38.0 / -h)
    slope = xp.where(abs(rho) > 0.1, abs(rho), 0.1)
    survival = lambda t: xp.exp(h * t - t * t / 2 + _log_mills(h - t) - log_mills)
    shell = lambda sign, u: survival(s * u / slope) * xp.exp(xp.logpdf(z0 + sign * u))
    near, far = xp.clip(-9 - z0, 0.0, 1e3), xp.clip(9 - z0, 0.0, 1e3)
    rising = _legendre(partial(shell, 1.0), near, far)
    falling = _legendre(partial(shell, -1.0), xp.clip(z0 - 9, 0.0, 1e3), xp.clip(z0 + 9, 0.0, 1e3))
    over_z = xp.ndtr(z0) + xp.where(rho > 0, rising, -falling)
    return xp.where(abs(rho) <= -h * s, over_t, over_z)


def _log_mills(h: Scalar) -> Scalar:
    """log(Phi(h)/phi(h)) for h <= -4: by its series beyond `_FAR`, where a difference would lose its digits."""
    xp, w = of(h), 1 / (h * h)
    series = xp.log1p(-w * (1 - 3 * w * (1 - 5 * w * (1 - 7 * w)))) - xp.log(-h)
    return xp.where(h < _FAR, series, xp.log_ndtr(h) - xp.logpdf(h))


def _legendre(integrand, low: Scalar, high: Scalar) -> Scalar:
    """Integral over [low, high] by the 96-point Gauss-Legendre rule, one node at a time (no added axis)."""
    half, middle = (high - low) / 2, (high + low) / 2
    xp = of(half, middle)
    nodes, weights = xp.asarray(_NODES), xp.asarray(_WEIGHTS)
    add = lambda i, total: total + weights[i] * integrand(middle + half * nodes[i])
    return half * xp.repeat(len(_NODES), add, xp.zeros_like(half + middle))
