"""The exact high-dimensional equations for any law and margin loss, and their solution (THEORY §4).

    E[M'(x; theta) c] + lambda a = 0                      x = a.c + tau h
    theta = tau / (sqrt(delta) beta),  beta^2 = E[M'^2]
    beta / sqrt(delta) = tau (E[M''] + lambda)

are the stationarity of a convex-concave problem, hence have one solution for lambda > 0. Unknowns
u = (asinh(a/tau), log tau, log theta); residuals relative, so that a small residual is a solution however
large theta is. Newton from the solution of a resembling parabola succeeds on almost every cell; the others
follow the path of solutions down in lambda from the averaging classifier.
"""

import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr
from jaxtyping import Array

from theory import settings, status
from theory._check import check_alpha, require_x64
from theory.errors import InputError
from theory.laws import Law, support
from theory.losses import LOSSES, Loss
from theory.newton import newton
from theory.ridge import theta_of
from theory.separable import refined
from theory.types import Problem, Scalar, Solution

TOLERANCE = 1e-9
"""Largest relative residual, by a rule twice as fine as the solver's, of a converged solution."""
CHUNK = 64
"""Cells solved side by side; a chunk lasts as long as its slowest cell."""
_TARGET = 1e-11
_NEWTON_STEPS = 40
_PATH_STEPS = 120
_LARGEST_STEP = 1.5

_newton = partial(newton, target=_TARGET, longest=_LARGEST_STEP)


class State(NamedTuple):
    """Overlaps a (..., k), bulk norm, theta, and the largest relative residual; NaN where not converged."""

    a: Array
    tau: Array
    theta: Array
    converged: Array
    residual: Array
    sharp: Array
    """Whether the last point of the search lies nearer to the edges of the law than its quadrature resolves."""

    def accuracy(self, signal: Array) -> Array:
        """Phi(r a_mu / ||w||)."""
        return ndtr(signal * self.a[..., 0] / self.norm())

    def norm(self) -> Array:
        """||w|| = sqrt(||a||^2 + tau^2)."""
        return jnp.sqrt(jnp.sum(self.a**2, -1) + self.tau**2)


def unpack(u: Array) -> tuple[Array, Scalar, Array]:
    """(a, tau, theta) from u = (asinh(a/tau), log tau, log theta), on the last axis."""
    tau = jnp.exp(u[..., -2])
    return jnp.sinh(u[..., :-2]) * tau[..., None], tau, jnp.exp(u[..., -1])


def pack(a: Array, tau: Array, theta: Array) -> Array:
    """Inverse of `unpack`."""
    return jnp.concatenate([jnp.arcsinh(a / tau[..., None]), jnp.log(tau)[..., None], jnp.log(theta)[..., None]], -1)


def equations(u: Array, law: Law, loss: Loss, delta: Array, ridge: Array, nodes: int) -> Array:
    """Relative residuals, shape (k + 2,), of one cell.

    (E[M' c] + lambda a) / (beta sqrt(1 + r^2)),  log(tau / (theta sqrt(delta) beta)),
    log(delta theta (E[M''] + lambda))
    """
    a, tau, theta = unpack(u)
    at = loss.rule(*support(law, a, tau), theta, nodes)
    law_of_x = law.project(at.x, a, tau)
    weight = at.weight * law_of_x.density
    beta = jnp.sqrt(jnp.sum(weight * at.slope**2))
    push = at.weight * at.slope
    pull = sum(jnp.sum(push * part) * vector for part, vector in zip(*law_of_x[1:], strict=True))
    balance = (pull + ridge * a) / (beta * jnp.sqrt(1 + law.signal**2))
    noise = u[-2] - u[-1] - jnp.log(delta) / 2 - jnp.log(beta)
    response = jnp.log(delta * (jnp.sum(weight * at.curvature) + ridge)) + u[-1]
    return jnp.concatenate([balance, jnp.stack([noise, response])])


def parabola(law: Law, delta: Array, ridge: Array) -> tuple[Array, Scalar, Array]:
    """Closed form for the squared loss (1 - v)^2/2 under any law: (a, tau, theta).

    a = (C + lambda (1 + theta) I)^-1 b,   theta as `theory.ridge.theta_of`
    tau^2 [1/(delta theta^2) - 1/(1 + theta)^2] = (1 - 2 a.b + a^T C a)/(1 + theta)^2
    """
    b, c = law.moments()
    theta = theta_of(delta, ridge)
    a = jnp.linalg.solve(c + ridge * (1 + theta) * jnp.eye(len(b)), b)
    gap = delta * (1 + ridge * (1 + theta)) ** 2 - 1
    return a, jnp.sqrt((1 - 2 * a @ b + a @ c @ a) / gap), theta


def _guess(law: Law, loss: Loss, delta: Array, ridge: Array) -> Array:
    """Solution for the parabola q (t - v)^2/2: that of (1 - v)^2/2 at lambda/q, with a, tau times t, theta/q."""
    curvature, target = loss.surrogate
    a, tau, theta = parabola(law, delta, ridge / curvature)
    return pack(target * a, target * tau, theta / curvature)


def _averaging(law: Law, loss: Loss, delta: Array, ridge: Array) -> Array:
    """lambda -> inf: a = q E[c]/lambda, tau = q/(sqrt(delta) lambda), theta = 1/(delta lambda), q = -l'(0)."""
    b, _ = law.moments()
    weight = -loss.slope_at_zero / ridge
    return pack(weight * b, weight / jnp.sqrt(delta), 1 / (delta * ridge))


def _direct(law: Law, loss: Loss, delta: Array, ridge: Array) -> tuple[Array, Array]:
    """Newton from the parabola's solution."""
    residuals = lambda u: equations(u, law, loss, delta, ridge, law.traits.nodes)
    return _newton(residuals, _guess(law, loss, delta, ridge), steps=_NEWTON_STEPS)


class _Path(NamedTuple):
    """A point on the path of solutions, its residual norm, the slope du/dlog(lambda), the step to try next."""

    u: Array
    norm: Array
    log_ridge: Array
    slope: Array
    step: Array
    tries: Array


def _follow(law: Law, loss: Loss, delta: Array, ridge: Array, active: Array) -> tuple[Array, Array]:
    """Continuation in log(lambda) from the averaging solution, secant predictor and Newton corrector.

    A step that does not come back to the path is cut; one that does lets the next grow. ``active`` False
    returns at once.
    """
    first = jnp.log(1e3 + 10 * ridge)
    goal = jnp.log(jnp.maximum(ridge, 1e-12))

    def advance(s: _Path) -> _Path:
        log_ridge = jnp.maximum(s.log_ridge - s.step, goal)
        moved = log_ridge - s.log_ridge
        residuals = lambda u: equations(u, law, loss, delta, jnp.exp(log_ridge), law.traits.nodes)
        u, norm = _newton(residuals, s.u + moved * s.slope, steps=8)
        good = norm < 1e-9
        longer, shorter = jnp.minimum(1.5 * s.step, 2.0), s.step / 3
        onward = _Path(u, norm, log_ridge, (u - s.u) / moved, longer, s.tries + 1)
        stay = s._replace(step=shorter, tries=s.tries + 1)
        return jax.tree.map(lambda new, old: jnp.where(good, new, old), onward, stay)

    def unfinished(s: _Path):
        return active & (s.log_ridge > goal) & (s.step > 1e-4) & (s.tries < _PATH_STEPS)

    u = _averaging(law, loss, delta, jnp.exp(first))
    slope = jnp.where(jnp.arange(len(u)) < law.dimension, 0.0, -1.0)  # a, tau and theta fall like 1/lambda
    start = _Path(u, jnp.asarray(jnp.inf), first, slope, jnp.asarray(0.7), jnp.asarray(0))
    found = jax.lax.while_loop(unfinished, advance, start)
    arrived = (found.log_ridge <= goal) & (ridge >= 1e-12)
    return found.u, jnp.where(arrived, found.norm, jnp.inf)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _roots(loss: Loss, law: Law, delta: Array, ridge: Array) -> Array:
    """u for a batch of cells (leading axis): direct Newton, then the path for the cells it left.

    Cells are sorted so that those side by side need about as many steps.
    """

    def distance(law, delta, ridge):
        guess = _guess(law, loss, delta, ridge)
        return jnp.max(jnp.abs(equations(guess, law, loss, delta, ridge, law.traits.nodes // 2)))

    easy_first = jnp.argsort(_mapped(distance, law, delta, ridge))
    law, delta, ridge = jax.tree.map(lambda field: field[easy_first], (law, delta, ridge))
    u, norm = _mapped(lambda law, delta, ridge: _direct(law, loss, delta, ridge), law, delta, ridge)

    left = ~(norm < 1e-10) & jnp.isfinite(delta * ridge)
    hard_first = jnp.argsort(~left)
    fields = (law, delta, ridge, u, norm, left)
    law, delta, ridge, u, norm, left = jax.tree.map(lambda field: field[hard_first], fields)
    follow = lambda law, delta, ridge, left: _follow(law, loss, delta, ridge, left)
    again, norm_again = _mapped(follow, law, delta, ridge, left)
    u = jnp.where((left & ~(norm_again >= norm))[:, None], again, u)
    return jnp.zeros_like(u).at[easy_first[hard_first]].set(u)


def _mapped(function, *cells):
    """``function`` over the leading axis, CHUNK cells side by side, the last chunk filled up with repetitions."""
    count = jax.tree.leaves(cells)[0].shape[0]
    chunk = min(CHUNK, count)
    rows = -(-count // chunk)
    fill = lambda field: jnp.resize(field, (rows * chunk, *field.shape[1:]))
    split = lambda field: fill(field).reshape(rows, chunk, *field.shape[1:])
    one_chunk = lambda chunk: jax.vmap(function)(*chunk)
    found = jax.lax.map(one_chunk, jax.tree.map(split, cells))
    return jax.tree.map(lambda field: field.reshape(rows * chunk, *field.shape[2:])[:count], found)


@_roots.defjvp
def _roots_jvp(loss, primals, tangents):
    """Implicit differentiation: F(u, parameters) = 0 gives du = -(dF/du)^-1 dF."""
    u = _roots(loss, *primals)

    def one(u, cell, moved):
        law = cell[0]
        force = lambda *cell: equations(u, cell[0], loss, cell[1], cell[2], law.traits.nodes)
        by_u = jax.jacfwd(lambda u: equations(u, cell[0], loss, cell[1], cell[2], law.traits.nodes))(u)
        return -jnp.linalg.solve(by_u, jax.jvp(force, cell, moved)[1])

    return u, jax.vmap(one)(u, primals, tangents)


@partial(jax.jit, static_argnums=0)
def states(loss: Loss, law: Law, delta: Array, ridge: Array) -> State:
    """Solve a batch of cells; fields of ``law``, delta and ridge share one leading axis. Differentiable."""
    u = _roots(loss, law, delta, ridge)
    check = lambda u, law, delta, ridge: jnp.max(jnp.abs(equations(u, law, loss, delta, ridge, 2 * law.traits.nodes)))
    residual = _mapped(check, u, law, delta, ridge)
    converged = residual <= TOLERANCE
    a, tau, _ = unpack(u)
    sharp = jnp.linalg.norm(a, axis=-1) > law.traits.resolved * tau
    a, tau, theta = unpack(jnp.where(converged[:, None], u, jnp.nan))
    return State(a, tau, theta, converged, jax.lax.stop_gradient(residual), sharp)


@jax.jit
def parabolas(law: Law, delta: Array, ridge: Array) -> State:
    """Squared loss in closed form for a batch of cells, as `states`."""
    a, tau, theta = jax.vmap(parabola)(law, delta, ridge)
    converged = (delta > 0) & jnp.all(jnp.isfinite(a), -1) & jnp.isfinite(tau) & jnp.isfinite(theta)
    residual = jnp.abs(delta * theta * (1 / (1 + theta) + ridge) - 1)
    a, tau, theta = unpack(jnp.where(converged[:, None], pack(a, tau, theta), jnp.nan))
    return State(a, tau, theta, converged, residual, jnp.zeros_like(converged))


def solve(problem: Problem, alpha: Scalar, loss: str) -> Solution:
    """Exact accuracy of the classifier trained on kept data, d -> inf with n = alpha d generated samples.

    Args:
        problem: fields broadcast against each other and against alpha.
        alpha: n/d, in (0, inf).
        loss: a key of `theory.losses.LOSSES`: "squared", "logistic", "hinge".

    Returns:
        `Solution` of the broadcast shape; ``residual`` is relative (see `equations`), ``converged`` means
        residual <= TOLERANCE, and everything else is NaN where that fails or nothing is kept. Differentiable in
        every field and in alpha.

    Raises:
        ValueError: an argument outside its range or an unknown loss. RuntimeError: JAX is in float32.

    Source: THEORY §4; the equations are checked against direct simulation.
    """
    require_x64()
    settings.check_problem(problem)
    check_alpha(alpha)
    if loss not in LOSSES:
        raise InputError(f"loss = {loss!r} is unknown; choose one of {', '.join(LOSSES)}")
    setting = settings.of(problem.curation)
    if loss == "squared" and setting.closed_form is not None:
        return setting.closed_form(problem, alpha)
    law, delta, ridge, shape = _batch(problem, alpha)
    found = parabolas(law, delta, ridge) if loss == "squared" else states(LOSSES[loss], law, delta, ridge)
    codes = status.code(found.converged, delta, (ridge > 0) | (delta > 1) | (loss != "squared"), found.sharp)
    fields = (found.a[:, 0], found.tau, found.norm(), found.accuracy(law.signal), found.converged, found.residual)
    flat = Solution(*(jnp.reshape(field[: math.prod(shape)], shape) for field in (*fields, codes)))
    return flat._replace(status=refined(flat.status, problem, alpha, loss))


def _batch(problem: Problem, alpha: Scalar) -> tuple[Law, Array, Array, tuple[int, ...]]:
    """Law, delta and ridge on one axis, and the broadcast shape of the problem.

    The axis is filled up with NaN to a power of two, which costs little and saves compilations.
    """
    law, kept = settings.of(problem.curation).law(jnp.asarray(problem.signal, float), problem.curation)
    fields, structure = jax.tree.flatten(law)
    full = jnp.broadcast_arrays(jnp.asarray(alpha, float) * kept, jnp.asarray(problem.ridge, float), *fields)
    count = full[0].size
    missing = (1 << (count - 1).bit_length()) - count
    fill = lambda field: jnp.pad(field.ravel(), (0, missing), constant_values=jnp.nan)
    delta, ridge, *fields = (fill(field) for field in full)
    return jax.tree.unflatten(structure, fields), delta, ridge, full[0].shape
