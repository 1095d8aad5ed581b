"""Newton's method for a penalised loss of linear scores: what the fits of two classes and of K classes share."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

TOLERANCE = 1e-10
"""A fit is converged when the norm of its objective's gradient is at most this (the gradient at w = 0 is of
order 1). By strong convexity the distance to the minimiser is then at most TOLERANCE / ridge."""

SETTLED = 1e-3
"""Length of the last Newton step relative to the weights. Where there is a minimiser the steps shrink quadratically
and end far below; where there is none they do not shrink."""

MAX_STEPS = 100
"""Newton steps before a fit is given up and flagged; 5 to 15 are usual."""

MAX_HALVINGS = 30
"""Step halvings before a line search is given up."""

ENDGAME = 1e-10
"""Newton decrement below which the objective, of order 1 in float64, no longer resolves a step: the full Newton
step is then taken as long as the gradient shrinks."""


class Solve(NamedTuple):
    """An approximate solution of a linear system, and whether it is good enough."""

    solution: Array
    image: Array
    """What it adds to the scores."""
    reached: Array


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
    enough: float = TOLERANCE / 10,
) -> tuple[Array, Array, Array]:
    """Newton's method with Armijo backtracking on loss(score) + (ridge/2)||w||^2; weights of any shape.

    A ridge of the weights' shape is a penalty of each component, sum ridge w^2/2.

    Args:
        start: first weights. score: what the loss depends on, linear in the weights, at ``start``.
        gradient: score -> gradient of the loss alone by the weights.
        step: (score, whole gradient) -> Newton direction, with its image in the space of scores.
        grow: (score, change of score) -> rise of the loss. ridge: a number, or one for each weight.
        enough: norm of the whole gradient to stop at.

    In the precision of ``start``. Stops once the gradient norm is ``enough`` and the last step was short (SETTLED of
    the weights), or when no step length helps, or where no step was found. Without a minimiser (separable data at
    ridge = 0) the gradient shrinks as the weights grow, but the steps stay long; that is not convergence. Returns
    (weights, steps, settled).
    """

    def running(state: _Newton) -> Array:
        large = jnp.linalg.norm(state.gradient) > enough
        return (large | ~state.settled) & ~state.stalled & (state.step < MAX_STEPS)

    def advance(state: _Newton) -> _Newton:
        w, g = state.weights, state.gradient
        direction, along, reached = step(state.score, g)
        decrement = -jnp.vdot(g, direction)

        def rise(length: Array) -> Array:
            drawn, factor = (ridge * direction, 1.0) if ridge.ndim else (direction, ridge)
            penalty = factor * (length * jnp.vdot(w, drawn) + length**2 * jnp.vdot(direction, drawn) / 2)
            return grow(state.score, length * along) + penalty

        endgame = decrement < ENDGAME
        halvings, _ = jax.lax.while_loop(
            lambda carry: (carry[1] > -1e-4 * 0.5 ** carry[0] * decrement) & (carry[0] < MAX_HALVINGS) & ~endgame,
            lambda carry: (carry[0] + 1, rise(0.5 ** (carry[0] + 1))),
            (jnp.zeros((), start.dtype), rise(jnp.ones((), start.dtype))),
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
