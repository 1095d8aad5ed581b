import itertools

import numpy as np
import pytest

from empirical.features.cells import error_rate, joint
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
