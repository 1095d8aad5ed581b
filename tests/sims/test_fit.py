from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from sims import fit as module
from sims.fit import FITTED, Data, conjugate_gradients, gradient
from sims.fit import fit as eager_fit
from sims.losses import LOSSES
from sims.newton import TOLERANCE
from theory.losses import LOSSES as THEORY_LOSSES

fit = jax.jit(eager_fit, static_argnames="loss")

SHAPES = [(60, 8), (25, 40), (30, 30)]
"""Primal, dual, square."""


@partial(jax.jit, static_argnames=("loss", "road"))
def along(loss, road, rows, ridge):
    """Where one road to the minimum ends; compiled, as each eager call of one compiles anew."""
    return getattr(FITTED[loss], road)(rows, ridge)


@partial(jax.jit, static_argnames=("n", "d"))
def data(key, n, d, signal=0.7, flip=0.2):
    k_y, k_z, k_flip, k_keep = jax.random.split(key, 4)
    y = jax.random.rademacher(k_y, (n,), dtype=float)
    x = jax.random.normal(k_z, (n, d)) + signal * y[:, None] / np.sqrt(d)
    label = jnp.where(jax.random.uniform(k_flip, (n,)) < flip, -y, y)
    return x, label, jax.random.uniform(k_keep, (n,)) < 0.7


def scikit_learn(loss, x, label, ridge):
    """The same objective in scikit-learn's units, on the kept rows alone."""
    m = len(x)
    if loss == "squared":
        return Ridge(alpha=ridge * m, fit_intercept=False, tol=1e-14).fit(x, label).coef_
    model = LogisticRegression(C=1 / (ridge * m), fit_intercept=False, tol=1e-12, max_iter=10_000, solver="newton-cg")
    return model.fit(x, label).coef_[0]


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize(("n", "d"), SHAPES)
@pytest.mark.parametrize("ridge", [1e-3, 0.1, 10.0])
def test_agrees_with_scikit_learn(key, loss, n, d, ridge):
    x, label, kept = data(key, n, d)
    found = fit(loss, x, label, kept, jnp.asarray(ridge))
    rows = np.asarray(kept)
    expected = scikit_learn(loss, np.asarray(x)[rows], np.asarray(label)[rows], ridge)
    assert bool(found.converged)
    np.testing.assert_allclose(found.weights, expected, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_certificate_is_the_gradient_of_the_stated_objective(key, loss, n, d):
    """Differentiate the objective as written in the docstring, over the kept rows only, with the loss of the theory."""
    x, label, kept = data(key, n, d)
    found = fit(loss, x, label, kept, jnp.asarray(0.05))
    rows = np.flatnonzero(np.asarray(kept))

    def objective(w):
        value = THEORY_LOSSES[loss].value(label[rows] * (x[rows] @ w))
        return jnp.mean(value) + 0.05 / 2 * jnp.sum(w**2)

    gradient = jax.jit(jax.grad(objective))
    slope = gradient(found.weights)
    assert float(jnp.linalg.norm(slope)) <= TOLERANCE
    np.testing.assert_allclose(found.gradient_norm, jnp.linalg.norm(slope), atol=1e-13)
    moved = gradient(found.weights + 1e-8)
    assert float(jnp.linalg.norm(moved)) > TOLERANCE  # the certificate would see an error of 1e-8


@pytest.mark.parametrize("loss", LOSSES)
def test_masked_rows_do_not_count(key, loss):
    x, label, kept = data(key, 60, 8)
    rows = np.flatnonzero(np.asarray(kept))
    masked = fit(loss, x, label, kept, jnp.asarray(0.1))
    removed = fit(loss, x[rows], label[rows], jnp.ones(len(rows), bool), jnp.asarray(0.1))
    np.testing.assert_allclose(masked.weights, removed.weights, atol=1e-10)


@pytest.mark.parametrize("loss", LOSSES)
def test_primal_and_dual_meet(key, loss):
    """The same data with empty columns appended changes the route, not the answer."""
    x, label, kept = data(key, 25, 20)
    wide = jnp.concatenate([x, jnp.zeros((25, 20))], axis=1)
    primal, dual = (fit(loss, rows, label, kept, jnp.asarray(0.1)).weights for rows in (x, wide))
    np.testing.assert_allclose(dual[:20], primal, atol=1e-9)
    np.testing.assert_allclose(dual[20:], 0, atol=1e-9)


def test_label_flip_and_rotation(key):
    x, label, kept = data(key, 60, 8)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0]
    for loss in LOSSES:
        w = fit(loss, x, label, kept, jnp.asarray(0.1)).weights
        flipped = fit(loss, x, -label, kept, jnp.asarray(0.1)).weights
        turned = fit(loss, x @ rotation, label, kept, jnp.asarray(0.1)).weights
        np.testing.assert_allclose(flipped, -w, atol=1e-10)
        np.testing.assert_allclose(turned, w @ rotation, atol=1e-10)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("n", "d"), SHAPES[:2])
def test_nothing_kept_is_flagged(key, loss, n, d):
    x, label, _ = data(key, n, d)
    assert not bool(fit(loss, x, label, jnp.zeros(n, bool), jnp.asarray(0.1)).converged)


def test_a_problem_without_minimum_is_flagged(key):
    """ridge = 0 with separable data."""
    x, _, _ = data(key, 30, 30)
    found = fit("logistic", x, jnp.sign(x[:, 0]), jnp.arange(30) < 10, jnp.asarray(0.0))
    assert not bool(found.converged)


@pytest.mark.parametrize(("n", "d"), [(25, 20), (25, 40)])
def test_without_penalty_and_with_few_rows_the_least_norm_is_found(key, n, d):
    x, label, _ = data(key, n, d)
    found = fit("squared", x, label, jnp.arange(n) < 10, jnp.asarray(0.0))
    assert bool(found.converged)
    np.testing.assert_allclose(found.weights, np.linalg.lstsq(x[:10], label[:10])[0], atol=1e-8)


@pytest.mark.parametrize("n", [60, 35])
def test_without_penalty_least_norm_or_nothing(key, n):
    """Around as many kept rows as dimensions, where conjugate gradients are slow and the Gram matrix is singular."""
    d, found = 30, lambda x, label, kept: fit("squared", x, label, kept, jnp.asarray(0.0))
    solved = 0
    for repeat in range(12):
        x, label, _ = data(jax.random.fold_in(key, repeat), n, d)
        for m in (d - 2, d - 1, d, d + 1):
            result = found(x, label, jnp.arange(n) < m)
            if bool(result.converged):
                solved += 1
                expected = np.linalg.lstsq(x[:m], label[:m])[0]
                np.testing.assert_allclose(result.weights, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert solved >= 12


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("n", "d"), SHAPES)
@pytest.mark.parametrize("ridge", [1e-9, 1e-3, 1.0])
def test_conjugate_gradients_and_factorisations_meet(key, loss, n, d, ridge):
    """Two roads to the same minimiser; where the first gives up, as it may at a tiny ridge, it says so."""
    x, label, kept = data(key, n, d)
    rows = Data(x, label, kept / kept.sum())
    by_free, _, _, reached = along(loss, "free", rows, jnp.asarray(ridge))
    by_dense, _, _, settled = along(loss, "dense", rows, jnp.asarray(ridge))
    assert bool(settled)
    if ridge >= 1e-3:
        assert bool(reached)
    if bool(reached):
        np.testing.assert_allclose(by_free, by_dense, atol=2e-10 / min(ridge, 1e-2))
    assert bool(fit(loss, x, label, kept, jnp.asarray(ridge)).converged)


@pytest.mark.parametrize(("n", "d"), [(60, 8), (25, 40), (400, 350)])
@pytest.mark.parametrize("ridge", [1e-3, 1.0])
def test_refinement_alone_gets_there(key, n, d, ridge):
    """By a factorisation in float32, or by conjugate gradients: in two or three rounds, as far as float64 goes."""
    x, label, kept = data(key, n, d)
    rows = Data(x, label, kept / kept.sum())
    found = along("squared", "refined", rows, jnp.asarray(ridge))
    by_dense = along("squared", "dense", rows, jnp.asarray(ridge))
    assert bool(found.settled)
    assert float(jnp.linalg.norm(found.gradient)) <= TOLERANCE / 10
    np.testing.assert_allclose(found.gradient, gradient(FITTED["squared"], found.weights, rows, ridge), atol=1e-15)
    np.testing.assert_allclose(found.weights, by_dense.weights, atol=1e-10 / ridge)
    assert 2 <= int(found.steps) <= 4
    coarse = found.weights.astype(jnp.float32).astype(float)  # the twin: what float32 can hold is not enough
    assert float(jnp.linalg.norm(gradient(FITTED["squared"], coarse, rows, ridge))) > TOLERANCE


def test_refinement_that_gains_nothing_is_left(key):
    """A Gram matrix that float32 cannot tell from a singular one; without penalty, where the rows may not span."""
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(80, 80)))[0]
    rows = Data(jnp.diag(jnp.logspace(0, -6, 80)) @ turned, jnp.ones(80), jnp.ones(80) / 80)
    hard = along("squared", "refined", rows, jnp.asarray(1e-13))
    assert not float(jnp.linalg.norm(hard.gradient)) <= TOLERANCE
    assert int(hard.steps) <= 8
    x, label, kept = data(key, 60, 8)
    assert not bool(along("squared", "refined", Data(x, label, kept / kept.sum()), jnp.asarray(0.0)).settled)


@pytest.mark.parametrize("rows", [1, 7, 30, 41])
def test_blocks_of_rows_add_up(key, rows, monkeypatch):
    """Also where the last block is short, or all of them are one."""
    x, label, kept = data(key, 41, 6)
    whole, weights = Data(x, label, kept / kept.sum()), jnp.arange(6.0)
    term = lambda rows: rows.backward(jnp.sin(rows.forward(weights)))
    expected = whole.summed(term)
    monkeypatch.setattr(module, "CACHE", 0)
    monkeypatch.setattr(module, "BLOCK", rows * 6)
    np.testing.assert_allclose(whole.summed(term), expected, atol=1e-14)
    np.testing.assert_allclose(expected, term(whole), atol=0)


def test_hard_problems_are_handed_to_factorisations():
    """Condition number 1e12: conjugate gradients give up and say so, and the fit is found all the same."""
    x, ones = jnp.diag(jnp.logspace(0, -6, 80)), jnp.ones(80)
    ridge = jnp.asarray(1e-13)
    rows = Data(x, ones, ones / 80)
    _, reached = jax.jit(conjugate_gradients)(rows, ones, ridge, rows.backward(ones), jnp.asarray(TOLERANCE / 10))
    assert not bool(reached)
    fitted = fit("squared", x, ones, ones > 0, ridge)
    assert bool(fitted.converged)
    diagonal = np.diag(x)
    np.testing.assert_allclose(fitted.weights, diagonal / (diagonal**2 + 80 * 1e-13), rtol=1e-6)


@pytest.mark.parametrize(("n", "d"), [(60, 30), (40, 60)])
def test_a_shrinking_gradient_is_no_minimum(key, n, d):
    """Separable data without penalty: the gradient passes any tolerance while the weights grow without end."""
    x, label, _ = data(key, n, d, signal=20.0, flip=0.0)
    found = fit("logistic", x, label, jnp.ones(n, bool), jnp.asarray(0.0))
    assert float(found.gradient_norm) < 1e-9
    assert not bool(found.converged)
    tiny = fit("logistic", x, label, jnp.ones(n, bool), jnp.asarray(1e-13))
    assert bool(tiny.converged)  # here there is a minimum, far out, and it is found
    assert float(jnp.linalg.norm(tiny.weights)) > 1


def test_data_that_are_not_separable_need_no_penalty(key):
    x, label, _ = data(key, 300, 5, flip=0.3)
    found = fit("logistic", x, label, jnp.ones(300, bool), jnp.asarray(0.0))
    assert bool(found.converged)


@pytest.mark.parametrize("ridge", [1e-8, 1e-5])
def test_nearly_separable_data_converge_or_say_so(key, ridge):
    x, label, _ = data(key, 40, 30, signal=8.0, flip=0.0)
    found = fit("logistic", x, label, jnp.ones(40, bool), jnp.asarray(ridge))
    assert bool(found.converged) == (float(found.gradient_norm) <= TOLERANCE)
    assert bool(found.converged)
    assert int(found.steps) < 60


def test_unknown_loss_names_the_known_ones(key):
    x, label, kept = data(key, 10, 3)
    with pytest.raises(ValueError, match="'absolute'.*squared, logistic"):
        fit("absolute", x, label, kept, jnp.asarray(0.1))


def test_every_loss_by_name_is_fitted_and_every_loss_that_is_fitted_is_predicted():
    assert tuple(FITTED) == LOSSES
    assert set(FITTED) <= set(THEORY_LOSSES)
