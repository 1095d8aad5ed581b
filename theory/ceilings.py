"""The most that any convex loss and penalty make of kept data, and how near a trained classifier is (THEORY §28; ours).

Both follow from one number of a trained classifier, its efficiency e, and from e <= (2 pi - 1)^2 (`theory.worth`).
"""

import numpy as np
from scipy.special import ndtr

from theory._check import check_alpha, check_levels, check_rates, curation_of, in_column, in_range
from theory.arrays import Array, of, quiet
from theory.errors import InputError, KindError
from theory.limits import best_offset_accuracy
from theory.threshold import kept_rate
from theory.types import ClassRates, Problem, Scalar, Solution, Spectrum
from theory.worth import worth


@quiet
def ceiling(problem: Problem, alpha: Scalar) -> Scalar:
    """The highest accuracy of any convex loss and any penalty at this signal, these rates and n/d, d -> inf.

        Phi(R),   R = r^2 / sqrt(r^2 + 1/(alpha W));   with a `Spectrum` R of `spectrum_ceiling`
        with intercept and rates by class: rho_+ Phi(R + L/(2R)) + rho_- Phi(R - L/(2R)),   L = log(rho_+/rho_-)

    Averaging (`theory.limits.averaging`) reaches Phi(R) where p < p*. Beyond p* it is 1/2, which no convex training
    exceeds, and averaging is the lowest. With an intercept it is reached where that is set on a few trusted labels. The
    problem's ridge is not used. No bound on what is not convex: soft relabelling (EM) learns from the inputs too.

    Args:
        problem: independent setting. Fields broadcast, except that a `Spectrum` must be one.
        alpha: n/d, in (0, inf).

    Returns:
        Accuracy of the broadcast shape; NaN where nothing is kept.

    Raises:
        ValueError: an argument outside its range. TypeError: another setting. Source: THEORY §28.
    """
    check_alpha(alpha)
    rates = curation_of(problem, "independent")
    check_rates(rates)
    unequal = bool(problem.intercept) and isinstance(rates, ClassRates)
    xp = of(problem, alpha)
    clean = xp.where(kept_rate(rates) > 0, xp.asarray(alpha) * worth(rates, intercept=unequal), xp.nan)
    if isinstance(problem.signal, Spectrum):
        each = [_reach(*problem.signal, one) for one in np.ravel(clean)]
        reach = np.reshape(each, np.shape(clean))
    else:
        in_column("signal", problem.signal)
        r2 = xp.asarray(problem.signal, float) ** 2
        reach = r2 * xp.sqrt(clean) / xp.sqrt(r2 * clean + 1)
    return best_offset_accuracy(reach, xp.asarray(rates.prior)[..., 1]) if unequal else xp.ndtr(reach)


def spectrum_ceiling(eigenvalues: np.ndarray, shares: np.ndarray, signals_sq: np.ndarray, clean: float) -> float:
    """`ceiling` for any covariance: the highest accuracy of any convex loss and penalty with ``clean`` = alpha W.

        Phi(R),   R = max_k A(k) / sqrt(B(k) + d2(k)/clean),   0 <= k = lambda/nu <= inf,  A, B, d2 of `theory.spectrum`

    Nobody need reach it unless the maximum is at k = inf, which is averaging; the best penalty on clean data may be
    below it as well.

    Args:
        eigenvalues: s_j >= 0 of the covariance, one per eigenspace. shares: f_j, of the d dimensions; they sum to 1.
        signals_sq: mu_j^2, squared norm of the mean there, 0 where s_j = 0.
        clean: clean samples per dimension, >= 0.

    Raises:
        ValueError: an argument outside its range. Source: THEORY §28.
    """
    in_range("clean", clean, 0, np.inf)
    return float(ndtr(_reach(eigenvalues, shares, signals_sq, clean)))


_DECADES, _POINTS, _ZOOMS = 8, 400, 8


@quiet
def _reach(eigenvalues: Array, shares: Array, signals_sq: Array, clean: float) -> float:
    """The largest mean score per standard deviation, R; both ends of k are tried, and a grid of its logarithm."""
    s, f, mu2 = (np.asarray(values, float) for values in (eigenvalues, shares, signals_sq))
    if s.ndim != 1:
        raise InputError(f"eigenvalues of shape {s.shape}: the ceiling is of one spectrum; loop over several")
    check_levels(Spectrum(s, f, mu2))
    s, f, mu2 = s[s > 0], f[s > 0], mu2[s > 0]
    if np.isnan(clean) or clean == 0 or not mu2.any():
        return 0.0 * clean

    def reach(log_k: np.ndarray) -> np.ndarray:
        """A/sqrt(B + d2/clean); at k = inf with k A, k^2 B and k^2 d2 in their places."""
        shrink = np.where(log_k[:, None] == np.inf, 1.0, 1 / (s + np.exp(log_k)[:, None]))
        noise = (mu2 * s + f * s * s / clean) * shrink**2
        found: np.ndarray = (mu2 * shrink).sum(-1) / np.sqrt(noise.sum(-1))
        return found

    span = _DECADES * np.log(10)
    grid = np.linspace(np.log(s.min()) - span, np.log(s.max()) + span, _POINTS)
    highest = float(reach(np.array([-np.inf, np.inf])).max())
    for _ in range(_ZOOMS):
        values = reach(grid)
        best = int(values.argmax())
        highest = max(highest, float(values[best]))
        grid = np.linspace(grid[max(best - 1, 0)], grid[min(best + 1, _POINTS - 1)], _POINTS)
    return highest


@quiet
def efficiency(solution: Solution, problem: Problem, alpha: Scalar) -> Scalar:
    """e = H^2/beta^2 of a trained classifier: how many clean samples **at the best penalty** each kept one stood for.

        e = (a / (r tau))^2 / delta,   which is accuracy = Phi(r^2 / sqrt(r^2 + 1/(delta e))) solved for e

    In [0, `kept_worth`]. NaN where the solution has not converged. Raises TypeError for another setting than the
    independent one, and for a `Spectrum`. Source: THEORY §28.
    """
    rates = curation_of(problem, "independent")
    if isinstance(problem.signal, Spectrum):
        raise KindError("efficiency takes one signal; of a Spectrum and squared loss: squared_efficiency")
    xp = of(solution, problem, alpha)
    return (xp.asarray(solution.overlap) / (problem.signal * solution.bulk_norm)) ** 2 / (alpha * kept_rate(rates))


def squared_efficiency(c: Scalar, delta: Scalar, a: Scalar, b: Scalar, d2: Scalar) -> Scalar:
    """`efficiency` of the squared loss for any covariance, from its A, B and d2 at k = lambda (1 + theta).

    e = c^2 (1 - d2/delta) / [(1 - c^2) (1 + A)^2 + c^2 (1 + B)],   c = 2 pi - 1

    Identity: A = r^2/(1+k), B = r^2/(1+k)^2, d2 = 1/(1+k)^2. Source: THEORY §28.
    """
    return c**2 * (1 - d2 / delta) / ((1 - c**2) * (1 + a) ** 2 + c**2 * (1 + b))
