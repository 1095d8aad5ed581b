"""Whether kept data can be separated, so that a loss has no minimum without a penalty (THEORY §4)."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from scipy.optimize import minimize

from theory import settings, status
from theory.laws import Law, support
from theory.quadrature import midpoints
from theory.types import Problem, Scalar

NODES = 2048
"""Of the expectations that tell whether kept data are separable."""


def refined(codes: Scalar, problem: Problem, alpha: Scalar, loss: str) -> Scalar:
    """The codes with `theory.status.SEPARABLE` where that is why a loss without a minimum at ridge = 0 has no solution.

    Concrete values only; under ``jit`` the codes are returned as they are.
    """
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((codes, problem, alpha))):
        return codes
    failed = (np.asarray(codes) >= status.COPLANAR) & (np.broadcast_to(np.asarray(problem.ridge), np.shape(codes)) == 0)
    if loss == "squared" or not failed.any():
        return codes
    law, kept = settings.of(problem.curation).law(problem.signal, problem.curation)
    leaves, shape = jax.tree.flatten(law)
    *leaves, delta = (np.broadcast_to(np.asarray(leaf), np.shape(codes))[failed] for leaf in (*leaves, alpha * kept))
    found = np.array(codes)
    cells = [jax.tree.unflatten(shape, cell) for cell in zip(*leaves, strict=True)]
    separable = [cell.traits.separable or m < 1 / _separability(cell) for cell, m in zip(cells, delta, strict=True)]
    found[failed] = np.where(separable, status.SEPARABLE, found[failed])
    return found


def _separability(law: Law) -> float:
    """min over a of E[min(0, a.c + h)^2]: kept data are separable where n/d times the kept rate is below its inverse.

    Source: candes2020phase, for any law of the low-dimensional part; 1/2 where labels are pure chance (Cover).
    """
    law = jax.tree.map(jnp.asarray, law)
    found = minimize(lambda a: tuple(map(np.asarray, _slope(law, jnp.asarray(a)))), np.zeros(law.dimension), jac=True)
    return float(found.fun)


@jax.jit
def _slope(law: Law, a: Array) -> tuple[Array, Array]:
    """`_deficit` and its gradient in a."""
    return jax.value_and_grad(_deficit, argnums=1)(law, a)


def _deficit(law: Law, a: Array) -> Array:
    """E[min(0, x)^2], x = a.c + h."""
    one = jnp.ones(())
    low, _ = support(law, a, one)
    x, step = midpoints(low, jnp.zeros(()), NODES)
    return jnp.sum(x**2 * law.project(x, a, one).density) * step
