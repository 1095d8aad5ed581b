"""Families of curves go through pilots of their own kind; what no law says encloses them; reading backwards."""

import numpy as np
import pytest

from empirical.forecasting.curves import Curves, grid
from empirical.forecasting.families import curves
from empirical.forecasting.noise import Noise
from empirical.forecasting.pilot import Size
from tests.empirical.forecasting.truths import CURVES

N = np.array([50.0, 200, 800, 3200])


def fitted(truth, error=1e-3, classes=2, n=N):
    sizes = [Size(size, float(truth(size)), 4, error * 2, np.nan, 0) for size in n]
    means = np.array([size.accuracy for size in sizes])[None]
    noise = Noise(np.full(len(n), error), np.full(len(n), 3.0), np.zeros(len(n)))
    return {family.name: family for family in curves(sizes, means, noise, classes)}


def read(family, n):
    n = np.asarray(n, float)
    return family.at(n, np.zeros(n.shape, int))


@pytest.mark.parametrize(("name", "truth", "classes"), [("theory", "theory", 2), ("theory", "ten classes", 10)])
def test_exact_theory_recovers_itself(name, truth, classes):
    found = fitted(CURVES[truth], classes=classes)[name]
    n = np.array([13.0, 75, 400, 3200, 12_800])
    assert read(found, n) == pytest.approx(CURVES[truth](n), abs=1e-3)


def test_a_power_law_recovers_itself():
    truth = lambda n: 0.94 - 0.24 * (n / 100) ** -0.45
    n = np.array([50.0, 120, 900, 3200, 6000])
    assert read(fitted(truth)["power"], n) == pytest.approx(truth(n), abs=3e-3)


def test_a_family_that_misses_the_pilot_is_left_out():
    kinked = lambda n: 0.6 + 0.3 * (n > 300)
    assert set(fitted(kinked)) == {"least", "most"}
    assert "power" in fitted(kinked, error=0.3)


@pytest.mark.parametrize("name", CURVES)
def test_least_and_most_enclose_the_truth(name):
    """Curves that rise, and less and less steeply in log n at their upper end, within the pilot and beyond."""
    found = fitted(CURVES[name], classes=10 if name == "ten classes" else 2)
    n = np.array([10.0, 25, 70, 100, 150, 400, 1600, 2500, 6400, 12_800])
    truth = CURVES[name](n)
    assert (read(found["least"], n) <= truth + 2e-3).all()
    assert (read(found["most"], n) >= truth - 2e-3).all()
    assert read(found["least"], N) == pytest.approx(CURVES[name](N), abs=2e-3)
    assert read(found["most"], N) == pytest.approx(CURVES[name](N), abs=2e-3)


def test_nothing_is_a_guess_and_endless_is_the_end():
    found = fitted(CURVES["theory"])["theory"]
    assert read(found, [0.0]) == pytest.approx([0.5])
    assert read(found, [np.inf]) == pytest.approx([found.accuracy[0, -1]], abs=1e-6)
    assert np.isnan(read(found, [np.nan]))[0]


def test_reading_backwards():
    found = fitted(CURVES["theory"])["theory"]
    n = np.array([20.0, 300, 5000])
    assert found.reaches(read(found, n), np.zeros(3, int)) == pytest.approx(n, rel=1e-6)
    assert found.reaches(np.array([0.999]), np.zeros(1, int))[0] == np.inf
    assert found.reaches(np.array([0.4]), np.zeros(1, int))[0] == 0


def test_from_there_on_it_stays_above():
    """Of a curve that rises, falls and rises again the last crossing counts."""
    log_n = grid(10, 1000)
    bumpy = 0.7 + 0.1 * np.sin(log_n) + 0.02 * log_n
    found = Curves("bumpy", log_n, bumpy[None], 0.5)
    n = float(found.reaches(np.array(0.75), np.array(0)))
    later = np.exp(log_n[log_n > np.log(n) + 1e-9])
    assert (read(found, later) >= 0.75 - 1e-9).all()
    assert float(read(found, [n])[0]) == pytest.approx(0.75, abs=1e-6)
