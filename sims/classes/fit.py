"""Step 3 of a trial with K classes: ridge regression on one-hot labels, or the softmax regression by Newton.

At K = 2 the fits are those of `sims.fit` on labels y' = -1, +1 with w = w_1 - w_0: squared loss at the same
ridge, logistic loss at half of it (||W||^2 = ||w||^2 / 2 at the minimum).
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from sims.losses import Loss
from sims.newton import TOLERANCE, Solve, damped_newton
from theory.errors import InputError


class Fit(NamedTuple):
    """Weights and the evidence that they minimise the objective."""

    weights: Float[Array, "K d"]
    shift: Float[Array, " K"]
    """The intercept b of scores W x + b; 0 where none is fitted."""
    gradient_norm: Float[Array, ""]
    """Norm of the objective's gradient at ``weights`` and ``shift``."""
    steps: Int[Array, ""]
    """Linear systems solved."""
    converged: Bool[Array, ""]
    """Something was kept, gradient_norm <= `sims.newton.TOLERANCE`, and the last Newton step was short."""


def check_loss(loss: str) -> None:
    """Raise ValueError unless the loss can be fitted."""
    if loss not in FITTED:
        raise InputError(f"loss = {loss!r} is not one of {', '.join(FITTED)}")


def fit(
    loss: Loss,
    x: Float[Array, "n d"],
    label: Int[Array, " n"],
    kept: Bool[Array, " n"],
    ridge: Float[Array, ""],
    classes: int,
    intercept: bool = False,
) -> Fit:
    """Minimise (1/m) sum_kept l(y', W x + b) + (ridge/2)||W||^2 over W in R^{K x d}, and b if there is an intercept.

    squared: l = ||e_{y'} - u||^2 / 2 at scores u. logistic: l = log sum_k exp(u_k) - u_{y'}.

    Args:
        loss: "squared" or "logistic". x: features. label: y' in 0..K-1. kept: which rows count.
        ridge: lambda >= 0, relative to the mean over kept samples. classes: K.
        intercept: whether b is fitted, without penalty; else it is 0.

    Returns:
        `Fit`; ``converged`` is False where nothing is kept or where the gradient stayed large. The weights are
        then not to be used.

    Raises:
        ValueError: an unknown loss.
    """
    check_loss(loss)
    m = jnp.sum(kept)
    weight = kept / jnp.maximum(m, 1)
    target = jax.nn.one_hot(label, classes, dtype=x.dtype)
    weights, shift, steps, settled = FITTED[loss].solve(x, target, weight, ridge, intercept)
    norm = jnp.linalg.norm(gradient(loss, weights, x, target, weight, ridge, shift if intercept else None))
    return Fit(weights, shift, norm, steps, (m > 0) & settled & (norm <= TOLERANCE))


def gradient(
    loss: Loss,
    weights: Float[Array, "K d"],
    x: Float[Array, "n d"],
    target: Float[Array, "n K"],
    weight: Float[Array, " n"],
    ridge: Float[Array, ""],
    shift: Float[Array, " K"] | None = None,
) -> Float[Array, "K d"]:
    """sum_i weight_i (output_i - target_i) x_i^T + ridge W; output is u = W x + b (squared) or softmax(u) (logistic).

    With an intercept its own derivative, sum_i weight_i (output_i - target_i), is a last column.
    """
    missed = weight[:, None] * (FITTED[loss].output(x @ weights.T + (0 if shift is None else shift[None])) - target)
    slope = missed.T @ x + ridge * weights
    return slope if shift is None else jnp.concatenate([slope, missed.sum(0)[:, None]], axis=1)


def _ridge(x: Array, target: Array, weight: Array, ridge: Array, intercept: bool) -> tuple[Array, ...]:
    """Squared loss by one Cholesky factorisation, primal (d x d) or dual (n x n), whichever is smaller.

    An intercept leaves what is about the means.
    """
    n, d = x.shape
    centre, share = (weight @ x, weight @ target) if intercept else (jnp.zeros(d), jnp.zeros(target.shape[1]))
    if intercept:
        x, target = x - centre[None], target - share[None]
    root = jnp.sqrt(weight)[:, None]
    inputs, outputs = root * x, root * target
    if d <= n:
        gram = inputs.T @ inputs + ridge * jnp.eye(d)
        weights = jsl.cho_solve(jsl.cho_factor(gram, lower=True), inputs.T @ outputs).T
    else:
        gram = inputs @ inputs.T + ridge * jnp.eye(n)
        weights = jsl.cho_solve(jsl.cho_factor(gram, lower=True), outputs).T @ inputs
    return weights, share - weights @ centre, jnp.ones((), int), jnp.ones((), bool)


def _logistic(x: Array, target: Array, weight: Array, ridge: Array, intercept: bool) -> tuple[Array, ...]:
    """Damped Newton. Where d > n the minimiser's rows lie in the row space of x and are sought there (thin QR).

    An intercept is the weight of one more feature, 1 throughout, without penalty.
    """
    n, d = x.shape
    basis, inner = (None, x) if d <= n else jnp.linalg.qr(x.T)
    inner = inner if basis is None else inner.T
    if intercept:
        penalised = jnp.arange(inner.shape[1] + 1) < inner.shape[1]
        inner = jnp.concatenate([inner, jnp.ones((n, 1))], axis=1)
        ridge = jnp.broadcast_to(ridge * penalised, (target.shape[1], inner.shape[1]))
    weights, steps, settled = _newton(inner, target, weight, ridge)
    shift = weights[:, -1] if intercept else jnp.zeros(target.shape[1])
    weights = weights[:, :-1] if intercept else weights
    return (weights if basis is None else weights @ basis.T), shift, steps, settled


def contrasts(classes: int) -> Float[np.ndarray, "K K-1"]:
    """Orthonormal columns B orthogonal to (1, ..., 1) (Helmert)."""
    rows = np.tril(np.ones((classes, classes)), -1)[1:] - np.diag(np.arange(1.0, classes), 1)[:-1]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).T


def _newton(x: Array, target: Array, weight: Array, ridge: Array) -> tuple[Array, Array, Array]:
    """Damped Newton on the multinomial objective.

    Steps are taken in W = B V with B the `contrasts`: the rows of the minimiser sum to 0, and without them the
    Hessian is singular at ridge = 0. Returns (weights, steps, settled), see `damped_newton`.
    """
    classes, d = target.shape[1], x.shape[1]
    basis = jnp.asarray(contrasts(classes))
    size = (classes - 1) * d

    def hessian(share: Array) -> Array:
        """sum_i weight_i B^T (diag(p_i) - p_i p_i^T) B (x) x_i x_i^T + ridge I."""
        diagonal = jnp.einsum("ik,ij,il->kjl", weight[:, None] * share, x, x)
        outer = (jnp.sqrt(weight)[:, None] * (share @ basis))[:, :, None] * x[:, None, :]
        outer = outer.reshape(x.shape[0], size)
        spread = jnp.einsum("ka,kb,kjl->ajbl", basis, basis, diagonal).reshape(size, size)
        return spread - outer.T @ outer + jnp.diag(jnp.broadcast_to(ridge, (classes, d))[1:].reshape(size))

    def step(score: Array, g: Array) -> Solve:
        factor = jsl.cho_factor(hessian(jax.nn.softmax(score, axis=1)), lower=True)
        direction = basis @ -jsl.cho_solve(factor, (basis.T @ g).reshape(size)).reshape(classes - 1, d)
        return Solve(direction, x @ direction.T, jnp.ones((), bool))

    def grow(score: Array, along: Array) -> Array:
        rise = jax.nn.logsumexp(score + along, axis=1) - jax.nn.logsumexp(score, axis=1)
        return jnp.dot(weight, rise - jnp.sum(target * along, axis=1))

    def slope(score: Array) -> Array:
        return (weight[:, None] * (jax.nn.softmax(score, axis=1) - target)).T @ x

    return damped_newton(jnp.zeros((classes, d)), jnp.zeros_like(target), slope, step, grow, ridge)


class ClassLoss(NamedTuple):
    """A loss l(y', s) of K scores s with dl/ds = output(s) - e_{y'}, and how it is minimised."""

    output: Callable[[Array], Array]
    solve: Callable[[Array, Array, Array, Array, bool], tuple[Array, ...]]
    """(x, target, weight, ridge, intercept) -> (weights, shift, linear systems solved, whether that is the minimum)."""


FITTED = {
    "squared": ClassLoss(lambda score: score, _ridge),
    "logistic": ClassLoss(partial(jax.nn.softmax, axis=1), _logistic),
}
"""Every loss that can be fitted to K classes; a loss of the margin alone is none."""
