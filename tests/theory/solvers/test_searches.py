"""Every search beside the solver of cells ends by counted work, and says so: classes, rounds, clean samples."""

import numpy as np
import pytest

from theory import equivalents, fixed_points, separable, status
from theory.classes import crossings, symmetric
from theory.classes.describe import describe, text
from theory.crossings import CURVE, curves
from theory.solvers import work
from theory.table import predict_table
from theory.types import ClassesProblem, Cosines, Problem, Rates

FEW = 1e5
"""Units that do not do."""
SEPARABLE = {
    **{"setting": "mixture", "loss": "logistic", "signal": 2.0, "alpha": 1.0, "ridge": 0.0},
    **{"cos_generator": 0.5, "cos_verifier": 0.8, "cos_between": 0.4, "real": 0.3},
}
CLASSES = ClassesProblem(2.0, Rates(0.3, 0.8, 0.2), 1e-3)


def table(line):
    return {name: np.array([c], object if isinstance(c, str) else float) for name, c in line.items()}


@pytest.fixture
def spent(monkeypatch):
    """Units of work that were given."""
    given, spend = [], work.spend

    def asked(units):
        granted = spend(units)
        given.append(units * granted)
        return granted

    monkeypatch.setattr(work, "spend", asked)
    return given


def test_an_inner_allowance_is_part_of_the_outer_one():
    with work.allowance(10):
        with work.allowance(4):
            assert work.spend(4)
            assert work.gone()
        assert work.spend(5)
        with work.allowance(100):
            assert work.spend(1)
            assert not work.spend(1)
        assert work.gone()


def test_softmax_of_classes_that_takes_too_long_is_not_converged(monkeypatch, spent):
    solved = symmetric.solve(1.0, 0.9, 5.0, 1e-3, 4)
    assert solved.status == status.OK
    assert FEW < sum(spent) < symmetric.MOST_WORK / 4
    monkeypatch.setattr(symmetric, "MOST_WORK", FEW)
    cut = symmetric.solve(1.0, 0.9, 5.0, 1e-3, 4)
    assert (cut.status, np.isnan(cut.accuracy)) == (status.NOT_CONVERGED, True)


def test_a_curve_of_classes_that_takes_too_long_says_how_much_of_it_was_seen(monkeypatch, spent):
    whole = describe(CLASSES, 10.0, "logistic", classes=4)
    assert sum(spent) < (crossings.CURVE + symmetric.MOST_WORK) / 4
    assert (whole["curve_solved"], len(whole["p_gain"])) == (1.0, 1)
    assert "of the curve" not in text(whole)
    monkeypatch.setattr(crossings, "CURVE", 10 * FEW)
    part = describe(CLASSES, 10.0, "logistic", classes=4)
    assert part["accuracy"] == whole["accuracy"]
    assert 0 < part["curve_solved"] < 0.9
    assert f"(only {part['curve_solved']:.0%} of the curve over p has a solution)" in text(part)


def test_fewer_points_than_dimensions_are_separable_without_a_search(spent):
    assert symmetric.solve(1.0, 0.9, 0.99, 0.0, 8).status == status.SEPARABLE
    assert spent == []
    assert symmetric.solve(1.0, 0.9, 1.01, 0.0, 3).status == status.SEPARABLE  # which a search finds
    assert spent
    assert symmetric.solve(1.0, 0.9, 0.99, 1e-6, 3).status == status.OK


def test_a_curve_without_a_root_has_none():
    found, solved = crossings.searched(ClassesProblem(2.0, Rates(0.3, 0.8, 0.2), 0.0), 0.1, "logistic", classes=3)
    assert (len(found.x), solved) == (0, 0.0)


def test_why_is_asked_of_one_problem_and_not_of_the_points_of_a_curve(monkeypatch):
    many = table(SEPARABLE | {"alpha": 3.0, "cos_generator": 0.9, "cos_verifier": 0.9, "cos_between": 0.9})
    asked, minimum = [], separable._separability
    monkeypatch.setattr(separable, "_separability", lambda law: asked.append(law) or minimum(law))
    assert predict_table(many)["status"] == ["separable"]
    assert len(asked) == 1
    assert 1 / minimum(asked[0]) > 3.0 * predict_table(many)["kept_rate"] > separable.SURELY
    asked.clear()
    curves(table(SEPARABLE))
    assert predict_table(table(SEPARABLE))["status"] == ["separable"]  # below two samples a dimension, at once
    assert asked == []


def test_a_curve_of_separable_data_takes_what_a_curve_may(spent):
    curves(table(SEPARABLE))
    assert sum(spent) < 1.01 * CURVE


def test_fixed_points_that_were_not_looked_for_make_it_incomplete(monkeypatch, spent):
    problem = Problem(1.5, Cosines(0.5, 0.6, 0.3), 0.1)
    assert fixed_points.fixed_points(problem, 5.0, "logistic", starts=8).complete
    assert FEW < sum(spent) < fixed_points.MOST_WORK / 4
    monkeypatch.setattr(fixed_points, "MOST_WORK", FEW)
    assert not fixed_points.fixed_points(problem, 5.0, "logistic", starts=8).complete


def test_clean_samples_that_were_not_looked_for_are_not_converged(monkeypatch, spent):
    problem = Problem(1.5, Rates(0.3, 0.8, 0.2), 0.1)
    found = equivalents.clean_equivalent(problem, 5.0, "logistic")
    assert (found.status, len(found.alpha)) == (status.OK, 1)
    assert FEW < sum(spent) < equivalents.MOST_WORK / 4
    monkeypatch.setattr(equivalents, "MOST_WORK", FEW)
    cut = equivalents.clean_equivalent(problem, 5.0, "logistic")
    assert (cut.status, len(cut.alpha), cut.accuracy) == (status.NOT_CONVERGED, 0, found.accuracy)
