"""Margin losses l(y'x.w) with proximal operator and Moreau envelope; a new loss is one new class here.

    prox(x; theta) = argmin_v l(v) + (v - x)^2 / (2 theta)
    M(x; theta)    = min_v    l(v) + (v - x)^2 / (2 theta)
    M'(x)  = (x - prox)/theta = l'(prox)
    M''(x) = l''(prox) / (1 + theta l''(prox))

Each loss also brings the quadrature that suits it: `rule` places nodes in x where M' bends.
"""

from typing import NamedTuple, Protocol

from theory.arrays import Array, of
from theory.quadrature import legendre, midpoints


class Envelope(NamedTuple):
    """Nodes x in an interval, weights, and M', M'' there: integral of g(M', M'') f = sum(weight * g * f(x)).

    Nodes stand on the last axis, (..., n); cells on those before. Weights are an array, or one for all nodes: (..., 1).
    """

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
        """About n nodes on [low, high], outside which the density of x is negligible; arguments of shape (...)."""
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
        (x, step), theta = midpoints(low, high, n), theta[..., None]
        return Envelope(x, step, (x - 1) / (1 + theta), of(x).ones_like(x) / (1 + theta))


class Logistic:
    """l(v) = log(1 + exp(-v))."""

    surrogate = (0.25, 2.0)
    slope_at_zero = -0.5

    def value(self, v: Array) -> Array:
        """log(1 + exp(-v))."""
        return of(v).logaddexp(0.0, -v)

    def slope(self, v: Array) -> Array:
        """-1/(1 + exp(v))."""
        return -of(v).sigmoid(-v)

    def prox(self, x: Array, theta: Array) -> Array:
        """x + exp(s), where s + log(1 + exp(x + exp(s))) = log(theta): increasing and convex in s.

        Newton from above, hence monotone. v - x <= theta, and v - x <= 1 once v >= log(theta).
        """
        xp = of(x, theta)
        x, theta = xp.asarray(x, float), xp.asarray(theta, float)
        log_theta = xp.log(theta)

        def newton(_: int, s: Array) -> Array:
            v = x + xp.exp(s)
            return s - (s + xp.logaddexp(0.0, v) - log_theta) / (1 + xp.sigmoid(v) * xp.exp(s))

        start = xp.log(xp.minimum(theta, xp.maximum(1.0, log_theta - x)))
        return x + xp.exp(xp.repeat(8, newton, start))

    def rule(self, low: Array, high: Array, theta: Array, n: int) -> Envelope:
        """Equal steps in t, with v = prox = t + 2/max(1, theta) sinh(t) and x = v + theta l'(v) explicit.

        M' bends where |v| is about log(theta); there and between, v is close to linear in t, outside it grows
        exponentially. No proximal operator is solved for except at the two ends, which need not be exact.
        """
        xp = of(low, high, theta)
        theta = theta[..., None]
        k = 2 / xp.maximum(1.0, theta)
        ends = xp.stop_gradient(self._ends(xp.stack([low, high], -1), theta, k))
        t, step = midpoints(ends[..., 0], ends[..., 1], n)
        k = xp.stop_gradient(k)
        up = xp.exp(t)
        up, down = k / 2 * up, k / 2 / up
        v, dv = t + up - down, 1 + up + down
        slope = -1 / (1 + xp.exp(v))
        bend = -slope * (1 + slope)
        stretch = 1 + theta * bend
        return Envelope(v + theta * slope, step * dv * stretch, slope, bend / stretch)

    def _ends(self, x: Array, theta: Array, k: Array) -> Array:
        """t at prox(x)."""
        xp, v = of(x, theta), self.prox(x, theta)
        far = xp.arcsinh(v / k)
        t = xp.where(abs(v) > abs(far), far, v)
        for _ in range(4):
            t = t - (t + k * xp.sinh(t) - v) / (1 + k * xp.cosh(t))
        return t


class Hinge:
    """l(v) = max(0, 1 - v): M' = max(-1, min(0, (x - 1)/theta)), M'' = 1/theta on (1 - theta, 1), else 0."""

    surrogate = (1.0, 2.0)
    slope_at_zero = -1.0

    def value(self, v: Array) -> Array:
        """max(0, 1 - v)."""
        return of(v).maximum(0.0, 1 - v)

    def slope(self, v: Array) -> Array:
        """-1 below 1, 0 above, (any value between at the kink)."""
        return of(v).where(v < 1, -1.0, 0.0)

    def prox(self, x: Array, theta: Array) -> Array:
        """x + theta below 1 - theta, 1 up to 1, then x."""
        xp = of(x, theta)
        return xp.maximum(x, xp.minimum(1.0, x + theta))

    def rule(self, low: Array, high: Array, theta: Array, n: int) -> Envelope:
        """Gauss-Legendre on each piece: M' = -1 on [low, 1 - theta] and (x - 1)/theta on [1 - theta, 1]."""
        xp, n = of(low, high, theta), 2 * n // 3
        kink, end = xp.clip(1 - theta, low, high), xp.clip(1.0, low, high)
        (flat, flat_weight), (ramp, ramp_weight) = legendre(low, kink, n), legendre(kink, end, n)
        curvature = xp.ones_like(ramp) / theta[..., None]
        return Envelope(
            xp.concatenate([flat, ramp], -1),
            xp.concatenate([flat_weight, ramp_weight], -1),
            xp.concatenate([-xp.ones_like(flat), (ramp - 1) / theta[..., None]], -1),
            xp.concatenate([xp.zeros_like(flat), curvature], -1),
        )


LOSSES: dict[str, Loss] = {"squared": Squared(), "logistic": Logistic(), "hinge": Hinge()}
"""Every loss by name."""
