"""The direction of a classifier with an intercept, from counted records: exact, and the theory's threshold."""

import numpy as np
import pytest
from scipy.stats import binom, fisher_exact

from empirical.auditing.binary import audit
from empirical.auditing.direction import direction
from empirical.auditing.rates import Counts
from theory.threshold import log_odds
from theory.types import ClassRates


def of_kept(right, wrong):
    return Counts(right, 0, wrong, 0)


def test_endless_records_give_the_odds_of_the_theory():
    p, phi, psi = np.array([0.1, 0.55]), np.array([0.9, 0.8]), np.array([0.3, 0.7])
    counts = [
        Counts(*(1e6 * np.array([q * f, q * (1 - f), e * s, e * (1 - s)])).round().astype(int))
        for q, f, e, s in zip(1 - p, phi, p, psi, strict=True)
    ]
    found = direction(*counts, 0.95)
    expected = np.exp(log_odds(ClassRates(p, phi, psi, np.ones(2) / 2)).sum())
    assert found.odds_product.value == pytest.approx(expected, rel=1e-5)
    assert found.verdict == "below"


@pytest.mark.parametrize("table", [(12, 5, 9, 3), (3, 9, 5, 6), (30, 1, 2, 25), (4, 4, 4, 4), (2, 9, 1, 14)])
def test_the_verdict_is_that_of_fishers_exact_test(table):
    """An end of the interval is beyond 1 where the one-sided test rejects at half of the level."""
    right, wrong, other_right, other_wrong = table
    found = direction(of_kept(right, wrong), of_kept(other_right, other_wrong), 0.9)
    sides = {"below": "greater", "above": "less"}
    rejected = [
        name
        for name, side in sides.items()
        if fisher_exact([[right, wrong], [other_wrong, other_right]], side).pvalue < 0.05
    ]
    assert [found.verdict] == (rejected or ["undecided"])


def test_it_errs_no_more_often_than_the_level_says():
    """At o_1 o_2 = 1, of all tables of 14 and 9 kept records: the share that is decided, summed exactly."""
    first, second, share = 14, 9, 0.7  # purity .7 of one class, .3 of the other
    decided = 0.0
    for right in range(first + 1):
        for other in range(second + 1):
            weight = binom.pmf(right, first, share) * binom.pmf(other, second, 1 - share)
            found = direction(of_kept(right, first - right), of_kept(other, second - other), 0.9)
            decided += weight * (found.verdict != "undecided")
    assert 0.005 < decided <= 0.1


def test_nothing_wrong_and_nothing_kept():
    clean = direction(of_kept(40, 0), of_kept(30, 2), 0.95)
    assert clean.odds_product.value == np.inf
    assert clean.verdict == "below"
    empty = direction(of_kept(0, 0), of_kept(3, 2), 0.95)
    assert np.isnan(empty.odds_product.value)
    assert empty.verdict == "undecided"


def test_an_audit_has_it_for_two_classes_alone():
    rng = np.random.default_rng(0)
    correct, kept, classes = rng.random(400) < 0.8, rng.random(400) < 0.7, rng.integers(0, 3, 400)
    assert audit(correct, kept, classes).direction is None
    assert audit(correct, kept).direction is None
    assert audit(correct, kept, classes == 1).direction.verdict == "below"
