"""What samples are worth in each reading, and where student and generator tie."""

import numpy as np
import pytest

from empirical.forecasting import ties
from empirical.forecasting.pilot import Size
from empirical.forecasting.readings import EARLY, RIGHT, Reading, Run, exponent, fitted_exponent, lead, per_sample
from tests.empirical.forecasting.test_curves import fitted
from tests.empirical.forecasting.truths import CURVES
from theory.threshold import p_star
from theory.types import Rates
from theory.worth import worth

CURVE = fitted(CURVES["theory"])["theory"]
P, PHI, PSI, FIRST = np.array([0.3, 0.2]), np.array([0.9, 1.0]), np.array([0.3, 0.0]), np.zeros(2, int)
LAW = Reading("law", CURVE, np.array([2.0]), 2)


def with_run(kind, n=2000.0, equivalent=150.0):
    accuracy = CURVE.at(np.array([equivalent]), np.zeros(1, int))
    return Reading(kind, CURVE, np.array([2.0]), 2, Run(n, accuracy))


@pytest.mark.parametrize("classes", [2, 10])
def test_a_sample_is_worth_what_theory_says(classes):
    rng = np.random.default_rng(0)
    p, phi, psi = rng.random((3, 50))
    assert per_sample(p, phi, psi, classes, 2.0) == pytest.approx(worth(Rates(p, phi, psi), classes), abs=1e-12)


def test_law_and_copy():
    found = LAW.student(1000, P, PHI, PSI, FIRST)
    assert found == pytest.approx(CURVE.at(1000 * np.asarray(worth(Rates(P, PHI, PSI))), FIRST))
    assert LAW._replace(kind="copy").student(1000, P, PHI, PSI, FIRST) == pytest.approx(1 - P)


def test_early_is_the_law_once_there_are_many_samples():
    early, own = LAW._replace(kind="early"), CURVE.reaches(1 - P, FIRST)
    assert early.worth(1e5, P, PHI, PSI, FIRST) == pytest.approx(LAW.worth(1e5, P, PHI, PSI, FIRST))
    few = 0.5 * own.min()
    assert early.worth(few, P, PHI, PSI, FIRST) == pytest.approx([RIGHT * few] * 2)
    assert (early.worth(20.0, P, PHI, PSI, FIRST) <= EARLY * own + 20).all()


def test_readings_of_a_run_are_one_where_it_was_made():
    """At N without a verifier both are the run; elsewhere they enclose what the law makes of it."""
    one = np.ones(2)
    for kind in ("still", "onward"):
        assert with_run(kind).worth(2000.0, P, one, one, FIRST) == pytest.approx([150, 150], rel=1e-6)
    for n in (500.0, 2000.0, 10_000.0):
        low, high = (with_run(kind).worth(n, P, PHI, PSI, FIRST) for kind in ("still", "onward"))
        by_law = 150 * n / 2000 * worth(Rates(P, PHI, PSI)) / worth(Rates(P, one, one))
        assert (low <= np.minimum(by_law, RIGHT * n) * (1 + 1e-6)).all()
        assert (high >= np.minimum(by_law, RIGHT * n) * (1 - 1e-6)).all()


def test_an_oracle_may_take_all_learned_errors_away():
    """In the upper end; what was learned is then harder noise, of which nothing is left."""
    high = with_run("onward").worth(2000.0, P[:1], np.ones(1), np.zeros(1), FIRST[:1])
    assert high == pytest.approx([2000 * 0.7], rel=1e-6)


def test_share_of_the_run():
    assert with_run("still").share_of_run(P, FIRST) == pytest.approx(150 / (2000 * lead(P, 2) ** 2), rel=1e-6)


@pytest.mark.parametrize("c", [1.5, 2.0, 8.0])
def test_the_exponent_of_noisy_runs(c):
    sizes = [Size(n, np.nan, 1, np.nan, np.nan, p) for n, p in ((3000.0, 0.1), (2000.0, 0.15))]
    accuracy = CURVE.at(np.array([size.n * (1 - 2 * size.p) ** c for size in sizes]), FIRST)
    assert fitted_exponent(CURVE, sizes, accuracy[None]) == pytest.approx([c], rel=1e-4)


def test_no_exponent_where_a_run_has_no_clean_equivalent():
    sizes = [Size(1000.0, np.nan, 1, np.nan, np.nan, 0.1)]
    assert np.isnan(fitted_exponent(CURVE, sizes, np.array([[0.9999]])))[0]


def test_exponent_at_the_ends():
    assert exponent(np.array(1.0), np.array(0.5)) == 0
    assert exponent(np.array(0.0), np.array(0.5)) == 60
    assert exponent(np.array(0.25), np.array(0.5)) == pytest.approx(2)
    assert exponent(np.array(0.25), np.array(1.0)) == 0


# --- ties ---


def test_the_law_wins_from_n_0_over_w_on():
    found = ties.from_n(LAW, 1e9, P, PHI, PSI, FIRST)
    assert found == pytest.approx(CURVE.reaches(1 - P, FIRST) / worth(Rates(P, PHI, PSI)), rel=1e-5)


def test_never():
    """Beyond what the pilot can tell, for a copy, and where nothing is right."""
    assert np.isinf(ties.from_n(LAW, 1.0, P, PHI, PSI, FIRST)).all()
    assert np.isinf(ties.from_n(LAW._replace(kind="copy"), 1e9, P, PHI, PSI, FIRST)).all()
    assert np.isinf(ties.from_n(LAW, 1e9, np.array([0.45]), np.zeros(1), np.ones(1), FIRST[:1])).all()


def test_ties_in_p_and_in_p_star_are_ties():
    n = 45.0
    p = ties.in_p(LAW, n, P, PHI, PSI, FIRST)
    assert LAW.student(n, p, PHI, PSI, FIRST) == pytest.approx(1 - p, abs=1e-5)
    rates = np.array([0.0455, 0.0435])
    star = ties.in_p_star(LAW, n, rates, PHI, PSI, FIRST)
    psi = PHI * (1 / star - 1)
    assert ((psi > 0) & (psi < 1)).all()
    assert LAW.student(n, rates, PHI, psi, FIRST) == pytest.approx(1 - rates, abs=1e-5)
    assert star == pytest.approx(p_star(Rates(rates, PHI, psi)))


def test_any_verifier_or_none():
    one = FIRST[:1]
    assert ties.in_p_star(LAW, 1e5, P[:1], PHI[:1], PSI[:1], one) == [0]
    assert ties.in_p_star(LAW, 5.0, np.array([0.05]), PHI[:1], PSI[:1], one) == [np.inf]
