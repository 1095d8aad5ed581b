"""Averages over the composition of what is kept: direct simulation at small sizes, and what must not change."""

import itertools

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binom

from tests.statistical import detectable, rejects_mean
from theory.prediction import predict
from theory.small_samples import averaged, counts, places, quantile
from theory.types import ClassRates, Problem, Rates

ALLOWANCE = 0.004
"""In accuracy: effects of a finite size that are not the composition's."""


def fits(n, d, r, p, ridge, trials, seed):
    """Accuracy of ridge regression with an unpenalised intercept, trial by trial, in closed form by centring."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(trials):
        y = rng.choice([-1.0, 1.0], n)
        label = np.where(rng.random(n) < p, -y, y)
        if abs(label.sum()) == n:
            continue
        x = rng.normal(size=(n, d))
        x[:, 0] += r * y
        mean, centre = x.mean(0), label.mean()
        inner = (x - mean).T @ (x - mean) / n + ridge * np.eye(d)
        w = np.linalg.solve(inner, (x - mean).T @ (label - centre) / n)
        b, size = centre - w @ mean, np.linalg.norm(w)
        found.append((ndtr((r * w[0] + b) / size) + ndtr((r * w[0] - b) / size)) / 2)
    return np.array(found)


@pytest.mark.parametrize(("n", "p"), [(40, 0.2), (60, 0.4)])
def test_the_average_meets_simulation_where_the_plain_prediction_does_not(n, p):
    """d = 30, penalty 1; false-failure rate 1e-6 each."""
    problem = Problem(2.0, Rates(p, 1.0, 1.0), 1.0, intercept=True)
    measured = fits(n, 30, 2.0, p, 1.0, 3000, seed=n)
    found = averaged(problem, n, 30)
    assert not rejects_mean(measured, found.accuracy, ALLOWANCE)
    plain = predict(problem, n / 30).accuracy
    assert rejects_mean(measured, plain, ALLOWANCE)
    assert abs(plain - found.accuracy) > detectable(measured, 0.0) / 2


def test_large_samples_need_no_average():
    rates = ClassRates(np.array([0.1, 0.3]), np.array([0.9, 0.8]), np.array([0.3, 0.6]), np.array([0.3, 0.7]))
    problem = Problem(1.5, rates, 0.1, intercept=True)
    plain = predict(problem, 4.0, "logistic")
    gaps = [abs(averaged(problem, 4 * d, d, "logistic").accuracy - plain.accuracy) for d in (100, 1000, 10_000)]
    assert gaps[2] < gaps[1] / 5 < gaps[0] / 25
    assert gaps[2] < 1e-4


def test_counts_have_the_means_and_variances_of_chance():
    cells = np.array([0.3, 0.2, 0.05, 0.1])
    drawn = counts(200, cells, 4096)
    np.testing.assert_allclose(drawn.mean(0), 200 * cells, rtol=0.02)
    np.testing.assert_allclose(drawn.var(0), 200 * cells * (1 - cells), rtol=0.06)
    assert np.cov(drawn[:, 0], drawn[:, 1])[0, 1] == pytest.approx(-200 * 0.3 * 0.2, rel=0.15)
    assert (drawn.sum(1) <= 200).all()


def test_one_label_is_no_average_and_no_intercept_is_refused():
    pure = Problem(2.0, ClassRates(np.zeros(2), np.array([0.0, 1.0]), np.zeros(2), np.array([0.5, 0.5])), 1.0, True)
    assert np.isnan(averaged(pure, 40, 30).accuracy)
    with pytest.raises(ValueError, match="intercept = True"):
        averaged(pure._replace(intercept=None), 40, 30)
    with pytest.raises(ValueError, match="n = 0 is outside"):
        averaged(pure, 0, 30)


def test_quantiles_are_those_of_the_binomial():
    level = np.linspace(0.01, 0.99, 33)
    for total, share in itertools.product((1, 7, 400), (0.05, 0.5, 0.97)):
        found = quantile(level, np.full(33, float(total)), share)
        np.testing.assert_array_equal(found, binom.ppf(level, total, share))
    np.testing.assert_array_equal(quantile(level, np.zeros(33), 0.5), 0)
    np.testing.assert_array_equal(quantile(level, np.full(33, 5.0), 1.0), 5)


def test_a_cell_without_share_stays_empty():
    found = counts(50, np.array([0.5, 0.5, 0.0, 0.0]), 64)
    np.testing.assert_array_equal(found[:, 2:], 0)
    np.testing.assert_array_equal(found.sum(1), 50)


def test_places_fill_the_cube():
    """Every coordinate takes every place once; the integral of a product of four comes out."""
    for count in (16, 64, 1000):
        found = places(count)
        np.testing.assert_allclose(np.sort(found, 0), np.tile((np.arange(count) + 0.5)[:, None] / count, 4))
    assert np.prod(2 * found, axis=1).mean() == pytest.approx(1, abs=0.02)
