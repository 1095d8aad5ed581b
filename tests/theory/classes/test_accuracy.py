"""Accuracy of normal scores: every rule against another, and against counting."""

import numpy as np
import pytest
from scipy.special import ndtr

from tests.statistical import rejects_mean
from theory.classes import accuracy as rules
from theory.classes.accuracy import accuracy, alike, symmetric_accuracy
from theory.classes.sparse import grids


def scores_of(rng, classes):
    """Mean scores and their covariance, of any kind."""
    w = rng.normal(size=(classes, classes + 2)) * rng.uniform(0.5, 2, (classes, 1))
    return rng.normal(size=(classes, classes)) + 2 * np.eye(classes), w @ w.T


@pytest.mark.statistical
@pytest.mark.parametrize("classes", [2, 3, 4, 6, 8])
def test_against_counting(classes, fresh_seed):
    """200,000 points a class; false-failure rate 1e-8 a class. Twin: off by .03, 27 standard errors or more."""
    scores, covariance = scores_of(np.random.default_rng(classes), classes)
    found = accuracy(scores, covariance, np.full(classes, 1 / classes))
    rng = np.random.default_rng(fresh_seed)
    for k in range(classes):
        drawn = rng.multivariate_normal(scores[:, k], covariance, 200_000)
        right = drawn.argmax(1) == k
        assert not rejects_mean(right, found.by_class[k], false_fail=1e-8)
        assert rejects_mean(right, found.by_class[k] + 0.03, false_fail=1e-8)
    assert found.mean == pytest.approx(found.by_class.mean(), rel=1e-12)


@pytest.mark.parametrize("classes", [4, 5, 6])
def test_product_rules_and_sobol_meet(classes, monkeypatch):
    """Two roads; the error that the second states is what it misses by, six times at most."""
    scores, covariance = scores_of(np.random.default_rng(classes), classes)
    prior = np.random.default_rng(1).dirichlet(np.ones(classes))
    exact = accuracy(scores, covariance, prior)
    assert exact.error < 1e-9
    monkeypatch.setattr(rules, "GAUSS", {})
    rules._rules.cache_clear()
    sobol = accuracy(scores, covariance, prior)
    rules._rules.cache_clear()
    assert 0 < sobol.error < 1e-6
    assert abs(sobol.mean - exact.mean) < 6 * sobol.error + 1e-12


@pytest.mark.parametrize("classes", [7, pytest.param(8, marks=pytest.mark.slow)])
@pytest.mark.parametrize("spread", [0.3, 3.0])
def test_sparse_grid_and_sobol_meet(classes, spread):
    """Two roads for many classes; what is rough for the one is left to the other."""
    rng = np.random.default_rng(classes)
    w = rng.normal(size=(classes, 2)) * spread
    scores, covariance = 2 * np.eye(classes) + rng.normal(size=(classes, classes)) / 2, np.eye(classes) + w @ w.T
    prior = rng.dirichlet(np.full(classes, 5.0))
    found = accuracy(scores, covariance, prior)
    sparse = rules._compared(rules._sparse(scores, covariance), prior, rules.OUTSIDE)
    estimates = prior @ rules._high(scores, covariance)
    error = estimates.std(ddof=1) / np.sqrt(rules.SHIFTS)
    assert abs(sparse.mean - estimates.mean()) < 5 * sparse.error + 6 * error
    assert (sparse.error < rules.GOOD) == (spread < 1)
    assert found.error == (sparse.error if spread < 1 else error)
    assert found.error < 2e-6


@pytest.mark.parametrize("dimensions", [5, 8])
def test_sparse_grids_are_exact_for_polynomials(dimensions):
    for points, weights in grids(dimensions):
        assert weights.sum() == pytest.approx(1, abs=1e-11)
        np.testing.assert_allclose(weights @ points**4, 3, rtol=1e-10)
        assert weights @ (points[:, 0] ** 2 * points[:, 1] ** 2) == pytest.approx(1, abs=1e-10)
        assert weights @ (points[:, 0] ** 3 * points[:, 1]) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("classes", [2, 3, 4, 6, 9])
def test_classes_that_are_alike_need_one_line(classes):
    scores = 1.3 * np.eye(classes) + 0.4
    covariance = 0.7 * np.eye(classes) - 0.05
    line, general = alike(scores, covariance), accuracy(scores, covariance, np.full(classes, 1 / classes))
    assert abs(line.mean - general.mean) < 6 * general.error + 1e-12
    np.testing.assert_allclose(line.mean, symmetric_accuracy(1.3 / np.sqrt(0.7), classes), rtol=1e-13)


def test_known_values_of_the_line():
    np.testing.assert_allclose(symmetric_accuracy(np.array([-1.0, 0.5, 3.0]), 2), ndtr(np.array([-1, 0.5, 3]) / 2**0.5))
    np.testing.assert_allclose([symmetric_accuracy(0.0, k) for k in (2, 3, 10, 100)], [0.5, 1 / 3, 0.1, 0.01])


@pytest.mark.parametrize("classes", [2, 3, 4, 7])
def test_a_tie_is_no_number(classes):
    """Two classes with one score."""
    scores, covariance = scores_of(np.random.default_rng(0), classes)
    scores[1], covariance[1], covariance[:, 1] = scores[0], covariance[0], covariance[:, 0]
    covariance[1, 1] = covariance[0, 0]
    covariance[0, 1] = covariance[1, 0] = covariance[0, 0]
    assert np.isnan(accuracy(scores, covariance, np.full(classes, 1 / classes)).mean)


def test_cells_on_leading_axes():
    rng = np.random.default_rng(3)
    for classes in (3, 4):
        cells = [scores_of(rng, classes) for _ in range(3)]
        together = accuracy(*(np.stack(part) for part in zip(*cells, strict=True)), np.full(classes, 1 / classes))
        alone = [accuracy(*cell, np.full(classes, 1 / classes)).mean for cell in cells]
        np.testing.assert_allclose(together.mean, alone, rtol=1e-13)
