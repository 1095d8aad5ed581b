import numpy as np
import pytest

from theory.crossings import crossings, p_star_crossings, predicted_crossings
from theory.table import predict_table


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


LINE = {"signal": 1.0, "alpha": 2.8, "ridge": 0.01, "loss": "squared", "phi": 1.0, "psi": 0.3}


@pytest.mark.parametrize("own", [{"p": 0.331}, {"setting": "learned", "cos_generator": 0.437}])
@pytest.mark.parametrize("phi", [1.0, 0.6])
def test_p_star_crossings_are_where_training_ties_with_the_generator(own, phi):
    """Recomputed at the found psi; a weak generator is beaten at any p*, a small sample at none."""
    line = LINE | own | {"phi": phi, "alpha": 2.8 / phi}
    columns = {name: np.array([value] * 3, object if isinstance(value, str) else float) for name, value in line.items()}
    columns["alpha"] *= [1, 0.05, 100]
    found = p_star_crossings(columns)
    np.testing.assert_array_equal(found.curve, [0])
    assert 0.5 < found.x[0] < 1
    assert found.rising[0]
    tie = predict_table(line | {"psi": phi * (1 / found.x[0] - 1)})
    assert tie["p_star"][0] == pytest.approx(found.x[0], abs=1e-12)
    assert tie["accuracy"][0] == pytest.approx(tie["generator_accuracy"][0], abs=1e-10)


def test_p_star_crossings_all_of_them():
    """Near interpolation more labels may hurt: a curve that crosses twice."""
    signal, ridge = np.full(1, 1.5), np.full(1, 1e-6)
    shared = {"signal": signal, "ridge": ridge, "loss": np.array(["squared"], object), "phi": np.ones(1)}
    found = [
        p_star_crossings(shared | {"p": np.full(1, p), "alpha": np.full(1, alpha)})
        for p in np.linspace(0.2, 0.45, 26)
        for alpha in np.linspace(1.0, 2.5, 31)
    ]
    twice = next(one for one in found if len(one.x) == 2)
    assert list(twice.rising) in ([True, False], [False, True])


def test_p_star_crossings_need_rates():
    cosines = {"cos_generator": np.full(1, 0.3), "cos_verifier": np.full(1, 0.5), "cos_between": np.full(1, 0.2)}
    with pytest.raises(ValueError, match="column phi is missing"):
        p_star_crossings({"signal": np.ones(1), "alpha": np.ones(1), "ridge": np.ones(1)} | cosines)
