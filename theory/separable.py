"""Whether kept data can be separated, so that a loss has no minimum without a penalty (THEORY §4)."""

import numpy as np

from theory import settings, status
from theory._check import has_intercept
from theory.arrays import NUMPY, Array, fields_of, is_traced, quiet, with_fields
from theory.laws import Law, support
from theory.laws.kept import LABEL, TRUE, kept_shares
from theory.limits import mahalanobis
from theory.quadrature import midpoints
from theory.solvers import work
from theory.types import Problem, Scalar, Spectrum

NODES = 2048
"""Of the expectations that tell whether kept data are separable."""
SURELY = 2.0
"""n/d times the kept rate below which they are, whatever the labels (Cover): at a = 0 the expectation is 1/2."""


def refined(codes: Scalar, problem: Problem, alpha: Scalar, loss: str) -> Scalar:
    """The codes with `theory.status.SEPARABLE` where that is why a loss without a minimum at ridge = 0 has no solution.

    Concrete values only; under ``jit`` the codes are returned as they are. So they are where work is counted: of the
    many points of a curve nobody asks why.
    """
    if is_traced((codes, problem, alpha)):
        return codes
    unsolved = np.isin(codes, (status.COPLANAR, status.NOT_CONVERGED))
    failed = unsolved & (np.broadcast_to(np.asarray(problem.ridge), np.shape(codes)) == 0)
    if loss == "squared" or not failed.any() or work.counted():
        return codes
    if isinstance(problem.signal, Spectrum) or has_intercept(problem):
        separable = _with_intercept_or_levels(problem, alpha, np.shape(codes), failed)
        return np.where(separable, status.SEPARABLE, codes)
    law, kept = settings.of(problem.curation).law(np.asarray(problem.signal, float), problem.curation)
    numbers = (alpha * kept, *fields_of(law))
    delta, *fields = (np.broadcast_to(np.asarray(number), np.shape(codes))[failed] for number in numbers)
    cells = [with_fields(law, list(cell)) for cell in zip(*fields, strict=True)]
    separable = [
        cell.traits.separable or m < SURELY or m < 1 / _separability(cell) for cell, m in zip(cells, delta, strict=True)
    ]
    refined = np.array(codes)
    refined[failed] = np.where(separable, status.SEPARABLE, refined[failed])
    return refined


def _with_intercept_or_levels(problem: Problem, alpha: Scalar, shape: tuple[int, ...], failed: Array) -> Array:
    """Which of the failed cells are separable: in units of their deviations, features are white, with signal R."""
    shares, kept = kept_shares(problem.curation)
    varying = 1.0
    if isinstance(problem.signal, Spectrum):
        s, f, _ = (np.asarray(values, float) for values in problem.signal)
        varying = np.sum(np.where(s > 0, f, 0.0), -1)
    separable = np.zeros(shape, bool)
    delta, radius = (np.broadcast_to(x, shape) for x in (alpha * kept / varying, mahalanobis(problem.signal)))
    shares = np.broadcast_to(shares, (*shape, 4))
    for cell in map(tuple, np.argwhere(failed)):
        if delta[cell] < SURELY:
            separable[cell] = True
            continue
        least = _least_deficit(shares[cell], float(radius[cell]), has_intercept(problem))
        separable[cell] = delta[cell] * least < 1
    return separable


@quiet
def _least_deficit(shares: Array, radius: float, intercept: bool) -> float:
    """min over (a, b) of E[min(0, x)^2], x ~ N(y'(y a R + b), 1 + a^2); b = 0 without an intercept."""
    from scipy.optimize import minimize

    def deficit(u: Array) -> float:
        spread, b = np.sqrt(1 + u[0] ** 2), u[1] if intercept else 0.0
        z = LABEL * (TRUE * u[0] * radius + b) / spread
        tail, density = NUMPY.ndtr(-z), NUMPY.pdf(z)
        return float(spread**2 * (shares @ ((1 + z**2) * tail - z * density)))

    return float(minimize(deficit, np.zeros(1 + intercept)).fun)


@quiet
def _separability(law: Law) -> float:
    """min over a of E[min(0, a.c + h)^2]: kept data are separable where n/d times the kept rate is below its inverse.

    Source: candes2020phase, for any law of the low-dimensional part; 1/2 where labels are pure chance (Cover).
    """
    from scipy.optimize import minimize

    return float(minimize(lambda a: _deficit(law, a), np.zeros(law.dimension), jac=True).fun)


def _deficit(law: Law, a: Array) -> tuple[Array, Array]:
    """E[min(0, x)^2], x = a.c + h, and its gradient 2 E[min(0, x) c]."""
    one = np.ones(())
    low, _ = support(law, a, one)
    x, step = midpoints(low, np.zeros(()), NODES)
    density, parts, basis = law.project(x, a, one)
    gradient = sum(np.sum(2 * x * part) * vector for part, vector in zip(parts, basis, strict=True))
    return np.sum(x**2 * density) * step[0], gradient * step[0]
