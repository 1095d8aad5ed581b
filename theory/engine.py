"""The trained classifier in the limit d -> inf: from a problem to the equations and back (THEORY §4)."""

import math

from theory import certified, coloured, settings, status
from theory._check import check_alpha, has_intercept, require_x64
from theory.arrays import Array, compiled, fields_of, of, quiet, room, unlisted, with_fields
from theory.errors import InputError
from theory.laws import Law
from theory.limits import mahalanobis
from theory.losses import LOSSES
from theory.separable import refined
from theory.solvers import reached
from theory.types import Problem, Scalar, Solution, Spectrum


@quiet
def solve(problem: Problem, alpha: Scalar, loss: str) -> Solution:
    """Exact accuracy of the classifier trained on kept data, d -> inf with n = alpha d generated samples.

    Args:
        problem: fields broadcast against each other and against alpha.
        alpha: n/d, in (0, inf).
        loss: a key of `theory.losses.LOSSES`: "squared", "logistic", "hinge".

    Returns:
        `Solution` of the broadcast shape, in NumPy, or in JAX where an argument is of JAX; ``residual`` is relative
        (see `theory.equations`), ``converged`` means that it has passed `theory.certified.refused`, and everything
        else is NaN where it has not. Differentiable by JAX in every field and in alpha.

    Raises:
        ValueError: an argument outside its range or an unknown loss. RuntimeError: arguments of JAX in float32.

    Source: THEORY §4; the equations are checked against direct simulation.
    """
    require_x64(problem, alpha)
    settings.check_problem(problem)
    check_alpha(alpha)
    if not isinstance(loss, str) or loss not in LOSSES:
        raise InputError(f"loss = {loss!r} is unknown; choose one of {', '.join(LOSSES)}")
    setting, problem, alpha = settings.of(problem.curation), unlisted(problem), unlisted(alpha)
    if isinstance(problem.signal, Spectrum) or has_intercept(problem):
        found = coloured.solve(problem, alpha, loss)
    elif loss == "squared" and setting.closed_form is not None:
        found = setting.closed_form(problem, alpha)
    else:
        found = _solution(problem._replace(intercept=None), alpha, loss)
    return _certified(found._replace(status=refined(found.status, problem, alpha, loss)), problem)


def _certified(found: Solution, problem: Problem) -> Solution:
    """A solution that has passed the predicate of all rows, or says why not. How much is kept is not known here."""
    numbers = (found.overlap, found.bulk_norm, found.norm, found.accuracy)
    scores = (found.mean_score, found.offset, found.score_sd, found.theta)
    lengths = ((found.overlap, found.norm), (found.mean_score, mahalanobis(problem.signal) * found.score_sd))
    bound = certified.PROMISED["theory"]
    row = certified.Row(1.0, found.residual, bound, (*numbers, *scores), lengths, (certified.accuracy(found.accuracy),))
    codes = certified.judged(found.status, row)
    numbers, scores = certified.known(codes, numbers), certified.known(codes, scores)
    return Solution(*numbers, codes == status.OK, found.residual, codes, *scores)


@compiled("loss")
def _solution(problem: Problem, alpha: Scalar, loss: str) -> Solution:
    """`solve` of what is a problem; separable data are not yet told from others."""
    law, delta, ridge, shape = _batch(problem, alpha)
    state = reached(loss, law, delta, ridge)
    codes = status.code(state.converged, delta, (ridge > 0) | (delta > 1) | (loss != "squared"), state.why)
    overlap, norm = state.a[:, 0], state.norm()
    end = (norm, state.accuracy(law.signal), state.converged, state.residual, codes)
    scores = (law.signal * overlap, 0 * norm, norm, state.theta)
    return Solution(*(field[: math.prod(shape)].reshape(shape) for field in (overlap, state.tau, *end, *scores)))


def _batch(problem: Problem, alpha: Scalar) -> tuple[Law, Array, Array, tuple[int, ...]]:
    """Law, delta and ridge on one axis, filled up with NaN for JAX (`room`); and the broadcast shape of the problem."""
    xp = of(problem, alpha)
    law, kept = settings.of(problem.curation).law(xp.asarray(problem.signal, float), problem.curation)
    numbers = (xp.asarray(alpha, float) * kept, problem.ridge, *fields_of(law))
    full = xp.broadcast_arrays(*(xp.asarray(number, float) for number in numbers))
    count = full[0].size
    missing = room(xp, count)
    delta, ridge, *fields = (xp.pad(field.ravel(), (0, missing), constant_values=xp.nan) for field in full)
    return with_fields(law, fields), delta, ridge, full[0].shape
