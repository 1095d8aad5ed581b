"""Many bracketed roots at once, beside SciPy's, and where there is none."""

import numpy as np
import pytest
from scipy.optimize import elementwise

from sims.running.roots import find_roots


def test_roots_are_those_of_scipy():
    level = np.linspace(-3, 3, 301)
    function = lambda x, c: np.tanh(3 * x) + 0.1 * x**3 - c
    found = find_roots(lambda x, index: function(x, level[index]), np.full(301, -9.0), np.full(301, 9.0))
    other = elementwise.find_root(function, (np.full(301, -9.0), np.full(301, 9.0)), args=(level,))
    np.testing.assert_allclose(found, other.x, atol=2e-12)
    np.testing.assert_allclose(function(found, level), 0, atol=1e-11)


def test_few_steps_are_taken_where_a_function_is_nearly_straight():
    asked = []

    def function(x, index):
        asked.append(x.size)
        return np.sinh(x / 2) - 0.3

    find_roots(function, np.array([-1.0]), np.array([2.0]))
    assert len(asked) < 15  # halves alone take 42


def test_without_a_change_of_sign_there_is_no_root_and_a_jump_is_one():
    offset = np.array([2.0, 0.0, -2.0])
    found = find_roots(lambda x, index: x + offset[index], np.full(3, -1.0), np.full(3, 1.0))
    assert np.isnan(found[[0, 2]]).all()
    assert found[1] == 0
    jump = find_roots(lambda x, index: np.where(x < 0.3, -1.0, 1.0), np.zeros(1), np.ones(1))
    assert jump[0] == pytest.approx(0.3, abs=1e-12)
    at_ends = find_roots(lambda x, index: x - np.array([0.0, 1.0])[index], np.zeros(2), np.ones(2))
    assert at_ends.tolist() == [0.0, 1.0]
    assert np.isnan(find_roots(lambda x, index: np.where((x > 0) & (x < 1), np.nan, x - 0.5), np.zeros(1), np.ones(1)))
