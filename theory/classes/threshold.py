"""Endless data: a correct label has to win a plurality, not a majority (THEORY §10).

A classifier without intercept on x = mu_y + z, with means mu_1..mu_K orthogonal: its scores at the means are
free, so each class is decided by the labels of its own kept samples. With infinite data, class k is learned as
the signal grows iff its correct label is the most frequent of them. Where labels treat all classes alike (`Rates`)
the trained classifier is then Bayes-optimal at any signal; for a general `Confusion` it is not
(``tests/sims/classes/test_trial.py`` shows one that meets the criterion and stays below).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theory._check import check_rates, in_range
from theory.arrays import Array, is_traced, of, quiet
from theory.classes.accuracy import symmetric_accuracy
from theory.decimals import typed
from theory.errors import InputError
from theory.types import Confusion, Rates, Scalar

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

ROUNDED = 1e-9
"""How far probabilities may be from a sum of 1."""


@quiet
def p_star_classes(rates: Rates, classes: Any) -> Scalar:
    """Breakdown error rate for K classes with wrong labels spread evenly: success iff p < p*_K.

        p*_K = 1 / (1 + psi / ((K - 1) phi)) = (K - 1) phi / ((K - 1) phi + psi)

    A correct label must outnumber each single wrong one: (1 - p) phi > p psi / (K - 1). This is p* at K = 2 and
    tends to 1 as K grows. ``classes`` is K >= 2, broadcast with phi and psi. Raises ValueError for K < 2 and as
    `theory.threshold.p_star`. Source: THEORY §10.
    """
    check_rates(rates)
    check_classes(classes)
    xp = of(rates, classes)
    votes = (xp.asarray(classes) - 1) * xp.asarray(rates.phi)
    return votes / (votes + rates.psi)


@quiet
def p_star_shares(shares: Float[Array, "... K K"], keep: Float[Array, "... K K"]) -> Scalar:
    """Threshold on an error rate p common to all classes, wrong labels spread by given shares.

        p* = min_k 1 / (1 + max_{l != k} S_kl Q_kl / Q_kk),    C_kl = p S_kl (l != k),  C_kk = 1 - p

    Even shares and constant rates give `p_star_classes`, the largest value for that phi and psi; all errors on
    one label give the binary p*, the smallest.

    Args:
        shares: S_kl = P(y' = l | y = k, y' wrong): rows sum to 1, diagonal 0.
        keep: Q_kl = P(kept | y' = l, y = k).

    Raises:
        ValueError: not a square table of shares or of probabilities, or a class of which nothing can be kept.
    """
    check_shares(shares)
    check_keep(keep, np.shape(shares))
    xp = of(shares, keep)
    rival = _best_wrong(xp.asarray(shares) * xp.asarray(keep))
    correct = _diagonal(keep)
    nothing = (correct == 0) & (rival == 0)
    _refuse_where(nothing, "keep leaves nothing of a class (Q_kk = 0, and S_kl Q_kl = 0)", "keep something of it")
    return xp.min(correct / (correct + rival), axis=-1)


def spread(p: Scalar, shares: Float[Array, "... K K"], keep: Float[Array, "... K K"]) -> Confusion:
    """The `Confusion` with common error rate p: C_kk = 1 - p, C_kl = p S_kl. Args, Raises: as `p_star_shares`."""
    in_range("p", p, 0, 1, remedy="p is the generator's error rate, a probability")
    check_shares(shares)
    check_keep(keep, np.shape(shares))
    xp = of(p, shares, keep)
    rate = xp.asarray(p)[..., None, None]
    return Confusion((1 - rate) * xp.eye(np.shape(shares)[-1]) + rate * xp.asarray(shares), xp.asarray(keep))


def spread_evenly(rates: Rates, classes: int) -> Confusion:
    """`Rates` as a `Confusion` of K classes: C_kl = p/(K-1), Q_kk = phi, Q_kl = psi. Scalar rates."""
    check_rates(rates)
    check_classes(classes)
    same = of(rates).eye(classes)
    return spread(rates.p, (1 - same) / (classes - 1), rates.phi * same + rates.psi * (1 - same))


def kept_table(confusion: Confusion) -> Float[Array, "... K K"]:
    """A_kl = P(y' = l, kept | y = k) = C_kl Q_kl. Raises ValueError for tables that are not probabilities."""
    check_confusion(confusion)
    xp = of(confusion)
    return xp.asarray(confusion.label) * xp.asarray(confusion.keep)


def kept_rate(confusion: Confusion) -> Scalar:
    """Share of the samples that is kept: kappa = (1/K) sum_kl C_kl Q_kl."""
    return kept_table(confusion).sum(-1).mean(-1)


@quiet
def purity(confusion: Confusion) -> Scalar:
    """Share of the kept that is correct: pi = sum_k C_kk Q_kk / sum_kl C_kl Q_kl; NaN where nothing is kept.

    At the threshold of evenly spread errors it is 1/K; in general no value of it decides.
    """
    table = kept_table(confusion)
    return _diagonal(table).sum(-1) / table.sum((-2, -1))


def margins(confusion: Confusion) -> Float[Array, "... K"]:
    """By how much the correct label of each class leads among its kept samples.

        margin_k = C_kk Q_kk - max_{l != k} C_kl Q_kl

    In [-1, 1]. Source: THEORY §10.
    """
    table = kept_table(confusion)
    return _diagonal(table) - _best_wrong(table)


def plurality_suffices(confusion: Confusion) -> Bool[Array, ...]:
    """Whether the correct label leads in every class, margin_k > 0 for all k; False at a tie.

    Infinite data then gives accuracy -> 1 as the signal grows; the module's docstring says what holds at a given
    signal. With two classes of unlike rates this asks more than purity > 1/2, because orthogonal means decide
    each class on its own, which antipodal means +-mu (`theory.threshold.verifier_suffices`) cannot.
    """
    return (margins(confusion) > 0).all(-1)


def bayes_accuracy(signal: Scalar, classes: int) -> Scalar:
    """Accuracy of argmax_k mu_k.x, the best classifier of K orthogonal means of norm r.

    E[ Phi(r + h)^(K-1) ],  h ~ N(0, 1);    Phi(r / sqrt(2)) at K = 2
    """
    _check_signal(signal)
    check_classes(classes)
    return symmetric_accuracy(signal, classes)


def worst_accuracy(signal: Scalar, classes: int) -> Scalar:
    """Accuracy of argmin_k mu_k.x: E[ Phi(-r - h)^(K-1) ], h ~ N(0, 1)."""
    _check_signal(signal)
    check_classes(classes)
    return symmetric_accuracy(-of(signal).asarray(signal, float), classes)


@quiet
def infinite_data(signal: Scalar, rates: Rates, classes: int) -> Scalar:
    """delta -> inf, errors spread evenly: `bayes_accuracy` where p < p*_K, 1/K at p*_K, `worst_accuracy` beyond.

    Squared and logistic loss, any finite ridge: the population objective is invariant under permutations of the
    classes, so w_k - w_l = c (mu_k - mu_l), and c has the sign of (1 - p) phi - p psi/(K - 1). At p = p*_K kept
    labels are uniform and independent of x, so the rows of W are exchangeable given x and **mean accuracy is 1/K
    at every n, d, ridge and loss**. NaN where nothing is kept. Raises ValueError as `p_star_classes`.
    """
    check_rates(rates)
    best, worst = bayes_accuracy(signal, classes), worst_accuracy(signal, classes)
    xp = of(signal, rates)
    correct = (1 - xp.asarray(rates.p)) * rates.phi
    wrong = xp.asarray(rates.p) * rates.psi
    lead = correct - wrong / (classes - 1)
    limit = xp.where(lead > 0, best, xp.where(lead < 0, worst, 1 / classes))
    return xp.where(correct + wrong > 0, limit, xp.nan)


def _check_signal(signal: Scalar) -> None:
    in_range("signal", signal, 0, np.inf, open_low=True, remedy="signal is the norm of every class mean")


def _diagonal(table: Any) -> Float[Array, "... K"]:
    return of(table).diagonal(table, axis1=-2, axis2=-1)


def _best_wrong(table: Array) -> Float[Array, "... K"]:
    """max_{l != k} of each row."""
    xp = of(table)
    return xp.max(xp.where(np.eye(table.shape[-1], dtype=bool), -xp.inf, table), axis=-1)


def check_classes(classes: Any) -> None:
    """Raise ValueError unless every number of classes is a whole number of 2 or more."""
    in_range("classes", classes, 2, np.inf, remedy="K counts the classes; two are the least")
    if not is_traced(classes) and np.any(np.asarray(classes) % 1 != 0):
        raise InputError(f"classes = {classes} is not a whole number; K counts the classes")


def check_confusion(confusion: Confusion) -> None:
    """Raise ValueError unless C is a table of conditional probabilities and Q one of probabilities, both K x K."""
    _check_square("label", confusion.label)
    in_range("label", confusion.label, 0, 1, remedy="C_kl = P(y' = l | y = k) is a probability")
    _check_rows("label", confusion.label)
    check_keep(confusion.keep, np.shape(confusion.label))


def check_keep(keep: Any, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless ``keep`` holds probabilities, K x K as the table it belongs to."""
    _check_square("keep", keep)
    if np.shape(keep)[-1] != shape[-1]:
        raise InputError(f"keep has K = {np.shape(keep)[-1]} classes, its partner K = {shape[-1]}; give both the same")
    in_range("keep", keep, 0, 1, remedy="Q_kl = P(kept | y' = l, y = k) is a probability")


def check_shares(shares: Any) -> None:
    """Raise ValueError unless each row of ``shares`` spreads 1 over the wrong labels."""
    _check_square("shares", shares)
    in_range("shares", shares, 0, 1, remedy="S_kl = P(y' = l | y = k, y' wrong) is a probability")
    _refuse_where(_diagonal(shares) != 0, "shares has a diagonal entry that is not 0", "a wrong label is not y")
    _check_rows("shares", shares)


def _check_square(name: str, table: Any) -> None:
    shape = np.shape(table)
    if len(shape) < 2 or shape[-1] != shape[-2] or shape[-1] < 2:
        raise InputError(f"{name} has shape {shape}; it must be (..., K, K) with K >= 2, axes (true y, label y')")


def _check_rows(name: str, table: Any) -> None:
    if is_traced(table):
        return
    total = np.sum(np.asarray(table), axis=-1)
    wrong = np.abs(total - 1) > ROUNDED
    if np.any(wrong):
        raise InputError(f"a row of {name} sums to {typed(total[wrong].flat[0])}; every row must sum to 1")


def _refuse_where(bad: Array, message: str, remedy: str) -> None:
    if not is_traced(bad) and bool(np.any(bad)):
        raise InputError(f"{message}; {remedy}")
