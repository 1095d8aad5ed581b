"""The worth of a sample: its limits, the theorem behind it, and the most that convex training makes of data."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from theory import limits, threshold
from theory.ceilings import ceiling, efficiency, spectrum_ceiling, squared_efficiency
from theory.classes import threshold as multiclass
from theory.engine import solve
from theory.errors import InputError, KindError
from theory.losses import LOSSES
from theory.types import ClassRates, Cosines, Problem, Rates, Spectrum
from theory.worth import best_point, helps, kept_worth, worth

rate = st.floats(0.01, 1.0)
error = st.floats(0.0, 1.0)
number_of_classes = st.integers(2, 50)


# --- W in closed form, and its limits ---


@given(p=error, phi=rate, psi=rate, classes=number_of_classes)
def test_worth_is_positive_below_the_threshold_alone_and_the_kept_rate_times_that_of_a_kept_sample(
    p, phi, psi, classes
):
    rates = Rates(p, phi, psi)
    star = float(multiclass.p_star_classes(rates, classes))
    found, kept = float(worth(rates, classes)), float(kept_worth(rates, classes))
    assert found == pytest.approx(float(threshold.kept_rate(rates)) * kept, abs=1e-15)
    assert 0 <= found <= 1
    assert 0 <= kept <= 1
    if abs(p - star) > 1e-9:
        assert (found > 0) == (p < star)


@given(p=st.floats(0, 0.5), phi=rate, classes=number_of_classes)
def test_limits_of_the_verifier(p, phi, classes):
    """Blind: the worth of no verifier, thinned. Never fooled: one sample for each that it keeps. Oracle: 1 - p."""
    none = float(worth(Rates(p, 1.0, 1.0), classes))
    assert none == pytest.approx((1 - p * classes / (classes - 1)) ** 2, abs=1e-15)
    assert float(worth(Rates(p, phi, phi), classes)) == pytest.approx(phi * none, abs=1e-15)
    assert float(worth(Rates(p, phi, 0.0), classes)) == pytest.approx((1 - p) * phi, rel=1e-12)
    assert float(worth(Rates(p, 1.0, 0.0), classes)) == pytest.approx(1 - p, rel=1e-12)
    assert not helps(Rates(p, 0.9 * phi, 0.9 * phi), classes)
    assert p < 1e-9 or helps(Rates(p, 1.0, 0.0), classes)


@given(p=error, phi=rate, psi=rate)
def test_two_classes_go_by_purity_and_mirrored_rates_have_the_margin_of_the_other_sign(p, phi, psi):
    problem = Problem(1.0, Rates(p, phi, psi), 0.1)
    lead = 2 * float(threshold.purity(problem.curation)) - 1
    assert float(kept_worth(problem.curation)) == pytest.approx(max(lead, 0.0) ** 2, abs=1e-14)
    assert float(kept_worth(limits.mirrored(problem).curation)) == pytest.approx(min(lead, 0.0) ** 2, abs=1e-14)


def test_worth_vanishes_at_the_threshold_and_beyond_and_where_nothing_is_kept():
    """Beyond p* training is worse than a coin, and clean samples, however few, are not."""
    for classes in (2, 5):
        star = float(multiclass.p_star_classes(Rates(0.5, 0.8, 0.3), classes))
        assert float(worth(Rates(star, 0.8, 0.3), classes)) == pytest.approx(0.0, abs=1e-30)
        assert float(worth(Rates(star + 0.01, 0.8, 0.3), classes)) == 0.0
        assert not helps(Rates(star + 0.01, 0.8, 0.3), classes)
    assert float(worth(Rates(0.0, 0.0, 1.0))) == 0.0
    assert np.isnan(kept_worth(Rates(0.0, 0.0, 1.0)))


@given(phi=rate, psi=rate, classes=number_of_classes)
def test_worth_falls_with_the_error_rate(phi, psi, classes):
    value = np.asarray(worth(Rates(np.linspace(0, 1, 101), phi, psi), classes))
    assert np.all(np.diff(value) <= 0)
    assert np.all(np.diff(value[value > 0]) < 0)


@given(
    p=st.floats(0, 0.9), one=st.tuples(rate, rate), two=st.tuples(rate, rate), share=error, classes=number_of_classes
)
def test_choosing_at_random_between_two_verifiers_never_beats_the_better(p, one, two, share, classes):
    each = [float(worth(Rates(p, *rates), classes)) for rates in (one, two)]
    phi, psi = (share * a + (1 - share) * b for a, b in zip(one, two, strict=True))
    assert float(worth(Rates(p, phi, psi), classes)) <= share * each[0] + (1 - share) * each[1] + 1e-14


def test_purity_alone_misleads():
    """K = 10: a verifier that lifts purity from .70 to .966 and loses."""
    verified, everything = Rates(0.3, 0.6, 0.05), Rates(0.3, 1.0, 1.0)
    assert float(threshold.purity(everything)) == pytest.approx(0.7)
    assert float(threshold.purity(verified)) == pytest.approx(0.966, abs=5e-4)
    assert float(worth(verified, 10)) < float(worth(everything, 10))
    assert not helps(verified, 10)
    gap, alpha = 9.0, 2.0  # symmetric means: ceiling A_K(t), t = lead a/sqrt(lead^2 a + K/delta)
    best = [
        float(multiclass.bayes_accuracy(gap / np.sqrt(gap + 10 / (alpha * float(worth(rates, 10)))), 10))
        for rates in (everything, verified)
    ]
    np.testing.assert_allclose(best, [0.6736, 0.6563], atol=5e-5)


def test_without_intercept_rates_by_class_go_by_purity():
    rates = ClassRates(np.array([0.1, 0.3]), np.array([0.9, 0.7]), np.array([0.2, 0.5]), np.array([0.4, 0.6]))
    pooled = threshold.marginal(rates)
    assert float(worth(rates)) == pytest.approx(float(worth(pooled)), rel=1e-13)
    assert float(kept_worth(rates)) == pytest.approx((2 * float(threshold.purity(rates)) - 1) ** 2, rel=1e-13)


def test_with_intercept_the_direction_is_worth_the_squared_covariance_over_the_variance_of_the_label():
    rng = np.random.default_rng(3)
    for _ in range(50):
        prior = rng.uniform(0.05, 0.95)
        rates = ClassRates(*rng.uniform(0.01, 0.99, (3, 2)), np.array([1 - prior, prior]))
        right, wrong = rates.prior * (1 - rates.p) * rates.phi, rates.prior * rates.p * rates.psi
        kept = (right + wrong).sum()
        sign = np.array([-1, 1])
        y, label = (sign * (right + wrong)).sum() / kept, (sign * (right - wrong)).sum() / kept
        cov = (right - wrong).sum() / kept - y * label
        expected = cov**2 / (1 - label**2) if cov > 0 else 0.0
        assert float(kept_worth(rates, intercept=True)) == pytest.approx(expected, rel=1e-9, abs=1e-15)
        odds = np.prod((1 - rates.p) * rates.phi / (rates.p * rates.psi))
        assert (float(worth(rates, intercept=True)) > 0) == (odds > 1)
        swapped = ClassRates(*(field[::-1] for field in rates))
        assert float(worth(swapped, intercept=True)) == pytest.approx(float(worth(rates, intercept=True)), rel=1e-12)


def test_with_intercept_equal_classes_and_rates_are_as_without():
    for p in (0.1, 0.4, 0.8):
        both = ClassRates(np.full(2, p), np.full(2, 0.9), np.full(2, 0.3), np.full(2, 0.5))
        assert float(worth(both, intercept=True)) == pytest.approx(float(worth(Rates(p, 0.9, 0.3))), abs=1e-15)
    clean = ClassRates(np.zeros(2), np.ones(2), np.ones(2), np.array([0.1, 0.9]))
    assert float(worth(clean, intercept=True)) == pytest.approx(0.36)  # var y: less than a balanced sample
    assert float(worth(clean)) == 1.0
    one_label = ClassRates(np.array([1.0, 0.0]), np.ones(2), np.ones(2), np.array([0.1, 0.9]))
    assert float(worth(one_label, intercept=True)) == 0.0


def test_jax_computes_the_same_and_its_gradient_is_finite_beyond_the_threshold():
    p = np.array([0.1, 0.4, 0.9])
    value = jax.jit(lambda p: worth(Rates(p, 0.8, 0.3), 3))(jnp.asarray(p))
    np.testing.assert_allclose(value, worth(Rates(p, 0.8, 0.3), 3), rtol=1e-14)
    slope = jax.vmap(jax.grad(lambda p: worth(Rates(p, 0.8, 0.3))))(jnp.asarray(p))
    step = 1e-6
    difference = (worth(Rates(p + step, 0.8, 0.3)) - worth(Rates(p - step, 0.8, 0.3))) / (2 * step)
    np.testing.assert_allclose(slope, difference, rtol=1e-7, atol=1e-9)
    assert float(slope[2]) == 0.0


COLOURED = Spectrum(np.array([4.0, 0.5, 0.02]), np.array([0.2, 0.3, 0.5]), np.array([1.0, 1.0, 0.4]))
TWO_SPECTRA = Spectrum(*(np.stack([field, field]) for field in COLOURED))
SOLUTION = solve(Problem(1.0, Rates(0.2, 1.0, 0.1), 0.1), 2.0, "squared")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: worth(Rates(1.2, 1.0, 0.1)), InputError, "p = 1.2 is outside"),
        (lambda: worth(Rates(0.2, 0.0, 0.0)), InputError, "keeps nothing"),
        (lambda: worth(Rates(0.2, 1.0, 0.1), 1), InputError, "classes = 1 is outside"),
        (lambda: worth(ClassRates(*np.full((4, 2), 0.5)), 3), KindError, "two classes"),
        (lambda: ceiling(Problem(1.0, Cosines(0.5, 0.5, 0.2), 0.1), 2.0), KindError, "independent"),
        (lambda: ceiling(Problem(-1.0, Rates(0.2, 1.0, 0.1), 0.1), 2.0), InputError, "signal = -1 is outside"),
        (lambda: efficiency(SOLUTION, Problem(COLOURED, Rates(0.2, 1.0, 0.1), 0.1), 2.0), KindError, "one signal"),
        (lambda: ceiling(Problem(TWO_SPECTRA, Rates(0.2, 1.0, 0.1), 0.1), 2.0), InputError, "of one spectrum"),
        (lambda: spectrum_ceiling([1.0, 2.0], [0.5, 0.4], [1.0, 0.0], 1.0), InputError, "shares sum to 0.9"),
        (lambda: spectrum_ceiling([1.0, 0.0], [0.5, 0.5], [1.0, 1.0], 1.0), InputError, "told without error"),
        (lambda: spectrum_ceiling([1.0], [1.0], [1.0], -1.0), InputError, "clean = -1 is outside"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- the best point of a curve ---


def test_best_point_of_a_curve_is_inside_while_p_star_is_largest_at_the_strict_end():
    cut = np.linspace(-4, 4, 801)
    phi, psi = ndtr(cut), ndtr(cut - 1.5)
    best = best_point(0.3, phi, psi)
    value = np.asarray(worth(Rates(0.3, phi, psi)))
    assert int(best.at) == int(value.argmax())
    assert (float(best.phi), float(best.psi)) == (phi[best.at], psi[best.at])
    assert 0.5 < float(best.phi) < 1
    assert int(np.argmax(threshold.p_star(Rates(0.3, phi, psi)))) == 0
    assert value[0] < 1e-3 < float(best.worth) == value.max()


def test_best_point_of_curves_together_with_the_empty_end_and_with_none_good_enough():
    phi, psi = np.array([0.0, 0.6, 1.0]), np.array([0.0, 0.3, 1.0])
    found = best_point(np.array([0.1, 0.45, 0.9]), np.stack([phi] * 3), np.stack([psi] * 3))
    assert list(found.at) == [2, 1, -1]
    assert np.isnan(found.phi[2])
    assert found.worth[2] == 0
    traced = jax.jit(lambda p: best_point(p, jnp.asarray(phi), jnp.asarray(psi)))(0.45)
    assert int(traced.at) == 1


# --- the theorem: e <= (2 pi - 1)^2, for every convex loss, and averaging reaches it ---


def points(seed, count):
    """Random problems below p*, each with n/d."""
    rng = np.random.default_rng(seed)
    phi, psi = rng.uniform(0.1, 1, (2, count))
    star = phi / (phi + psi)
    rates = Rates(star * rng.uniform(0.05, 0.98, count), phi, psi)
    signal, ridge, alpha = (np.exp(rng.uniform(*np.log(ends), count)) for ends in ((0.3, 5), (1e-3, 1e2), (0.2, 30)))
    return Problem(signal, rates, ridge), alpha


@pytest.mark.parametrize("loss", LOSSES)
def test_no_loss_and_no_ridge_is_above_the_law(loss):
    problem, alpha = points(11, 120)
    found = solve(problem, alpha, loss)
    assert np.mean(found.converged) > 0.95
    share = np.asarray(efficiency(found, problem, alpha) / kept_worth(problem.curation))
    solved = np.asarray(found.converged)
    assert share[solved].max() <= 1 + 1e-9
    assert share[solved].min() < 0.5  # and some are far below
    assert np.all(np.asarray(found.accuracy)[solved] <= np.asarray(ceiling(problem, alpha))[solved] + 1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_large_ridge_reaches_the_law(loss):
    problem, alpha = points(12, 40)
    gaps = []
    for ridge in (1e2, 1e3, 1e4, 1e5):
        larger = problem._replace(ridge=ridge)
        share = efficiency(solve(larger, alpha, loss), larger, alpha) / kept_worth(problem.curation)
        gaps.append(np.max(np.abs(1 - np.asarray(share))))
    if loss == "hinge":  # all margins are below 1 from a finite ridge on: it is averaging
        assert max(gaps) < 1e-10
    else:
        assert gaps[0] > 5 * gaps[1] > 25 * gaps[2] > 125 * gaps[3]
        assert gaps[3] < 2e-3


def test_a_bound_below_the_law_would_be_broken():
    """The twin: with e <= .99 (2 pi - 1)^2 the same points refute it."""
    problem, alpha = points(12, 40)
    larger = problem._replace(ridge=1e5)
    share = efficiency(solve(larger, alpha, "squared"), larger, alpha) / kept_worth(problem.curation)
    assert np.max(np.asarray(share)) > 0.99


@pytest.mark.parametrize("loss", LOSSES)
def test_beyond_the_threshold_the_law_bounds_from_below(loss):
    problem, alpha = points(13, 40)
    mirrored = limits.mirrored(problem)
    found = solve(mirrored, alpha, loss)
    accuracy = np.asarray(found.accuracy)[np.asarray(found.converged)]
    lowest = np.asarray(limits.averaging(mirrored, alpha))[np.asarray(found.converged)]
    assert np.all(accuracy >= lowest - 1e-12)
    assert np.all(accuracy < 0.5)
    np.testing.assert_array_equal(ceiling(mirrored, alpha), 0.5)


def test_averaging_reaches_the_ceiling_below_the_threshold():
    problem, alpha = points(14, 200)
    np.testing.assert_allclose(ceiling(problem, alpha), limits.averaging(problem, alpha), rtol=1e-13)
    assert np.isnan(ceiling(Problem(1.0, Rates(0.0, 0.0, 1.0), 0.1), 2.0))


def test_a_student_beats_the_best_classifier_of_clean_data_iff_it_has_more_worth():
    """The corollary n W > n_g, both trained at the best penalty, against `theory.limits.averaging`."""
    problem, alpha = points(15, 400)
    clean = problem._replace(curation=Rates(0.0, 1.0, 1.0))
    of_generator = alpha * worth(problem.curation) * np.exp(np.random.default_rng(5).normal(0, 0.3, 400))
    wins = np.asarray(limits.averaging(problem, alpha) > limits.averaging(clean, of_generator))
    np.testing.assert_array_equal(wins, alpha * worth(problem.curation) > of_generator)
    assert 0.3 < wins.mean() < 0.7


def test_efficiency_is_what_accuracy_says():
    problem, alpha = points(16, 60)
    found = solve(problem, alpha, "logistic")
    z, r, delta = ndtri(np.asarray(found.accuracy)), problem.signal, alpha * threshold.kept_rate(problem.curation)
    seen = (z > 1e-3) & (z / r < 0.999)
    by_accuracy = z**2 / (delta * r**2 * (r**2 - z**2))
    np.testing.assert_allclose(by_accuracy[seen], efficiency(found, problem, alpha)[seen], rtol=1e-6)
    assert seen.sum() > 40


def test_efficiency_of_the_squared_loss_in_closed_form():
    from theory.ridge import theta_of

    problem, alpha = points(17, 60)
    delta = alpha * threshold.kept_rate(problem.curation)
    k = problem.ridge * (1 + theta_of(delta, problem.ridge))
    c = 2 * threshold.purity(problem.curation) - 1
    a, b, d2 = problem.signal**2 / (1 + k), problem.signal**2 / (1 + k) ** 2, 1 / (1 + k) ** 2
    found = efficiency(solve(problem, alpha, "squared"), problem, alpha)
    np.testing.assert_allclose(squared_efficiency(c, delta, a, b, d2), found, rtol=1e-9)


# --- any covariance ---


def test_spectrum_ceiling_of_one_eigenvalue_is_the_ceiling():
    problem, alpha = points(18, 20)
    clean = alpha * worth(problem.curation)
    for scale in (1.0, 7.0):
        found = [
            spectrum_ceiling([scale], [1.0], [scale * r**2], x) for r, x in zip(problem.signal, clean, strict=True)
        ]
        np.testing.assert_allclose(found, ceiling(problem, alpha), rtol=1e-13)
    assert spectrum_ceiling([1.0], [1.0], [4.0], 0.0) == 0.5
    assert spectrum_ceiling([1.0], [1.0], [0.0], 3.0) == 0.5


def test_spectrum_ceiling_at_its_two_ends_and_its_invariances():
    s, f, mu2 = np.array([4.0, 0.5, 0.02]), np.array([0.2, 0.3, 0.5]), np.array([1.0, 1.0, 0.4])
    bayes = ndtr(np.sqrt(np.sum(mu2 / s)))
    assert spectrum_ceiling(s, f, mu2, 1e12) == pytest.approx(bayes, rel=1e-9)
    few = 1e-8  # A/sqrt(d2/clean), largest at some k, is small: accuracy - 1/2 goes with the root of clean
    small = [spectrum_ceiling(s, f, mu2, x) - 0.5 for x in (few, 4 * few)]
    assert small[1] == pytest.approx(2 * small[0], rel=1e-4)
    value = spectrum_ceiling(s, f, mu2, 0.7)
    assert spectrum_ceiling(9 * s, f, 9 * mu2, 0.7) == pytest.approx(value, rel=1e-12)
    assert spectrum_ceiling(s[::-1], f[::-1], mu2[::-1], 0.7) == pytest.approx(value, rel=1e-13)
    split = [np.append(values, values[0] / 2) for values in (f, mu2)]
    for values in split:
        values[0] /= 2
    assert spectrum_ceiling(np.append(s, s[0]), *split, 0.7) == pytest.approx(value, rel=1e-13)
    flat = [np.append(s, 0.0), np.append(f / 2, 0.5), np.append(mu2, 0.0)]  # half of the dimensions without noise
    assert spectrum_ceiling(*flat, 0.35) == pytest.approx(value, rel=1e-12)
    k = np.exp(np.linspace(-15, 15, 200001))[:, None]
    ratio = (mu2 / (s + k)).sum(1) / np.sqrt(((mu2 * s + f * s**2 / 0.7) / (s + k) ** 2).sum(1))
    assert value == pytest.approx(ndtr(ratio.max()), rel=1e-9)
    averaging = ndtr(mu2.sum() / np.sqrt((mu2 * s).sum() + (f * s**2).sum() / 0.7))
    assert value > averaging


def test_ceiling_of_a_spectrum_is_that_of_as_many_clean_samples():
    rates = Rates(np.array([0.1, 0.3, 0.9]), 0.9, 0.4)
    found = ceiling(Problem(COLOURED, rates, 0.1), 2.0)
    clean = 2.0 * np.asarray(worth(rates))
    np.testing.assert_array_equal(found, [spectrum_ceiling(*COLOURED, one) for one in clean])
    assert found[2] == 0.5
    white = Spectrum(np.ones(1), np.ones(1), np.array([2.25]))
    alike = ceiling(Problem(white, rates, 0.1), 2.0), ceiling(Problem(1.5, rates, 0.1), 2.0)
    np.testing.assert_allclose(*alike, rtol=1e-14)


def test_ceiling_with_an_intercept_has_the_best_offset():
    """Against a search for it; equal classes and rates as without; beyond the threshold the larger class."""
    rates = ClassRates(np.array([0.1, 0.3]), np.array([0.9, 0.7]), np.array([0.2, 0.5]), np.array([0.2, 0.8]))
    problem = Problem(1.5, rates, 0.1, intercept=True)
    reach = 2.25 / np.sqrt(2.25 + 1 / (3 * float(worth(rates, intercept=True))))
    offset = np.linspace(-3, 3, 6001)
    best = np.max(0.8 * ndtr(reach + offset) + 0.2 * ndtr(reach - offset))
    assert float(ceiling(problem, 3.0)) == pytest.approx(best, abs=1e-7)
    for curation in (Rates(0.2, 0.9, 0.3), ClassRates(*(np.full(2, rate) for rate in (0.2, 0.9, 0.3, 0.5)))):
        without = Problem(1.5, curation, 0.1)
        assert float(ceiling(without._replace(intercept=True), 3.0)) == pytest.approx(float(ceiling(without, 3.0)))
    beyond = problem._replace(curation=rates._replace(p=np.array([0.9, 0.95])))
    assert float(ceiling(beyond, 3.0)) == 0.8
