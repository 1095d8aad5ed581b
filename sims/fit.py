"""Step 3 of a trial: the regularised classifier, certified by the gradient at what is returned.

A fit minimises (1/m) sum_kept l(y' x.w) + (ridge/2)||w||^2 over w in R^d, where m counts the kept
samples. Unkept rows are masked, not removed, so that shapes are static.

It is first sought by conjugate gradients, whose cost is a few passes over the data (Newton-CG where the loss is
not quadratic), and, where those do not get there, by Cholesky factorisations. `benchmarks/simulation_speed.py`
compares. A new loss is a new entry of `FITTED`.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
from jaxtyping import Array, Bool, Float, Int

from sims.losses import Loss
from sims.newton import TOLERANCE, Solve, damped_newton
from theory.errors import InputError

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


class MarginLoss(Protocol):
    """What a fit asks of a loss l(v) of the margin: its derivative, which certifies, and two roads to the minimum.

    Each road is (data, ridge) -> (weights, linear systems solved, whether the minimum was found).
    """

    @property
    def slope(self) -> Callable[[Array], Array]:
        """l'(v)."""
        ...

    def free(self, data: Data, ridge: Array) -> tuple[Array, Array, Array]:
        """By conjugate gradients, free of factorisations."""
        ...

    def dense(self, data: Data, ridge: Array) -> tuple[Array, Array, Array]:
        """By Cholesky factorisations."""
        ...


def fit(
    loss: Loss,
    x: Float[Array, "n d"],
    label: Float[Array, " n"],
    kept: Bool[Array, " n"],
    ridge: Float[Array, ""],
) -> Fit:
    """Minimise the mean loss over kept samples plus (ridge/2)||w||^2.

    Args:
        loss: a key of `FITTED`: "squared" or "logistic".
        x: features. label: y' = +-1. kept: which rows count.
        ridge: lambda >= 0, relative to the mean over kept samples.

    Returns:
        `Fit`; ``converged`` is False where nothing is kept or where the gradient stayed large. The weights are then
        not to be used. At ridge = 0, where least squares has many solutions, that of least norm is found or none.

    Raises:
        ValueError: an unknown loss.
    """
    if loss not in FITTED:
        raise InputError(f"loss = {loss!r} is not one of {', '.join(FITTED)}")
    margin_loss = FITTED[loss]
    m = jnp.sum(kept)
    data = Data(x, label, kept / jnp.maximum(m, 1))
    found = _certify(margin_loss, data, ridge, margin_loss.free(data, ridge))
    again = lambda: _certify(margin_loss, data, ridge, margin_loss.dense(data, ridge))
    found = jax.lax.cond(found.converged | (m == 0), lambda: found, again)
    return found._replace(converged=found.converged & (m > 0))


def _certify(loss: MarginLoss, data: Data, ridge: Array, result: tuple[Array, Array, Array]) -> Fit:
    """(weights, steps, settled) with the gradient there."""
    weights, steps, settled = result
    norm = jnp.linalg.norm(gradient(loss, weights, data, ridge))
    return Fit(weights, norm, steps, settled & (norm <= TOLERANCE))


def gradient(loss: MarginLoss, weights: Float[Array, " d"], data: Data, ridge: Float[Array, ""]) -> Float[Array, " d"]:
    """Gradient of sum_i weight_i l(u_i.w) + (ridge/2)||w||^2 at ``weights``."""
    return data.backward(loss.slope(data.forward(weights))) + ridge * weights


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


class Squared:
    """l(v) = (1 - v)^2/2: the minimum is one linear system away."""

    def slope(self, v: Array) -> Array:
        """v - 1."""
        return v - 1

    def free(self, data: Data, ridge: Array) -> tuple[Array, Array, Array]:
        """Conjugate gradients on the normal equations."""
        ones = jnp.ones_like(data.label)
        found = conjugate_gradients(data, ones, ridge, data.backward(ones), jnp.asarray(TOLERANCE / 10))
        return found.solution, jnp.ones((), int), found.reached

    def dense(self, data: Data, ridge: Array) -> tuple[Array, Array, Array]:
        """One factorisation, primal (d x d) or dual (n x n), whichever is smaller."""
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


class Smooth(NamedTuple):
    """Any convex loss with two derivatives, all three vectorised and free of overflow: damped Newton from w = 0."""

    value: Callable[[Array], Array]
    """l(v)."""
    slope: Callable[[Array], Array]
    """l'(v)."""
    curvature: Callable[[Array], Array]
    """l''(v)."""

    def free(self, data: Data, ridge: Array) -> tuple[Array, Array, Array]:
        """The steps' systems by conjugate gradients, solved the more exactly the smaller the gradient."""

        def step(margin: Array, g: Array) -> Solve:
            norm = jnp.linalg.norm(g)
            tolerance = jnp.minimum(FORCING, jnp.sqrt(norm)) * norm
            return conjugate_gradients(data, self.curvature(margin), ridge, -g, tolerance)

        return self._minimise(data, ridge, step)

    def dense(self, data: Data, ridge: Array) -> tuple[Array, Array, Array]:
        """A factorisation a step. Where d > n the minimiser lies in the row space of u: it is sought there (QR)."""
        n, d = data.x.shape
        if d > n:
            basis, corner = jnp.linalg.qr(data.x.T)
            inner, steps, settled = self.dense(data._replace(x=corner.T), ridge)
            return basis @ inner, steps, settled

        def step(margin: Array, g: Array) -> Solve:
            scaled = jnp.sqrt(data.weight * self.curvature(margin))[:, None] * data.x
            hessian = scaled.T @ scaled + ridge * jnp.eye(d)
            direction = -jsl.cho_solve(jsl.cho_factor(hessian, lower=True), g)
            return Solve(direction, data.forward(direction), jnp.ones((), bool))

        return self._minimise(data, ridge, step)

    def _minimise(self, data: Data, ridge: Array, step: Callable[[Array, Array], Solve]) -> tuple[Array, Array, Array]:
        def loss_gradient(margin: Array) -> Array:
            return data.backward(self.slope(margin))

        def grow(margin: Array, along: Array) -> Array:
            return jnp.dot(data.weight, self.value(margin + along) - self.value(margin))

        start = jnp.zeros(data.x.shape[1])
        return damped_newton(start, jnp.zeros_like(data.label), loss_gradient, step, grow, ridge)


FITTED: dict[str, MarginLoss] = {
    "squared": Squared(),
    "logistic": Smooth(
        value=lambda v: jax.nn.softplus(-v),
        slope=lambda v: -jax.nn.sigmoid(-v),
        curvature=lambda v: jax.nn.sigmoid(v) * jax.nn.sigmoid(-v),
    ),
}
"""Every loss that a trial can be made with, by its name in `sims.losses`."""
