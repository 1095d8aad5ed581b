"""The threshold p* and what a verifier does to the labels (THEORY §1; Feng et al. 2406.07515)."""

from functools import reduce
from operator import mul
from typing import Any

from theory._check import check_rates
from theory.arrays import of, quiet
from theory.types import ClassRates, Rates, Scalar

TINY = 1e-290
"""Shares below this count as none: their products underflow."""
SMALL = 1e-100
"""Rates that are all below this are brought to 1 before they are multiplied."""


@quiet
def p_star(rates: Rates | ClassRates) -> Scalar:
    """Breakdown error rate: training on kept data succeeds, with infinite data, iff p < p*.

        p* = 1 / (1 + psi/phi) = phi / (phi + psi)

    For `ClassRates`, p, phi and psi are those over both classes (`marginal`); where the classes have different error
    rates, phi and psi, hence p*, move with them (`p_star_along` is the threshold of the curve). Depends on
    ``psi/phi`` alone. Returns a value in [0, 1], of the broadcast shape of the rates. Raises ValueError for rates
    outside [0, 1] and for phi = psi = 0. Source: feng2024beyond, main theorem; THEORY §1 for the convention of p.
    """
    check_rates(rates)
    return breakdown(rates)


@quiet
def breakdown(rates: Rates | ClassRates) -> Scalar:
    """`p_star` of rates that follow from others, and so are not checked: NaN where nothing is kept."""
    _, phi, psi = marginal(rates)
    phi = of(phi, psi).asarray(phi)
    return phi / (phi + psi)


@quiet
def p_star_along(rates: ClassRates) -> Scalar:
    """The average error rate at which purity is 1/2 when the classes' error rates keep their ratio.

        p* = pbar sum_k rho_k phi_k / sum_k rho_k p_k (phi_k + psi_k),   pbar = sum_k rho_k p_k

    Where all p_k are 0 the ratio is taken as 1. May exceed what p_k <= 1 allows. Raises ValueError as `p_star`.
    """
    check_rates(rates)
    xp = of(*rates)
    p = xp.where(xp.sum(rates.p, -1, keepdims=True) > TINY, rates.p, 1.0)
    size = xp.max(xp.maximum(rates.phi, rates.psi), -1, keepdims=True)  # which p* does not depend on
    size = xp.where((size > 0) & (size < SMALL), size, 1.0)
    phi, psi = rates.phi / size, rates.psi / size
    total = xp.sum(rates.prior * p * (phi + psi), -1)
    return xp.sum(rates.prior * p, -1) * xp.sum(rates.prior * phi, -1) / total


@quiet
def marginal(rates: Rates | ClassRates) -> Rates:
    """p, phi and psi over both classes: P(y' wrong), P(kept | correct), P(kept | wrong).

        phi = sum_k rho_k (1 - p_k) phi_k / sum_k rho_k (1 - p_k),   psi = sum_k rho_k p_k psi_k / sum_k rho_k p_k

    Where nothing is correct (or wrong), phi (or psi) is averaged with the prior instead.
    """
    if isinstance(rates, Rates):
        return rates
    xp = of(*rates)

    def average(values: Scalar, share: Scalar) -> Scalar:
        weight = rates.prior * share
        weight = xp.where(xp.sum(weight, -1, keepdims=True) > TINY, weight, rates.prior)
        return xp.sum(weight * values, -1) / xp.sum(weight, -1)

    wrong = xp.asarray(rates.p)
    return Rates(xp.sum(rates.prior * wrong, -1), average(rates.phi, 1 - wrong), average(rates.psi, wrong))


def per_class(rates: Rates | ClassRates) -> ClassRates:
    """`Rates` as those of two equal classes, last axis (y = -1, y = +1); `ClassRates` as they are, of one shape."""
    xp = of(*rates)
    if isinstance(rates, ClassRates):
        return ClassRates(*xp.broadcast_arrays(*(xp.asarray(rate, float) for rate in rates)))
    p, phi, psi = xp.broadcast_arrays(*(xp.asarray(rate, float) for rate in rates))
    both = lambda rate: xp.stack([rate, rate], -1)
    return ClassRates(both(p), both(phi), both(psi), both(0 * p + 0.5))


@quiet
def log_odds(rates: Rates | ClassRates) -> Scalar:
    """log o_k, the odds that a kept sample of class k is labelled correctly, classes on a last axis; not checked.

        o_k = (1 - p_k) phi_k / (p_k psi_k)

    A classifier without intercept asks for purity > 1/2. With one, its direction is right iff o_+ o_- > 1, at any n/d,
    penalty, spectrum and loss; both classes are learned, with infinite data, iff both o_k > 1. Source: THEORY §21.
    """
    p, phi, psi, _ = per_class(rates)
    return _log_product(1 - p, phi) - _log_product(p, psi)


def _log_product(a: Scalar, b: Scalar) -> Scalar:
    """log(a b), also where a b underflows."""
    xp = of(a, b)
    return xp.where(a * b > TINY, xp.log(a * b), xp.log(a) + xp.log(b))


def _geometric_mean(rate: Any) -> Scalar:
    """sqrt(rate_- rate_+), also where the product underflows."""
    xp = of(rate)
    a, b = rate[..., 0], rate[..., 1]
    return xp.where(a * b > TINY, xp.sqrt(a * b), xp.sqrt(a) * xp.sqrt(b))


@quiet
def p_star_common(rates: Rates | ClassRates) -> Scalar:
    """Without an intercept: the error rate, common to both classes, at which purity is 1/2.

        phi / (phi + psi),  phi = sum_k rho_k phi_k and psi = sum_k rho_k psi_k

    p* where rates do not depend on the class. Not checked. Source: THEORY §21.
    """
    _, phi, psi, prior = per_class(rates)
    xp = of(phi)
    kept, wrong = xp.sum(prior * phi, -1), xp.sum(prior * psi, -1)
    return kept / (kept + wrong)


@quiet
def p_star_direction(rates: Rates | ClassRates) -> Scalar:
    """With an intercept: the error rate, common to both classes, below which the direction of w is right.

        1 / (1 + sqrt(psi_+ psi_- / (phi_+ phi_-)))

    That is balanced accuracy > 1/2, at any n/d; p* where rates do not depend on the class. Not checked.
    """
    _, phi, psi, _ = per_class(rates)
    right, wrong = _geometric_mean(phi), _geometric_mean(psi)
    return right / (right + wrong)


@quiet
def p_star_each_class(rates: Rates | ClassRates) -> Scalar:
    """With an intercept: the error rate, common to both classes, below which infinite data teach both of them.

        min_k phi_k / (phi_k + psi_k)

    Beyond it, one class is lost as the signal grows, although the direction may be right. Not checked.
    """
    _, phi, psi, _ = per_class(rates)
    return of(phi).min(phi / (phi + psi), -1)


def kept_correct_rate(rates: Rates | ClassRates) -> Scalar:
    """P(kept and y' correct) = (1 - p) phi, or sum_k rho_k (1 - p_k) phi_k."""
    return _over_classes(rates, 1 - of(rates.p).asarray(rates.p), rates.phi)


def kept_wrong_rate(rates: Rates | ClassRates) -> Scalar:
    """P(kept and y' wrong) = p psi, or sum_k rho_k p_k psi_k."""
    return _over_classes(rates, of(rates.p).asarray(rates.p), rates.psi)


def _over_classes(rates: Rates | ClassRates, *factors: Scalar) -> Scalar:
    """sum_k rho_k prod_j factor_jk; the product alone where it does not depend on the class."""
    if isinstance(rates, ClassRates):
        return of(*rates).sum(reduce(mul, factors, rates.prior), -1)
    return reduce(mul, factors)


def kept_rate(rates: Rates | ClassRates) -> Scalar:
    """Share of the synthetic samples that is kept.

        kappa = (1 - p) phi + p psi

    Returns a value in [0, 1]. Raises ValueError as `p_star`. Source: THEORY §1.
    """
    check_rates(rates)
    return kept_correct_rate(rates) + kept_wrong_rate(rates)


@quiet
def purity(rates: Rates | ClassRates) -> Scalar:
    """Share of the kept samples whose label is correct.

        pi = (1 - p) phi / kappa

    Equivalent to the threshold: pi > 1/2 iff (1 - p) phi > p psi iff p < p*. Returns a value in
    [0, 1], NaN where nothing is kept (kappa = 0). Raises ValueError as `p_star`. Source: THEORY §1.
    """
    check_rates(rates)
    correct, wrong = kept_correct_rate(rates), kept_wrong_rate(rates)
    return correct / (correct + wrong)


@quiet
def log_odds_of_purity(rates: Rates | ClassRates) -> Scalar:
    """log(pi / (1 - pi)) = log((1 - p) phi) - log(p psi): positive iff p < p*; +-inf at the corners."""
    check_rates(rates)
    xp = of(*rates)
    if isinstance(rates, Rates):
        p, phi, psi = map(xp.asarray, rates)
        return _log_product(1 - p, phi) - _log_product(p, psi)
    return xp.log(kept_correct_rate(rates)) - xp.log(kept_wrong_rate(rates))


def generator_accuracy(rates: Rates | ClassRates) -> Scalar:
    """P(y' = y) = 1 - p, or sum_k rho_k (1 - p_k)."""
    check_rates(rates)
    return correct_rate(rates)


def correct_rate(rates: Rates | ClassRates) -> Scalar:
    """P(y' = y) = 1 - p, or sum_k rho_k (1 - p_k); not checked."""
    return _over_classes(rates, 1 - of(rates.p).asarray(rates.p))


def verifier_suffices(rates: Rates | ClassRates) -> Scalar:
    """Whether training on the kept data reaches the Bayes classifier as n/d -> inf.

    The theorem's criterion p < p*, stated as (1 - p) phi > p psi so that it holds for class-dependent
    rates as well. False at p = p* exactly. Source: feng2024beyond; THEORY §1.
    """
    check_rates(rates)
    return kept_correct_rate(rates) > kept_wrong_rate(rates)
