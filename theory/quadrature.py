"""Fixed rules on an interval: nodes and weights as arrays, so that an expectation is one sum."""

from functools import cache

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array


@cache
def _gauss_legendre(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(n)


def legendre(low: Array, high: Array, n: int) -> tuple[Array, Array]:
    """Gauss-Legendre on [low, high], scalars: nodes and weights of shape (n,), exact to degree 2n - 1."""
    nodes, weights = _gauss_legendre(n)
    half = (high - low) / 2
    return (low + high) / 2 + half * jnp.asarray(nodes), half * jnp.asarray(weights)


def midpoints(low: Array, high: Array, n: int) -> tuple[Array, Array]:
    """Midpoint rule on [low, high], scalars: nodes of shape (n,) and the step.

    For an analytic integrand that vanishes at both ends the error falls like exp(-2 pi width / step), width
    being the distance from the real line to the nearest singularity.
    """
    step = (high - low) / n
    return low + step * (jnp.arange(n) + 0.5), step
