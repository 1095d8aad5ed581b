"""Where rounds of self-training end: generators that reproduce themselves, and whether rounds return to them.

Solutions of F(u) = u, F the map of a round (`theory.rounds`), u the projection of g on span(mu, v).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from theory._check import check_alpha, curation_of, in_range
from theory.arrays import of, quiet
from theory.errors import InputError
from theory.ridge import theta_of
from theory.roots import roots
from theory.rounds import Cells, flatten, train
from theory.solvers import work
from theory.types import Cosines, Problem, Scalar

TOLERANCE = 1e-9
"""Largest |F(u) - u| of a fixed point that is reported."""
_TARGET = 1e-13
_STEPS = 60
MOST_WORK = 5e7
"""Of one search, in the units of `theory.solvers.work`: sixty-four starts usually take a third of it."""
_DIFFERENCE = 3e-4
"""Of central differences of fourth order: their error is of order 1e-12, as that of rounding."""
_SAME = 1e-6
_ALIGNED = 1e-12


class FixedPoints(NamedTuple):
    """Generators that reproduce themselves, by rising accuracy; arrays of shape (count,)."""

    cos_generator: np.ndarray
    cos_between: np.ndarray
    accuracy: np.ndarray
    radius: np.ndarray
    """Spectral radius of the Jacobian of F: the factor by which a round shrinks a small deviation."""
    stable: np.ndarray
    """radius < 1."""
    residual: np.ndarray
    """|F(u) - u|, largest component, at most TOLERANCE."""
    complete: bool
    """Whether the indices sign det(I - DF) sum to 1, as those of all fixed points must. False: some are missed."""


def fixed_points(
    problem: Problem, alpha: float, loss: str = "squared", verified: bool = True, starts: int = 64
) -> FixedPoints:
    """All generators g with F(g) = g, and whether rounds return to them after a small deviation.

    Newton on F(u) - u from ``starts`` points spread over the disc; one representative of each solution. F maps
    the closed disc into its interior, so the indices of its fixed points sum to 1 (Lefschetz): ``complete`` says
    whether those found do. ``problem.curation.cos_generator`` and ``cos_between`` are not used.

    Args, Raises: as `step`, scalars only. ridge > 0, or the map may be undefined where little is kept.

    Returns:
        `FixedPoints`; empty and ``complete`` False where none was found, and ``complete`` False where `MOST_WORK` did
        not do for all starts. Not for use under jit.
    """
    curation_of(problem, "linear")
    if any(np.ndim(field) for field in (problem.signal, problem.ridge, alpha, *problem.curation)):
        raise InputError("fixed_points takes scalars, as their number differs between problems; loop over them")
    in_range("starts", starts, 1, np.inf, remedy="it counts starting points")
    cos_v = float(np.clip(problem.curation.cos_verifier, _ALIGNED - 1, 1 - _ALIGNED))  # v = mu: any plane will do
    problem = problem._replace(curation=Cosines(0.0, cos_v, 0.0))
    _, cells = flatten(problem, alpha, loss)
    flow = _Flow(cells, loss, verified)
    with work.allowance(MOST_WORK):
        end = roots(flow.gap, _spread(starts), target=_TARGET, evaluations=_STEPS)
        which = _distinct(end.u, end.norm)
        u, residual = end.u[which], end.norm[which]
        cut = work.gone()
    slopes = flow.slopes(u)
    radius = np.max(np.abs(np.linalg.eigvals(slopes)), axis=-1, initial=0.0)
    complete = not cut and int(np.sum(np.sign(np.linalg.det(np.eye(2) - slopes)))) == 1
    cos_b = cos_v * u[:, 0] + np.sqrt((1 - cos_v) * (1 + cos_v)) * u[:, 1]
    accuracy = np.asarray(ndtr(problem.signal * u[:, 0]))
    return FixedPoints(u[:, 0], cos_b, accuracy, radius, radius < 1, residual, complete)


def retention(signal: Scalar, alpha: Scalar, ridge: Scalar) -> Scalar:
    """Factor by which a round without verification multiplies a small cos(g, mu), squared loss: F'(0).

        F'(0) = b (1 + r^2) / ((1 + r^2 + L) N),   b = sqrt(2/pi),   L = lambda (1 + theta)
        N^2 = b^2/(1 + L)^2 + tau^2,   tau^2 (alpha (1 + L)^2 - 1) = 1 - 2 b^2/(1 + L) + b^2/(1 + L)^2

    Below 1, a poor generator forgets what it knew. lambda -> 0 (least squares) is below 1 at every alpha:
    F'(0)^2 = b^2/(b^2 + (1 - b^2)/(alpha - 1)). lambda -> inf exceeds 1 iff 2 r^2 (2 + r^2) alpha > pi.

    Raises ValueError for arguments outside their ranges. Source: linearisation of THEORY §7 (ours).
    """
    in_range("signal", signal, 0, np.inf, open_low=True, remedy="signal is ||mu||")
    in_range("ridge", ridge, 0, np.inf, open_low=True, remedy="see the docstring for ridge -> 0")
    check_alpha(alpha)
    xp = of(signal, alpha, ridge)
    total = 1 + xp.asarray(signal, float) ** 2
    shrink = 1 + ridge * (1 + theta_of(alpha, ridge))
    b2 = 2 / np.pi
    tau2 = (1 - 2 * b2 / shrink + b2 / shrink**2) / (alpha * shrink**2 - 1)
    return xp.sqrt(b2 / (b2 / shrink**2 + tau2)) * total / (total + shrink - 1)


def _spread(starts: int) -> np.ndarray:
    """Points of the disc, evenly by area; the first is the origin, which is fixed without verification."""
    rank = np.arange(starts)
    turn, reach = np.pi * (3 - np.sqrt(5.0)) * rank, 0.98 * np.sqrt(rank / starts)
    return reach[:, None] * np.stack([np.cos(turn), np.sin(turn)], -1)


class _Flow(NamedTuple):
    """F, the map of a round, for the one problem of ``cell``."""

    cell: Cells
    loss: str
    verified: bool

    def after(self, u: np.ndarray) -> np.ndarray:
        """F at points u of the disc, shape (points, 2)."""
        fields = (np.broadcast_to(field, len(u)) for field in (*self.cell[:3], self.cell.curation.cos_verifier))
        signal, ridge, alpha, cos_v = fields
        sine = np.sqrt((1 - cos_v) * (1 + cos_v))
        cosines = Cosines(u[:, 0], cos_v, cos_v * u[:, 0] + sine * u[:, 1])
        found = train(Cells(signal, ridge, alpha, cosines), self.loss, self.verified)
        return np.stack([found.cos_generator, (found.cos_between - cos_v * found.cos_generator) / sine], -1)

    @quiet
    def gap(self, u: np.ndarray, which: np.ndarray) -> np.ndarray:
        """F(u) - u within the disc, NaN outside."""
        inside = np.sum(u**2, -1, keepdims=True) < 1
        return np.where(inside, self.after(np.where(inside, u, 0.0)) - u, np.nan)

    def slopes(self, u: np.ndarray) -> np.ndarray:
        """DF at points u, shape (points, 2, 2)."""
        room = np.minimum(_DIFFERENCE, (1 - np.sqrt(np.sum(u**2, -1, keepdims=True))) / 4)
        moved = lambda axis, steps: self.after(u + steps * room * np.eye(2)[axis])
        columns = (8 * (moved(i, 1) - moved(i, -1)) - (moved(i, 2) - moved(i, -2)) for i in (0, 1))
        return np.stack([column / (12 * room) for column in columns], -1)


def _distinct(u: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """The best of each group of solutions closer than _SAME, ordered by cos(g, mu)."""
    chosen: list[int] = []
    for i in np.argsort(residual):
        if residual[i] <= TOLERANCE and all(np.max(np.abs(u[i] - u[j])) > _SAME for j in chosen):
            chosen.append(int(i))
    return np.array(sorted(chosen, key=lambda i: u[i, 0]), int)
