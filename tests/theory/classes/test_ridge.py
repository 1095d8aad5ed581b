"""Squared loss of K classes: reference numbers, limits, and the theory of two classes."""

import numpy as np
import pytest

from tests.theory.classes.cells import chance, even, numbers, reference, simplex, skewed
from theory.classes.accuracy import symmetric_accuracy
from theory.classes.prediction import predict
from theory.classes.ridge import symmetric_lead
from theory.classes.table import predict_table
from theory.classes.threshold import bayes_accuracy, p_star_classes, worst_accuracy
from theory.classes.worth import averaging_lead, lead_of
from theory.engine import solve as binary
from theory.types import STATUSES, Confusion, Problem, Rates


def test_reference_numbers():
    """25 rows, recomputed from their inputs by another road in explicit coordinates."""
    columns = reference("classes_ridge.csv")
    found = predict_table(columns)
    assert list(found["status"]) == ["ok"] * 25
    claimed = 5 * numbers(columns, "accuracy_error") + 6e-11 + 6 * found["accuracy_error"]
    assert np.all(abs(found["accuracy"] - numbers(columns, "accuracy")) < claimed)
    for name in ("kept_rate", "purity", "eta"):
        np.testing.assert_allclose(found[name], numbers(columns, name), rtol=1e-10)
    for name in ("mean_scores", "bulk_covariance"):
        for ours, theirs in zip(found[name], columns[name], strict=True):
            np.testing.assert_allclose(*(np.array(x.split(";"), float) for x in (ours, theirs)), rtol=1e-8, atol=1e-9)
    few = {name: values[:20] for name, values in columns.items()}
    moved = predict_table(few | {"ridge": 1.1 * numbers(few, "ridge") + 0.01})
    assert np.all(abs(moved["accuracy"] - numbers(few, "accuracy")) > claimed[:20])  # twin


@pytest.mark.parametrize("p", [0.1, 0.35, 0.8])
@pytest.mark.parametrize(("alpha", "ridge"), [(0.5, 1e-3), (2.0, 0.1), (9.0, 2.0)])
def test_two_classes_are_the_binary_theory(p, alpha, ridge):
    """r^2 = a/2: orthogonal means of norm r sqrt(2), or antipodal ones of norm r."""
    expected = binary(Problem(1.3, Rates(p, 0.9, 0.3), ridge), alpha, "squared").accuracy
    apart = predict(even(p, signal=1.3 * 2**0.5, ridge=ridge), alpha, classes=2)
    opposite = predict(even(p, signal=1.3, ridge=ridge, gram=simplex(2)), alpha)
    np.testing.assert_allclose([apart.accuracy, opposite.accuracy], expected, rtol=1e-11)
    assert abs(predict(even(p, signal=1.3, ridge=ridge), alpha, classes=2).accuracy - expected) > 1e-3  # twin


@pytest.mark.parametrize("classes", [3, 4, 10])
@pytest.mark.parametrize("intercept", [False, True])
def test_simplex_orthogonal_and_the_symmetric_formula_meet(classes, intercept):
    """Only the gap a counts, whatever is common to all means, and an intercept changes nothing."""
    for p, ridge, alpha in ((0.3, 0.1, 2.0), (0.95, 1e-3, 0.4), (0.5, 3.0, 8.0)):
        stretch = np.sqrt(classes / (classes - 1))
        problems = (
            even(p, ridge=ridge, signal=2.0, gram=simplex(classes)),
            even(p, ridge=ridge, signal=2.0 * stretch, gram=np.eye(classes)),
            even(p, ridge=ridge, signal=2.0 * stretch, gram=np.eye(classes) + 0.7),
        )
        found = [predict(problem, alpha, intercept=intercept) for problem in problems]
        lead = symmetric_lead(found[0].gap, lead_of(found[0].purity, classes), found[0].delta, ridge, classes)
        expected = float(symmetric_accuracy(lead, classes))
        np.testing.assert_allclose([each.accuracy for each in found], expected, rtol=1e-10)


def test_averaging_is_the_limit_of_a_strong_penalty():
    rng = np.random.default_rng(5)
    for problem in (skewed(rng, 3), skewed(rng, 4, 2), even(gram=np.eye(5))):
        limit = predict(problem, 3.0, "averaging").accuracy
        gaps = [abs(predict(problem._replace(ridge=ridge), 3.0).accuracy - limit) for ridge in (1e2, 1e3, 1e4)]
        assert gaps[0] > 5 * gaps[1] > 25 * gaps[2]
    found = predict(even(gram=np.eye(5)), 3.0, "averaging")
    lead = averaging_lead(found.gap, lead_of(found.purity, 5), found.delta, 5)
    assert found.accuracy == pytest.approx(float(symmetric_accuracy(lead, 5)), rel=1e-12)


def test_few_samples_make_averaging_of_every_penalty():
    gaps = [
        [abs(predict(even(ridge=ridge), alpha, loss="squared", classes=4).accuracy
             - predict(even(), alpha, "averaging", classes=4).accuracy) for ridge in (1e-3, 0.1, 10)]
        for alpha in (1e-2, 1e-3, 1e-4)
    ]  # fmt: skip
    assert np.all(np.array(gaps[0]) > 5 * np.array(gaps[1]))
    assert np.all(np.array(gaps[1]) > 5 * np.array(gaps[2]))


@pytest.mark.parametrize("ridge", [0.0, 0.1, 5.0])
def test_endless_data(ridge):
    """Bayes before p*_K, 1/K at it, the worst beyond; T -> 0 and eta -> 1 + lambda."""
    star = float(p_star_classes(Rates(0.1, 0.9, 0.3), 4))
    for p, limit in ((0.5, bayes_accuracy(2.0, 4)), (star, 0.25), (0.98, worst_accuracy(2.0, 4))):
        far, farther = (predict(even(p, ridge=ridge), alpha, classes=4) for alpha in (1e5, 1e6))
        assert abs(farther.accuracy - limit) <= abs(far.accuracy - limit) / 3 + 1e-12
        assert farther.eta == pytest.approx(1 + ridge, abs=1e-5)
        assert np.max(abs(farther.bulk_covariance)) < 1e-5


@pytest.mark.parametrize("loss", ["squared", "averaging"])
def test_labels_that_say_nothing_give_one_in_k(loss):
    """Kept labels uniform in every class: 1/K for any means, priors and intercept; twin: a moved table."""
    rng = np.random.default_rng(2)
    for problem in (skewed(rng, 3), skewed(rng, 3, 1), skewed(rng, 5, 2), skewed(rng, 6)):
        for intercept in (False, True) if loss == "squared" else (False,):
            found = predict(chance(problem), 1.5, loss, intercept=intercept)
            assert found.accuracy == pytest.approx(1 / len(problem.gram), abs=1e-9)
            assert abs(predict(problem, 1.5, loss, intercept=intercept).accuracy - found.accuracy) > 0.01
    star = float(p_star_classes(Rates(0.1, 0.9, 0.3), 5))
    assert predict(even(star, gram=skewed(rng, 5).gram), 2.0, loss).accuracy == pytest.approx(0.2, abs=1e-9)


def test_without_verification_fewer_samples_are_all_that_changes():
    full, thinned = predict(even(0.3, 1.0, 1.0), 2.0, classes=5), predict(even(0.3, 0.4, 0.4), 5.0, classes=5)
    assert thinned.accuracy == pytest.approx(full.accuracy, rel=1e-13)


def test_right_and_wrong_labels_change_places_for_two_classes_alone():
    """p -> 1 - p at phi = psi: accuracies add to 1 at K = 2, and do not beyond."""
    for classes, same in ((2, True), (3, False)):
        pair = [predict(even(p, 1.0, 1.0), 2.0, classes=classes).accuracy for p in (0.2, 0.8)]
        assert (abs(sum(pair) - 1) < 1e-12) == same


def test_no_penalty_and_a_vanishing_one():
    for alpha in (0.4, 6.0):
        none, tiny = (predict(even(ridge=ridge), alpha, classes=3) for ridge in (0.0, 1e-9))
        assert none.accuracy == pytest.approx(tiny.accuracy, abs=1e-6)
        assert none.eta == pytest.approx(max(1, 1 / none.delta), rel=1e-12)
    edge = predict(even(0.0, 1.0, 1.0, ridge=0.0), 1.0, classes=3)
    assert (np.isnan(edge.accuracy), int(edge.status)) == (True, 2)  # not unique


def test_what_is_not_kept_and_who_is_never_named():
    nothing = predict(even(1.0, 0.5, 0.0), 2.0, classes=4)
    assert (bool(nothing.converged), int(nothing.status)) == (False, 1)
    label = np.array([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]])
    tied = predict(even(gram=np.eye(4))._replace(curation=Confusion(label, np.ones((4, 4)))), 2.0)
    assert np.isnan(tied.accuracy)
    assert STATUSES[int(tied.status)] == "tied"  # two classes are never named


def test_axes_broadcast():
    p, alpha = np.array([0.1, 0.5, 0.9]), np.array([[1.0], [4.0]])
    found = predict(even(p), alpha, classes=3)
    assert found.accuracy.shape == (2, 3)
    assert found.mean_scores.shape == (2, 3, 3, 3)
    assert found.accuracy[1, 2] == pytest.approx(predict(even(0.9), 4.0, classes=3).accuracy, rel=1e-14)


EVEN = even()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: predict(EVEN, 1.0), ["classes is missing", "2 or more"]),
        (lambda: predict(EVEN, 1.0, classes=1), ["classes = 1", "[2, 1000]"]),
        (lambda: predict(EVEN._replace(gram=np.eye(3)), 1.0, classes=4), ["classes of 4", "gram of 3"]),
        (lambda: predict(EVEN, -1.0, classes=3), ["alpha = -1", "(0, inf)"]),
        (lambda: predict(EVEN._replace(ridge=-0.1), 1.0, classes=3), ["ridge = -0.1", "[0, inf)"]),
        (lambda: predict(EVEN._replace(signal=0.0), 1.0, classes=3), ["signal = 0", "(0, inf)"]),
        (lambda: predict(EVEN, 1.0, "hinge", classes=3), ["'hinge'", "squared, logistic, averaging"]),
        (lambda: predict(EVEN, 1.0, "averaging", classes=3, intercept=True), ["averaging", "intercept"]),
        (lambda: predict(EVEN._replace(prior=np.array([0.5, 0.6])), 1.0), ["prior sums to 1.1"]),
        (lambda: predict(EVEN._replace(gram=np.array([[1.0, 2], [2, 1]])), 1.0), ["gram", "eigenvalue -1"]),
        (lambda: predict(EVEN._replace(gram=np.array([[1.0, 0.5], [0, 1]])), 1.0), ["gram is not symmetric"]),
        (lambda: predict(EVEN._replace(gram=np.ones(3)), 1.0), ["gram has shape (3,)", "(..., K, K)"]),
        (lambda: predict(EVEN._replace(gram=np.full((2, 2), np.nan)), 1.0), ["gram = nan"]),
        (lambda: predict(EVEN._replace(gram=np.zeros((2, 2))), 1.0), ["gram is 0"]),
    ],
)
def test_refusals_name_argument_value_and_range(call, words):
    with pytest.raises(ValueError, match=r".") as refusal:
        call()
    assert [word for word in words if word not in str(refusal.value)] == [], refusal.value
