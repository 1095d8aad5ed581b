"""Fixed rules on an interval: nodes and weights as arrays, so that an expectation is one sum over the last axis."""

from functools import cache

import numpy as np

from theory.arrays import Array, of


@cache
def _gauss_legendre(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(n)


def legendre(low: Array, high: Array, n: int) -> tuple[Array, Array]:
    """Gauss-Legendre on [low, high], of shape (...): nodes and weights of shape (..., n), exact to degree 2n - 1."""
    xp = of(low, high)
    low, high = xp.asarray(low, float), xp.asarray(high, float)
    nodes, weights = (_of_rank(xp.asarray(x, float), low.ndim) for x in _gauss_legendre(n))
    half = (high - low)[..., None] / 2
    return (low + high)[..., None] / 2 + half * nodes, half * weights


def midpoints(low: Array, high: Array, n: int) -> tuple[Array, Array]:
    """Midpoint rule on [low, high], of shape (...): nodes of shape (..., n) and the step, of shape (..., 1).

    For an analytic integrand that vanishes at both ends the error falls like exp(-2 pi width / step), width
    being the distance from the real line to the nearest singularity.
    """
    xp = of(low, high)
    low, high = xp.asarray(low, float), xp.asarray(high, float)
    step = ((high - low) / n)[..., None]
    return low[..., None] + step * _of_rank(xp.arange(n) + 0.5, low.ndim), step


def _of_rank(nodes: Array, before: int) -> Array:
    """Nodes on the last axis, after so many others."""
    spread: Array = nodes.reshape((1,) * before + nodes.shape)
    return spread
