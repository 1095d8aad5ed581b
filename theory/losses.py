"""Margin losses l(y'x.w) with proximal operator and Moreau envelope; a new loss is one new class here.

    prox(x; theta) = argmin_v l(v) + (v - x)^2 / (2 theta)
    M(x; theta)    = min_v    l(v) + (v - x)^2 / (2 theta)
    M'(x)  = (x - prox)/theta = l'(prox)
    M''(x) = l''(prox) / (1 + theta l''(prox))

Each loss also brings the quadrature that suits it: `rule` places nodes in x where M' bends.
"""

from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax.lax import stop_gradient
from jaxtyping import Array

from theory.quadrature import legendre, midpoints


class Envelope(NamedTuple):
    """Nodes x in an interval, weights, and M', M'' there: integral of g(M', M'') f = sum(weight * g * f(x))."""

    x: Array
    weight: Array
    slope: Array
    curvature: Array


class Loss(Protocol):
    """What the engine asks of a loss."""

    @property
    def surrogate(self) -> tuple[float, float]:
        """(curvature q, target t) of the parabola q (t - v)^2/2 that resembles the loss near v = 0."""
        ...

    @property
    def slope_at_zero(self) -> float:
        """l'(0), minus the weight of the averaging classifier that remains as ridge -> inf."""
        ...

    def value(self, v: Array) -> Array:
        """l(v)."""
        ...

    def slope(self, v: Array) -> Array:
        """l'(v)."""
        ...

    def prox(self, x: Array, theta: Array) -> Array:
        """argmin_v l(v) + (v - x)^2/(2 theta)."""
        ...

    def rule(self, low: Array, high: Array, theta: Array, n: int) -> Envelope:
        """About n nodes on [low, high], outside which the density of x is negligible."""
        ...


def envelope(loss: Loss, x: Array, theta: Array) -> Array:
    """M(x; theta), the Moreau envelope."""
    v = loss.prox(x, theta)
    return loss.value(v) + (v - x) ** 2 / (2 * theta)


def envelope_slope(loss: Loss, x: Array, theta: Array) -> Array:
    """M'(x; theta) = (x - prox)/theta."""
    return (x - loss.prox(x, theta)) / theta


class Squared:
    """l(v) = (1 - v)^2/2: M' = (x - 1)/(1 + theta), M'' = 1/(1 + theta)."""

    surrogate = (1.0, 1.0)
    slope_at_zero = -1.0

    def value(self, v: Array) -> Array:
        """(1 - v)^2/2."""
        return (1 - v) ** 2 / 2

    def slope(self, v: Array) -> Array:
        """v - 1."""
        return v - 1

    def prox(self, x: Array, theta: Array) -> Array:
        """(x + theta)/(1 + theta)."""
        return (x + theta) / (1 + theta)

    def rule(self, low: Array, high: Array, theta: Array, n: int) -> Envelope:
        """Equal steps: nothing bends."""
        x, step = midpoints(low, high, n)
        return Envelope(x, step, (x - 1) / (1 + theta), jnp.ones_like(x) / (1 + theta))


class Logistic:
    """l(v) = log(1 + exp(-v))."""

    surrogate = (0.25, 2.0)
    slope_at_zero = -0.5

    def value(self, v: Array) -> Array:
        """log(1 + exp(-v))."""
        return jnp.logaddexp(0.0, -v)

    def slope(self, v: Array) -> Array:
        """-1/(1 + exp(v))."""
        return -jax.nn.sigmoid(-v)

    def prox(self, x: Array, theta: Array) -> Array:
        """x + exp(s), where s + log(1 + exp(x + exp(s))) = log(theta): increasing and convex in s.

        Newton from above, hence monotone. v - x <= theta, and v - x <= 1 once v >= log(theta).
        """
        x, theta = jnp.asarray(x, float), jnp.asarray(theta, float)
        log_theta = jnp.log(theta)

        def newton(_: int, s: Array) -> Array:
            v = x + jnp.exp(s)
            return s - (s + jnp.logaddexp(0.0, v) - log_theta) / (1 + jax.nn.sigmoid(v) * jnp.exp(s))

        start = jnp.log(jnp.minimum(theta, jnp.maximum(1.0, log_theta - x)))
        return x + jnp.exp(jax.lax.fori_loop(0, 8, newton, start))

    def rule(self, low: Array, high: Array, theta: Array, n: int) -> Envelope:
        """Equal steps in t, with v = prox = t + 2/max(1, theta) sinh(t) and x = v + theta l'(v) explicit.

        M' bends where |v| is about log(theta); there and between, v is close to linear in t, outside it grows
        exponentially. No proximal operator is solved for except at the two ends, which need not be exact.
        """
        k = 2 / jnp.maximum(1.0, theta)
        first, last = stop_gradient(self._ends(low, high, theta, k))
        t, step = midpoints(first, last, n)
        k = stop_gradient(k)
        up = jnp.exp(t)
        v, dv = t + k * (up - 1 / up) / 2, 1 + k * (up + 1 / up) / 2
        slope = -1 / (1 + jnp.exp(v))
        bend = -slope * (1 + slope)
        stretch = 1 + theta * bend
        return Envelope(v + theta * slope, step * dv * stretch, slope, bend / stretch)

    def _ends(self, low: Array, high: Array, theta: Array, k: Array) -> tuple[Array, Array]:
        """t at prox(low) and prox(high)."""
        v = self.prox(jnp.stack([low, high]), theta)
        far = jnp.arcsinh(v / k)
        t = jnp.where(jnp.abs(v) > jnp.abs(far), far, v)
        for _ in range(4):
            t = t - (t + k * jnp.sinh(t) - v) / (1 + k * jnp.cosh(t))
        return t[0], t[1]


class Hinge:
    """l(v) = max(0, 1 - v): M' = max(-1, min(0, (x - 1)/theta)), M'' = 1/theta on (1 - theta, 1), else 0."""

    surrogate = (1.0, 2.0)
    slope_at_zero = -1.0

    def value(self, v: Array) -> Array:
        """max(0, 1 - v)."""
        return jnp.maximum(0.0, 1 - v)

    def slope(self, v: Array) -> Array:
        """-1 below 1, 0 above, (any value between at the kink)."""
        return jnp.where(v < 1, -1.0, 0.0)

    def prox(self, x: Array, theta: Array) -> Array:
        """x + theta below 1 - theta, 1 up to 1, then x."""
        return jnp.maximum(x, jnp.minimum(1.0, x + theta))

    def rule(self, low: Array, high: Array, theta: Array, n: int) -> Envelope:
        """Gauss-Legendre on each piece: M' = -1 on [low, 1 - theta] and (x - 1)/theta on [1 - theta, 1]."""
        n = 2 * n // 3
        kink, end = jnp.clip(1 - theta, low, high), jnp.clip(1.0, low, high)
        (flat, flat_weight), (ramp, ramp_weight) = legendre(low, kink, n), legendre(kink, end, n)
        return Envelope(
            jnp.concatenate([flat, ramp]),
            jnp.concatenate([flat_weight, ramp_weight]),
            jnp.concatenate([-jnp.ones(n), (ramp - 1) / theta]),
            jnp.concatenate([jnp.zeros(n), jnp.ones(n) / theta]),
        )


LOSSES: dict[str, Loss] = {"squared": Squared(), "logistic": Logistic(), "hinge": Hinge()}
"""Every loss by name."""
