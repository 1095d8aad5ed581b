"""The threshold p* and what a verifier does to the labels (THEORY §1; Feng et al. 2406.07515)."""

import jax.numpy as jnp

from theory._check import check_rates
from theory.types import ClassRates, Rates, Scalar


def p_star(rates: Rates | ClassRates) -> Scalar:
    """Breakdown error rate: training on kept data succeeds, with infinite data, iff p < p*.

        p* = 1 / (1 + psi/phi) = phi / (phi + psi)

    For `ClassRates` it is the threshold on an error rate common to both classes, with phi and psi
    averaged over the prior. Depends on ``psi/phi`` alone. Returns a value in [0, 1], of the broadcast
    shape of phi and psi. Raises ValueError for rates outside [0, 1] and for phi = psi = 0.
    Source: feng2024beyond, main theorem; THEORY §1 for the convention of p.
    """
    check_rates(rates)
    phi, psi = rates.phi, rates.psi
    if isinstance(rates, ClassRates):
        phi, psi = jnp.sum(rates.prior * phi, -1), jnp.sum(rates.prior * psi, -1)
    return jnp.asarray(phi) / (jnp.asarray(phi) + psi)


def kept_correct_rate(rates: Rates | ClassRates) -> Scalar:
    """P(kept and y' correct) = (1 - p) phi, or sum_k rho_k (1 - p_k) phi_k."""
    if isinstance(rates, ClassRates):
        return jnp.sum(rates.prior * (1 - rates.p) * rates.phi, -1)
    return (1 - jnp.asarray(rates.p)) * rates.phi


def kept_wrong_rate(rates: Rates | ClassRates) -> Scalar:
    """P(kept and y' wrong) = p psi, or sum_k rho_k p_k psi_k."""
    if isinstance(rates, ClassRates):
        return jnp.sum(rates.prior * rates.p * rates.psi, -1)
    return jnp.asarray(rates.p) * rates.psi


def kept_rate(rates: Rates | ClassRates) -> Scalar:
    """Share of the synthetic samples that is kept.

        kappa = (1 - p) phi + p psi

    Returns a value in [0, 1]. Raises ValueError as `p_star`. Source: THEORY §1.
    """
    check_rates(rates)
    return kept_correct_rate(rates) + kept_wrong_rate(rates)


def purity(rates: Rates | ClassRates) -> Scalar:
    """Share of the kept samples whose label is correct.

        pi = (1 - p) phi / kappa

    Equivalent to the threshold: pi > 1/2 iff (1 - p) phi > p psi iff p < p*. Returns a value in
    [0, 1], NaN where nothing is kept (kappa = 0). Raises ValueError as `p_star`. Source: THEORY §1.
    """
    check_rates(rates)
    correct, wrong = kept_correct_rate(rates), kept_wrong_rate(rates)
    return correct / (correct + wrong)


def log_odds_of_purity(rates: Rates | ClassRates) -> Scalar:
    """log(pi / (1 - pi)) = log((1 - p) phi) - log(p psi): positive iff p < p*; +-inf at the corners."""
    check_rates(rates)
    return jnp.log(kept_correct_rate(rates)) - jnp.log(kept_wrong_rate(rates))


def generator_accuracy(rates: Rates | ClassRates) -> Scalar:
    """P(y' = y) = 1 - p, or sum_k rho_k (1 - p_k)."""
    check_rates(rates)
    if isinstance(rates, ClassRates):
        return jnp.sum(rates.prior * (1 - rates.p), -1)
    return 1 - jnp.asarray(rates.p)


def verifier_suffices(rates: Rates | ClassRates) -> Scalar:
    """Whether training on the kept data reaches the Bayes classifier as n/d -> inf.

    The theorem's criterion p < p*, stated as (1 - p) phi > p psi so that it holds for class-dependent
    rates as well. False at p = p* exactly. Source: feng2024beyond; THEORY §1.
    """
    check_rates(rates)
    return kept_correct_rate(rates) > kept_wrong_rate(rates)
