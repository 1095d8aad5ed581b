"""Which class a linear classifier predicts: probabilities of normal orthants, with the error of their estimates."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Array, Float, Int
from scipy.stats import qmc

SHIFTS, POINTS = 8, 128
"""Independent randomisations of the rule for normal orthants, and its points in each; powers of two."""

SAME = 1e-6
"""Relative size below which the difference of two rows of W, given the other differences, is a tie."""


@cache
def _nodes(dimensions: int) -> Float[np.ndarray, "SHIFTS POINTS q"]:
    """SHIFTS independently scrambled Sobol sets of POINTS in the open cube; one empty point each for q = 0."""
    if dimensions == 0:
        return np.zeros((SHIFTS, 1, 0))
    sets = [qmc.Sobol(dimensions, rng=np.random.default_rng([dimensions, shift])) for shift in range(SHIFTS)]
    return np.clip(np.stack([points.random(POINTS) for points in sets]), 1e-12, 1 - 1e-12)


def positive_orthant(mean: Float[Array, " q"], covariance: Float[Array, "q q"]) -> Float[Array, " SHIFTS"]:
    """P(g > 0) in every coordinate, g ~ N(mean, covariance): SHIFTS independent unbiased estimates.

    With g = mean + L h, L the Cholesky factor, integrate one h at a time given the earlier ones:

        P = E[ prod_i Phi(t_i) ],  t_i = (mean_i + sum_{j<i} L_ij h_j) / L_ii,  h_j ~ N(0, 1) given h_j > -t_j

    exact at q = 1, a smooth (q - 1)-dimensional integral by randomised quasi-Monte Carlo beyond. NaN where the
    covariance is singular. This is Genz's separation of variables.
    """
    size = mean.shape[0]
    factor = jnp.linalg.cholesky(covariance)
    pivot = jnp.diagonal(factor)
    regular = jnp.all(pivot > SAME * jnp.sqrt(jnp.diagonal(covariance)))
    nodes = _nodes(size - 1)
    nodes = jnp.asarray(np.concatenate([nodes, np.full((*nodes.shape[:2], 1), 0.5)], axis=2))

    def integrate(carry: tuple[Array, Array], i: Array) -> tuple[tuple[Array, Array], None]:
        h, product = carry
        mass = ndtr((mean[i] + h @ factor[i]) / pivot[i])
        drawn = -ndtri(jnp.maximum(nodes[..., i] * mass, 1e-300))
        return (h.at[..., i].set(drawn), product * mass), None

    start = (jnp.zeros_like(nodes), jnp.ones(nodes.shape[:2]))
    (_, product), _ = jax.lax.scan(integrate, start, jnp.arange(size))
    return jnp.where(regular, jnp.mean(product, axis=1), jnp.nan)


@jax.jit
def prediction_table(weights: Float[Array, "K d"], mu: Float[Array, "K d"]) -> Float[Array, "K K SHIFTS"]:
    """P(argmax_m w_m.x = l | y = k) at [k, l], x = mu_k + z: one estimate per shift; NaN where two classes tie."""
    one_class = jax.vmap(_wins, in_axes=(None, 0, 0, None))
    winner = jnp.arange(weights.shape[0])
    return jax.vmap(one_class, in_axes=(None, None, None, 0))(weights, winner, _rivals(weights.shape[0]), mu)


@jax.jit
def class_accuracies(
    weights: Float[Array, "K d"], mu: Float[Array, "K d"], shift: Float[Array, " K"] | None = None
) -> Float[Array, "K SHIFTS"]:
    """P(argmax_k w_k.x + b_k = y | y) by class, one estimate per randomisation; without ``shift`` b = 0."""
    winner, shift = jnp.arange(weights.shape[0]), jnp.zeros(weights.shape[0]) if shift is None else shift
    return jax.vmap(_wins, in_axes=(None, 0, 0, 0, None))(weights, winner, _rivals(weights.shape[0]), mu, shift)


def _wins(
    weights: Array, winner: Array, against: Array, centre: Array, shift: Array | None = None
) -> Float[Array, " SHIFTS"]:
    """P(w_l.x + b_l > w_m.x + b_m for all m != l), x = centre + z: normal with mean (w_l - w_m).centre + b_l - b_m."""
    gap = weights[winner][None, :] - weights[against]
    ahead = gap @ centre
    return positive_orthant(ahead if shift is None else ahead + shift[winner] - shift[against], gap @ gap.T)


def _rivals(classes: int) -> Int[Array, "K K-1"]:
    """The other classes of each class."""
    return jnp.asarray([[l for l in range(classes) if l != k] for k in range(classes)])
