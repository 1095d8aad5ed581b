"""The exact high-dimensional equations for any law and margin loss (THEORY §4), written once for NumPy and JAX.

    E[M'(x; theta) c] + lambda a = 0                      x = a.c + tau h
    theta = tau / (sqrt(delta) beta),  beta^2 = E[M'^2]
    beta / sqrt(delta) = tau (E[M''] + lambda)

are the stationarity of a convex-concave problem, hence have one solution for lambda > 0. Unknowns
u = (asinh(a/tau), log tau, log theta), on a last axis of k + 2; residuals relative, so that a small residual is a
solution however large theta is. Cells stand on the leading axes.
"""

from typing import Any, NamedTuple

from theory import status
from theory.arrays import Array, dot, of
from theory.laws import Law, support
from theory.losses import Loss
from theory.ridge import theta_of
from theory.types import Scalar

TOLERANCE = 1e-9
"""Largest relative residual, by a rule twice as fine as the solver's, of a converged solution."""
LEAST_RIDGE = 1e-12
"""Ridge at which the path of solutions ends: what is below is not reached by it."""


class State(NamedTuple):
    """Overlaps a (..., k), bulk norm, theta, and the largest relative residual; NaN where not converged."""

    a: Array
    tau: Array
    theta: Array
    converged: Array
    residual: Array
    why: Array
    """What the last point of the search says of why it is no solution: a code of `theory.status`."""

    def accuracy(self, signal: Array) -> Array:
        """Phi(r a_mu / ||w||)."""
        return of(self.a).ndtr(signal * self.a[..., 0] / self.norm())

    def norm(self) -> Array:
        """||w|| = sqrt(||a||^2 + tau^2)."""
        return of(self.a).sqrt(dot(self.a, self.a) + self.tau**2)


def unpack(u: Array) -> tuple[Array, Array, Array]:
    """(a, tau, theta) from u = (asinh(a/tau), log tau, log theta), on the last axis."""
    xp = of(u)
    tau = xp.exp(u[..., -2])
    return xp.sinh(u[..., :-2]) * tau[..., None], tau, xp.exp(u[..., -1])


def pack(a: Array, tau: Array, theta: Array) -> Array:
    """Inverse of `unpack`."""
    xp = of(a, tau, theta)
    return xp.concatenate([xp.arcsinh(a / tau[..., None]), xp.log(tau)[..., None], xp.log(theta)[..., None]], -1)


def equations(u: Array, law: Law, loss: Loss, delta: Array, ridge: Array, nodes: int) -> Array:
    """Relative residuals, shape (..., k + 2).

    (E[M' c] + lambda a) / (beta sqrt(1 + r^2)),  log(tau / (theta sqrt(delta) beta)),
    log(delta theta (E[M''] + lambda))
    """
    xp = of(u, law, delta, ridge)
    a, tau, theta = unpack(u)
    at = loss.rule(*support(law, a, tau), theta, nodes)
    density, parts, basis = law.project(at.x, a, tau)
    weight, push = at.weight * density, at.weight * at.slope
    beta = xp.sqrt(dot(push * density, at.slope))
    pull = sum(dot(push, part)[..., None] * vector for part, vector in zip(parts, basis, strict=True))
    balance = (pull + ridge[..., None] * a) / (beta * xp.sqrt(1 + law.signal**2))[..., None]
    noise = u[..., -2] - u[..., -1] - xp.log(delta) / 2 - xp.log(beta)
    response = xp.log(delta * (dot(weight, at.curvature) + ridge)) + u[..., -1]
    return xp.concatenate([balance, noise[..., None], response[..., None]], -1)


def parabola(law: Law, delta: Array, ridge: Array) -> tuple[Array, Array, Scalar]:
    """Closed form for the squared loss (1 - v)^2/2 under any law: (a, tau, theta).

    a = (C + lambda (1 + theta) I)^-1 b,   theta as `theory.ridge.theta_of`
    tau^2 [1/(delta theta^2) - 1/(1 + theta)^2] = (1 - 2 a.b + a^T C a)/(1 + theta)^2
    """
    xp, (b, c) = of(law, delta, ridge), law.moments()
    theta = theta_of(delta, ridge)
    shrink = ridge * (1 + theta)
    a = xp.solve(c + shrink[..., None, None] * xp.eye(b.shape[-1]), b)
    gap = delta * (1 + shrink) ** 2 - 1
    quadratic = dot(a, (c @ a[..., None])[..., 0])
    return a, xp.sqrt((1 - 2 * dot(a, b) + quadratic) / gap), theta


def parabolas(law: Law, delta: Array, ridge: Array) -> State:
    """Squared loss in closed form, for cells on one axis."""
    xp = of(law, delta, ridge)
    a, tau, theta = xp.each(parabola, law, delta, ridge)
    converged = (delta > 0) & xp.all(xp.isfinite(a), -1) & xp.isfinite(tau) & xp.isfinite(theta)
    residual = abs(delta * theta * (1 / (1 + theta) + ridge) - 1)
    a, tau, theta = unpack(xp.where(converged[..., None], pack(a, tau, theta), xp.nan))
    return State(a, tau, theta, converged, residual, xp.full(converged.shape, status.NOT_FINITE))


def guess(law: Law, loss: Loss, delta: Array, ridge: Array) -> Array:
    """Solution for the parabola q (t - v)^2/2: that of (1 - v)^2/2 at lambda/q, with a, tau times t, theta/q."""
    curvature, target = loss.surrogate
    a, tau, theta = parabola(law, delta, ridge / curvature)
    return pack(target * a, target * tau, theta / curvature)


def averaging(law: Law, loss: Loss, delta: Array, ridge: Array) -> Array:
    """lambda -> inf: a = q E[c]/lambda, tau = q/(sqrt(delta) lambda), theta = 1/(delta lambda), q = -l'(0)."""
    b, _ = law.moments()
    weight = -loss.slope_at_zero / ridge
    return pack(weight[..., None] * b, weight / of(delta).sqrt(delta), 1 / (delta * ridge))


def first_ridge(law: Law, ridge: Array) -> Array:
    """log(lambda) at which `averaging` is close enough to start a path of solutions from."""
    return of(ridge).log(1e3 + 10 * ridge)


def found(u: Array, residual: Array, law: Any) -> State:
    """The state of each cell, from the point where its search ended and the residual there by the finer rule."""
    xp = of(u, residual)
    a, tau, _ = unpack(u)
    converged = (residual <= TOLERANCE) & (tau >= law.traits.vanished)
    why = xp.where(xp.sqrt(dot(a, a)) > law.traits.resolved * tau, status.COPLANAR, status.NOT_CONVERGED)
    why = xp.where(tau < law.traits.vanished, status.CONSTANT, why)
    a, tau, theta = unpack(xp.where(converged[..., None], u, xp.nan))
    return State(a, tau, theta, converged, xp.stop_gradient(residual), why)
