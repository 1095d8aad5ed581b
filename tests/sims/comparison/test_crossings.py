import numpy as np
import pytest
from scipy.stats import binom

from sims.comparison.crossings import Curve, crossings, interpolation_error, normal_z, value_at, weights

GRID = np.linspace(0.05, 0.95, 19)
BAND = np.array([5e-9, 1 - 5e-9])
"""Between these quantiles a count is but with probability 1e-8."""


def curve_of(function, seeds=32, spread=0.05, rng=None, grid=GRID):
    """Simulated means of ``function`` over seeds, with their standard errors."""
    draws = function(grid) + (0 if rng is None else rng.normal(scale=spread, size=(seeds, len(grid))))
    draws = np.broadcast_to(draws, (seeds, len(grid)))
    error = draws.std(0, ddof=1) / np.sqrt(seeds) if rng is not None else np.full(len(grid), 1e-6)
    return Curve(grid, draws.mean(0), error, np.full(len(grid), seeds - 1.0))


def falling(p):
    return np.tanh(4 * (0.62 - p))


def test_exact_curve_is_crossed_where_it_is_zero():
    (found,) = crossings(curve_of(falling))
    assert found.x == pytest.approx(0.62, abs=2e-4)
    assert not found.rising
    assert found.low < found.x < found.high


def test_all_crossings_in_order_with_direction():
    found = crossings(curve_of(lambda p: np.sin(3 * np.pi * p + 0.4)))
    expected = [(k * np.pi - 0.4) / (3 * np.pi) for k in (1, 2)]
    np.testing.assert_allclose([crossing.x for crossing in found], expected, atol=2e-4)  # the third, .958, is outside
    assert [crossing.rising for crossing in found] == [False, True]


def test_weights_reproduce_cubics():
    """Interpolation linear in the data and exact for polynomials of degree three."""
    at = np.linspace(0.05, 0.95, 101)
    for power in range(4):
        np.testing.assert_allclose(weights(GRID, at) @ GRID**power, at**power, atol=1e-12)


@pytest.mark.statistical
def test_interval_covers(fresh_seed):
    """Coverage of the 95 % interval in its 1e-8 binomial band; 95.1(2) % measured, which fails with probability < 1e-7.

    The twin, half as wide, covers in 68 %.
    """
    rng, repeats = np.random.default_rng(fresh_seed), 1500
    inside = near = 0
    for _ in range(repeats):
        (found,) = crossings(curve_of(falling, rng=rng))
        inside += found.low <= 0.62 <= found.high
        near += abs(found.x - 0.62) <= (found.high - found.low) / 4
    low, high = binom.ppf(BAND, repeats, 0.95)
    assert low <= inside <= high
    assert near < low


@pytest.mark.statistical
def test_z_is_standard_normal_at_the_truth(fresh_seed):
    """Mean and coverage; fails with probability < 1e-7: 95.2(2) % and a mean of -.007(7) were measured."""
    rng, repeats = np.random.default_rng(fresh_seed), 1500
    z = np.array([value_at(curve_of(falling, seeds=6, rng=rng), 0.62).z for _ in range(repeats)])
    low, high = binom.ppf(BAND, repeats, 0.95)
    assert abs(z.mean()) < 6.0 / np.sqrt(repeats)
    assert low <= np.sum(np.abs(z) < 1.96) <= high


def test_noise_around_zero_is_no_crossing():
    """A curve that touches zero without passing, and one lost in noise on both sides."""
    touching = curve_of(lambda p: (p - 0.5) ** 2)
    assert crossings(touching._replace(error=np.full(19, 0.01))) == []


def test_interval_is_open_where_the_grid_ends():
    (found,) = crossings(curve_of(lambda p: 0.2 * (0.07 - p))._replace(error=np.full(19, 0.01)))
    assert np.isnan(found.low)
    assert found.high > found.x


def test_a_step_between_two_grid_points_is_called_coarse():
    (found,) = crossings(curve_of(lambda p: np.where(p < 0.632, 0.9, -0.1)))
    assert found.coarse
    assert not crossings(curve_of(falling)._replace(error=np.full(19, 0.01)))[0].coarse


def test_a_spline_that_errs_by_more_than_the_data_is_called_coarse():
    """A million draws a point on a grid of seven: the place is off by many of its standard errors, and is not told."""
    grid = np.linspace(0.05, 0.95, 7)
    (sharp,) = crossings(curve_of(falling, grid=grid))
    assert abs(sharp.x - 0.62) > 3 * (sharp.high - sharp.low)
    assert sharp.coarse
    told, true = interpolation_error(curve_of(falling, grid=grid), sharp.x), abs(falling(sharp.x))
    assert true / 3 < told < 3 * true
    (fine,) = crossings(curve_of(falling, grid=np.linspace(0.05, 0.95, 400)))
    assert not fine.coarse


def test_noise_is_not_taken_for_an_error_of_the_spline():
    rng = np.random.default_rng(0)
    assert not any(crossings(curve_of(falling, rng=rng))[0].coarse for _ in range(200))


def test_outside_the_grid_there_is_no_value():
    assert np.isnan(value_at(curve_of(falling), 0.99).z)


def test_normal_z_keeps_the_tail_probability():
    from scipy.stats import norm, t

    assert norm.sf(float(normal_z(5.0, 2.0, 4.0))) == pytest.approx(t.sf(2.5, 4), rel=1e-12)
    assert float(normal_z(-2.5, 1.0, 4.0)) == -float(normal_z(2.5, 1.0, 4.0))
    assert float(normal_z(1e4, 1.0, 1e3)) == 37.0  # far beyond where the probability underflows


def test_a_saturated_mean_has_no_z():
    """Accuracies that are all 1 to rounding: an error of 1e-17 tests nothing."""
    assert np.isnan(normal_z(1e-16, 1e-17, 31.0))
    assert np.isnan(normal_z(0.0, 0.0, 31.0))


@pytest.mark.parametrize("grid", [[0.1, 0.2, 0.3], [0.1, 0.3, 0.2, 0.4]])
def test_refuses_grids_it_cannot_interpolate(grid):
    with pytest.raises(ValueError, match="at least 4 increasing"):
        crossings(Curve(*(np.asarray(grid, float),) * 4))
