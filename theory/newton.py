"""Newton's method for a root of a few equations, with a step that shrinks until the residual falls."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

_STUCK = 1e-3
"""Fraction of a Newton step at which no shorter one is tried."""


class _Search(NamedTuple):
    """Best point, its residual norm, the step from it, the fraction of that step to try next."""

    u: Array
    norm: Array
    step: Array
    fraction: Array
    tries: Array


def newton(
    residuals: Callable[[Array], Array], u: Array, *, steps: int, target: float, longest: float = jnp.inf
) -> tuple[Array, Array]:
    """Newton from u, both of shape (k,): best point and its residual norm, max |residuals|.

    Args:
        residuals: (k,) -> (k,); NaN outside its domain, where no step then goes.
        u: first point. steps: evaluations. target: residual norm at which to stop.
        longest: largest component of a step.

    Under vmap each point stops by itself.
    """

    def advance(s: _Search) -> _Search:
        trial = s.u + s.fraction * s.step
        jacobian, value = jax.jacfwd(lambda u: (residuals(u),) * 2, has_aux=True)(trial)
        norm = jnp.max(jnp.abs(value))
        step = jnp.linalg.solve(jacobian, -value)
        step = step * jnp.minimum(1.0, longest / jnp.max(jnp.abs(step)))
        accept = norm < (1 - 0.1 * s.fraction) * s.norm
        keep = lambda new, old: jnp.where(accept, new, old)
        fraction = jnp.where(accept, 1.0, 0.35 * s.fraction)
        return _Search(keep(trial, s.u), keep(norm, s.norm), keep(step, s.step), fraction, s.tries + 1)

    def unfinished(s: _Search) -> Array:
        return (s.norm > target) & (s.tries < steps) & (s.fraction > _STUCK) & jnp.all(jnp.isfinite(s.step))

    start = _Search(u, jnp.asarray(jnp.inf), jnp.zeros_like(u), jnp.asarray(1.0), jnp.asarray(0))
    found = jax.lax.while_loop(unfinished, advance, start)
    return found.u, found.norm
