"""What JAX traces, on a CPU or a GPU: the same search under ``jit``, ``vmap`` and ``grad``, compiled.

Newton and the path of solutions are one loop, so that the equations and their Jacobian stand once in what is compiled.
Derivatives are those of the solution, not of the search.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from theory.arrays import Array
from theory.equations import LEAST_RIDGE, State, found
from theory.laws import Law
from theory.laws.kept import Kept
from theory.losses import Loss
from theory.systems import system

CHUNK = 64
"""Cells solved side by side; a chunk lasts as long as its slowest cell."""
_TARGET = 1e-11
_NEWTON_STEPS = 40
_PATH_STEPS = 120
_CORRECTOR_STEPS = 8
_LONGEST = 1.5
_STUCK = 1e-3


@partial(jax.jit, static_argnums=0)
def states(loss: Loss, law: Law | Kept, delta: Array, ridge: Array) -> State:
    """Solve a batch of cells; fields of ``law``, delta and ridge share one leading axis. Differentiable."""
    u = _roots(loss, law, delta, ridge)

    def check(u: Array, law: Law | Kept, delta: Array, ridge: Array) -> Array:
        return jnp.max(jnp.abs(system(law).equations(u, law, loss, delta, ridge, 2 * law.traits.nodes)))

    return found(u, _mapped(check, u, law, delta, ridge), law)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _roots(loss: Loss, law: Law | Kept, delta: Array, ridge: Array) -> Array:
    """u for a batch of cells (leading axis): direct Newton, then the path for the cells that it left.

    Both passes are one program, run twice; cells that are done stand together, and cost nothing.
    """
    search = lambda *cell: _search(loss, *cell)

    def again(follow: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
        u, norm = state
        left = ~(norm < 1e-10) & jnp.isfinite(delta * ridge)
        order = jnp.argsort(~left)
        cells = jax.tree.map(lambda field: field[order], (law, delta, ridge, left))
        point, size = jax.tree.map(
            lambda field: jnp.zeros_like(field).at[order].set(field),
            _mapped(search, *cells, jnp.full(len(left), follow == 1)),
        )
        better = left & ~(size >= norm)
        return jnp.where(better[:, None], point, u), jnp.where(better, size, norm)

    start = jax.vmap(lambda *cell: system(law).guess(cell[0], loss, *cell[1:]))(law, delta, ridge)
    return jax.lax.fori_loop(0, 2, again, (start, jnp.full(len(start), jnp.inf)))[0]


class _Search(NamedTuple):
    """Where the search for one cell is."""

    u: Array
    """Best point at this lambda. norm: its residual norm. step: from it. fraction: of the step, to try next."""
    norm: Array
    step: Array
    fraction: Array
    tries: Array
    polished: Array
    """Whether a step was made from where the target was reached, which mostly ends at rounding."""
    log_ridge: Array
    """Of this lambda: the cell's own, where Newton goes there directly."""
    base: Array
    """Last point on the path. at: its log(lambda). slope: du/dlog(lambda) there. stride: to try next."""
    at: Array
    slope: Array
    stride: Array
    strides: Array


def _search(
    loss: Loss, law: Law | Kept, delta: Array, ridge: Array, active: Array, follow: Array
) -> tuple[Array, Array]:
    """One cell: its best point and residual norm. ``follow``: by the path, else directly from the parabola.

    The path is continuation in log(lambda) from the averaging solution, secant predictor and Newton corrector. A
    stride that does not come back to the path is cut; one that does lets the next grow.
    """
    kind = system(law)
    first, goal = kind.first_ridge(law, ridge), jnp.log(jnp.maximum(ridge, LEAST_RIDGE))
    steps = jnp.where(follow, _CORRECTOR_STEPS, _NEWTON_STEPS)

    def searching(s: _Search) -> Array:
        """Whether Newton goes on at this lambda."""
        able = (s.tries < steps) & (s.fraction > _STUCK) & jnp.all(jnp.isfinite(s.step))
        return able & ((s.norm > _TARGET) | ~s.polished)

    def underway(s: _Search) -> Array:
        """Whether the path goes on beyond this lambda, with this stride or a shorter one."""
        ended = (s.log_ridge <= goal) & (s.norm < 1e-9)
        return follow & ~ended & (s.stride > 1e-4) & (s.strides < _PATH_STEPS)

    def newton(s: _Search) -> _Search:
        trial = s.u + s.fraction * s.step
        at_ridge = jnp.where(follow, jnp.exp(s.log_ridge), ridge)
        residuals = lambda u: (kind.equations(u, law, loss, delta, at_ridge, law.traits.nodes),) * 2
        jacobian, value = jax.jacfwd(residuals, has_aux=True)(trial)
        norm, step = jnp.max(jnp.abs(value)), jnp.linalg.solve(jacobian, -value)
        step = step * jnp.minimum(1.0, _LONGEST / jnp.max(jnp.abs(step)))
        accept = norm < (1 - 0.1 * s.fraction) * s.norm
        keep = lambda new, old: jnp.where(accept, new, old)
        fraction = jnp.where(accept, 1.0, 0.35 * s.fraction)
        best = {"u": keep(trial, s.u), "norm": keep(norm, s.norm), "step": keep(step, s.step)}
        return s._replace(**best, fraction=fraction, tries=s.tries + 1, polished=s.norm <= _TARGET)

    def stride(s: _Search) -> _Search:
        """Where Newton has ended: on to the next lambda from here, or back to a nearer one."""
        good = s.norm < 1e-9
        moved = jnp.where(good, s.log_ridge - s.at, 1.0)
        base, at = jnp.where(good, s.u, s.base), jnp.where(good, s.log_ridge, s.at)
        slope = jnp.where(good, (s.u - s.base) / moved, s.slope)
        length = jnp.where(good, jnp.minimum(1.5 * s.stride, 2.0), s.stride / 3)
        return toward(s._replace(base=base, at=at, slope=slope, stride=length, strides=s.strides + 1))

    def toward(s: _Search) -> _Search:
        log_ridge = jnp.maximum(s.at - s.stride, goal)
        u = s.base + (log_ridge - s.at) * s.slope
        fresh = {"norm": jnp.inf, "fraction": 1.0, "tries": 0, "polished": False}
        blank = {name: jnp.full_like(getattr(s, name), value) for name, value in fresh.items()}
        return s._replace(u=u, step=jnp.zeros_like(u), log_ridge=log_ridge, **blank)

    def advance(s: _Search) -> _Search:
        s = newton(s)
        onward = ~searching(s) & underway(s)
        return jax.tree.map(lambda new, old: jnp.where(onward, new, old), stride(s), s)

    u = jnp.where(follow, kind.averaging(law, loss, delta, jnp.exp(first)), kind.guess(law, loss, delta, ridge))
    falling = jnp.where(jnp.arange(len(u)) < law.dimension, 0.0, -1.0)  # a, tau and theta fall like 1/lambda
    number = lambda value: jnp.asarray(value, u.dtype)
    nothing = (number(jnp.inf), jnp.zeros_like(u), number(1.0), jnp.asarray(0), jnp.asarray(False))
    start = _Search(u, *nothing, goal, u, first, falling, number(0.7), jnp.asarray(0))
    start = jax.tree.map(lambda new, old: jnp.where(follow, new, old), toward(start), start)
    last = jax.lax.while_loop(lambda s: active & (searching(s) | underway(s)), advance, start)
    arrived = ~follow | ((last.log_ridge <= goal) & (ridge >= LEAST_RIDGE))
    return last.u, jnp.where(active & arrived, last.norm, jnp.inf)


def _mapped(function, *cells):
    """``function`` over the leading axis, CHUNK cells side by side, the last chunk filled up with repetitions."""
    count = jax.tree.leaves(cells)[0].shape[0]
    chunk = max(1, min(CHUNK, count))
    rows = -(-count // chunk)
    fill = lambda field: jnp.resize(field, (rows * chunk, *field.shape[1:]))
    split = lambda field: fill(field).reshape(rows, chunk, *field.shape[1:])
    one_chunk = lambda chunk: jax.vmap(function)(*chunk)
    mapped = jax.lax.map(one_chunk, jax.tree.map(split, cells))
    return jax.tree.map(lambda field: field.reshape(rows * chunk, *field.shape[2:])[:count], mapped)


@_roots.defjvp
def _roots_jvp(loss, primals, tangents):
    """Implicit differentiation: F(u, parameters) = 0 gives du = -(dF/du)^-1 dF."""
    u = _roots(loss, *primals)

    def one(u, cell, moved):
        def residuals(u: Array, law: Law | Kept, delta: Array, ridge: Array) -> Array:
            return system(law).equations(u, law, loss, delta, ridge, law.traits.nodes)

        force = lambda *cell: residuals(u, *cell)
        by_u = jax.jacfwd(residuals)(u, *cell)
        return -jnp.linalg.solve(by_u, jax.jvp(force, cell, moved)[1])

    return u, jax.vmap(one)(u, primals, tangents)
