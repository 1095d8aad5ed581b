import numpy as np
import pytest

from theory.crossings import crossings, predicted_crossings


def test_finds_every_zero_of_every_curve():
    """sin(k pi x) + shift has known zeros."""
    found = crossings(lambda x, curve: np.sin((curve + 1) * np.pi * x + 0.3), 3, 0.0, 1.0)
    for k in (1, 2, 3):
        expected = [(j * np.pi - 0.3) / (k * np.pi) for j in range(1, k + 1)]
        np.testing.assert_allclose(found.x[found.curve == k - 1], expected, atol=1e-11)
    assert list(found.rising[found.curve == 1]) == [False, True]


def test_no_zero_and_not_a_number():
    assert len(crossings(lambda x, curve: 1 + x, 1, 0.0, 1.0).x) == 0
    gap = crossings(lambda x, curve: np.where(np.abs(x - 0.5) < 0.01, np.nan, x - 0.5), 1, 0.0, 1.0)
    assert len(gap.x) == 0


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_predicted_p_half_is_p_star(loss):
    """Solved from the accuracy equations, which do not know p*."""
    phi, psi = np.array([[0.9, 0.3], [0.5, 0.5], [0.4, 0.8]]).T
    shared = {"signal": 2.0, "alpha": 4.0, "ridge": 0.1, "loss": loss, "p": 0.5}
    columns = {name: np.array(3 * [value], object if name == "loss" else float) for name, value in shared.items()}
    found = predicted_crossings(columns | {"phi": phi, "psi": psi}, "p_half")
    np.testing.assert_allclose(found.x, phi / (phi + psi), atol=1e-9)
    assert not found.rising.any()
