import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from sims.classes.fit import FITTED, contrasts
from sims.classes.fit import fit as eager_fit
from sims.fit import fit as eager_binary_fit
from sims.newton import TOLERANCE

fit = jax.jit(eager_fit, static_argnames=("loss", "classes"))
binary_fit = jax.jit(eager_binary_fit, static_argnames="loss")
intercepted = jax.jit(eager_fit, static_argnames=("loss", "classes", "intercept"))

SHAPES = [(90, 8), (30, 50), (40, 40)]
"""Primal, dual, square."""


def data(key, n, d, classes):
    """Labelled rows with some signal; every class is among the kept."""
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    label = rng.permutation(np.arange(n) % classes)
    x = rng.normal(size=(n, d)) + 0.7 * np.eye(classes, d)[label]
    return jnp.asarray(x), jnp.asarray(label), jnp.asarray(rng.uniform(size=n) < 0.7)


def scikit_learn(loss, x, label, ridge, classes):
    """The same objective in scikit-learn's units, on the kept rows alone."""
    m = len(x)
    assert set(label) == set(range(classes))
    if loss == "squared":
        return Ridge(alpha=ridge * m, fit_intercept=False, tol=1e-14).fit(x, np.eye(classes)[label]).coef_
    model = LogisticRegression(C=1 / (ridge * m), fit_intercept=False, tol=1e-12, max_iter=10_000, solver="newton-cg")
    return model.fit(x, label).coef_


@pytest.mark.parametrize("loss", FITTED)
@pytest.mark.parametrize(("n", "d"), SHAPES)
@pytest.mark.parametrize("ridge", [1e-3, 0.1, 10.0])
def test_agrees_with_scikit_learn(key, loss, n, d, ridge):
    x, label, kept = data(key, n, d, 4)
    found = fit(loss, x, label, kept, jnp.asarray(ridge), 4)
    rows = np.asarray(kept)
    assert bool(found.converged)
    expected = scikit_learn(loss, np.asarray(x)[rows], np.asarray(label)[rows], ridge, 4)
    np.testing.assert_allclose(found.weights, expected, atol=1e-6)


@pytest.mark.parametrize("loss", FITTED)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_certificate_is_the_gradient_of_the_stated_objective(key, loss, n, d):
    """Differentiate the objective as written in the docstring, over the kept rows only."""
    x, label, kept = data(key, n, d, 4)
    found = fit(loss, x, label, kept, jnp.asarray(0.05), 4)
    rows = np.flatnonzero(np.asarray(kept))

    def objective(w):
        score = x[rows] @ w.T
        if loss == "squared":
            value = jnp.sum((jnp.eye(4)[label[rows]] - score) ** 2, axis=1) / 2
        else:
            value = jnp.log(jnp.sum(jnp.exp(score), axis=1)) - score[jnp.arange(len(rows)), label[rows]]
        return jnp.mean(value) + 0.05 / 2 * jnp.sum(w**2)

    gradient = jax.jit(jax.grad(objective))
    slope = gradient(found.weights)
    assert float(jnp.linalg.norm(slope)) <= TOLERANCE
    np.testing.assert_allclose(found.gradient_norm, jnp.linalg.norm(slope), atol=1e-13)
    moved = gradient(found.weights + 1e-8)
    assert float(jnp.linalg.norm(moved)) > TOLERANCE  # the certificate would see an error of 1e-8


@pytest.mark.parametrize(("n", "d"), SHAPES[:2])
@pytest.mark.parametrize(("loss", "factor"), [("squared", 1.0), ("logistic", 0.5)])
def test_two_classes_are_the_binary_fit(key, loss, factor, n, d):
    """w = w_1 - w_0 on labels -1, +1: squared loss at the same ridge, logistic loss at half of it."""
    x, label, kept = data(key, n, d, 2)
    weights = fit(loss, x, label, kept, jnp.asarray(0.1), 2).weights
    expected = binary_fit(loss, x, 2.0 * label - 1, kept, jnp.asarray(factor * 0.1)).weights
    np.testing.assert_allclose(weights[1] - weights[0], expected, atol=1e-9)
    other = binary_fit(loss, x, 2.0 * label - 1, kept, jnp.asarray((1.5 - factor) * 0.1)).weights
    assert float(jnp.max(jnp.abs(weights[1] - weights[0] - other))) > 1e-3  # the other mapping is wrong


@pytest.mark.parametrize("loss", FITTED)
def test_masked_rows_permuted_classes_and_empty_columns(key, loss):
    x, label, kept = data(key, 60, 40, 3)
    weights = fit(loss, x, label, kept, jnp.asarray(0.1), 3).weights
    rows = np.flatnonzero(np.asarray(kept))
    removed = fit(loss, x[rows], label[rows], jnp.ones(len(rows), bool), jnp.asarray(0.1), 3)
    np.testing.assert_allclose(removed.weights, weights, atol=1e-9)
    turned = fit(loss, x, (label + 1) % 3, kept, jnp.asarray(0.1), 3).weights
    np.testing.assert_allclose(turned, np.roll(weights, 1, axis=0), atol=1e-9)
    wide = fit(loss, jnp.concatenate([x, jnp.zeros((60, 25))], axis=1), label, kept, jnp.asarray(0.1), 3).weights
    np.testing.assert_allclose(wide, np.pad(weights, ((0, 0), (0, 25))), atol=1e-9)  # primal and dual meet


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_contrasts_are_orthonormal_and_blind_to_a_common_shift(classes):
    basis = contrasts(classes)
    np.testing.assert_allclose(basis.T @ basis, np.eye(classes - 1), atol=1e-15)
    np.testing.assert_allclose(np.ones(classes) @ basis, 0, atol=1e-15)


@pytest.mark.parametrize("loss", FITTED)
def test_what_has_no_minimum_is_flagged(key, loss):
    """Nothing kept, and ridge = 0 on fewer kept rows than dimensions, with separable labels."""
    x, label, _ = data(key, 30, 20, 3)
    assert not bool(fit(loss, x, label, jnp.zeros(30, bool), jnp.asarray(0.1), 3).converged)
    assert not bool(fit(loss, x, label, jnp.arange(30) < 10, jnp.asarray(0.0), 3).converged)


@pytest.mark.parametrize("ridge", [1e-8, 1e-5])
def test_nearly_separable_data_converge(key, ridge):
    x, label, _ = data(key, 40, 30, 3)
    found = fit("logistic", x + 8 * jnp.eye(3, 30)[label], label, jnp.ones(40, bool), jnp.asarray(ridge), 3)
    assert bool(found.converged)
    assert int(found.steps) < 60


def test_logistic_fit_needs_no_ridge_where_labels_overlap(key):
    """At ridge = 0 scores are free up to a common shift; the fit takes rows that sum to 0."""
    x, label, kept = data(key, 90, 4, 3)
    found = fit("logistic", x, label, kept, jnp.asarray(0.0), 3)
    assert bool(found.converged)
    np.testing.assert_allclose(jnp.sum(found.weights, axis=0), 0, atol=1e-12)


def test_a_shrinking_gradient_is_no_minimum(key):
    """Separable data without penalty: the gradient passes the tolerance while the weights grow without end."""
    label = jnp.arange(30) % 3
    x = 20.0 * jnp.eye(6)[label] + jax.random.normal(key, (30, 6))
    found = fit("logistic", x, label, jnp.ones(30, bool), jnp.asarray(0.0), 3)
    assert float(found.gradient_norm) < 1e-9
    assert not bool(found.converged)


@pytest.mark.parametrize("loss", FITTED)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_an_intercept_goes_without_penalty(key, loss, n, d):
    """Against scikit-learn, and by the gradient of the stated objective in W and b; twin: b moved by 1e-8."""
    x, label, kept = data(key, n, d, 4)
    x = x + 1.5  # far from the origin, where an intercept matters
    found = intercepted(loss, x, label, kept, jnp.asarray(0.1), 4, True)
    assert bool(found.converged)
    rows = np.flatnonzero(np.asarray(kept))

    def objective(w, b):
        score = x[rows] @ w.T + b[None]
        if loss == "squared":
            value = jnp.sum((jnp.eye(4)[label[rows]] - score) ** 2, axis=1) / 2
        else:
            value = jax.nn.logsumexp(score, axis=1) - score[jnp.arange(len(rows)), label[rows]]
        return jnp.mean(value) + 0.05 * jnp.sum(w**2)

    slope = jax.jit(jax.grad(objective, argnums=(0, 1)))
    size = lambda b: float(jnp.sqrt(sum(jnp.sum(part**2) for part in slope(found.weights, b))))
    assert size(found.shift) <= TOLERANCE
    np.testing.assert_allclose(found.gradient_norm, size(found.shift), atol=1e-13)
    assert size(found.shift + 1e-8 * jnp.arange(4)) > TOLERANCE
    ridge = 0.1 * len(rows)
    if loss == "squared":
        model = Ridge(alpha=ridge, tol=1e-14).fit(x[rows], np.eye(4)[label[rows]])
    else:
        model = LogisticRegression(C=1 / ridge, tol=1e-12, max_iter=10_000, solver="newton-cg").fit(
            x[rows], label[rows]
        )
    scores = lambda w, b: (lambda s: s - s.mean(1, keepdims=True))(np.asarray(x) @ np.asarray(w).T + np.asarray(b))
    np.testing.assert_allclose(scores(found.weights, found.shift), scores(model.coef_, model.intercept_), atol=1e-5)
    assert float(jnp.max(jnp.abs(fit(loss, x, label, kept, jnp.asarray(0.1), 4).weights - found.weights))) > 1e-3
