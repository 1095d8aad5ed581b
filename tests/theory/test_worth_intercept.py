"""The worth of a sample for a classifier with an intercept: of the direction, and of accuracy once that is calibrated.

Squared loss in closed form, written out here; the law is `theory.worth.kept_worth(..., intercept=True)`.
"""

import numpy as np
import pytest
from scipy.special import ndtr

from theory.ridge import theta_of
from theory.types import ClassRates
from theory.worth import kept_worth

RIDGES = np.geomspace(1e-5, 1e6, 1101)
SIGNAL, DELTA = 2.0, 4.0


def unverified(share, p_negative, p_positive):
    """Everything is kept; ``share`` = P(y = +1)."""
    return ClassRates(np.array([p_negative, p_positive]), np.ones(2), np.ones(2), np.array([1 - share, share]))


def moments(rates):
    """E y, E y' and the (co)variances of the kept."""
    right, wrong = rates.prior * (1 - rates.p) * rates.phi, rates.prior * rates.p * rates.psi
    kept, sign = (right + wrong).sum(), np.array([-1, 1])
    y, label = (sign * (right + wrong)).sum() / kept, (sign * (right - wrong)).sum() / kept
    return y, label, (right - wrong).sum() / kept - y * label, 1 - y**2, 1 - label**2


def trained(rates, delta, ridge):
    """Mean score, offset and standard deviation of the scores."""
    y, label, cov, var, var_label = moments(rates)
    k = ridge * (1 + theta_of(delta, ridge))
    a, b, d2 = SIGNAL**2 / (1 + k), SIGNAL**2 / (1 + k) ** 2, 1 / (1 + k) ** 2
    t = a * cov / (1 + a * var)
    rest = d2 / delta * (var_label - 2 * t * cov + t**2 * var)
    return t, label - y * t, np.sqrt(((cov / (1 + a * var)) ** 2 * b + rest) / (1 - d2 / delta))


def accuracy(rates, t, offset, sd):
    return rates.prior[1] * ndtr((t + offset) / sd) + rates.prior[0] * ndtr((t - offset) / sd)


def calibrated(rates, ratio):
    """Accuracy of a direction with t/sigma = ratio and the best offset."""
    log_odds = np.log(rates.prior[1] / rates.prior[0])
    return accuracy(rates, ratio, log_odds / (2 * ratio), 1.0)


CASES = (unverified(0.7, 0.2, 0.2), unverified(0.5, 0.35, 0.05))


@pytest.mark.parametrize("rates", CASES)
def test_the_direction_is_worth_what_the_law_says_and_never_more(rates):
    t, _, sd = trained(rates, DELTA, RIDGES)
    law = SIGNAL**2 / np.sqrt(SIGNAL**2 + 1 / (DELTA * float(kept_worth(rates, intercept=True))))
    assert np.max(t / sd) <= law
    assert (t / sd)[-1] == pytest.approx(law, rel=1e-5)


@pytest.mark.parametrize(("rates", "by_labels", "by_law"), [(CASES[0], 0.9336, 0.9679), (CASES[1], 0.8170, 0.9685)])
def test_accuracy_is_that_of_the_law_once_the_offset_is_set_on_trusted_labels(rates, by_labels, by_law):
    """The offset trained on the noisy labels costs more, at every ridge."""
    t, offset, sd = trained(rates, DELTA, RIDGES)
    law = SIGNAL**2 / np.sqrt(SIGNAL**2 + 1 / (DELTA * float(kept_worth(rates, intercept=True))))
    assert np.max(accuracy(rates, t, offset, sd)) == pytest.approx(by_labels, abs=5e-5)
    assert np.max(calibrated(rates, t / sd)) == pytest.approx(by_law, abs=5e-5)
    assert calibrated(rates, law) == pytest.approx(by_law, abs=5e-5)


def test_clean_unequal_classes_of_as_many_samples_as_the_squared_correlation_says():
    """.9545 of P(y=+) = .7, p = .2: clean labels, offset trained."""
    _, _, cov, var, var_label = moments(CASES[0])
    clean = unverified(0.7, 0.0, 0.0)
    found = trained(clean, DELTA * cov**2 / (var * var_label), RIDGES)
    assert np.max(accuracy(clean, *found)) == pytest.approx(0.9545, abs=5e-5)
