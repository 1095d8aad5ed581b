"""Step 3 of a trial: the regularised classifier, certified by the gradient at what is returned.

Both fits minimise (1/m) sum_kept l(y' x.w) + (ridge/2)||w||^2 over w in R^d, where m counts the kept
samples. Unkept rows are masked, not removed, so that shapes are static.

Each is first sought by conjugate gradients, whose cost is a few passes over the data (Newton-CG for the logistic
loss), and, where those do not get there, by Cholesky factorisations. `benchmarks/simulation_speed.py` compares.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
from jaxtyping import Array, Bool, Float, Int

from sims.losses import LOSSES, Loss
from theory.errors import InputError

TOLERANCE = 1e-10
"""A fit is converged when the norm of its objective's gradient is at most this (the gradient at w = 0 is of
order 1). By strong convexity the distance to the minimiser is then at most TOLERANCE / ridge."""

SETTLED = 1e-3
"""Length of the last Newton step relative to the weights. Where there is a minimiser the steps shrink quadratically
and end far below; where there is none they do not shrink."""

MAX_STEPS = 100
"""Newton steps before a logistic fit is given up and flagged; 5 to 15 are usual."""

MAX_HALVINGS = 30
"""Step halvings before a line search is given up."""

ENDGAME = 1e-10
"""Newton decrement below which the objective, of order 1 in float64, no longer resolves a step: the full Newton
step is then taken as long as the gradient shrinks."""

FORCING = 0.1
"""Largest residual, relative to the gradient, at which a Newton system counts as solved by conjugate gradients."""


class Fit(NamedTuple):
    """Weights and the evidence that they minimise the objective."""

    weights: Float[Array, " d"]
    gradient_norm: Float[Array, ""]
    """Norm of the objective's gradient at ``weights``."""
    steps: Int[Array, ""]
    """Linear systems solved, by conjugate gradients or by factorisation."""
    converged: Bool[Array, ""]
    """Something was kept, gradient_norm <= TOLERANCE, and the last Newton step was short."""


class Data(NamedTuple):
    """What a fit is made from. Margins are label * (x @ w): u = label * x is never formed."""

    x: Float[Array, "n d"]
    label: Float[Array, " n"]
    weight: Float[Array, " n"]
    """1/m for the kept rows, 0 for the others."""

    def forward(self, weights: Array) -> Array:
        """Margins u w."""
        return self.label * (self.x @ weights)

    def backward(self, values: Array) -> Array:
        """sum_i weight_i values_i u_i."""
        return (self.weight * self.label * values) @ self.x


def fit(
    loss: Loss,
    x: Float[Array, "n d"],
    label: Float[Array, " n"],
    kept: Bool[Array, " n"],
    ridge: Float[Array, ""],
) -> Fit:
    """Minimise the mean loss over kept samples plus (ridge/2)||w||^2.

    Args:
        loss: "squared" or "logistic" (formulas at `sims.losses.Loss`).
        x: features. label: y' = +-1. kept: which rows count.
        ridge: lambda >= 0, relative to the mean over kept samples.

    Returns:
        `Fit`; ``converged`` is False where nothing is kept or where the gradient stayed large. The weights are then
        not to be used. At ridge = 0, where least squares has many solutions, that of least norm is found or none.

    Raises:
        ValueError: an unknown loss.
    """
    if loss not in LOSSES:
        raise InputError(f"loss = {loss!r} is not one of {', '.join(LOSSES)}")
    m = jnp.sum(kept)
    data = Data(x, label, kept / jnp.maximum(m, 1))
    free, dense = (_ridge_free, _ridge_dense) if loss == "squared" else (_logistic_free, _logistic_dense)
    found = _certify(loss, data, ridge, free(data, ridge))
    again = lambda: _certify(loss, data, ridge, dense(data, ridge))
    found = jax.lax.cond(found.converged | (m == 0), lambda: found, again)
    return found._replace(converged=found.converged & (m > 0))


def _certify(loss: Loss, data: Data, ridge: Array, result: tuple[Array, Array, Array]) -> Fit:
    """(weights, steps, settled) with the gradient there."""
    weights, steps, settled = result
    norm = jnp.linalg.norm(gradient(loss, weights, data, ridge))
    return Fit(weights, norm, steps, settled & (norm <= TOLERANCE))


def slope(loss: Loss, margin: Float[Array, " n"]) -> Float[Array, " n"]:
    """l'(v): v - 1 for squared, -1 / (1 + exp(v)) for logistic loss."""
    return margin - 1 if loss == "squared" else -jax.nn.sigmoid(-margin)


def gradient(loss: Loss, weights: Float[Array, " d"], data: Data, ridge: Float[Array, ""]) -> Float[Array, " d"]:
    """Gradient of sum_i weight_i l(u_i.w) + (ridge/2)||w||^2 at ``weights``."""
    return data.backward(slope(loss, data.forward(weights))) + ridge * weights


class Solve(NamedTuple):
    """An approximate solution of a linear system, and whether it is good enough."""

    solution: Array
    image: Array
    """u times the solution."""
    reached: Array


def conjugate_gradients(
    data: Data, curvature: Float[Array, " n"], ridge: Array, right: Float[Array, " d"], tolerance: Array
) -> Solve:
    """Solve (sum_i weight_i curvature_i u_i u_i^T + ridge I) w = right to a residual norm of ``tolerance``.

    Given up after 20 + min(n, d)/2 iterations, when a factorisation would long have been quicker.
    """
    limit = 20 + min(data.x.shape) // 2

    def running(state: tuple[Array, ...]) -> Array:
        *_, square, iteration = state
        return (square > tolerance**2) & (iteration < limit)

    def advance(state: tuple[Array, ...]) -> tuple[Array, ...]:
        solution, image, residual, direction, square, iteration = state
        along = data.forward(direction)
        product = data.backward(curvature * along) + ridge * direction
        length = square / jnp.dot(direction, product)
        residual = residual - length * product
        new = jnp.dot(residual, residual)
        solution, image = solution + length * direction, image + length * along
        return solution, image, residual, residual + (new / square) * direction, new, iteration + 1

    nothing, square = jnp.zeros_like(right), jnp.dot(right, right)
    first = (nothing, jnp.zeros_like(data.label), right, right, square, jnp.zeros((), int))
    solution, image, _, _, square, _ = jax.lax.while_loop(running, advance, first)
    return Solve(solution, image, square <= tolerance**2)


def _ridge_free(data: Data, ridge: Array) -> tuple[Array, Array, Array]:
    """Squared loss by conjugate gradients on the normal equations."""
    ones = jnp.ones_like(data.label)
    found = conjugate_gradients(data, ones, ridge, data.backward(ones), jnp.asarray(TOLERANCE / 10))
    return found.solution, jnp.ones((), int), found.reached


def _ridge_dense(data: Data, ridge: Array) -> tuple[Array, Array, Array]:
    """Squared loss by one Cholesky factorisation, primal (d x d) or dual (n x n), whichever is smaller."""
    n, d = data.x.shape
    root = jnp.sqrt(data.weight)
    scaled = (root * data.label)[:, None] * data.x
    if d <= n:
        gram = scaled.T @ scaled + ridge * jnp.eye(d)
        weights = jsl.cho_solve(jsl.cho_factor(gram, lower=True), root @ scaled)
    else:
        gram = scaled @ scaled.T + ridge * jnp.eye(n)
        weights = jsl.cho_solve(jsl.cho_factor(gram, lower=True), root) @ scaled
    regular = (ridge > 0) | (jnp.sum(data.weight > 0) >= min(n, d))  # else a pivot is nothing but rounding
    return weights, jnp.ones((), int), regular


def _curvature(margin: Array) -> Array:
    """l''(v) of the logistic loss."""
    return jax.nn.sigmoid(margin) * jax.nn.sigmoid(-margin)


def _logistic_free(data: Data, ridge: Array) -> tuple[Array, Array, Array]:
    """Newton's method with its systems solved by conjugate gradients, the more exactly the smaller the gradient."""

    def step(margin: Array, g: Array) -> Solve:
        norm = jnp.linalg.norm(g)
        return conjugate_gradients(data, _curvature(margin), ridge, -g, jnp.minimum(FORCING, jnp.sqrt(norm)) * norm)

    return _newton(data, ridge, step)


def _logistic_dense(data: Data, ridge: Array) -> tuple[Array, Array, Array]:
    """Newton's method by Cholesky. Where d > n the minimiser lies in the row space of u: it is sought there (QR)."""
    n, d = data.x.shape
    if d > n:
        basis, corner = jnp.linalg.qr(data.x.T)
        inner, steps, settled = _logistic_dense(data._replace(x=corner.T), ridge)
        return basis @ inner, steps, settled

    def step(margin: Array, g: Array) -> Solve:
        scaled = jnp.sqrt(data.weight * _curvature(margin))[:, None] * data.x
        hessian = scaled.T @ scaled + ridge * jnp.eye(d)
        direction = -jsl.cho_solve(jsl.cho_factor(hessian, lower=True), g)
        return Solve(direction, data.forward(direction), jnp.ones((), bool))

    return _newton(data, ridge, step)


def _newton(data: Data, ridge: Array, step: Callable[[Array, Array], Solve]) -> tuple[Array, Array, Array]:
    """Damped Newton on the logistic objective, from w = 0."""

    def grow(margin: Array, along: Array) -> Array:
        return jnp.dot(data.weight, jax.nn.softplus(-margin - along) - jax.nn.softplus(-margin))

    def loss_gradient(margin: Array) -> Array:
        return data.backward(slope("logistic", margin))

    start = jnp.zeros(data.x.shape[1])
    return damped_newton(start, jnp.zeros_like(data.label), loss_gradient, step, grow, ridge)


class _Newton(NamedTuple):
    weights: Array
    score: Array
    gradient: Array
    step: Array
    settled: Array
    stalled: Array


def damped_newton(
    start: Array,
    score: Array,
    gradient: Callable[[Array], Array],
    step: Callable[[Array, Array], Solve],
    grow: Callable[[Array, Array], Array],
    ridge: Array,
) -> tuple[Array, Array, Array]:
    """Newton's method with Armijo backtracking on loss(score) + (ridge/2)||w||^2; weights of any shape.

    Args:
        start: first weights. score: what the loss depends on, linear in the weights, at ``start``.
        gradient: score -> gradient of the loss alone by the weights.
        step: (score, whole gradient) -> Newton direction, with its image in the space of scores.
        grow: (score, change of score) -> rise of the loss.

    Stops once the gradient norm is TOLERANCE / 10 and the last step was short (SETTLED of the weights), or when no
    step length helps, or where no step was found. Without a minimiser (separable data at ridge = 0) the gradient
    shrinks as the weights grow, but the steps stay long; that is not convergence. Returns (weights, steps, settled).
    """

    def running(state: _Newton) -> Array:
        large = jnp.linalg.norm(state.gradient) > TOLERANCE / 10
        return (large | ~state.settled) & ~state.stalled & (state.step < MAX_STEPS)

    def advance(state: _Newton) -> _Newton:
        w, g = state.weights, state.gradient
        direction, along, reached = step(state.score, g)
        decrement = -jnp.vdot(g, direction)

        def rise(length: Array) -> Array:
            penalty = ridge * (length * jnp.vdot(w, direction) + length**2 * jnp.vdot(direction, direction) / 2)
            return grow(state.score, length * along) + penalty

        endgame = decrement < ENDGAME
        halvings, _ = jax.lax.while_loop(
            lambda carry: (carry[1] > -1e-4 * 0.5 ** carry[0] * decrement) & (carry[0] < MAX_HALVINGS) & ~endgame,
            lambda carry: (carry[0] + 1, rise(0.5 ** (carry[0] + 1))),
            (jnp.zeros(()), rise(jnp.ones(()))),
        )
        w_next, score_next = w + 0.5**halvings * direction, state.score + 0.5**halvings * along
        g_next = gradient(score_next) + ridge * w_next
        smaller = jnp.linalg.norm(g_next) < jnp.linalg.norm(g)
        short = jnp.linalg.norm(direction) <= SETTLED * jnp.linalg.norm(w_next)
        downhill = decrement > 0  # not so where the Hessian is singular to rounding, or NaN
        better = reached & downhill & jnp.where(endgame, smaller, halvings < MAX_HALVINGS)
        moved = _Newton(w_next, score_next, g_next, state.step + 1, short, ~better)
        stayed = state._replace(step=state.step + 1, settled=short, stalled=~better)
        return jax.tree.map(lambda a, b: jnp.where(better, a, b), moved, stayed)

    first = _Newton(start, score, gradient(score) + ridge * start, jnp.zeros((), int), *jnp.zeros((2,), bool))
    last = jax.lax.while_loop(running, advance, first)
    return last.weights, last.step, last.settled
