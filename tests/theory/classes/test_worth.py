"""What kept samples are worth: the bound, where it is reached, and where a fixed penalty breaks it."""

import numpy as np
import pytest
from scipy.optimize import brentq

from tests.theory.classes.cells import even, skewed
from theory.classes.accuracy import symmetric_accuracy
from theory.classes.prediction import predict
from theory.classes.ridge import symmetric_lead
from theory.classes.worth import averaging_lead, bound, lead_of
from theory.types import Confusion, Rates
from theory.worth import worth


def test_no_ridge_beats_averaging():
    """200,000 random cells: t of ridge below t of averaging, in size, on either side of p*_K."""
    rng = np.random.default_rng(0)
    for classes in (2, 3, 5, 10, 30):
        gap, delta, ridge = 10 ** rng.uniform(((-1,), (-2,), (-5,)), ((2,), (2,), (2,)), (3, 40_000))
        lead = rng.uniform(-1 / (classes - 1), 1, 40_000)
        ratio = symmetric_lead(gap, lead, delta, ridge, classes) / averaging_lead(gap, lead, delta, classes)
        assert np.all(ratio < 1)
        assert np.all(ratio > 0)
        assert ratio.max() > 0.99  # it is reached


def test_ridge_improves_with_the_penalty():
    rng = np.random.default_rng(1)
    gap, delta = 10 ** rng.uniform(((-1,), (-2,)), ((2,), (2,)), (2, 2_000))
    lead = rng.uniform(0.01, 1, 2_000)
    leads = [symmetric_lead(gap, lead, delta, ridge, 4) for ridge in (1e-3, 0.03, 1.0, 30.0, 1e3)]
    assert all(np.all(high > low) for low, high in zip(leads, leads[1:], strict=False))


@pytest.mark.parametrize(("classes", "p"), [(3, 0.3), (4, 0.95)])
def test_no_softmax_beats_averaging(classes, p):
    """Most before p*_K, least beyond; nearer with a stronger penalty."""
    reached = [
        predict(even(p, ridge=ridge), 2.0, "logistic", classes=classes, effort="plain") for ridge in (1e-2, 1, 50)
    ]
    most = float(bound(reached[0].gap, reached[0].purity, reached[0].delta, classes))
    short = np.array([most - each.accuracy for each in reached]) * np.sign(lead_of(reached[0].purity, classes))
    assert short[0] > short[1] > short[2] > 0


def test_stated_ratios_of_softmax_to_averaging():
    """K = 8, a = 15.6, pi = .67, delta = 2.4: t/t_avg .48, .93, .9995 at lambda = .01, 1, 100."""
    from theory.classes.symmetric import solve

    ridge = np.array([0.01, 1.0, 100.0])
    found = solve(15.6, 0.67, 2.4, ridge, 8, "coarse")
    lead = found.score_gap / np.sqrt(found.score_gap**2 / 15.6 + found.bulk**2)
    ratio = lead / averaging_lead(15.6, lead_of(0.67, 8), 2.4, 8)
    np.testing.assert_allclose(ratio, [0.48, 0.93, 0.9995], atol=6e-3)


def clean_equivalent(accuracy_of, purity, delta, classes):
    """Clean samples of the same accuracy, over rho^2 m."""
    target = accuracy_of(purity, delta)
    clean = brentq(lambda log: accuracy_of(1.0, np.exp(log)) - target, np.log(1e-3), np.log(1e3))
    return np.exp(clean) / (delta * lead_of(purity, classes) ** 2)


@pytest.mark.parametrize(("ridge", "share"), [(0.1, 0.53), (1.0, 0.39), (10.0, 0.76)])
def test_at_a_fixed_penalty_wrong_labels_are_dearer(ridge, share):
    """K = 4, a = 9, pi = .6, delta = 8; at the strongest penalty the share is 1."""

    def by_ridge(purity, delta):
        return float(symmetric_accuracy(symmetric_lead(9.0, lead_of(purity, 4), delta, ridge, 4), 4))

    def averaged(purity, delta):
        return float(bound(9.0, purity, delta, 4))

    assert clean_equivalent(by_ridge, 0.6, 8.0, 4) == pytest.approx(share, abs=6e-3)
    assert clean_equivalent(averaged, 0.6, 8.0, 4) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(("delta", "worth"), [(0.5, 0.28), (2.0, 0.19), (8.0, 0.085), (32.0, 0.027)])
def test_uneven_errors_are_worth_less(delta, worth):
    """Averaging, K = 4, a = 9, pi = .7, every error on the next class: below the .36 of even ones."""
    label = 0.7 * np.eye(4) + 0.3 * np.roll(np.eye(4), 1, axis=1)
    uneven = even(signal=3.0, gram=np.eye(4))._replace(curation=Confusion(label, np.ones((4, 4))))
    target = predict(uneven, delta, "averaging").accuracy
    clean = brentq(lambda log: float(bound(9.0, 1.0, np.exp(log), 4)) - target, np.log(1e-3), np.log(1e3))
    assert np.exp(clean) / delta == pytest.approx(worth, abs=6e-3)


def test_purity_alone_misleads():
    """K = 10, p = .3, phi = .6, psi = .05: purity .70 -> .966, which loses at the best penalty, and gains at .1."""
    verified, plain = Rates(0.3, 0.6, 0.05), Rates(0.3, 1.0, 1.0)
    assert worth(verified, 10) < worth(plain, 10)
    stated = {("averaging", 0.0): (0.6736, 0.6563), ("squared", 0.1): (0.420, 0.434)}
    for (loss, ridge), expected in stated.items():
        found = [
            predict(even(signal=3.0, ridge=ridge)._replace(curation=rates), 2.0, loss, classes=10).accuracy
            for rates in (plain, verified)
        ]
        np.testing.assert_allclose(found, expected, atol=6e-4 if ridge else 6e-5)


def test_the_lead_is_the_root_of_the_worth():
    """kappa rho^2 of the bound is W of THEORY §28."""
    p = np.linspace(0, 0.9, 20)
    found = predict(even(p, 0.8, 0.2), 1.0, "averaging", classes=10)
    np.testing.assert_allclose(
        found.kept_rate * lead_of(found.purity, 10) ** 2, worth(Rates(p, 0.8, 0.2), 10), rtol=1e-12
    )


def test_unlike_classes_have_a_finite_best_penalty():
    """Averaging is not best where means and priors differ."""
    problem = skewed(np.random.default_rng(4), 4)
    found = predict(problem._replace(ridge=np.geomspace(1e-2, 1e4, 25)), 3.0).accuracy
    assert found.max() > found[-1] + 1e-3
