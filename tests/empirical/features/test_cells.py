import itertools

import numpy as np
import pytest
from scipy.stats import binom

from empirical.features.cells import counts, error_rate, joint, places, quantile
from theory.types import Rates

RATES = Rates((0.1, 0.4), (0.9, 0.7), (0.5, 0.2))


def test_shares_by_counting():
    """Every (y, y', kept) on its own."""
    expected = np.zeros(4)
    for y, wrong in itertools.product((1, -1), (False, True)):
        p, phi, psi = (pair[y > 0] for pair in RATES)
        weight = (0.3 if y > 0 else 0.7) * (p * psi if wrong else (1 - p) * phi)
        expected[[(1, False), (-1, False), (1, True), (-1, True)].index((y, wrong))] = weight
    np.testing.assert_allclose(joint(RATES, 0.3), expected, rtol=1e-14)
    assert error_rate(RATES, 0.3) == pytest.approx(0.7 * 0.1 + 0.3 * 0.4)
    np.testing.assert_allclose(joint(Rates(0.2, 1.0, 0.5), 0.5), [0.4, 0.4, 0.05, 0.05])


def test_quantiles_are_those_of_the_binomial():
    level = np.linspace(0.01, 0.99, 33)
    for total, share in itertools.product((1, 7, 400), (0.05, 0.5, 0.97)):
        found = quantile(level, np.full(33, float(total)), share)
        np.testing.assert_array_equal(found, binom.ppf(level, total, share))
    np.testing.assert_array_equal(quantile(level, np.zeros(33), 0.5), 0)
    np.testing.assert_array_equal(quantile(level, np.full(33, 5.0), 1.0), 5)


@pytest.mark.parametrize("n", [20, 500])
def test_counts_have_the_moments_of_the_multinomial(n):
    """4096 places: means within 3 % of the largest spread, covariances within 3 % of the largest."""
    cells = joint(RATES, 0.3)
    found = counts(n, cells, 4096)
    assert found.shape == (4096, 4)
    assert np.all((found >= 0) & (found % 1 == 0))
    assert np.all(found.sum(1) <= n)
    covariance = n * (np.diag(cells) - np.outer(cells, cells))
    np.testing.assert_allclose(found.mean(0), n * cells, atol=0.03 * np.sqrt(covariance.max()))
    np.testing.assert_allclose(np.cov(found.T), covariance, atol=0.03 * covariance.max())


def test_a_cell_without_share_stays_empty():
    found = counts(50, joint(Rates(0.0, 1.0, 1.0), 0.5), 64)
    np.testing.assert_array_equal(found[:, 2:], 0)
    np.testing.assert_array_equal(found.sum(1), 50)


def test_places_fill_the_cube():
    """Every coordinate takes every place once; the integral of a product of four comes out."""
    for count in (16, 64, 1000):
        found = places(count)
        np.testing.assert_allclose(np.sort(found, 0), np.tile((np.arange(count) + 0.5)[:, None] / count, 4))
    assert np.prod(2 * found, axis=1).mean() == pytest.approx(1, abs=0.02)
