"""Rounds of self-training, generator <- trained model, in the linear setting (THEORY §7).

Each round draws fresh points, labels them with g, keeps what the fixed verifier v confirms, and trains w, the
next g. With d -> inf the data depend on g through cos(g, mu) and cos(g, v) alone, so a round is a map F of the
plane: the projection of the unit vector g on span(mu, v), a point of the unit disc, becomes that of w/||w||.
"""

from typing import Any, NamedTuple

from theory._check import check_alpha, curation_of, require_x64
from theory.arrays import Array, compiled, dot, of, quiet, unlisted
from theory.errors import InputError
from theory.geometry import rates as rates_of_cosines
from theory.laws import HalfPlane, Law, Wedge
from theory.losses import LOSSES
from theory.settings import check_problem
from theory.solvers import reached
from theory.threshold import kept_rate, p_star, purity
from theory.types import Cosines, Problem, Rates, Scalar


class Trajectory(NamedTuple):
    """Rounds 0, 1, ..., on the first axis; round 0 is the given generator. NaN from a failed training on."""

    cos_generator: Scalar
    cos_between: Scalar
    accuracy: Scalar
    """Of the generator of this round: 1 - p."""
    p: Scalar
    phi: Scalar
    """P(kept | correct) of what this generator labels; 1 without verification, as psi."""
    psi: Scalar
    p_star: Scalar
    purity: Scalar
    kept_rate: Scalar
    converged: Scalar
    """Whether every training up to this round was solved."""


def step(problem: Problem, alpha: Scalar, loss: str = "squared", verified: bool = True) -> Cosines:
    """Cosines of the next generator: w trained on what v kept of what g labelled.

        cos(w, mu) = a_mu/N,   cos(w, v) = a.v/N,   N = sqrt(||a||^2 + tau^2)

    Args:
        problem: a linear problem; fields broadcast against each other and against alpha.
        alpha: n/d of the fresh points, in (0, inf).
        loss: "squared" (closed form) or another key of `theory.losses.LOSSES` (`theory.engine`).
        verified: False keeps every point, as v = g would; cos(w, v) is still that with the given v.

    Returns:
        `Cosines` of the broadcast shape; NaN where the training was not solved.

    Raises:
        ValueError: an argument outside its range, an unknown loss. TypeError: a curation that is not `Cosines`.
        RuntimeError: arguments of JAX in float32.

    Source: THEORY §7; checked against simulation.
    """
    shape, cells = flatten(problem, alpha, loss)
    xp: Any = of(*cells)
    return Cosines(*(xp.reshape(field, shape) for field in train(cells, loss, verified)))


def trajectory(
    problem: Problem, alpha: Scalar, rounds: int, loss: str = "squared", verified: bool = True
) -> Trajectory:
    """Rounds 0 to ``rounds`` of `step`; fields of shape (rounds + 1, ...).

    Args, Raises: as `step`; rounds >= 0.
    """
    if rounds < 0:
        raise InputError(f"rounds = {rounds} is negative; it counts trainings")
    shape, cells = flatten(problem, alpha, loss)
    advance = lambda cosines: train(cells._replace(cosines=cosines), loss, verified)
    xp: Any = of(*cells)
    described = _described(cells.signal, xp.iterates(advance, cells.cosines, rounds), verified)
    return Trajectory(*(xp.reshape(field, (rounds + 1, *shape)) for field in described))


class Cells(NamedTuple):
    """Fields of shape (cells,)."""

    signal: Array
    ridge: Array
    alpha: Array
    cosines: Cosines


def flatten(problem: Problem, alpha: Array, loss: str) -> tuple[tuple[int, ...], Cells]:
    """Broadcast shape and flat fields, after the refusals."""
    require_x64(problem, alpha)
    curation_of(problem, "linear")
    check_problem(problem)
    check_alpha(alpha)
    if loss not in LOSSES:
        raise InputError(f"loss = {loss!r} is unknown; choose one of {', '.join(LOSSES)}")
    fields = unlisted((problem.signal, problem.ridge, alpha, *problem.curation))
    xp: Any = of(*fields)
    full = xp.broadcast_arrays(*(xp.asarray(field, float) for field in fields))
    signal, ridge, alpha, *cosines = (field.ravel() for field in full)
    return full[0].shape, Cells(signal, ridge, alpha, Cosines(*cosines))


@compiled("verified")
@quiet
def _described(signal: Array, cosines: Cosines, verified: bool) -> Trajectory:
    """What follows from the cosines of all rounds, round on the first axis; phi = psi = 1 without verification."""
    xp = of(signal, cosines)
    solved = xp.isfinite(cosines.cos_generator)
    known = Cosines(*(xp.where(solved, cosine, 0.0) for cosine in cosines))
    p = xp.ndtr(-signal * known.cos_generator)
    ones = xp.ones_like(p)
    rates = rates_of_cosines(signal, known) if verified else Rates(p, ones, ones)
    numbers = (
        *(known.cos_generator, known.cos_between, xp.ndtr(signal * known.cos_generator), *rates),
        *(p_star(rates), purity(rates), kept_rate(rates)),
    )
    return Trajectory(*[*(xp.where(solved, number, xp.nan) for number in numbers), solved])


@compiled("loss", "verified")
@quiet
def train(cells: Cells, loss: str, verified: bool) -> Cosines:
    """`step` for flat fields."""
    wedge = Wedge(cells.signal, *cells.cosines, margin=0 * cells.signal)
    every = of(*cells).ones_like(cells.signal)
    law: Law = wedge if verified else HalfPlane(cells.signal, cells.cosines.cos_generator, every, every)
    delta = cells.alpha * (wedge.kept_rate() if verified else 1.0)
    found = reached(loss, law, delta, cells.ridge)
    _, v = wedge.axes()
    along = dot(found.a, v[..., : law.dimension])
    return Cosines(found.a[..., 0] / found.norm(), cells.cosines.cos_verifier, along / found.norm())
