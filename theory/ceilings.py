"""The most that any convex loss and penalty make of kept data, and how near a trained classifier is (THEORY §28; ours).

Both follow from one number of a trained classifier, its efficiency e, and from e <= (2 pi - 1)^2 (`theory.worth`).
"""

import numpy as np
from scipy.special import ndtr

from theory._check import check_alpha, curation_of, in_range
from theory.arrays import of, quiet
from theory.errors import InputError
from theory.settings import check_problem
from theory.threshold import kept_rate
from theory.types import Problem, Scalar, Solution
from theory.worth import worth


@quiet
def ceiling(problem: Problem, alpha: Scalar) -> Scalar:
    """The highest accuracy of any convex loss and any penalty at this signal, these rates and n/d, d -> inf.

        Phi(r^2 / sqrt(r^2 + 1/(delta (2 pi - 1)^2))),   delta (2 pi - 1)^2 = alpha W

    Averaging (`theory.limits.averaging`) reaches it where p < p*. Beyond p* it is 1/2, which no convex training
    exceeds, and averaging is the lowest. The problem's ridge is not used. NaN where nothing is kept. No bound on what
    is not convex: soft relabelling (EM) learns from the inputs too. Raises ValueError for arguments outside their
    ranges, TypeError for another setting. Source: THEORY §28.
    """
    check_problem(problem)
    check_alpha(alpha)
    rates = curation_of(problem, "independent")
    xp = of(problem, alpha)
    clean = xp.where(kept_rate(rates) > 0, xp.asarray(alpha) * worth(rates), xp.nan)
    r2 = xp.asarray(problem.signal, float) ** 2
    return xp.ndtr(r2 * xp.sqrt(clean) / xp.sqrt(r2 * clean + 1))


_DECADES, _POINTS, _ZOOMS = 8, 400, 8


@quiet
def spectrum_ceiling(eigenvalues: np.ndarray, shares: np.ndarray, signals_sq: np.ndarray, clean: float) -> float:
    """`ceiling` for any covariance: the highest accuracy of any convex loss and penalty with ``clean`` = alpha W.

        max_k Phi(A(k) / sqrt(B(k) + d2(k)/clean)),   A = sum mu^2/(s+k), B = sum mu^2 s/(s+k)^2, d2 = sum f s^2/(s+k)^2

    over k = lambda/nu in [0, inf], both ends included; nobody need reach it unless the maximum is at k = inf, which is
    averaging. Not the accuracy of the best penalty on clean data, which may be lower.

    Args:
        eigenvalues: s_j >= 0 of the covariance, one per eigenspace. shares: f_j, of the d dimensions; they sum to 1.
        signals_sq: mu_j^2, squared norm of the mean there, 0 where s_j = 0.
        clean: clean samples per dimension, >= 0.

    Raises:
        ValueError: an argument outside its range. Source: THEORY §28.
    """
    s, f, mu2 = (np.asarray(values, float) for values in (eigenvalues, shares, signals_sq))
    for name, values in {"eigenvalues": s, "shares": f, "signals_sq": mu2, "clean": clean}.items():
        in_range(name, values, 0, np.inf)
    if abs(f.sum() - 1) > 1e-9:
        raise InputError(f"shares sum to {f.sum():g}; they are the parts of the d dimensions and must sum to 1")
    if np.any(mu2[s == 0] > 0):
        raise InputError("signals_sq > 0 where an eigenvalue is 0 can be told without error; remove that direction")
    s, f, mu2 = s[s > 0], f[s > 0], mu2[s > 0]
    if clean == 0 or not mu2.any():
        return 0.5

    def reach(log_k: np.ndarray) -> np.ndarray:
        """A/sqrt(B + d2/clean), for k = -inf and inf as well; multiplied through by k where that is large."""
        shrink = 1 / (s + np.exp(log_k)[:, None])
        shrink = np.where(np.isinf(log_k[:, None]) & (log_k[:, None] > 0), 1.0, shrink)
        noise = (mu2 * s + f * s * s / clean) * shrink**2
        found: np.ndarray = (mu2 * shrink).sum(-1) / np.sqrt(noise.sum(-1))
        return found

    span = _DECADES * np.log(10)
    grid = np.linspace(np.log(s.min()) - span, np.log(s.max()) + span, _POINTS)
    highest = reach(np.array([-np.inf, np.inf])).max()
    for _ in range(_ZOOMS):
        values = reach(grid)
        best = int(values.argmax())
        highest = max(highest, values[best])
        grid = np.linspace(grid[max(best - 1, 0)], grid[min(best + 1, _POINTS - 1)], _POINTS)
    return float(ndtr(highest))


@quiet
def efficiency(solution: Solution, problem: Problem, alpha: Scalar) -> Scalar:
    """e = H^2/beta^2 of a trained classifier: how many clean samples **at the best penalty** each kept one stood for.

        e = (a / (r tau))^2 / delta,   which is accuracy = Phi(r^2 / sqrt(r^2 + 1/(delta e))) solved for e

    In [0, (2 pi - 1)^2]. NaN where the solution has not converged. Raises TypeError for another setting than the
    independent one. Source: THEORY §28.
    """
    rates = curation_of(problem, "independent")
    xp = of(solution, problem, alpha)
    return (xp.asarray(solution.overlap) / (problem.signal * solution.bulk_norm)) ** 2 / (alpha * kept_rate(rates))


def squared_efficiency(c: Scalar, delta: Scalar, a: Scalar, b: Scalar, d2: Scalar) -> Scalar:
    """`efficiency` of the squared loss for any covariance, from its A, B and d2 at k = lambda (1 + theta).

    e = c^2 (1 - d2/delta) / [(1 - c^2) (1 + A)^2 + c^2 (1 + B)],   c = 2 pi - 1

    Identity: A = r^2/(1+k), B = r^2/(1+k)^2, d2 = 1/(1+k)^2. Source: THEORY §28.
    """
    return c**2 * (1 - d2 / delta) / ((1 - c**2) * (1 + a) ** 2 + c**2 * (1 + b))
