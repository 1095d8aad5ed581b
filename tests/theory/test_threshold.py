import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.threshold import (
    generator_accuracy,
    kept_rate,
    log_odds_of_purity,
    p_star,
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
    common = ClassRates(np.full(2, float(p_star(rates))), phi, psi, prior)
    assert float(purity(common)) == pytest.approx(0.5, rel=1e-14)  # p_star is the threshold of a common p


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
