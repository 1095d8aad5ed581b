"""Probes beside another package's, and the experiment beside itself one by one."""

import numpy as np
import pytest

from empirical.features import check
from empirical.features.points import points
from empirical.features.probes import fit
from theory.types import Rates

RNG = np.random.default_rng(0)


def batch(d, n, size=3):
    """Badly scaled features far from the origin, with some samples dropped."""
    label = np.where(RNG.random((size, n)) < 0.4, 1.0, -1.0)
    x = RNG.normal(size=(size, n, d)) * np.geomspace(1, 30, d) + 5
    x[..., 0] += label
    return x, label, RNG.random((size, n)) < 0.7


@pytest.mark.parametrize(("d", "n"), [(5, 40), (60, 40), (30, 300)])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_the_minimiser_is_that_of_scikit_learn(d, n, loss):
    """alpha = lambda m, C = 1/(lambda m); more dimensions than samples as well."""
    linear = pytest.importorskip("sklearn.linear_model")
    x, label, kept = batch(d, n)
    ridge = 0.1 * float(np.var(x, axis=(0, 1)).mean())
    found = fit(x, label, kept, ridge, loss)
    assert found.found.all()
    for row, kept_row in enumerate(kept):
        m = kept_row.sum()
        other = (
            linear.Ridge(alpha=ridge * m)
            if loss == "squared"
            else linear.LogisticRegression(C=1 / (ridge * m), tol=1e-10, max_iter=10_000)
        ).fit(x[row][kept_row], label[row][kept_row])
        np.testing.assert_allclose(found.w[row], np.ravel(other.coef_), atol=2e-6 * abs(found.w[row]).max())
        np.testing.assert_allclose(found.b[row], np.ravel(other.intercept_)[0], atol=1e-5)


def test_one_label_is_no_probe():
    x, label, kept = batch(3, 20)
    label[1] = 1.0
    kept[2] = False
    found = fit(x, label, kept, 0.1, "logistic")
    assert found.found.tolist() == [True, False, False]


def one_by_one(given, rates, n, ridge, loss, repetitions, seed):
    """`check.measure` with one probe at a time, its own draws, and a minimiser by gradient equations."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(repetitions):
        order = rng.permutation(len(given.x))
        train, test = order[:n], order[n:]
        y = np.where(given.positive[train], 1, -1)
        wrong = rng.random(n) < rates.p
        kept = rng.random(n) < np.where(wrong, rates.psi, rates.phi)
        x, label = given.x[train][kept], np.where(wrong, -y, y)[kept]
        z = np.column_stack([x, np.ones(len(x))])
        penalty = np.diag([ridge] * x.shape[1] + [0.0])
        w = np.linalg.solve(z.T @ z / len(x) + penalty, z.T @ label / len(x))
        score = given.x[test] @ w[:-1] + w[-1]
        found.append(np.mean((score > 0) == given.positive[test]))
    return np.mean(found), np.std(found, ddof=1) / np.sqrt(repetitions)


def test_the_experiment_is_what_it_says():
    """Two programs, 400 draws each, agree within 5 standard errors (false-failure rate 6e-7); labels that are kept
    when wrong, and dropped when right, must not."""
    positive = np.arange(150) % 3 == 0
    x = np.where(positive, 1, -1)[:, None] * np.array([0.6, 0.3, 0.1]) + RNG.normal(size=(150, 3))
    given, rates = points(x, positive), Rates(0.3, 0.9, 0.3)
    found = check.measure(given, rates, 60, 0.1, "squared", 400, 1)
    mean, error = one_by_one(given, rates, 60, 0.1, "squared", 400, 2)
    spread = np.hypot(error, (found.high - found.low) / 4)
    assert abs(found.accuracy - mean) < 5 * spread
    other = check.measure(given, Rates(0.3, 0.3, 0.9), 60, 0.1, "squared", 400, 1)
    assert abs(other.accuracy - mean) > 10 * spread
    assert found.repetitions == 400


def test_too_few_points_to_test_on():
    given = points(RNG.normal(size=(50, 2)), np.arange(50) % 2)
    assert check.measure(given, Rates(0.0, 1.0, 1.0), 31, 0.1, "squared", 10, 0) == check.NOTHING
    assert check.measure(given, Rates(0.0, 1.0, 1.0), 30, 0.1, "squared", 10, 0).repetitions == 10
