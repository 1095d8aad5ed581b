"""Step 3 of a trial: the regularised classifier, certified by the gradient at what is returned.

Both fits minimise (1/m) sum_kept l(y' x.w) + (ridge/2)||w||^2 over w in R^d, where m counts the kept
samples. Unkept rows are masked, not removed, so that shapes are static.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
from jaxtyping import Array, Bool, Float, Int

from sims.losses import LOSSES, Loss

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


class Fit(NamedTuple):
    """Weights and the evidence that they minimise the objective."""

    weights: Float[Array, " d"]
    gradient_norm: Float[Array, ""]
    """Norm of the objective's gradient at ``weights``."""
    steps: Int[Array, ""]
    """Linear systems solved."""
    converged: Bool[Array, ""]
    """Something was kept, gradient_norm <= TOLERANCE, and the last Newton step was short."""


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
        `Fit`; ``converged`` is False where nothing is kept or where the gradient stayed large (a singular
        system at ridge = 0, say). The weights are then not to be used.

    Raises:
        ValueError: an unknown loss.
    """
    m = jnp.sum(kept)
    weight = kept / jnp.maximum(m, 1)
    u = label[:, None] * x
    if loss == "squared":
        weights, steps, settled = _ridge(u, weight, ridge)
    elif loss == "logistic":
        weights, steps, settled = _logistic(u, weight, ridge)
    else:
        raise ValueError(f"loss = {loss!r} is not one of {', '.join(LOSSES)}")
    norm = jnp.linalg.norm(gradient(loss, weights, u, weight, ridge))
    return Fit(weights, norm, steps, (m > 0) & settled & (norm <= TOLERANCE))


def slope(loss: Loss, margin: Float[Array, " n"]) -> Float[Array, " n"]:
    """l'(v): v - 1 for squared, -1 / (1 + exp(v)) for logistic loss."""
    return margin - 1 if loss == "squared" else -jax.nn.sigmoid(-margin)


def gradient(
    loss: Loss,
    weights: Float[Array, " d"],
    u: Float[Array, "n d"],
    weight: Float[Array, " n"],
    ridge: Float[Array, ""],
) -> Float[Array, " d"]:
    """Gradient of sum_i weight_i l(u_i.w) + (ridge/2)||w||^2 at ``weights``."""
    return (weight * slope(loss, u @ weights)) @ u + ridge * weights


def _ridge(u: Array, weight: Array, ridge: Array) -> tuple[Array, Array, Array]:
    """Squared loss by one Cholesky factorisation, primal (d x d) or dual (n x n), whichever is smaller."""
    n, d = u.shape
    root = jnp.sqrt(weight)
    scaled = root[:, None] * u
    if d <= n:
        gram = scaled.T @ scaled + ridge * jnp.eye(d)
        weights = jsl.cho_solve(jsl.cho_factor(gram, lower=True), weight @ u)
    else:
        gram = scaled @ scaled.T + ridge * jnp.eye(n)
        weights = jsl.cho_solve(jsl.cho_factor(gram, lower=True), root) @ scaled
    return weights, jnp.ones((), int), jnp.ones((), bool)


def _logistic(u: Array, weight: Array, ridge: Array) -> tuple[Array, Array, Array]:
    """Damped Newton. Where d > n the minimiser lies in the row space of u and is sought there (thin QR)."""
    n, d = u.shape
    if d <= n:
        return _newton(u, weight, ridge)
    basis, corner = jnp.linalg.qr(u.T)
    inner, steps, settled = _newton(corner.T, weight, ridge)
    return basis @ inner, steps, settled


class _Newton(NamedTuple):
    weights: Array
    gradient: Array
    step: Array
    settled: Array
    stalled: Array


def _newton(u: Array, weight: Array, ridge: Array) -> tuple[Array, Array, Array]:
    """Damped Newton on the logistic objective. Returns (weights, steps, settled)."""

    def step(w: Array, g: Array) -> tuple[Array, Callable[[Array], Array]]:
        margin = u @ w
        curvature = weight * jax.nn.sigmoid(margin) * jax.nn.sigmoid(-margin)
        root = jnp.sqrt(curvature)[:, None] * u
        hessian = root.T @ root + ridge * jnp.eye(u.shape[1])
        direction = -jsl.cho_solve(jsl.cho_factor(hessian, lower=True), g)
        along, now = u @ direction, jax.nn.softplus(-margin)
        grow = lambda length: jnp.dot(weight, jax.nn.softplus(-margin - length * along) - now)
        return direction, grow

    return damped_newton(jnp.zeros(u.shape[1]), lambda w: gradient("logistic", w, u, weight, ridge), step, ridge)


def damped_newton(
    start: Array,
    gradient: Callable[[Array], Array],
    step: Callable[[Array, Array], tuple[Array, Callable[[Array], Array]]],
    ridge: Array,
) -> tuple[Array, Array, Array]:
    """Newton's method with Armijo backtracking on a loss plus (ridge/2)||w||^2; weights of any shape.

    Args:
        start: first weights. gradient: of the whole objective.
        step: (weights, gradient) -> Newton direction and the rise of the loss alone at a length along it.

    Stops once the gradient norm is TOLERANCE / 10 and the last step was short (SETTLED of the weights), or when no
    step length helps. Without a minimiser (separable data at ridge = 0) the gradient shrinks as the weights grow, but
    the steps stay long; that is not convergence. Returns (weights, steps, settled).
    """

    def running(state: _Newton) -> Array:
        large = jnp.linalg.norm(state.gradient) > TOLERANCE / 10
        return (large | ~state.settled) & ~state.stalled & (state.step < MAX_STEPS)

    def advance(state: _Newton) -> _Newton:
        w, g = state.weights, state.gradient
        direction, grow = step(w, g)
        decrement = -jnp.vdot(g, direction)

        def rise(length: Array) -> Array:
            penalty = ridge * (length * jnp.vdot(w, direction) + length**2 * jnp.vdot(direction, direction) / 2)
            return grow(length) + penalty

        endgame = decrement < ENDGAME
        halvings, _ = jax.lax.while_loop(
            lambda carry: (carry[1] > -1e-4 * 0.5 ** carry[0] * decrement) & (carry[0] < MAX_HALVINGS) & ~endgame,
            lambda carry: (carry[0] + 1, rise(0.5 ** (carry[0] + 1))),
            (jnp.zeros(()), rise(jnp.ones(()))),
        )
        w_next = w + 0.5**halvings * direction
        g_next = gradient(w_next)
        smaller = jnp.linalg.norm(g_next) < jnp.linalg.norm(g)
        short = jnp.linalg.norm(direction) <= SETTLED * jnp.linalg.norm(w_next)
        better = jnp.where(endgame, smaller, halvings < MAX_HALVINGS)
        w_next, g_next = jnp.where(better, w_next, w), jnp.where(better, g_next, g)
        return _Newton(w_next, g_next, state.step + 1, short, ~better)

    first = _Newton(start, gradient(start), jnp.zeros((), int), *jnp.zeros((2,), bool))
    last = jax.lax.while_loop(running, advance, first)
    return last.weights, last.step, last.settled
