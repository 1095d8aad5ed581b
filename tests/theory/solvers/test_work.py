"""A search ends: work is counted, what is left over is not converged, and what arrives is what it was."""

import numpy as np
import pytest

from theory.crossings import CURVE, POINTS, along, curves
from theory.solvers import numbers, work
from theory.table import predict_table

HARD = {
    "keep-hard": {
        **{"setting": "keep-hard", "loss": "hinge", "signal": 0.07737885081656135, "alpha": 5529.650577024581},
        **{"ridge": 1e-12, "cos_generator": 0.99, "cos_verifier": 0.2761158861129562},
        **{"cos_between": 0.21871540081749866, "margin": 0.001},
    },
    "linear": {
        **{"setting": "linear", "loss": "hinge", "signal": 2.0, "alpha": 10.0, "ridge": 1.32},
        **{"cos_generator": -0.21, "cos_verifier": 0.49, "cos_between": -0.06},
    },
}


def lines(columns, count):
    """A curve of so many points."""
    words = ("setting", "loss")
    table = {name: np.repeat(np.array([c], object if name in words else float), count) for name, c in columns.items()}
    return along(table, np.linspace(0, 1, count))


@pytest.fixture
def spent(monkeypatch):
    """Units of work that were given."""
    given = []
    spend = work.spend

    def asked(units):
        granted = spend(units)
        given.append(units * granted)
        return granted

    monkeypatch.setattr(numbers.work, "spend", asked)
    return given


def test_hinge_in_the_linear_setting_costs_a_tenth_of_what_a_curve_may(spent):
    found = predict_table(lines(HARD["linear"], POINTS))
    assert found["converged"].all()
    assert sum(spent) < CURVE / 10


def test_without_an_allowance_the_hard_cells_arrive():
    assert predict_table(lines(HARD["keep-hard"], 5))["converged"].all()


def test_what_an_allowance_does_not_reach_is_not_converged_and_the_rest_is_as_without(spent):
    table = lines(HARD["keep-hard"], 70)
    whole = predict_table(table)
    unlimited = sum(spent)
    spent.clear()
    with work.allowance(0.8 * unlimited):
        part = predict_table(table)
    assert sum(spent) < 0.85 * unlimited
    arrived = part["converged"]
    assert 0 < arrived.sum() < len(arrived)
    assert set(part["status"][~arrived]) == {"not converged"}
    assert np.isnan(part["accuracy"][~arrived]).all()
    np.testing.assert_allclose(part["accuracy"][arrived], whole["accuracy"][arrived], atol=1e-10)


def test_the_same_input_has_the_same_answer():
    table = lines(HARD["keep-hard"], 40)
    found = []
    for _ in range(2):
        with work.allowance(2e6):
            found.append(predict_table(table)["accuracy"])
    np.testing.assert_array_equal(*found)


def test_allowances_end_with_their_block():
    assert not work.counted()
    with work.allowance(1.0):
        assert work.counted()
        assert work.spend(0.5)
        assert work.spend(1.0)  # the last is given whole
        assert not work.spend(1.0)
    assert work.spend(1e30)


def test_a_curve_has_one(monkeypatch):
    """Every search of `curves` runs inside an allowance."""
    seen = []
    states = numbers.states
    monkeypatch.setattr(numbers, "states", lambda *cells: seen.append(work.counted()) or states(*cells))
    table = {
        name: np.array([value], object if isinstance(value, str) else float) for name, value in HARD["linear"].items()
    }
    curves(table).crossings()
    assert len(seen) > 1
    assert all(seen)
