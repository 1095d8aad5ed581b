"""Softmax of K classes: reference numbers, limits, two roads, and the theory of two classes."""

import numpy as np
import pytest

from tests.theory.classes.cells import chance, even, numbers, reference, simplex, skewed
from theory.classes import general, symmetric
from theory.classes.population import population
from theory.classes.prediction import predict
from theory.classes.table import predict_table
from theory.classes.threshold import bayes_accuracy, p_star_classes
from theory.engine import solve as binary
from theory.types import STATUSES, Confusion, Problem, Rates


def of(columns, lines):
    return {name: [values[i] for i in lines] for name, values in columns.items()}


def close_to_reference(columns):
    found = predict_table(columns | {"loss": "logistic"})
    assert set(found["status"]) == {"ok"}
    claimed = numbers(columns, "accuracy_error") + 6e-11
    assert np.all(abs(found["accuracy"] - numbers(columns, "accuracy")) < claimed)
    np.testing.assert_allclose(found["purity"], numbers(columns, "purity"), rtol=1e-10)
    return found


def test_reference_numbers_of_classes_that_are_alike():
    """7 of 15 rows, K = 2 and 3, to the digits that they claim; the others are in the slow test."""
    columns = of(reference("classes_softmax_symmetric.csv"), range(7))
    found = close_to_reference(columns)
    for name in ("kept_rate", "delta", "gap", "score_gap", "bulk", "theta"):
        np.testing.assert_allclose(found[name], numbers(columns, name), rtol=1e-8)


@pytest.mark.slow
def test_reference_numbers_of_four_to_ten_classes():
    close_to_reference(of(reference("classes_softmax_symmetric.csv"), range(7, 15)))


def test_reference_numbers_of_any_three_classes():
    close_to_reference(of(reference("classes_softmax_general.csv"), range(5)))


@pytest.mark.slow
def test_twenty_classes():
    """K = 20, a = 16, p = .5, phi = .9, psi = .5, lambda = .01, 6 kept a dimension: .5056."""
    found = predict(even(0.5, 0.9, 0.5, signal=4.0, ridge=0.01), 6 / 0.7, "logistic", classes=20)
    assert found.accuracy == pytest.approx(0.5056, abs=6e-5)
    assert found.accuracy_error < 2e-5


@pytest.mark.slow
def test_reference_numbers_of_any_four_classes():
    close_to_reference(of(reference("classes_softmax_general.csv"), [5]))


@pytest.mark.parametrize("p", [0.1, 0.35, 0.8])
@pytest.mark.parametrize(("alpha", "ridge"), [(0.5, 1e-3), (2.0, 0.1), (9.0, 2.0)])
def test_two_classes_are_the_binary_theory_at_half_the_penalty(p, alpha, ridge):
    expected = binary(Problem(1.3, Rates(p, 0.9, 0.3), ridge / 2), alpha, "logistic").accuracy
    found = predict(even(p, signal=1.3 * 2**0.5, ridge=ridge), alpha, "logistic", classes=2).accuracy
    assert found == pytest.approx(float(expected), abs=1e-9)
    other = binary(Problem(1.3, Rates(p, 0.9, 0.3), ridge), alpha, "logistic").accuracy
    assert abs(found - other) > 1e-4  # twin: the penalty is not the same


@pytest.mark.parametrize(("p", "ridge", "alpha"), [(0.4, 0.1, 2.0), (0.8, 1e-2, 1.0), (0.1, 0.03, 4.0)])
def test_grid_and_lattice_meet(p, ridge, alpha):
    """One problem of classes that are alike by three scalars, and by matrices, with an intercept and without."""
    problem = even(p, ridge=ridge, gram=simplex(3))
    by_lattice, seen = predict(problem, alpha, "logistic"), population(problem)
    for intercept in (False, True):
        found = general.solve(seen.gram, seen.law, seen.prior, alpha * seen.kept_rate, ridge, intercept)
        assert found.accuracy.mean == pytest.approx(by_lattice.accuracy, abs=1e-9)
        for name, table in (
            ("mean_scores", found.mean_scores),
            ("bulk_covariance", found.bulk),
            ("overlap", found.overlap),
        ):
            np.testing.assert_allclose(table, getattr(by_lattice, name), atol=1e-7)


def test_simplex_and_orthogonal_means_are_one_problem():
    for classes in (3, 5):
        found = predict(even(gram=simplex(classes)), 2.0, "logistic", effort="plain").accuracy
        stretched = even(signal=2.0 * np.sqrt(classes / (classes - 1)))
        other = predict(stretched, 2.0, "logistic", classes=classes, effort="plain").accuracy
        assert found == pytest.approx(other, abs=1e-12)


def test_averaging_is_the_limit_of_a_strong_penalty():
    for problem in (even(gram=np.eye(4)), skewed(np.random.default_rng(1), 3)):
        limit = predict(problem, 3.0, "averaging").accuracy
        gaps = [abs(predict(problem._replace(ridge=r), 3.0, "logistic").accuracy - limit) for r in (1e2, 1e3, 1e4)]
        assert gaps[0] > 5 * gaps[1] > 25 * gaps[2]


def test_few_samples_make_averaging_and_many_make_bayes():
    few = [
        abs(predict(even(), alpha, loss, classes=3).accuracy - predict(even(), alpha, "averaging", classes=3).accuracy)
        for loss in ("logistic",)
        for alpha in (1e-2, 1e-3)
    ]
    assert few[0] > 5 * few[1]
    many = [predict(even(0.5), alpha, "logistic", classes=3).accuracy for alpha in (1e3, 1e4, 1e5)]
    gaps = bayes_accuracy(2.0, 3) - np.array(many)
    assert gaps[0] > 5 * gaps[1] > 25 * gaps[2] > 0


@pytest.mark.parametrize("intercept", [False, True])
def test_labels_that_say_nothing_give_one_in_k(intercept):
    rng = np.random.default_rng(2)
    for problem in (skewed(rng, 3, ridge=0.05), skewed(rng, 3, 1, ridge=0.3)):
        found = predict(chance(problem), 1.5, "logistic", intercept=intercept)
        assert found.accuracy == pytest.approx(1 / 3, abs=1e-9)
        assert abs(predict(problem, 1.5, "logistic", intercept=intercept).accuracy - found.accuracy) > 0.01
    star = float(p_star_classes(Rates(0.1, 0.9, 0.3), 5))
    assert predict(even(star), 2.0, "logistic", classes=5, effort="plain").accuracy == pytest.approx(0.2, abs=1e-11)


def test_without_verification_fewer_samples_are_all_that_changes():
    full = predict(even(0.3, 1.0, 1.0), 2.0, "logistic", classes=3, effort="plain")
    thinned = predict(even(0.3, 0.4, 0.4), 5.0, "logistic", classes=3, effort="plain")
    assert thinned.accuracy == pytest.approx(full.accuracy, abs=1e-12)


def test_random_cells_are_solved_or_say_why():
    """None without a name; and what two rules say is near to what one says."""
    rng = np.random.default_rng(7)
    for _ in range(6):
        classes = int(rng.integers(2, 5))
        gap, delta, ridge = 10 ** rng.uniform((0, -1, -3.5), (1.7, 1.3, 0.5))
        purity = rng.uniform(0.02, 0.999)
        found = symmetric.solve(gap, purity, delta, ridge, classes)
        plain = symmetric.solve(gap, purity, delta, ridge, classes, "plain")
        assert STATUSES[int(found.status)] in ("ok", "not resolved")
        assert found.residual < symmetric.TOLERANCE
        if found.status == 0:
            assert abs(plain.accuracy - found.accuracy) < 1e-2
            assert found.accuracy_error <= symmetric.WORST


def test_random_skewed_cells_are_solved_or_say_why():
    rng = np.random.default_rng(11)
    for rank in (1, 2, 3):
        problem = skewed(rng, 3, rank, ridge=float(10 ** rng.uniform(-3, 1)))
        found = predict(problem, float(10 ** rng.uniform(-0.5, 1)), "logistic", intercept=bool(rng.integers(2)))
        assert bool(found.converged)
        assert found.accuracy_error < 1e-6
        assert np.linalg.eigvalsh(found.bulk_covariance)[0] > -1e-9  # T is a covariance


NEVER = np.array([[0.8, 0.2, 0], [0.3, 0.7, 0], [0.5, 0.5, 0]])
"""Labels of which the last is never given."""


@pytest.mark.parametrize(
    ("label", "intercept", "why"),
    [(NEVER, False, "ok"), (NEVER, True, "label missing"), (np.eye(3)[[0, 0, 0]], False, "tied")],
)
def test_labels_that_are_never_kept(label, intercept, why):
    problem = even(gram=np.eye(3))._replace(curation=Confusion(label, np.ones((3, 3))))
    found = predict(problem, 2.0, "logistic", intercept=intercept)
    assert STATUSES[int(found.status)] == why
    assert np.isnan(found.accuracy) == (why != "ok")


@pytest.mark.parametrize(
    ("problem", "classes", "alpha", "why"),
    [
        (even(1.0, 0.5, 0.0), 3, 2.0, "nothing kept"),
        (even(0.1, ridge=0.0), 4, 1.0, "separable"),
        (even(2 / 3, 1.0, 1.0, ridge=0.0), 3, 8.0, "ok"),
        (skewed(np.random.default_rng(0), 5), 5, 2.0, "too many classes"),
        (even(), 60, 2.0, "too many classes"),
    ],
)
def test_each_failure_has_its_name(problem, classes, alpha, why):
    found = predict(problem, alpha, "logistic", classes=classes, effort="plain")
    assert STATUSES[int(found.status)] == why
    assert np.isnan(found.accuracy) == (why != "ok")
