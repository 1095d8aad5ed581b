from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from theory import ridge
from theory.types import Cosines, Problem, Rates

REFERENCE = Path(__file__).parents[1] / "reference"


def test_reference_numbers():
    """Every squared row of theory_independent.csv, to 1e-8."""
    table = pd.read_csv(REFERENCE / "theory_independent.csv").query("loss == 'squared'")
    rates = Rates(table["p"].to_numpy(), table["phi"].to_numpy(), table["psi"].to_numpy())
    problem = Problem(table["signal"].to_numpy(), rates, table["ridge"].to_numpy())
    found = ridge.solve(problem, table["alpha"].to_numpy())
    assert len(table) > 20
    assert bool(found.converged.all())
    for name in ("overlap", "bulk_norm", "accuracy"):
        np.testing.assert_allclose(getattr(found, name), table[name], atol=1e-8, rtol=0)


def brute_force(r, pi, delta, lam):
    """The equations of the theory note, solved dumbly: bisection for theta, then substitution as printed."""
    low, high = 0.0, 1e12
    for _ in range(400):
        theta = (low + high) / 2
        value = lam * delta * theta**2 + (delta + lam * delta - 1) * theta - 1
        low, high = (theta, high) if value < 0 else (low, theta)
    c, b = 1 + r**2, (2 * pi - 1) * r
    a = b / (c + lam * (1 + theta))
    bracket = 1 / (delta * theta**2) - 1 / (1 + theta) ** 2
    tau = np.sqrt((1 - 2 * a * b + a * a * c) / (1 + theta) ** 2 / bracket)
    return a, tau, ndtr(r * a / np.hypot(a, tau))


@settings(max_examples=300, deadline=None)
@given(
    r=st.floats(0.1, 6),
    pi=st.floats(0.01, 0.99),
    log_delta=st.floats(-2.3, 6.9),
    log_ridge=st.floats(-9, 4.6),
)
def test_agrees_with_the_equations_as_printed(r, pi, log_delta, log_ridge):
    delta, lam = np.exp(log_delta), np.exp(log_ridge)
    found = ridge.solve(Problem(r, Rates(1 - pi, 1.0, 1.0), lam), delta)
    a, tau, accuracy = brute_force(r, pi, delta, lam)
    assert bool(found.converged)
    np.testing.assert_allclose([found.overlap, found.bulk_norm], [a, tau], rtol=1e-6)
    np.testing.assert_allclose(found.accuracy, accuracy, atol=1e-8)
    assert ndtr(-r) - 1e-12 <= float(found.accuracy) <= ndtr(r) + 1e-12


@settings(max_examples=100, deadline=None)
@given(pi=st.floats(0.02, 0.97), delta=st.floats(0.2, 50), lam=st.floats(1e-4, 10))
def test_accuracy_grows_with_purity(pi, delta, lam):
    problems = (Problem(2.0, Rates(1 - x, 1.0, 1.0), lam) for x in (pi, pi + 0.02))
    low, high = (float(ridge.solve(problem, delta).accuracy) for problem in problems)
    assert high > low


@pytest.mark.parametrize(
    ("rates", "lam", "alpha", "solved"),
    [
        (Rates(1.0, 0.5, 0.0), 0.1, 2.0, False),  # every label wrong and every wrong one dropped
        (Rates(0.2, 1.0, 1.0), 0.0, 0.9, False),  # least squares with fewer samples than dimensions
        (Rates(0.2, 1.0, 1.0), 0.0, 1.5, True),
    ],
)
def test_unsolvable_problems_are_flagged(rates, lam, alpha, solved):
    found = ridge.solve(Problem(1.0, rates, lam), alpha)
    assert bool(found.converged) is solved
    assert np.isfinite(found.accuracy) == solved
    assert np.isfinite(found.overlap) == solved


def test_least_squares_is_the_limit_of_small_ridge():
    problem = Problem(1.5, Rates(0.2, 1.0, 1.0), 0.0)
    exact = float(ridge.solve(problem, 3.0).accuracy)
    gaps = [abs(float(ridge.solve(problem._replace(ridge=lam), 3.0).accuracy) - exact) for lam in (1e-2, 1e-4, 1e-6)]
    assert gaps[0] > 10 * gaps[1] > 100 * gaps[2]


@pytest.mark.parametrize("name", ["p", "phi", "psi", "signal", "alpha", "ridge"])
def test_gradients_agree_with_finite_differences(name):
    at = {"p": 0.3, "phi": 0.8, "psi": 0.3, "signal": 1.3, "alpha": 2.0, "ridge": 0.2}

    def accuracy(value):
        x = at | {name: value}
        problem = Problem(x["signal"], Rates(x["p"], x["phi"], x["psi"]), x["ridge"])
        return ridge.solve(problem, x["alpha"]).accuracy

    step = 1e-5
    difference = (accuracy(at[name] + step) - accuracy(at[name] - step)) / (2 * step)
    np.testing.assert_allclose(jax.grad(accuracy)(at[name]), difference, rtol=1e-7)


@pytest.mark.parametrize(
    ("problem", "alpha", "words"),
    [
        (Problem(0.0, Rates(0.1, 1, 1), 0.1), 1.0, ["signal = 0", "(0, inf)"]),
        (Problem(1.0, Rates(0.1, 1, 1), -0.1), 1.0, ["ridge = -0.1", "[0, inf)"]),
        (Problem(1.0, Rates(0.1, 1, 1), 0.1), float("inf"), ["alpha = inf", "(0, inf)"]),
    ],
)
def test_refusals(problem, alpha, words):
    with pytest.raises(ValueError, match="outside") as refusal:
        ridge.solve(problem, alpha)
    assert all(word in str(refusal.value) for word in words)


def test_a_linear_curation_is_another_law():
    with pytest.raises(TypeError, match="Cosines"):
        ridge.solve(Problem(1.0, Cosines(0.5, 0.5, 0.2), 0.1), 1.0)


def test_float32_is_refused_with_the_remedy():
    with jax.enable_x64(False):
        with pytest.raises(RuntimeError, match="jax_enable_x64"):
            ridge.solve(Problem(jnp.asarray(1.0), Rates(0.1, 1, 1), 0.1), 1.0)
        plain = ridge.solve(Problem(1.0, Rates(0.1, 1, 1), 0.1), 1.0).accuracy
    assert plain == ridge.solve(Problem(1.0, Rates(0.1, 1, 1), 0.1), 1.0).accuracy  # numbers are NumPy's affair
