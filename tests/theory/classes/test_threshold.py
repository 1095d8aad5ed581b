import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from theory import threshold
from theory.classes import threshold as many
from theory.types import Confusion, Rates

probability, positive = st.floats(0, 1), st.floats(1e-3, 1)
classes_range = st.sampled_from([2, 3, 7])
SLOW_START = settings(deadline=None, max_examples=20)
"""The first example of each shape compiles."""


def table(rng, classes):
    """A random confusion: rows of C sum to 1, keep-probabilities anything."""
    return Confusion(rng.dirichlet(np.ones(classes), classes), rng.uniform(size=(classes, classes)))


def shares(rng, classes):
    wrong = rng.uniform(0.01, 1, (classes, classes)) * (1 - np.eye(classes))
    return wrong / wrong.sum(1, keepdims=True)


def by_counting(confusion):
    """Class by class in plain Python: is the correct label the most frequent one that is kept?"""
    label, keep = confusion
    votes = [[c * q for c, q in zip(*row, strict=True)] for row in zip(label, keep, strict=True)]
    return [row[k] - max(v for l, v in enumerate(row) if l != k) for k, row in enumerate(votes)]


@SLOW_START
@given(phi=positive, psi=positive)
def test_two_classes_are_the_binary_threshold(phi, psi):
    rates = Rates(0.2, phi, psi)
    np.testing.assert_allclose(many.p_star_classes(rates, 2), threshold.p_star(rates), rtol=1e-15)


@pytest.mark.parametrize(
    ("phi", "psi", "expected"), [(1, 1, 0.75), (1, 0.5, 6 / 7), (0.5, 1, 0.6), (1, 0, 1), (0, 1, 0)]
)
def test_known_thresholds_of_four_classes(phi, psi, expected):
    assert float(many.p_star_classes(Rates(0.1, phi, psi), 4)) == pytest.approx(expected, rel=1e-15)


@SLOW_START
@given(phi=positive, psi=positive)
def test_tends_to_one_with_the_number_of_classes(phi, psi):
    """1 - p*_K falls like 1/(K - 1), with the factor psi/phi."""
    others = np.array([1, 3, 39, 399, 3_999])
    gap = 1 - np.asarray(many.p_star_classes(Rates(0.1, phi, psi), others + 1))
    assert np.all(np.diff(gap) < 0)
    np.testing.assert_allclose(gap * others, psi / (phi + psi / others), rtol=1e-8)
    assert float(many.p_star_classes(Rates(0.1, phi, psi), 10**12)) > 1 - 2e-9


@SLOW_START
@given(p=probability, phi=positive, psi=positive, classes=classes_range)
def test_three_ways_to_state_the_threshold(p, phi, psi, classes):
    """p < p*_K, a plurality in every class, and purity above the share that one of K equal labels would have."""
    rates = Rates(p, phi, psi)
    lead = (1 - p) * phi - p * psi / (classes - 1)
    if abs(lead) < 1e-12:
        return  # at the threshold itself rounding decides
    confusion = many.spread_evenly(rates, classes)
    assert (p < float(many.p_star_classes(rates, classes))) == (lead > 0)
    assert bool(many.plurality_suffices(confusion)) == (lead > 0)
    assert (float(many.purity(confusion)) > 1 / classes) == (lead > 0)
    np.testing.assert_allclose(many.margins(confusion), np.full(classes, lead), rtol=1e-9, atol=1e-15)


@SLOW_START
@given(p=positive, phi=positive, psi=positive, classes=classes_range)
def test_kept_rate_and_purity_of_even_errors_are_those_of_the_rates(p, phi, psi, classes):
    rates = Rates(p, phi, psi)
    confusion = many.spread_evenly(rates, classes)
    np.testing.assert_allclose(many.kept_rate(confusion), threshold.kept_rate(rates), rtol=1e-12)
    np.testing.assert_allclose(many.purity(confusion), threshold.purity(rates), rtol=1e-12)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_margins_are_a_count_of_votes(classes):
    rng = np.random.default_rng(classes)
    for _ in range(20):
        confusion = table(rng, classes)
        np.testing.assert_allclose(many.margins(confusion), by_counting(confusion), rtol=1e-14)
        assert bool(many.plurality_suffices(confusion)) == (min(by_counting(confusion)) > 0)
        relabelled = rng.permutation(classes)
        permuted = Confusion(*(part[np.ix_(relabelled, relabelled)] for part in confusion))
        np.testing.assert_allclose(many.margins(permuted), np.asarray(many.margins(confusion))[relabelled], rtol=1e-14)


@SLOW_START
@given(seed=st.integers(0, 2**32 - 1), classes=st.sampled_from([2, 3, 5]))
def test_threshold_of_shares_is_where_the_first_margin_vanishes(seed, classes):
    rng = np.random.default_rng(seed)
    spread, keep = shares(rng, classes), rng.uniform(0.05, 1, (classes, classes))
    star = float(many.p_star_shares(spread, keep))
    assert float(jnp.min(many.margins(many.spread(star, spread, keep)))) == pytest.approx(0, abs=1e-14)
    assert bool(many.plurality_suffices(many.spread(star * (1 - 1e-6), spread, keep)))
    assert not bool(many.plurality_suffices(many.spread(min(1.0, star * (1 + 1e-6)), spread, keep)))


@SLOW_START
@given(seed=st.integers(0, 2**32 - 1), classes=st.sampled_from([3, 6]), phi=positive, psi=positive)
def test_even_errors_are_the_easiest_and_one_wrong_label_the_hardest(seed, classes, phi, psi):
    rates, same = Rates(0.1, phi, psi), np.eye(classes)
    keep = phi * same + psi * (1 - same)
    best, worst = float(many.p_star_classes(rates, classes)), float(threshold.p_star(rates))
    found = float(many.p_star_shares(shares(np.random.default_rng(seed), classes), keep))
    assert worst - 1e-12 <= found <= best + 1e-12
    np.testing.assert_allclose(many.p_star_shares((1 - same) / (classes - 1), keep), best, rtol=1e-12)
    np.testing.assert_allclose(many.p_star_shares(np.roll(same, 1, axis=1), keep), worst, rtol=1e-12)


def test_two_unlike_classes_ask_more_than_purity_above_a_half():
    """One class in the minority among its own kept labels: antipodal means survive it, orthogonal ones do not."""
    confusion = Confusion(np.array([[0.45, 0.55], [0.05, 0.95]]), np.ones((2, 2)))
    assert float(many.purity(confusion)) == pytest.approx(0.7)
    np.testing.assert_allclose(many.margins(confusion), [-0.1, 0.9])
    assert not bool(many.plurality_suffices(confusion))


@pytest.mark.parametrize("signal", [0.3, 1.0, 3.0, 8.0])
def test_best_and_worst_accuracy_of_two_classes(signal):
    assert float(many.bayes_accuracy(signal, 2)) == pytest.approx(ndtr(signal / np.sqrt(2)), rel=1e-13)
    assert float(many.worst_accuracy(signal, 2)) == pytest.approx(ndtr(-signal / np.sqrt(2)), rel=1e-9)


@pytest.mark.parametrize("classes", [3, 5, 10])
def test_best_accuracy_against_adaptive_quadrature_and_its_limits(classes):
    from scipy.integrate import quad

    def leads(h, sign):
        return np.exp(-(h**2) / 2) / np.sqrt(2 * np.pi) * ndtr(sign * (1.5 + h)) ** (classes - 1)

    for function, sign in ((many.bayes_accuracy, 1), (many.worst_accuracy, -1)):
        expected = quad(leads, -12, 12, args=(sign,), epsabs=1e-13)[0]
        assert float(function(1.5, classes)) == pytest.approx(expected, rel=1e-10)
        gaps = [abs(float(function(signal, classes)) - 1 / classes) for signal in (0.1, 0.01, 0.001)]
        assert gaps[0] > 5 * gaps[1] > 25 * gaps[2]  # no signal: one class in K
    assert float(many.bayes_accuracy(12.0, classes)) == pytest.approx(1, abs=1e-12)


def test_infinite_data_is_a_step_at_the_threshold():
    """The levels of THEORY §10: Bayes .956 at K = 4, r = 3."""
    rates = Rates(np.array([0.6, 0.7499, 0.75, 0.7501, 0.9]), 1.0, 1.0)
    found = many.infinite_data(3.0, rates, 4)
    low = float(many.worst_accuracy(3.0, 4))
    np.testing.assert_allclose(found, [0.9563744, 0.9563744, 0.25, low, low], atol=1e-7)
    assert np.isnan(many.infinite_data(3.0, Rates(1.0, 0.5, 0.0), 4))


def test_vmap_and_gradient():
    grid = jnp.linspace(0.1, 0.9, 5)
    mapped = jax.vmap(lambda psi: many.p_star_classes(Rates(0.3, 0.8, psi), 5))(grid)
    np.testing.assert_allclose(mapped, 3.2 / (3.2 + grid), rtol=1e-15)
    slope = jax.grad(lambda psi: many.p_star_classes(Rates(0.3, 0.8, psi), 5))(0.2)
    assert float(slope) == pytest.approx(-3.2 / 3.4**2, rel=1e-14)
    batch = Confusion(jnp.stack([jnp.eye(3)] * 2), jnp.ones((2, 3, 3)))
    np.testing.assert_array_equal(many.margins(batch), np.ones((2, 3)))


FAIR = np.array([[0.8, 0.2], [0.1, 0.9]])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: many.p_star_classes(Rates(0.1, 0.5, 0.5), 1), ["classes = 1", "[2, inf)"]),
        (lambda: many.p_star_classes(Rates(0.1, 0.5, 0.5), 2.5), ["classes = 2.5", "whole number"]),
        (lambda: many.p_star_classes(Rates(0.1, 1.5, 0.5), 3), ["phi = 1.5", "[0, 1]"]),
        (lambda: many.p_star_classes(Rates(0.1, 0.0, 0.0), 3), ["keeps nothing"]),
        (lambda: many.margins(Confusion(FAIR * 0.9, np.ones((2, 2)))), ["row of label sums to 0.9", "sum to 1"]),
        (
            lambda: many.margins(Confusion(np.ones((2, 3)) / 3, np.ones((2, 3)))),
            ["label has shape (2, 3)", "(..., K, K)"],
        ),
        (lambda: many.margins(Confusion(FAIR, np.ones((3, 3)))), ["keep has K = 3", "2"]),
        (lambda: many.margins(Confusion(FAIR, 2 * FAIR)), ["keep = 1.6", "[0, 1]"]),
        (lambda: many.p_star_shares(FAIR, np.ones((2, 2))), ["shares has a diagonal entry"]),
        (lambda: many.p_star_shares(1 - np.eye(2), np.zeros((2, 2))), ["leaves nothing of a class"]),
        (lambda: many.bayes_accuracy(-1.0, 3), ["signal = -1", "(0, inf)"]),
    ],
)
def test_refusals_name_argument_value_and_range(call, words):
    with pytest.raises(ValueError, match=r".") as refusal:
        call()
    for word in words:
        assert word in str(refusal.value)
