"""Numbers: the equations of all cells of a table at once, in NumPy; nothing is compiled.

The search from the solution of a resembling parabola succeeds on almost every cell; the others follow the path of
solutions down in lambda from the averaging classifier. Equations are evaluated in blocks, on all cores; what a cell
gives depends neither on the others nor on the block.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from theory.arrays import fields_of, quiet, with_fields
from theory.equations import LEAST_RIDGE, State, averaging, equations, first_ridge, found, guess
from theory.laws import Law
from theory.losses import Loss
from theory.roots import Residuals, roots

BLOCK = 65_536
"""Nodes, of all cells together, of one evaluation. With fewer threads wait for each other; no cache holds more."""
COARSER = 3
"""What part of the law's nodes the first part of a search takes."""
NEAR = 1e-6
"""Residual norm at which its second part begins."""
_TARGET = 1e-11
_EVALUATIONS = 60
_STRIDES = 120

_roots: Callable = partial(roots, target=_TARGET, longest=1.5)


class Cells(NamedTuple):
    """Fields of shape (cells,)."""

    law: Law
    delta: np.ndarray
    ridge: np.ndarray

    def at(self, which: np.ndarray | slice) -> "Cells":
        """Some of them."""
        law: Law = with_fields(self.law, [field[which] for field in fields_of(self.law)])
        return Cells(law, self.delta[which], self.ridge[which])


@quiet
def states(loss: Loss, law: Law, delta: np.ndarray, ridge: np.ndarray) -> State:
    """Solve cells; fields of ``law``, delta and ridge share one axis."""
    cells = Cells(law, delta, ridge)
    u, norm = _direct(cells, loss)
    left = np.flatnonzero(~(norm < 1e-10) & np.isfinite(delta * ridge))
    if left.size:
        again, norm_again = _follow(cells.at(left), loss)
        better = ~(norm_again >= norm[left])
        u[left[better]] = again[better]
    finer = _residuals(cells, loss, 2 * law.traits.nodes)
    return found(u, np.max(np.abs(finer(u, np.arange(len(u)))), -1), law)


def _direct(cells: Cells, loss: Loss) -> tuple[np.ndarray, np.ndarray]:
    """From the parabola's solution; most of the way by a coarse rule, which leads as well and costs less."""
    nodes, start = cells.law.traits.nodes, guess(cells.law, loss, cells.delta, cells.ridge)
    coarse = _residuals(cells, loss, nodes // COARSER)
    near = _roots(coarse, start, target=NEAR, evaluations=_EVALUATIONS, polish=False)
    there = (near.norm < NEAR)[:, None]
    u, slope = np.where(there, near.u, start), np.where(there[..., None], near.slope, np.nan)
    last = _roots(_residuals(cells, loss, nodes), u, slope=slope, evaluations=_EVALUATIONS)
    return last.u, last.norm


def _follow(cells: Cells, loss: Loss) -> tuple[np.ndarray, np.ndarray]:
    """Continuation in log(lambda) from the averaging solution, secant predictor and Newton corrector.

    A stride that does not come back to the path is cut; one that does lets the next grow.
    """
    law, delta, ridge = cells
    log_ridge, goal = first_ridge(ridge), np.log(np.maximum(ridge, LEAST_RIDGE))
    u = averaging(law, loss, delta, np.exp(log_ridge))
    falling = np.where(np.arange(u.shape[1]) < law.dimension, 0.0, -1.0)  # a, tau and theta fall like 1/lambda
    slope, stride, norm = np.tile(falling, (len(u), 1)), np.full(len(u), 0.7), np.full(len(u), np.inf)
    for _ in range(_STRIDES):
        which = np.flatnonzero((log_ridge > goal) & (stride > 1e-4))
        if not which.size:
            break
        onward = np.maximum(log_ridge[which] - stride[which], goal[which])
        moved = (onward - log_ridge[which])[:, None]
        residuals = _residuals(cells.at(which)._replace(ridge=np.exp(onward)), loss, law.traits.nodes)
        end = _roots(residuals, u[which] + moved * slope[which], evaluations=12)
        good = end.norm < 1e-9
        won, lost = which[good], which[~good]
        slope[won] = (end.u[good] - u[won]) / moved[good]
        u[won], norm[won], log_ridge[won] = end.u[good], end.norm[good], onward[good]
        stride[won], stride[lost] = np.minimum(1.5 * stride[won], 2.0), stride[lost] / 3
    arrived = (log_ridge <= goal) & (ridge >= LEAST_RIDGE)
    return u, np.where(arrived, norm, np.inf)


def _residuals(cells: Cells, loss: Loss, nodes: int) -> Residuals:
    """The equations of some cells by a rule of so many nodes, block by block."""
    size = max(1, BLOCK // nodes)

    def evaluate(u: np.ndarray, which: np.ndarray) -> np.ndarray:
        @quiet  # warnings are a thread's own
        def block(start: int) -> np.ndarray:
            part = slice(start, start + size)
            law, delta, ridge = cells.at(which[part])
            values: np.ndarray = equations(u[part], law, loss, delta, ridge, nodes)
            return values

        starts = range(0, len(u), size)
        if not len(u):
            return u
        return np.concatenate(list(map(block, starts) if len(starts) < 2 else _pool().map(block, starts)))

    return evaluate


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a forked process has the pool, and none of its threads
