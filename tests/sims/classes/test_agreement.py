"""Simulation against the theory of K classes (THEORY §12): any means, priors, tables, with an intercept and without."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sims.classes.trial import make_trials
from tests.statistical import detectable, rejects_mean
from theory.classes.prediction import predict
from theory.types import ClassesProblem, Confusion, Rates

FALSE_FAIL = 1e-7
BIAS = 0.6
"""Allowed |finite-size bias| times d; at most 0.5 was seen for these cases."""
rng = np.random.default_rng(4)
ROWS = rng.normal(size=(3, 3)) * 1.6
SKEWED = ClassesProblem(
    1.0,
    Confusion(0.6 * np.eye(3) + 0.4 * rng.dirichlet(np.ones(3), 3), rng.uniform(0.3, 1, (3, 3))),
    0.1,
    ROWS @ ROWS.T,
    np.array([0.5, 0.3, 0.2]),
)
LINE = np.array([[1.0], [0.2], [-1.2]])
FLAT = SKEWED._replace(gram=4 * LINE @ LINE.T, ridge=0.3)
EVEN = ClassesProblem(2.0, Rates(0.4, 0.9, 0.4), 0.1)
SIMPLEX = EVEN._replace(signal=3.0, gram=(4 * np.eye(4) - 1) / 3, curation=Rates(0.6, 1.0, 0.5))
CASES = [
    # loss, problem, K, intercept, alpha
    ("squared", EVEN, 3, False, 2.9),
    ("squared", SKEWED, 3, False, 2.0),
    ("squared", SKEWED, 3, True, 2.0),
    ("squared", FLAT, 3, True, 4.0),
    ("squared", SIMPLEX, 4, False, 1.5),
    ("logistic", EVEN, 3, False, 2.9),
    ("logistic", SKEWED, 3, True, 2.0),
    ("logistic", FLAT, 3, False, 2.0),
    ("logistic", SIMPLEX, 4, False, 1.5),
]


def accuracies(seed, problem, alpha, d, classes, loss, intercept, trials, width=8):
    """Independent measurements at n = alpha d."""
    run = make_trials(round(alpha * d), d, classes, loss, intercept)
    batch = jax.tree.map(lambda leaf: jnp.broadcast_to(jnp.asarray(leaf, float), (width, *np.shape(leaf))), problem)
    words = np.random.default_rng(seed).integers(0, 2**32, (trials // width, width, 3), dtype=np.uint32)
    found = [run(seed, block, batch) for block in words]
    assert all(bool(part.converged.all()) for part in found)
    return np.concatenate([part.accuracy for part in found])


def check(seed, case, d, trials, allowance, seen):
    loss, problem, classes, intercept, alpha = case
    expected = predict(problem, alpha, loss, classes=classes, intercept=intercept)
    found = accuracies(seed, problem, alpha, d, classes, loss, intercept, trials)
    assert expected.accuracy_error < 1e-6
    assert not rejects_mean(found, expected.accuracy, allowance, FALSE_FAIL), (found.mean(), expected.accuracy)
    shift = detectable(found, allowance, FALSE_FAIL)
    assert shift < seen
    for wrong in (expected.accuracy + shift, expected.accuracy - shift):
        assert rejects_mean(found, wrong, allowance, FALSE_FAIL)


@pytest.mark.statistical
@pytest.mark.parametrize("case", CASES)
def test_simulation_meets_theory(fresh_seed, case):
    """d = 80, 192 trials. False-failure rate 1e-7 a case: the twins fail to fail where the statement fails."""
    check(fresh_seed, case, 80, 192, BIAS / 80, 0.09)


@pytest.mark.slow
@pytest.mark.statistical
@pytest.mark.parametrize("case", CASES)
def test_simulation_meets_theory_more_closely(fresh_seed, case):
    """d = 240, 256 trials, likewise."""
    check(fresh_seed, case, 240, 256, BIAS / 240, 0.04)


@pytest.mark.statistical
def test_bias_falls_with_the_size(fresh_seed):
    """Ten classes, squared loss: |bias| at d = 40 more than twice that at d = 160, by means that are told apart.

    They are .077 and .024, with standard errors of .003 and .0017: false-failure rate 1e-7.
    """
    problem, alpha = ClassesProblem(4.0, Rates(0.65, 0.8, 0.6), 1.0), 5.0
    expected = predict(problem, alpha, classes=10).accuracy
    small = accuracies(fresh_seed, problem, alpha, 40, 10, "squared", False, 512) - expected
    large = accuracies(fresh_seed, problem, alpha, 160, 10, "squared", False, 512) - expected
    assert rejects_mean(small, 0.0, 0.04, FALSE_FAIL)  # d = 40: far from the limit
    assert not rejects_mean(large, 0.0, 0.03, FALSE_FAIL)
    assert small.mean() < 2 * large.mean() < 0
