"""A solution that was not found says why."""

import jax
import numpy as np
import pytest

from theory import status
from theory.engine import solve
from theory.table import predict_table
from theory.types import STATUSES, ClassRates, Cosines, Problem, Rates

DESCENT = {"signal": 2.0, "p": 0.3, "phi": 0.9, "psi": 0.2, "ridge": 0.1, "alpha": 4.0}


def named(problem, alpha, loss):
    found = solve(problem, alpha, loss)
    assert bool(found.converged) == (int(found.status) == status.OK)
    assert np.isnan(found.accuracy) != bool(found.converged)
    return STATUSES[int(found.status)]


@pytest.mark.parametrize(
    ("problem", "alpha", "loss", "why"),
    [
        (Problem(1.0, Rates(0.1, 0.9, 0.2), 0.1), 2.0, "logistic", "ok"),
        (Problem(1.0, Rates(0.0, 0.0, 1.0), 0.1), 2.0, "squared", "nothing kept"),
        (Problem(1.0, Rates(0.0, 0.0, 1.0), 0.1), 2.0, "logistic", "nothing kept"),
        (Problem(1.0, Rates(0.1, 0.9, 0.2), 0.0), 0.5, "squared", "not unique"),
        (Problem(1.0, Cosines(0.3, 0.6, 0.2), 0.0), 0.5, "squared", "not unique"),
        (Problem(3.0, Rates(0.0, 1.0, 1.0), 0.0), 0.5, "logistic", "separable"),
        (Problem(1.0, Cosines(0.5, 0.6, 0.2), 0.0), 0.5, "logistic", "separable"),
        (Problem(4.5, Cosines(0.983, 0.163, 0.3397), 1.0), 1000.0, "logistic", "too near to coplanar"),
    ],
)
def test_each_has_its_name(problem, alpha, loss, why):
    assert named(problem, alpha, loss) == why


def test_separable_is_separable():
    """At p = 1/2 labels are chance: separable iff fewer than 2d are kept (Cover). On both sides, without a ridge."""
    chance = Problem(1.0, Rates(0.5, 1.0, 1.0), 0.0)
    assert named(chance, 1.9, "logistic") == "separable"
    assert named(chance, 2.1, "logistic") != "separable"


def test_a_linear_generator_separates_its_own_labels():
    """At any n/d, and without a search: g.u > 0 for every kept u."""
    assert named(Problem(1.0, Cosines(0.5, 0.6, 0.2), 0.0), 1e6, "logistic") == "separable"


def test_tables_say_it_in_words_line_by_line():
    found = predict_table(
        DESCENT | {"loss": np.array(["squared", "squared", "logistic"], object), "phi": np.array([0.9, 0, 0])}
    )
    assert list(found["status"]) == ["ok", "ok", "ok"]
    found = predict_table(DESCENT | {"loss": "logistic", "ridge": np.array([0.1, 0.0]), "alpha": np.array([4.0, 0.2])})
    assert list(found["status"]) == ["ok", "separable"]
    assert set(status.EXPLAINED) == set(STATUSES) - {"ok"}


def test_under_jit_the_code_comes_without_the_search_for_separation():
    problem = Problem(3.0, Rates(0.0, 1.0, 1.0), 0.0)
    traced = jax.jit(lambda ridge: solve(problem._replace(ridge=ridge), 0.5, "logistic").status)(0.0)
    assert STATUSES[int(traced)] == "not converged"


def test_rates_by_class_have_statuses_too():
    nothing = ClassRates(np.array([1.0, 1.0]), np.array([0.5, 0.5]), np.array([0.0, 0.0]), np.array([0.4, 0.6]))
    assert named(Problem(1.0, nothing, 0.1), 2.0, "logistic") == "nothing kept"
