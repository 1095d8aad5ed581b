"""Limits and exact symmetries (THEORY §5): each a function and a test."""

import numpy as np

from theory import settings
from theory._check import check_alpha, curation_of, in_range
from theory.arrays import Array, dot, fields_of, of, quiet, with_fields
from theory.errors import KindError
from theory.laws import Law
from theory.settings import check_problem
from theory.threshold import generator_accuracy, kept_correct_rate, kept_rate, kept_wrong_rate, purity
from theory.types import ClassRates, Problem, Rates, Scalar, Spectrum


def bayes_accuracy(signal: Scalar) -> Scalar:
    """Accuracy of the best classifier, sign(mu.x): Phi(r). No classifier is outside [Phi(-r), Phi(r)]."""
    in_range("signal", signal, 0, np.inf, open_low=True)
    xp = of(signal)
    return xp.ndtr(xp.asarray(signal, float))


def best_offset_accuracy(separation: Scalar, prior: Scalar = 0.5) -> Scalar:
    """Accuracy of scores y S + b + N(0, 1) with the best b: sum_k rho_k Phi(S + k L/(2 S)), L = log(rho_+/rho_-).

    At S = R = sqrt(sum mu^2/s), the best separation that there is, it is Bayes; at t/sigma, what a trained direction
    can give where b is set on trusted labels. S <= 0 tells nothing, and the larger class is the best guess.

    Args:
        separation: S. prior: P(y = +1), in [0, 1].
    """
    xp = of(separation, prior)
    s, plus = xp.broadcast_arrays(xp.asarray(separation, float), xp.asarray(prior, float))
    useful = (s > 0) & (plus > 0) & (plus < 1)
    safe, both = xp.where(useful, s, 1.0), xp.where(useful, plus, 0.5)
    shift = (xp.log(both) - xp.log1p(-both)) / (2 * safe)
    best = both * xp.ndtr(safe + shift) + (1 - both) * xp.ndtr(safe - shift)
    return xp.where(xp.isnan(s), xp.nan, xp.where(useful, best, xp.maximum(plus, 1 - plus)))


def mahalanobis(signal: Scalar | Spectrum) -> Scalar:
    """R = sqrt(sum mu^2/s), the largest t/sigma that a classifier can have; r in white noise."""
    if not isinstance(signal, Spectrum):
        return signal
    xp = of(signal)
    s, _, squares = (xp.asarray(values, float) for values in signal)
    return xp.sqrt(xp.sum(xp.where(squares > 0, squares / xp.where(s > 0, s, 1.0), 0.0), -1))


def infinite_data(problem: Problem) -> Scalar:
    """delta -> inf: Phi(r) where p < p*, 1/2 at p = p*, Phi(-r) where p > p*.

    The sharp transition of the theorem, at any ridge and for squared and logistic loss: the population minimiser
    is a multiple of mu whose sign is that of 2 pi - 1. NaN where nothing is kept. Raises ValueError as
    `theory.threshold.p_star`. Source: feng2024beyond, main theorem; THEORY §5.
    """
    check_problem(problem)
    rates = curation_of(problem, "independent")
    excess = kept_correct_rate(rates) - kept_wrong_rate(rates)
    xp = of(problem)
    sign = xp.where(kept_rate(rates) > 0, xp.sign(excess), xp.nan)
    return xp.ndtr(sign * problem.signal)


@quiet
def averaging(problem: Problem, alpha: Scalar) -> Scalar:
    """lambda -> inf, any loss with l'(0) != 0: accuracy of w = mean of y' x over the kept samples.

        acc = Phi(r rho),  rho = (2 pi - 1) r / sqrt((2 pi - 1)^2 r^2 + 1/delta),  delta = alpha kappa

    NaN where nothing is kept. Raises ValueError for arguments outside their ranges. Source: THEORY §5.
    """
    check_problem(problem)
    check_alpha(alpha)
    rates = curation_of(problem, "independent")
    pull = (2 * purity(rates) - 1) * problem.signal
    xp = of(problem, alpha)
    cosine = pull / xp.sqrt(pull**2 + 1 / (alpha * kept_rate(rates)))
    return xp.ndtr(problem.signal * cosine)


def unverified(problem: Problem, alpha: Scalar) -> tuple[Problem, Scalar]:
    """A verifier with phi = psi, written as no verifier at the thinned sample ratio alpha phi.

    Both problems have the same law of kept data. Uses phi; meaningful where psi = phi. Source: THEORY §5.
    """
    rates = _plain(problem)
    return problem._replace(curation=Rates(rates.p, 1.0, 1.0)), alpha * rates.phi


def clean(problem: Problem, alpha: Scalar) -> tuple[Problem, Scalar]:
    """A verifier with psi = 0, written as clean labels at the thinned sample ratio alpha (1 - p) phi.

    Both problems have the same law of kept data. Meaningful where psi = 0. Source: THEORY §5.
    """
    rates = _plain(problem)
    return problem._replace(curation=Rates(0.0, 1.0, 1.0)), alpha * generator_accuracy(rates) * rates.phi


def mirrored(problem: Problem) -> Problem:
    """p -> 1 - p with phi <-> psi: purity pi -> 1 - pi at the same kept rate, hence accuracy -> 1 - accuracy."""
    rates = curation_of(problem, "independent")
    return problem._replace(curation=rates._replace(p=1 - rates.p, phi=rates.psi, psi=rates.phi))


@quiet
def linear_infinite_data(problem: Problem) -> Scalar:
    """delta -> inf in the linear setting, squared loss: w = (C + lambda I)^-1 b, accuracy Phi(r w_mu/||w||).

    With C = E[c c^T] and b = E[c] of the kept samples. Not Bayes-optimal in general, although p < p*, because
    the kept samples' label errors and their selection depend on x. At ridge 0 it is the direction C^-1 b.
    Fields broadcast; NaN where nothing is kept. Raises ValueError for arguments outside their ranges,
    TypeError for a curation that is not `Cosines`. Source: THEORY §5, with the ridge kept.
    """
    if getattr(problem.curation, "setting", "") != "linear":
        raise KindError("linear_infinite_data is for Cosines; see population_accuracy for every setting")
    return population_accuracy(problem)


@quiet
def population_accuracy(problem: Problem) -> Scalar:
    """delta -> inf, squared loss, any setting: w = (C + lambda I)^-1 b, accuracy Phi(r w_mu/||w||).

    With C = E[c c^T] and b = E[c] of the kept samples. Bayes-optimal where label errors and selection do not depend on
    x given the class (and p < p*); short of it where they do. NaN where nothing is kept. Raises ValueError for
    arguments outside their ranges. Source: THEORY §5.
    """
    check_problem(problem)
    xp = of(problem)
    law, _ = settings.of(problem.curation).law(xp.asarray(problem.signal, float), problem.curation)
    numbers = (xp.asarray(number, float) for number in (problem.ridge, *fields_of(law)))
    full = xp.broadcast_arrays(*numbers)
    ridge, *fields = (number.ravel() for number in full)
    return xp.each(_population, with_fields(law, fields), ridge).reshape(full[0].shape)


def _population(law: Law, ridge: Array) -> Array:
    """Accuracy of (C + lambda I)^-1 b."""
    xp, (b, c) = of(law, ridge), law.moments()
    w = xp.solve(c + ridge[..., None, None] * xp.eye(b.shape[-1]), b)
    return xp.ndtr(law.signal * w[..., 0] / xp.sqrt(dot(w, w)))


def _plain(problem: Problem) -> Rates:
    """The rates of an independent problem, where they do not depend on the class."""
    rates = curation_of(problem, "independent")
    if isinstance(rates, ClassRates):
        raise KindError("this limit is for Rates; a class-dependent verifier also changes the classes' shares")
    return rates
