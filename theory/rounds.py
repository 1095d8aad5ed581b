"""Rounds of self-training, generator <- trained model, in the linear setting (THEORY §7).

Each round draws fresh points, labels them with g, keeps what the fixed verifier v confirms, and trains w, the
next g. With d -> inf the data depend on g through cos(g, mu) and cos(g, v) alone, so a round is a map F of the
plane: the projection of the unit vector g on span(mu, v), a point of the unit disc, becomes that of w/||w||.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jax.scipy.stats.norm import pdf
from jaxtyping import Array

from theory._check import check_alpha, in_range, require_x64
from theory.engine import parabolas, states
from theory.errors import InputError
from theory.geometry import rates as rates_of_cosines
from theory.laws import Law, Projection, Wedge
from theory.losses import LOSSES
from theory.settings import check_problem, curation_of
from theory.threshold import kept_rate, p_star, purity
from theory.types import Cosines, Problem, Rates, Scalar

TOLERANCE = 1e-9
"""Largest |F(u) - u| of a fixed point that is reported."""
_TARGET = 1e-13
_STEPS = 40
_SAME = 1e-6
_ALIGNED = 1e-12


class Everything(NamedTuple):
    """Law without verification: c = s r e_1 + N(0, I_2), s = +-1 equally likely, truncated to g.c > 0.

    That is u = y'x of every point, c in span(mu, g), g = (cos, sin). The limit v = g of `theory.laws.Wedge`.
    """

    signal: Array
    cos_generator: Array

    @property
    def dimension(self) -> int:
        """k = 2: the span of mu and g."""
        return 2

    @property
    def nodes(self) -> int:
        """The edge at g.c = 0 bends the density of x, as the wedge's does."""
        return 256

    @property
    def resolved(self) -> float:
        """As that of the wedge."""
        return 15.0

    def axis(self) -> Array:
        """g."""
        return jnp.stack([self.cos_generator, jnp.sqrt(jnp.maximum(1 - self.cos_generator**2, 0.0))])

    def moments(self) -> tuple[Array, Array]:
        """b = (2 Phi(h) - 1) r e_1 + 2 phi(h) g, h = r cos(g, mu); C = I + r^2 e_1 e_1^T as u u^T = x x^T."""
        h, mean = self.signal * self.cos_generator, jnp.eye(2)[0]
        b = (2 * ndtr(h) - 1) * self.signal * mean + 2 * pdf(h) * self.axis()
        return b, jnp.eye(2) + self.signal**2 * jnp.outer(mean, mean)

    def project(self, x: Array, a: Array, tau: Array) -> Projection:
        """As `theory.laws.Wedge.project`, with the half-plane's mass Phi(h) in place of the wedge's."""
        g, n = self.axis(), len(x)
        variance = a @ a + tau**2
        across = a - g * (g @ a)
        spread = jnp.sqrt((tau**2 + across @ across) / variance)
        shift = self.signal * jnp.concatenate([jnp.ones(n), -jnp.ones(n)])
        excess = (jnp.concatenate([x, x]) - a[0] * shift) / variance
        h = (g[0] * shift + (g @ a) * excess) / spread
        share = jnp.exp(-variance * excess**2 / 2) / jnp.sqrt(2 * jnp.pi * variance)
        fold = lambda both: both[:n] + both[n:]
        parts = (ndtr(h) * shift, ndtr(h) * excess, pdf(h) / spread)
        basis = (jnp.eye(2)[0], a, g - a * (g @ a) / variance)
        return Projection(fold(share * ndtr(h)), tuple(fold(share * part) for part in parts), basis)


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
        RuntimeError: JAX is in float32.

    Source: THEORY §7; checked against simulation.
    """
    shape, cells = _cells(problem, alpha, loss)
    return jax.tree.map(lambda field: jnp.reshape(field, shape), _next(cells, loss, verified))


def trajectory(
    problem: Problem, alpha: Scalar, rounds: int, loss: str = "squared", verified: bool = True
) -> Trajectory:
    """Rounds 0 to ``rounds`` of `step`; fields of shape (rounds + 1, ...).

    Args, Raises: as `step`; rounds >= 0.
    """
    if rounds < 0:
        raise InputError(f"rounds = {rounds} is negative; it counts trainings")
    shape, cells = _cells(problem, alpha, loss)
    cosines = _iterate(cells, rounds, loss, verified)
    described = _described(cells.signal, cosines, verified)
    return jax.tree.map(lambda field: jnp.reshape(field, (rounds + 1, *shape)), described)


def fixed_points(
    problem: Problem, alpha: float, loss: str = "squared", verified: bool = True, starts: int = 64
) -> FixedPoints:
    """All generators g with F(g) = g, and whether rounds return to them after a small deviation.

    Newton on F(u) - u from ``starts`` points spread over the disc; one representative of each solution. F maps
    the closed disc into its interior, so the indices of its fixed points sum to 1 (Lefschetz): ``complete`` says
    whether those found do. ``problem.curation.cos_generator`` and ``cos_between`` are not used.

    Args, Raises: as `step`, scalars only. ridge > 0, or the map may be undefined where little is kept.

    Returns:
        `FixedPoints`; empty and ``complete`` False where none was found. Not for use under jit.
    """
    require_x64()
    curation_of(problem, "linear")
    if any(np.ndim(field) for field in (problem.signal, problem.ridge, alpha, *problem.curation)):
        raise InputError("fixed_points takes scalars, as their number differs between problems; loop over them")
    in_range("starts", starts, 1, np.inf, remedy="it counts starting points")
    cos_v = float(
        np.clip(problem.curation.cos_verifier, _ALIGNED - 1, 1 - _ALIGNED)
    )  # v = mu: the plane of v is arbitrary
    problem = problem._replace(curation=Cosines(0.0, cos_v, 0.0))
    _, cells = _cells(problem, alpha, loss)
    u, residual, slopes = (np.asarray(field) for field in _search(cells, loss, verified, starts))
    which = _distinct(u, residual)
    u, residual, slopes = u[which], residual[which], slopes[which]
    radius = np.max(np.abs(np.linalg.eigvals(slopes)), axis=-1, initial=0.0)
    complete = int(np.sum(np.sign(np.linalg.det(np.eye(2) - slopes)))) == 1
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
    require_x64()
    in_range("signal", signal, 0, np.inf, open_low=True, remedy="signal is ||mu||")
    in_range("ridge", ridge, 0, np.inf, open_low=True, remedy="see the docstring for ridge -> 0")
    check_alpha(alpha)
    total = 1 + jnp.asarray(signal, float) ** 2
    linear = alpha + ridge * alpha - 1
    root = jnp.sqrt(linear**2 + 4 * ridge * alpha)
    theta = jnp.where(linear > 0, 2 / (jnp.abs(linear) + root), (root - linear) / (2 * ridge * alpha))
    shrink = 1 + ridge * (1 + theta)
    b2 = 2 / jnp.pi
    tau2 = (1 - 2 * b2 / shrink + b2 / shrink**2) / (alpha * shrink**2 - 1)
    return jnp.sqrt(b2 / (b2 / shrink**2 + tau2)) * total / (total + shrink - 1)


class _Cells(NamedTuple):
    """Fields of shape (cells,)."""

    signal: Array
    ridge: Array
    alpha: Array
    cosines: Cosines


def _cells(problem: Problem, alpha: Array, loss: str) -> tuple[tuple[int, ...], _Cells]:
    """Broadcast shape and flat fields, after the refusals."""
    require_x64()
    curation_of(problem, "linear")
    check_problem(problem)
    check_alpha(alpha)
    if loss not in LOSSES:
        raise InputError(f"loss = {loss!r} is unknown; choose one of {', '.join(LOSSES)}")
    fields = (problem.signal, problem.ridge, alpha, *problem.curation)
    full = jnp.broadcast_arrays(*(jnp.asarray(field, float) for field in fields))
    signal, ridge, alpha, *cosines = (field.ravel() for field in full)
    return full[0].shape, _Cells(signal, ridge, alpha, Cosines(*cosines))


@partial(jax.jit, static_argnames="verified")
def _described(signal: Array, cosines: Cosines, verified: bool) -> Trajectory:
    """What follows from the cosines of all rounds, round on the first axis; phi = psi = 1 without verification."""
    signal, _ = jnp.broadcast_arrays(signal[None], cosines.cos_generator)
    p, ones = ndtr(-signal * cosines.cos_generator), jnp.ones_like(signal)
    rates = rates_of_cosines(signal, cosines) if verified else Rates(p, ones, ones)
    solved = jnp.isfinite(cosines.cos_generator)
    numbers = Trajectory(
        *(cosines.cos_generator, cosines.cos_between, ndtr(signal * cosines.cos_generator), *rates),
        *(p_star(rates), purity(rates), kept_rate(rates), solved),
    )
    return jax.tree.map(lambda field: jnp.where(solved, field, jnp.nan), numbers)._replace(converged=solved)


@partial(jax.jit, static_argnames=("loss", "verified"))
def _next(cells: _Cells, loss: str, verified: bool) -> Cosines:
    """`step` for flat fields."""
    wedge = Wedge(cells.signal, *cells.cosines, margin=jnp.zeros_like(cells.signal))
    law: Law = wedge if verified else Everything(cells.signal, cells.cosines.cos_generator)
    delta = cells.alpha * (wedge.kept_rate() if verified else 1.0)
    found = parabolas(law, delta, cells.ridge) if loss == "squared" else states(LOSSES[loss], law, delta, cells.ridge)
    _, v = jax.vmap(Wedge.axes)(wedge)
    along = jnp.sum(found.a * v[:, : law.dimension], -1)
    return Cosines(found.a[:, 0] / found.norm(), cells.cosines.cos_verifier, along / found.norm())


@partial(jax.jit, static_argnames=("rounds", "loss", "verified"))
def _iterate(cells: _Cells, rounds: int, loss: str, verified: bool) -> Cosines:
    """Cosines of rounds 0..rounds, round on the first axis."""

    def advance(cosines: Cosines, _):
        found = _next(cells._replace(cosines=cosines), loss, verified)
        return found, found

    _, path = jax.lax.scan(advance, cells.cosines, length=rounds)
    return jax.tree.map(lambda start, rows: jnp.concatenate([start[None], rows]), cells.cosines, path)


class _Search(NamedTuple):
    """Newton from many points: best point of each, F(u) - u and DF there, next step and the fraction to take."""

    u: Array
    gap: Array
    slopes: Array
    move: Array
    fraction: Array
    tries: Array


@partial(jax.jit, static_argnames=("loss", "verified", "starts"))
def _search(cell: _Cells, loss: str, verified: bool, starts: int) -> tuple[Array, Array, Array]:
    """Newton on F(u) - u within the unit disc from ``starts`` points: u, residual, DF(u)."""
    cos_v = cell.cosines.cos_verifier
    sine = jnp.sqrt((1 - cos_v) * (1 + cos_v))
    many = jax.tree.map(lambda field: jnp.broadcast_to(field, (starts,)), cell)

    def flow(u: Array) -> Array:
        cosines = Cosines(u[:, 0], many.cosines.cos_verifier, cos_v * u[:, 0] + sine * u[:, 1])
        found = _next(many._replace(cosines=cosines), loss, verified)
        return jnp.stack([found.cos_generator, (found.cos_between - cos_v * found.cos_generator) / sine], -1)

    def advance(s: _Search) -> _Search:
        trial = s.u + s.fraction[:, None] * s.move
        inside = jnp.sum(trial**2, -1) < 1
        trial = jnp.where(inside[:, None], trial, s.u)
        value, push = jax.linearize(flow, trial)
        gap = value - trial
        slopes = jnp.stack([push(jnp.broadcast_to(axis, trial.shape)) for axis in jnp.eye(2)], -1)
        move = jnp.linalg.solve(jnp.eye(2)[None] - slopes, gap[..., None])[..., 0]
        accept = inside & (_size(gap) < (1 - 0.1 * s.fraction) * _size(s.gap))
        keep = lambda new, old: jnp.where(jnp.reshape(accept, (-1,) + (1,) * (new.ndim - 1)), new, old)
        fraction = jnp.where(accept, 1.0, 0.35 * s.fraction)
        new = (keep(trial, s.u), keep(gap, s.gap), keep(slopes, s.slopes), keep(move, s.move))
        return _Search(*new, fraction, s.tries + 1)

    def unfinished(s: _Search):
        return jnp.any((_size(s.gap) > _TARGET) & (s.fraction > 1e-3)) & (s.tries < _STEPS)

    rank = jnp.arange(starts)  # the first is the origin, which is fixed without verification
    turn, reach = jnp.pi * (3 - jnp.sqrt(5.0)) * rank, 0.98 * jnp.sqrt(rank / starts)
    u = reach[:, None] * jnp.stack([jnp.cos(turn), jnp.sin(turn)], -1)
    unknown = jnp.full((starts, 2, 2), jnp.nan)
    start = _Search(u, jnp.full_like(u, jnp.inf), unknown, jnp.zeros_like(u), jnp.ones(starts), jnp.asarray(0))
    found = jax.lax.while_loop(unfinished, advance, start)
    return found.u, _size(found.gap), found.slopes


def _size(gap: Array) -> Array:
    return jnp.max(jnp.abs(gap), -1)


def _distinct(u: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """The best of each group of solutions closer than _SAME, ordered by cos(g, mu)."""
    chosen: list[int] = []
    for i in np.argsort(residual):
        if residual[i] <= TOLERANCE and all(np.max(np.abs(u[i] - u[j])) > _SAME for j in chosen):
            chosen.append(int(i))
    return np.array(sorted(chosen, key=lambda i: u[i, 0]), int)
