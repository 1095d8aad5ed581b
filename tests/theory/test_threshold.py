import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.threshold import (
    generator_accuracy,
    kept_rate,
    log_odds,
    log_odds_of_purity,
    marginal,
    p_star,
    p_star_along,
    p_star_common,
    p_star_direction,
    p_star_each_class,
    purity,
    verifier_suffices,
)
from theory.types import ClassRates, Rates

probability = st.floats(0, 1)
positive = st.floats(1e-3, 1)


@given(p=probability, phi=positive, psi=positive)
def test_three_ways_to_state_the_threshold(p, phi, psi):
    rates = Rates(p, phi, psi)
    if abs((1 - p) * phi - p * psi) < 1e-12:
        return  # at the threshold itself rounding decides
    below = p < float(p_star(rates))
    assert bool(verifier_suffices(rates)) == below
    assert (float(purity(rates)) > 0.5) == below
    assert (float(log_odds_of_purity(rates)) > 0) == below


@given(p=probability, phi=positive, psi=positive, scale=st.floats(0.01, 1))
def test_threshold_depends_on_the_ratio_alone(p, phi, psi, scale):
    full, thinned = Rates(p, phi, psi), Rates(p, scale * phi, scale * psi)
    np.testing.assert_allclose(p_star(thinned), p_star(full), rtol=1e-12)
    np.testing.assert_allclose(purity(thinned), purity(full), rtol=1e-12)
    np.testing.assert_allclose(kept_rate(thinned), scale * kept_rate(full), rtol=1e-12)


@pytest.mark.parametrize(
    ("phi", "psi", "expected"), [(0.7, 0.7, 0.5), (0.3, 0.0, 1.0), (0.0, 0.4, 0.0), (1, 0.25, 0.8)]
)
def test_known_thresholds(phi, psi, expected):
    assert float(p_star(Rates(0.3, phi, psi))) == pytest.approx(expected, abs=1e-15)


@given(p=probability, phi=positive, psi=positive, prior=probability)
def test_equal_classes_are_the_scalar_case(p, phi, psi, prior):
    scalar = Rates(p, phi, psi)
    classes = ClassRates(*(np.full(2, rate) for rate in scalar), np.array([1 - prior, prior]))
    for function in (p_star, kept_rate, purity, generator_accuracy):
        np.testing.assert_allclose(function(classes), function(scalar), rtol=1e-12, atol=1e-15)


def test_class_dependent_purity_is_bayes_rule():
    """Purity by counting the four outcomes of each class, the way one would on paper."""
    p, phi, psi, prior = (np.array(x) for x in ([0.1, 0.6], [0.9, 0.5], [0.2, 0.7], [0.3, 0.7]))
    kept_right = 0.3 * 0.9 * 0.9 + 0.7 * 0.4 * 0.5
    kept_wrong = 0.3 * 0.1 * 0.2 + 0.7 * 0.6 * 0.7
    rates = ClassRates(p, phi, psi, prior)
    assert float(purity(rates)) == pytest.approx(kept_right / (kept_right + kept_wrong), rel=1e-14)
    assert float(kept_rate(rates)) == pytest.approx(kept_right + kept_wrong, rel=1e-14)
    assert bool(verifier_suffices(rates)) == (kept_right > kept_wrong)


class_rates = st.tuples(*(st.tuples(positive, positive) for _ in range(3)), st.floats(0.05, 0.95))


@given(class_rates)
def test_class_dependent_threshold_is_purity_one_half(drawn):
    """p < p* iff purity > 1/2, with p, phi, psi over both classes; and p_star_along is where that turns."""
    p, phi, psi, prior = (*(np.array(pair) for pair in drawn[:3]), np.array([1 - drawn[3], drawn[3]]))
    rates = ClassRates(p, phi, psi, prior)
    whole = marginal(rates)
    np.testing.assert_allclose(kept_rate(whole), kept_rate(rates), rtol=1e-12)
    np.testing.assert_allclose(purity(whole), purity(rates), rtol=1e-12, atol=1e-14)
    excess = float(kept_rate(rates) * (2 * purity(rates) - 1))
    if abs(excess) > 1e-9:
        assert (float(whole.p) < float(p_star(rates))) == (excess > 0)
        assert (float(whole.p) < float(p_star_along(rates))) == (excess > 0)
    scale = float(p_star_along(rates) / whole.p)
    if scale * p.max() <= 1:
        assert float(purity(rates._replace(p=scale * p))) == pytest.approx(0.5, abs=1e-12)


def test_averaging_the_rates_with_the_prior_would_be_wrong():
    """phi and psi over both classes are not the averages of the classes': a case where the rule would flip."""
    rates = ClassRates(*(np.array(x) for x in ([0.81, 0.27], [0.5, 0.9], [0.9, 0.2], [0.5, 0.5])))
    assert float(purity(rates)) < 0.5
    assert float(generator_accuracy(rates)) == pytest.approx(0.46)
    assert 0.54 > float(p_star(rates))  # fails, as purity says
    assert 0.54 < 0.7 / (0.7 + 0.55)  # the averages would say: succeeds


def test_nothing_kept_is_not_a_number():
    assert np.isnan(purity(Rates(1.0, 0.5, 0.0)))


def test_vmap_and_gradient():
    grid = jnp.linspace(0.1, 0.9, 5)
    mapped = jax.vmap(lambda psi: p_star(Rates(0.3, 0.8, psi)))(grid)
    np.testing.assert_allclose(mapped, 0.8 / (0.8 + grid), rtol=1e-15)
    slope = jax.grad(lambda psi: p_star(Rates(0.3, 0.8, psi)))(0.2)
    assert float(slope) == pytest.approx(-0.8 / (0.8 + 0.2) ** 2, rel=1e-14)


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        (Rates(1.2, 0.5, 0.5), ["p = 1.2", "[0, 1]", "error rate"]),
        (Rates(0.2, -0.1, 0.5), ["phi = -0.1", "[0, 1]"]),
        (Rates(0.2, 0.5, float("nan")), ["psi = nan", "[0, 1]"]),
        (Rates(np.array([0.2, 7.0]), 0.5, 0.5), ["p = 7"]),
        (Rates(0.2, 0.0, 0.0), ["phi = psi = 0", "keeps nothing"]),
        (Rates("a", 0.5, 0.5), ["p = 'a'", "not a number"]),
        (ClassRates(*(np.full(2, 0.5),) * 3, np.array([0.5, 0.6])), ["prior", "sum to 1"]),
    ],
)
def test_refusals_name_argument_value_and_range(rates, words):
    with pytest.raises(ValueError, match=r"[0, 1]|not a number|keeps nothing|sum to 1") as refusal:
        p_star(rates)
    for word in words:
        assert word in str(refusal.value)


@pytest.mark.parametrize("function", [p_star, p_star_along, p_star_common, p_star_direction, p_star_each_class])
@pytest.mark.parametrize("scale", [1.0, 1e-150, 1e-200, 1e-305])
def test_thresholds_do_not_depend_on_how_little_is_kept(function, scale):
    """No product of two small rates is taken that underflows."""
    p, phi, psi, prior = (np.array(x) for x in ([0.1, 0.6], [0.9, 0.5], [0.2, 0.7], [0.3, 0.7]))
    if function is p_star_common:  # checks nothing, and so takes rates that keep nothing as well
        assert np.isnan(function(ClassRates(p, 0 * phi, 0 * psi, prior)))
    expected = function(ClassRates(p, phi, psi, prior))
    assert 0 < expected < 1
    np.testing.assert_allclose(function(ClassRates(p, scale * phi, scale * psi, prior)), expected, rtol=1e-9)


@pytest.mark.parametrize("least", [1e-200, 1e-310, 5e-324])
def test_log_odds_of_rare_errors(least):
    odds = log_odds(ClassRates(np.full(2, least), np.ones(2), np.full(2, 0.25), np.full(2, 0.5)))
    np.testing.assert_allclose(odds, -np.log(least) - np.log(0.25), rtol=1e-12)
    np.testing.assert_allclose(log_odds_of_purity(Rates(least, 1.0, 0.25)), odds[0], rtol=1e-12)
