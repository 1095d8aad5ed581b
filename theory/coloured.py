"""Coloured features and an intercept, independent setting: from a problem to `theory.scores` and back.

`solve` takes a `Problem`; `solve_cells` any features, also those estimated from data (`theory.spectrum.Features`).
Source: THEORY §21.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from theory import status
from theory._check import has_intercept
from theory.arrays import Array, compiled, of, quiet, room
from theory.laws.kept import Kept, KeptWithIntercept, kept_shares
from theory.losses import LOSSES
from theory.scores import Expectations, expectations
from theory.solvers import reached
from theory.threshold import per_class
from theory.types import Problem, Scalar, Solution, Spectrum


class Scores(NamedTuple):
    """The trained classifier of every cell, seen through its scores; NaN where not ``converged``."""

    mean_score: Array
    """t = w.mu."""
    offset: Array
    """b."""
    score_sd: Array
    """sigma."""
    theta: Array
    pull: Array
    """H. The law of w itself is H K mu + (beta/sqrt(m)) K Sigma^(1/2) g, K = (lambda + nu Sigma)^-1, g ~ N(0, I)."""
    push: Array
    """beta."""
    response: Array
    """nu."""
    converged: Array
    residual: Array
    status: Array
    """An index into `theory.types.STATUSES`."""


def law_of(shares: Array, features: Any, intercept: bool) -> Kept:
    """The law of kept samples of shares (..., 4), at the loss itself."""
    zero = 0 * shares[..., 0]
    return (KeptWithIntercept if intercept else Kept)(shares, features, zero, zero)


@quiet
def solve_cells(law: Kept, delta: Array, ridge: Array, loss: str) -> Scores:
    """Cells on one axis: the kept law of each, delta = m/d (or m, where d1 and d2 are traces), and lambda.

    Statuses: one label kept, with an intercept; not unique, for squared loss at lambda = 0 with no more kept samples
    than directions; constant classifier, for hinge loss with an intercept, which may end at w = 0.
    """
    state, xp = reached(loss, law, delta, ridge), of(law, delta, ridge)

    def at_scores(law: Kept, t: Array, b: Array, sigma: Array, theta: Array) -> Expectations:
        return expectations(law, LOSSES[loss], t, b, sigma, theta, 2 * law.traits.nodes)

    t, b = state.a[..., 0], state.a[..., 1] if law.dimension == 2 else 0 * state.tau
    seen = xp.each(at_scores, law, t, b, state.tau, state.theta)
    plus = law.shares[..., 0] + law.shares[..., 3]
    one_label = (law.dimension == 2) & ((plus <= 0) | (plus >= 1))
    code = status.code(state.converged, delta, why=state.why)
    found = state.converged & ~one_label
    code = xp.where(one_label & (delta > 0), status.ONE_LABEL, code)
    known = lambda number: xp.where(found, number, xp.nan)
    return Scores(
        *(known(t), known(b), known(state.tau), known(state.theta)),
        *(known(seen.pull), known(seen.push), known(seen.response)),
        *(found, state.residual, code),
    )


def accuracies(scores: Scores, widened: Any = 1.0) -> tuple[Array, Array]:
    """Accuracy on either class, y = -1 and y = +1: Phi((t - b)/sigma), Phi((t + b)/sigma), sigma ``widened``."""
    xp = of(scores)
    sides = ((scores.mean_score + sign * scores.offset) / (scores.score_sd * widened) for sign in (-1, 1))
    minus, plus = map(xp.ndtr, sides)
    return minus, plus


def weight_norm(scores: Scores, features: Any, delta: Array, ridge: Array) -> Array:
    """||w||, of levels: H^2 sum mu^2/(lambda + nu s)^2 + (beta^2/delta) sum f s/(lambda + nu s)^2, nu = 0 included."""
    xp, (s, f, signal) = of(scores, features), features
    damped = (ridge[..., None] + scores.response[..., None] * s) ** 2
    damped = xp.where(damped > 0, damped, 1.0)
    straight, noise = xp.sum(signal / damped, -1), xp.sum(f * s / damped, -1)
    return xp.sqrt(scores.pull**2 * straight + scores.push**2 * noise / delta)


def spectrum_of(signal: Scalar | Spectrum) -> Spectrum:
    """A spectrum in float64; white noise with a class mean of norm r is [1], [1], [r^2]."""
    xp = of(signal)
    if isinstance(signal, Spectrum):
        return Spectrum(*(xp.asarray(values, float) for values in signal))
    r = xp.asarray(signal, float)[..., None]
    return Spectrum(xp.ones_like(r), xp.ones_like(r), r**2)


def solve(problem: Problem, alpha: Scalar, loss: str) -> Solution:
    """`theory.engine.solve` of a problem with a `Spectrum` or an intercept, which has been checked."""
    return _solution(problem._replace(intercept=None), alpha, loss, has_intercept(problem))


@compiled("loss", "intercept")
def _solution(problem: Problem, alpha: Scalar, loss: str, intercept: bool) -> Solution:
    xp = of(problem, alpha)
    rates = per_class(problem.curation)
    shares, kept = kept_shares(rates)
    spectrum = spectrum_of(problem.signal)
    delta, ridge = xp.asarray(alpha, float) * kept, xp.asarray(problem.ridge, float)
    shape = np.broadcast_shapes(*(np.shape(x) for x in (delta, ridge)), np.shape(spectrum.shares)[:-1])
    count = math.prod(shape)
    missing = room(xp, count)

    def cells(values: Array, last: tuple[int, ...]) -> Array:
        flat = xp.broadcast_to(values, (*shape, *last)).reshape(count, *last)
        return xp.pad(flat, ((0, missing), *((0, 0) for _ in last)), constant_values=xp.nan)

    levels = np.shape(spectrum.shares)[-1:]
    features = Spectrum(*(cells(values, levels) for values in spectrum))
    delta, ridge = cells(delta, ()), cells(ridge, ())
    law, prior = law_of(cells(shares, (4,)), features, intercept), cells(rates.prior, (2,))
    found = solve_cells(law, delta, ridge, loss)
    minus, plus = accuracies(found)
    norm = xp.each(weight_norm, found, features, delta, ridge)
    overlap = found.mean_score / xp.sqrt(features.signals_sq.sum(-1))
    bulk = xp.sqrt(xp.maximum(norm**2 - overlap**2, 0.0))
    accuracy = xp.minimum(prior[:, 0] * minus + prior[:, 1] * plus, 1.0)
    numbers = (overlap, bulk, norm, accuracy, found.converged, found.residual, found.status)
    fields = (*numbers, found.mean_score, found.offset, found.score_sd, found.theta)
    return Solution(*(field[:count].reshape(shape) for field in fields))
