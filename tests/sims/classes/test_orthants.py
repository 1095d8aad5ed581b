import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import norm

from sims.classes.orthants import class_accuracies, positive_orthant, prediction_table
from theory.classes import threshold as theory


@pytest.mark.parametrize("classes", [3, 5, 10])
@pytest.mark.parametrize("signal", [1.0, 3.0])
def test_accuracy_of_the_best_and_the_worst_classifier(classes, signal):
    """W = +-M against the one-dimensional integrals of theory, within ten standard errors of eight shifts."""
    mu = signal * jnp.eye(classes, 12)
    for sign, expected in ((1, theory.bayes_accuracy), (-1, theory.worst_accuracy)):
        by_shift = jnp.mean(class_accuracies(sign * mu, mu), axis=0)
        error = float(jnp.std(by_shift, ddof=1)) / np.sqrt(8)
        gap = abs(float(jnp.mean(by_shift)) - float(expected(signal, classes)))
        assert error < 1e-3
        assert gap < 10 * error
        assert 2e-2 > 10 * error  # a shift of 0.02 would be seen


def test_prediction_table_of_independent_scores():
    """Orthogonal rows of unlike norms: every entry is a one-dimensional integral."""
    size, mu = np.array([0.7, 1.0, 1.5, 2.2]), np.array([[2.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 3, 0], [1, 1, 0, 1]])
    found = prediction_table(jnp.asarray(np.diag(size)), jnp.asarray(mu))
    error = np.std(found, axis=2, ddof=1) / np.sqrt(8)
    for k in range(4):
        for l in range(4):
            others = [j for j in range(4) if j != l]

            def wins(s, k=k, l=l, others=others):
                below = np.prod(ndtr(s / size[others] - mu[k, others]))
                return norm.pdf(s / size[l] - mu[k, l]) / size[l] * below

            expected = quad(wins, -30, 30, points=[size[l] * mu[k, l]], epsabs=1e-12, limit=200)[0]
            assert abs(found[k, l].mean() - expected) < 15 * error[k, l] + 1e-12
    assert error.max() < 5e-4
    np.testing.assert_allclose(found.mean(2).sum(1), 1, atol=1e-3)
    diagonal = class_accuracies(jnp.asarray(np.diag(size)), jnp.asarray(mu))
    np.testing.assert_allclose(np.diagonal(found).T, diagonal, rtol=1e-12)


def test_two_classes_have_the_exact_formula(key):
    """(1/2)[Phi(w.mu_1/||w||) + Phi(-w.mu_0/||w||)], w = w_1 - w_0, with measurement error 0."""
    weights, mu = jax.random.normal(key, (2, 6)), 2.0 * jnp.eye(2, 6)
    w = weights[1] - weights[0]
    expected = ndtr(w @ mu[1] / jnp.linalg.norm(w)), ndtr(-w @ mu[0] / jnp.linalg.norm(w))
    found = class_accuracies(weights, mu)
    np.testing.assert_allclose(found, np.repeat([expected[1], expected[0]], 8).reshape(2, 8), rtol=1e-13)


def test_ties_are_not_a_number():
    """Equal rows: argmax is undefined."""
    mu = jnp.eye(4, 8)
    assert np.all(np.isnan(class_accuracies(mu.at[2].set(mu[1]), mu)))
    assert np.all(np.isnan(positive_orthant(jnp.zeros(2), jnp.ones((2, 2)))))
