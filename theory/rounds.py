"""Rounds of self-training, generator <- trained model, in the settings linear and learned (THEORY §7, §11).

Each round draws fresh points, labels them with g, keeps what the fixed verifier confirms, and trains w, the next g.
With d -> inf the data depend on g through few cosines, so that a round is a map. Linear, verifier v: through cos(g, mu)
and cos(g, v), a map F of the plane: the projection of the unit vector g on span(mu, v), a point of the unit disc,
becomes that of w/||w||. Learned, a verifier that judges answers by (phi, psi): through cos(g, mu) alone.
"""

from typing import Any, NamedTuple

from theory import settings
from theory._check import check_alpha, require_x64
from theory.arrays import Array, compiled, dot, fields_of, of, quiet, unlisted, with_fields
from theory.errors import InputError, KindError
from theory.laws import HalfPlane, Law
from theory.losses import LOSSES
from theory.solvers import reached
from theory.threshold import kept_rate, p_star, purity
from theory.types import Cosines, Problem, Rates, Scalar


class Trajectory(NamedTuple):
    """Rounds 0, 1, ..., on the first axis; round 0 is the given generator. NaN from a failed training on."""

    cos_generator: Scalar
    cos_between: Scalar
    """cos(g, v); NaN in the setting learned, whose verifier has no direction."""
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


def step(problem: Problem, alpha: Scalar, loss: str = "squared", verified: bool = True) -> Any:
    """The curation of the next round: its generator is w, trained on what the verifier kept of what g labelled.

        cos(w, mu) = a_mu/N,   cos(w, v) = a.v/N (linear),   N = sqrt(||a||^2 + tau^2)

    Args:
        problem: with `Cosines` or `Learned`; fields broadcast against each other and against alpha.
        alpha: n/d of the fresh points, in (0, inf).
        loss: "squared" (closed form) or another key of `theory.losses.LOSSES` (`theory.engine`).
        verified: False keeps every point, as v = g or phi = psi = 1 would; cos(w, v) is still that with the given v.

    Returns:
        `Cosines` or `Learned`, as given, of the broadcast shape; cosines NaN where the training was not solved.

    Raises:
        ValueError: an argument outside its range, an unknown loss. TypeError: a curation of another setting.
        RuntimeError: arguments of JAX in float32.

    Source: THEORY §7, §11; checked against simulation.
    """
    shape, cells = flatten(problem, alpha, loss)
    xp: Any = of(*cells)
    return type(problem.curation)(*(xp.reshape(field, shape) for field in train(cells, loss, verified)))


def trajectory(
    problem: Problem, alpha: Scalar, rounds: int, loss: str = "squared", verified: bool = True
) -> Trajectory:
    """Rounds 0 to ``rounds`` of `step`; fields of shape (rounds + 1, ...).

    Args, Raises: as `step`; rounds >= 0.
    """
    if rounds < 0:
        raise InputError(f"rounds = {rounds} is negative; it counts trainings")
    shape, cells = flatten(problem, alpha, loss)
    advance = lambda curation: train(cells._replace(curation=curation), loss, verified)
    xp: Any = of(*cells)
    described = _described(cells.signal, xp.iterates(advance, cells.curation, rounds), verified)
    return Trajectory(*(xp.reshape(field, (rounds + 1, *shape)) for field in described))


class Cells(NamedTuple):
    """Fields of shape (cells,)."""

    signal: Array
    ridge: Array
    alpha: Array
    curation: Any
    """`Cosines` or `Learned`; the generator is that of the round."""


def flatten(problem: Problem, alpha: Array, loss: str) -> tuple[tuple[int, ...], Cells]:
    """Broadcast shape and flat fields, after the refusals."""
    require_x64(problem, alpha)
    if getattr(problem.curation, "setting", "") not in ("linear", "learned"):
        given = type(problem.curation).__name__
        raise KindError(f"rounds are for the settings linear and learned (Cosines, Learned), not for {given}")
    settings.check_problem(problem)
    check_alpha(alpha)
    if loss not in LOSSES:
        raise InputError(f"loss = {loss!r} is unknown; choose one of {', '.join(LOSSES)}")
    fields = unlisted((problem.signal, problem.ridge, alpha, *problem.curation))
    xp: Any = of(*fields)
    full = xp.broadcast_arrays(*(xp.asarray(field, float) for field in fields))
    signal, ridge, alpha, *curation = (field.ravel() for field in full)
    return full[0].shape, Cells(signal, ridge, alpha, type(problem.curation)(*curation))


@compiled("verified")
@quiet
def _described(signal: Array, curation: Any, verified: bool) -> Trajectory:
    """What follows from the generators of all rounds, round on the first axis; phi = psi = 1 without verification."""
    xp = of(signal, curation)
    solved = xp.isfinite(curation.cos_generator)
    signal = xp.broadcast_to(signal, solved.shape)
    known = type(curation)(*(xp.where(solved, field, 0.0) for field in curation))
    p = xp.ndtr(-signal * known.cos_generator)
    every = xp.ones_like(p)
    rates = settings.of(curation).rates(signal, known) if verified else Rates(p, every, every)
    between = known.cos_between if isinstance(known, Cosines) else xp.full(solved.shape, xp.nan)
    numbers = (
        *(known.cos_generator, between, xp.ndtr(signal * known.cos_generator), *rates),
        *(p_star(rates), purity(rates), kept_rate(rates)),
    )
    return Trajectory(*[*(xp.where(solved, number, xp.nan) for number in numbers), solved])


@compiled("loss", "verified")
@quiet
def train(cells: Cells, loss: str, verified: bool) -> Any:
    """`step` for flat fields."""
    xp, signal, curation = of(*cells), cells.signal, cells.curation
    given: Any
    given, kept = settings.of(curation).law(signal, curation)
    law: Law = with_fields(given, [xp.broadcast_to(field, signal.shape) for field in fields_of(given)])
    if not verified:
        every = xp.ones_like(signal)
        law, kept = HalfPlane(signal, curation.cos_generator, every, every), 1.0
    delta = cells.alpha * kept
    found = reached(loss, law, delta, cells.ridge)
    trained = curation._replace(cos_generator=found.a[..., 0] / found.norm())
    if not isinstance(curation, Cosines):
        return trained
    _, v = given.axes()
    return trained._replace(cos_between=dot(found.a, v[..., : law.dimension]) / found.norm())
