"""Squared loss, independent setting: the exact high-dimensional accuracy in closed form (THEORY §4)."""

from theory import status
from theory._check import check_alpha, check_rates, check_shared, curation_of, require_x64
from theory.arrays import of, quiet, unlisted
from theory.threshold import kept_rate, purity
from theory.types import Problem, Scalar, Solution


@quiet
def solve(problem: Problem, alpha: Scalar) -> Solution:
    """Ridge regression of y' on kept x, d -> inf with n = alpha d generated samples.

    With delta = alpha kappa, C = 1 + r^2, b = (2 pi - 1) r and lambda relative to the kept samples:

        a = b / (C + lambda (1 + theta)),   theta as `theta_of`
        tau^2 [1/(delta theta^2) - 1/(1 + theta)^2] = (1 - 2 a b + a^2 C) / (1 + theta)^2
        accuracy = Phi(r a / sqrt(a^2 + tau^2))

    Args:
        problem: `Rates` or `ClassRates` as curation (a `Cosines` has another law; see `theory.engine.solve`).
            Fields broadcast. ridge > 0, or ridge = 0 where delta > 1 (least squares).
        alpha: n/d, in (0, inf).

    Returns:
        `Solution` of the broadcast shape; ``converged`` False and NaN where nothing is kept or
        where ridge = 0 and delta <= 1 (no unique minimiser).

    Raises:
        ValueError: an argument outside its range. TypeError: a linear curation.
        RuntimeError: arguments of JAX in float32.

    Source: THEORY §4, closed form; checked against direct simulation.
    """
    require_x64(problem, alpha)
    check_shared(problem)
    rates = curation_of(problem, "independent")
    check_rates(rates)
    check_alpha(alpha)
    problem, alpha = unlisted(problem), unlisted(alpha)
    rates, xp = problem.curation, of(problem, alpha)
    r, lam = xp.asarray(problem.signal, float), xp.asarray(problem.ridge, float)
    pi = purity(rates)
    delta = alpha * kept_rate(rates)

    theta = theta_of(delta, lam)
    c, b = 1 + r**2, (2 * pi - 1) * r
    a = b / (c + lam * (1 + theta))
    # tau^2 multiplied through by (1 + theta)^2, with ((1 + theta)/theta)^2/delta - 1 in a form that does not
    # cancel: by the quadratic, (1 + theta)/theta = delta (1 + lambda (1 + theta)) wherever theta is its root.
    gap = delta * (1 + lam * (1 + theta)) ** 2 - 1
    tau = xp.sqrt((1 - 2 * a * b + a**2 * c) / gap)
    norm = xp.sqrt(a**2 + tau**2)
    accuracy = xp.ndtr(r * a / norm)

    share = theta / (1 + theta)  # of the quadratic over 1 + theta, in which nothing overflows before theta does
    residual = abs((lam * theta * delta + (delta + lam * delta - 1)) * share - 1 / (1 + theta))
    solved = (delta > 0) & ((lam > 0) | (delta > 1)) & xp.isfinite(accuracy)
    a, tau, norm, accuracy = (xp.where(solved, value, xp.nan) for value in (a, tau, norm, accuracy))
    code = status.code(solved, delta, (lam > 0) | (delta > 1), status.NOT_FINITE)
    theta = xp.where(solved, theta, xp.nan)
    return Solution(a, tau, norm, accuracy, solved, residual, code, r * a, 0 * norm, norm, theta)


@quiet
def theta_of(delta: Scalar, lam: Scalar) -> Scalar:
    """Positive root of lambda delta theta^2 + B theta - 1 = 0, B = delta + lambda delta - 1: theta of squared loss.

    Written for either sign of B so that neither cancels, and so that what is not taken has no infinite derivative.
    lambda = 0 gives 1/(delta - 1), or inf where delta <= 1.
    """
    xp = of(delta, lam)
    linear = delta + lam * delta - 1
    root = xp.sqrt(linear**2 + 4 * lam * delta)
    positive, penalised = linear > 0, (lam > 0) & (delta > 0)
    stable = 2 / (abs(linear) + xp.where(positive, root, 1.0))
    other = (root - linear) / xp.where(penalised, 2 * lam * delta, 1.0)
    return xp.where(positive, stable, xp.where(penalised, other, xp.inf))
