"""Numbers: the equations of all cells of a table at once, in NumPy; nothing is compiled.

The search from the solution of a resembling parabola succeeds on almost every cell; the others follow the path of
solutions down in lambda from the averaging classifier. Equations are evaluated in blocks, on all cores; what a cell
gives depends neither on the others nor on the block.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from theory import status
from theory.arrays import fields_of, quiet, with_fields
from theory.equations import LEAST_RIDGE, TOLERANCE, State, found
from theory.laws import Law
from theory.laws.kept import Kept
from theory.losses import Loss
from theory.roots import Residuals, roots
from theory.solvers import work
from theory.systems import system

BLOCK = 65_536
"""Nodes, of all cells together, of one evaluation. With fewer threads wait for each other; no cache holds more."""
COARSER = 3
"""What part of the law's nodes the first part of a search takes."""
FINER = 4
"""How many times the law's nodes a cell gets whose solution they did not resolve."""
GROUP = 32
"""Cells that follow a path together where work is counted, so that some of them arrive."""
NEAR = 1e-6
"""Residual norm at which its second part begins."""
_TARGET = 1e-11
_EVALUATIONS = 60
_STRIDES = 120
SMOOTHEST, SHARPEST, RESOLVED = 10.0, 1e-9, np.log(1e3)
"""Smoothing h of a loss at which a path begins, and where it ends; log(sigma/h) from which the last stride is to 0."""

_roots: Callable = partial(roots, target=_TARGET, longest=1.5)


class Cells(NamedTuple):
    """Fields of shape (cells,)."""

    law: Any
    delta: np.ndarray
    ridge: np.ndarray

    def at(self, which: np.ndarray | slice) -> "Cells":
        """Some of them."""
        law = with_fields(self.law, [field[which] for field in fields_of(self.law)])
        return Cells(law, self.delta[which], self.ridge[which])


@quiet
def states(loss: Loss, law: Law | Kept, delta: np.ndarray, ridge: np.ndarray) -> State:
    """Solve cells; fields of ``law``, delta and ridge share one axis."""
    cells = Cells(law, delta, ridge)
    u, norm = _direct(cells, loss)
    for follow in (_down_in_ridge, _down_in_smoothing, _retried):
        left = np.flatnonzero(~(norm < 1e-10) & np.isfinite(delta * ridge))
        if left.size and (follow is not _down_in_smoothing or isinstance(law, Kept)):
            size = GROUP if work.counted() else left.size
            for group in (left[start : start + size] for start in range(0, left.size, size)):
                again, norm_again = follow(cells.at(group), loss)
                better = ~(norm_again >= norm[group])
                u[group[better]], norm[group[better]] = again[better], norm_again[better]
    residual = _checked(cells, loss, u, law.traits.nodes)
    coarse = np.flatnonzero((norm < 1e-10) & ~(residual <= TOLERANCE) & np.isinf(law.traits.resolved))
    if coarse.size:
        part, nodes = cells.at(coarse), FINER * law.traits.nodes
        u[coarse] = _roots(_residuals(part, loss, nodes), u[coarse], evaluations=_EVALUATIONS).u
        residual[coarse] = _checked(part, loss, u[coarse], nodes)
    state = found(u, residual, law)
    if work.gone():  # where a search was cut short, its last point says nothing
        return state._replace(why=np.full_like(state.why, status.NOT_CONVERGED))
    return state


def _checked(cells: Cells, loss: Loss, u: np.ndarray, nodes: int) -> np.ndarray:
    """The largest residual by twice the nodes."""
    residuals = _residuals(cells, loss, 2 * nodes, free=True)
    largest: np.ndarray = np.max(np.abs(residuals(u, np.arange(len(u)))), -1)
    return largest


def _direct(cells: Cells, loss: Loss) -> tuple[np.ndarray, np.ndarray]:
    """From the parabola's solution; most of the way by a coarse rule, which leads as well and costs less."""
    nodes, start = cells.law.traits.nodes, system(cells.law).guess(cells.law, loss, cells.delta, cells.ridge)
    coarse = _residuals(cells, loss, nodes // COARSER)
    near = _roots(coarse, start, target=NEAR, evaluations=_EVALUATIONS, polish=False)
    there = np.flatnonzero(near.norm < NEAR)
    fine, u, norm = _residuals(cells.at(there), loss, nodes), near.u, np.full(len(start), np.inf)
    last = _roots(fine, u[there], slope=near.slope[there], evaluations=_EVALUATIONS)
    u[there], norm[there] = last.u, last.norm
    return u, norm


def _retried(cells: Cells, loss: Loss) -> tuple[np.ndarray, np.ndarray]:
    """From the parabola's solution by the law's own rule, where nothing else has led anywhere."""
    start = system(cells.law).guess(cells.law, loss, cells.delta, cells.ridge)
    last = _roots(_residuals(cells, loss, cells.law.traits.nodes), start, evaluations=_EVALUATIONS)
    return last.u, last.norm


def _down_in_ridge(cells: Cells, loss: Loss) -> tuple[np.ndarray, np.ndarray]:
    """Continuation in log(lambda) from the averaging solution, by a coarse rule; by the law's own where that fails."""
    u, norm = _path_in_ridge(cells, loss, cells.law.traits.nodes // COARSER)
    last = _roots(_residuals(cells, loss, cells.law.traits.nodes), u, evaluations=_EVALUATIONS)
    u, norm = last.u, np.where(norm < 1e-9, last.norm, np.inf)
    left = np.flatnonzero(~(norm < 1e-10))
    if left.size:
        u[left], norm[left] = _path_in_ridge(cells.at(left), loss, cells.law.traits.nodes)
    return u, norm


def _path_in_ridge(cells: Cells, loss: Loss, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """`_down_in_ridge` by a rule of so many nodes."""
    law, delta, ridge = cells
    first, goal = system(law).first_ridge(law, ridge), np.log(np.maximum(ridge, LEAST_RIDGE))
    u = system(law).averaging(law, loss, delta, np.exp(first))
    falling = np.where(np.arange(u.shape[1]) < law.dimension, 0.0, -1.0)  # a, tau and theta fall like 1/lambda
    path = lambda part, log_ridge: part._replace(ridge=np.exp(log_ridge))
    u, norm, position, _ = _follow(cells, loss, path, Path(u, first, goal, np.tile(falling, (len(u), 1))), nodes=nodes)
    return u, np.where((position <= goal) & (ridge >= LEAST_RIDGE), norm, np.inf)


def _down_in_smoothing(cells: Cells, loss: Loss) -> tuple[np.ndarray, np.ndarray]:
    """Continuation in log(h) from a smooth loss to the one that is given.

    Where all scores but the offset fall with h, as far as one looks, nothing is left of them at h = 0: sigma is then 0.
    """
    smooth = lambda part, log_h: part._replace(law=part.law._replace(smoothing=np.exp(log_h)))
    count, nodes = len(cells.delta), cells.law.traits.nodes
    first, goal = np.full(count, np.log(SMOOTHEST)), np.full(count, np.log(SHARPEST))
    plus = cells.law.shares[:, 0] + cells.law.shares[:, 3]
    anchored = cells._replace(law=cells.law._replace(anchor=np.where(plus > 0.5, 1.0, -1.0)))
    u, norm = _from_guess_or_ridge(smooth(anchored, first), loss)
    path = Path(u, first, goal, np.zeros_like(u))
    u, _, position, slope = _follow(anchored, loss, smooth, path, _sharp, tolerance=1e-7)
    last = _roots(_residuals(anchored, loss, nodes), u, evaluations=_EVALUATIONS)
    begun, solved = norm < 1e-9, last.norm < 1e-9
    kinked = abs(loss.slope(np.array(1 + 1e-9)) - loss.slope(np.array(1 - 1e-9))) > 0.5  # else w = 0 is no minimum
    gone = begun & ~solved & kinked & _vanishing(u, position, slope)
    u = last.u
    if cells.law.dimension == 2:
        u[:, 1] = np.arcsinh(anchored.law.anchor / np.exp(u[:, -2]) + np.sinh(u[:, 1]))
    u[gone, -2] = -np.inf
    return u, np.where(gone, 0.0, np.where(begun, last.norm, np.inf))


def _from_guess_or_ridge(cells: Cells, loss: Loss) -> tuple[np.ndarray, np.ndarray]:
    """From a resembling parabola, and where that does not do, down in lambda."""
    start = system(cells.law).guess(cells.law, loss, cells.delta, cells.ridge)
    found = _roots(_residuals(cells, loss, cells.law.traits.nodes), start, evaluations=_EVALUATIONS)
    left = np.flatnonzero(~(found.norm < 1e-9))
    if left.size:
        found.u[left], found.norm[left] = _down_in_ridge(cells.at(left), loss)
    return found.u, found.norm


def _sharp(u: np.ndarray, position: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Whether nothing more is to be learned from a smaller h: it is small beside the scores' spread, or they vanish."""
    return (u[:, -2] - position > RESOLVED) | _vanishing(u, position, slope)


def _vanishing(u: np.ndarray, position: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Whether sigma and theta fall like h, while both are small."""
    falling = np.abs(slope[:, -2:] - 1).max(-1) < 0.02
    return falling & (u[:, -2] < np.log(1e-2)) & (position < np.log(1e-2))


class Path(NamedTuple):
    """Where a path of solutions begins, for every cell: position, end, and du/dposition."""

    u: np.ndarray
    position: np.ndarray
    goal: np.ndarray
    slope: np.ndarray


def _follow(
    cells: Cells,
    loss: Loss,
    along: Callable[[Cells, np.ndarray], Cells],
    path: Path,
    ended: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray] | None = None,
    tolerance: float = 1e-9,
    nodes: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Secant predictor and Newton corrector from position to goal, downwards: where it ends, and its residual norm.

    A stride that does not come back to the path is cut; one that does lets the next grow. ``ended``: (u, position,
    slope) -> what need not go on.
    """
    (u, position, goal, slope), nodes = path, nodes or cells.law.traits.nodes
    stride, norm = np.full(len(u), 0.7), np.full(len(u), np.inf)
    bend = np.full((*u.shape, u.shape[1]), np.nan)  # Jacobians, where they are known
    for _ in range(_STRIDES):
        underway = (position > goal) & (stride > 1e-4)
        which = np.flatnonzero(underway if ended is None else underway & ~ended(u, position, slope))
        if not which.size:
            break
        onward = np.maximum(position[which] - stride[which], goal[which])
        moved = (onward - position[which])[:, None]
        residuals = _residuals(along(cells.at(which), onward), loss, nodes)
        end = _roots(residuals, u[which] + moved * slope[which], slope=bend[which], evaluations=12)
        good = end.norm < tolerance
        won, lost = which[good], which[~good]
        bend[won], bend[lost] = end.slope[good], np.nan
        slope[won] = (end.u[good] - u[won]) / moved[good]
        u[won], norm[won], position[won] = end.u[good], end.norm[good], onward[good]
        stride[won], stride[lost] = np.minimum(1.5 * stride[won], 2.0), stride[lost] / 3
    return u, norm, position, slope


def _residuals(cells: Cells, loss: Loss, nodes: int, free: bool = False) -> Residuals:
    """The equations of some cells by a rule of so many nodes, block by block; NaN where no work is left for them."""
    size, cost = max(1, BLOCK // nodes), 0 if free else nodes * len(fields_of(cells.law))

    def evaluate(u: np.ndarray, which: np.ndarray) -> np.ndarray:
        @quiet  # warnings are a thread's own
        def block(start: int) -> np.ndarray:
            part = slice(start, start + size)
            law, delta, ridge = cells.at(which[part])
            values: np.ndarray = system(law).equations(u[part], law, loss, delta, ridge, nodes)
            return values

        starts = range(0, len(u), size)
        if not len(u):
            return u
        if cost and not work.spend(cost * len(u)):
            return np.full_like(u, np.nan)
        return np.concatenate(list(map(block, starts) if len(starts) < 2 else _pool().map(block, starts)))

    return evaluate


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a forked process has the pool, and none of its threads
