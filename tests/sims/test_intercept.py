"""The fit with an unpenalised intercept, and what is measured of it."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression

from sims.draw import draw as eager_draw
from sims.draw import draw_fixed
from sims.fit import FITTED, Data
from sims.fit import fit as eager_fit
from sims.losses import LOSSES
from sims.measure import measure as eager_measure
from sims.newton import TOLERANCE
from sims.population import eigenvalues, mean
from sims.trial import make_trials
from sims.trial import trial as eager_trial
from sims.verify import verify
from tests.sims.test_fit import data
from theory.errors import KindError
from theory.losses import LOSSES as THEORY_LOSSES
from theory.types import ClassRates, Cosines, Learned, Problem, Rates, Spectrum

any_fit = jax.jit(eager_fit, static_argnames=("loss", "intercept"))
fit = partial(any_fit, intercept=True)
draw = jax.jit(eager_draw, static_argnames=("n", "d"))
measure = jax.jit(eager_measure)
SHAPES = [(60, 8), (25, 40)]
"""Primal and dual."""
RIDGES = [1e-3, 1.0]
RATES = ClassRates(*(np.array(pair) for pair in ((0.1, 0.3), (0.9, 0.8), (0.2, 0.4), (0.3, 0.7))))
LEVELS = Spectrum(*(np.array(values) for values in ((3.0, 1.0, 0.1), (0.25, 0.5, 0.25), (1.0, 0.5, 0.05))))
COLOURED = Problem(LEVELS, RATES, 0.1)


def uneven(key, n, d):
    """Data of which one label is more frequent, so that the offset is none by chance."""
    x, label, kept = data(key, n, d, signal=1.5)
    return x + 0.3, jnp.where(jnp.arange(n) % 3 == 0, 1.0, label), kept


def centred(x, label, ridge):
    """Ridge regression of labels by centring: the closed form of theory books, on the kept rows alone."""
    middle, centre = x.mean(0), label.mean()
    rows, target = x - middle, label - centre
    weights = np.linalg.solve(rows.T @ rows / len(x) + ridge * np.eye(x.shape[1]), rows.T @ target / len(x))
    return weights, centre - middle @ weights


@pytest.mark.parametrize(("n", "d"), SHAPES)
@pytest.mark.parametrize("ridge", RIDGES)
def test_squared_loss_is_ridge_regression_by_centring(key, n, d, ridge):
    x, label, kept = uneven(key, n, d)
    found = fit("squared", x, label, kept, jnp.asarray(ridge))
    rows = np.asarray(kept)
    weights, offset = centred(np.asarray(x)[rows], np.asarray(label)[rows], ridge)
    assert bool(found.converged)
    np.testing.assert_allclose(found.weights, weights, atol=1e-7)
    assert float(found.offset) == pytest.approx(offset, abs=1e-7)
    assert abs(offset) > 0.05


@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_logistic_loss_is_that_of_scikit_learn(key, n, d):
    x, label, kept = uneven(key, n, d)
    found = fit("logistic", x, label, kept, jnp.asarray(0.1))
    rows = np.asarray(kept)
    model = LogisticRegression(C=1 / (0.1 * rows.sum()), tol=1e-12, max_iter=10_000, solver="newton-cg")
    model.fit(np.asarray(x)[rows], np.asarray(label)[rows])
    assert bool(found.converged)
    np.testing.assert_allclose(found.weights, model.coef_[0], atol=1e-6)
    assert float(found.offset) == pytest.approx(model.intercept_[0], abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_certificate_is_the_gradient_with_the_component_of_the_intercept(key, loss, n, d):
    """Differentiate the objective as written, with the loss of the theory: a shift of b alone is seen as well."""
    x, label, kept = uneven(key, n, d)
    found = fit(loss, x, label, kept, jnp.asarray(0.05))
    rows = np.flatnonzero(np.asarray(kept))

    def objective(w, b):
        value = THEORY_LOSSES[loss].value(label[rows] * (x[rows] @ w + b))
        return jnp.mean(value) + 0.05 / 2 * jnp.sum(w**2)

    slopes = jax.jit(jax.grad(objective, (0, 1)))
    norm = lambda by_w, by_b: float(jnp.hypot(jnp.linalg.norm(by_w), by_b))
    certified = norm(*slopes(found.weights, found.offset))
    assert certified <= TOLERANCE
    assert float(found.gradient_norm) == pytest.approx(certified, abs=1e-13)
    assert norm(*slopes(found.weights, found.offset + 1e-8)) > TOLERANCE


@partial(jax.jit, static_argnames=("loss", "road"))
def along(loss, road, rows, penalty):
    return getattr(FITTED[loss], road)(rows, penalty)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_all_roads_meet(key, loss, n, d):
    x, label, kept = uneven(key, n, d)
    rows = Data(x, label, kept / kept.sum(), jnp.ones(n))
    penalty = jnp.append(jnp.full(d, 0.01), 0.0)
    roads = ("refined", "free", "dense") if loss == "squared" else ("free", "dense")
    found = [along(loss, road, rows, penalty) for road in roads]
    for one in found:
        assert bool(one.settled)
        assert float(jnp.linalg.norm(one.gradient)) <= TOLERANCE
        np.testing.assert_allclose(one.weights, found[-1].weights, atol=2e-8)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_moving_mirroring_and_masking(key, loss, n, d):
    """x + c: b - c.w. Both labels or both classes exchanged: signs. Empty columns: weight 0. Unkept rows: no matter."""
    x, label, kept = uneven(key, n, d)
    solve = lambda x, label, kept=kept: fit(loss, x, label, kept, jnp.asarray(0.1))
    found, shift = solve(x, label), jnp.linspace(-1, 1, d)
    moved, flipped, mirrored = solve(x + shift[None], label), solve(x, -label), solve(-x, -label)
    wide = solve(jnp.column_stack([x, jnp.zeros((n, 7))]), label) if n > d else found
    other = solve(jnp.where(kept[:, None], x, 9.0), jnp.where(kept, label, 1.0))
    expected = [
        (moved, found.weights, found.offset - shift @ found.weights),
        (flipped, -found.weights, -found.offset),
        (mirrored, found.weights, -found.offset),
        (wide, jnp.append(found.weights, jnp.zeros(7 * (n > d))), found.offset),
        (other, found.weights, found.offset),
    ]
    for other, weights, offset in expected:
        assert bool(other.converged)
        np.testing.assert_allclose(other.weights, weights, atol=1e-8)
        assert float(other.offset) == pytest.approx(float(offset), abs=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
def test_one_label_among_the_kept_is_no_fit(key, loss):
    """Squared loss would be a constant, logistic loss has no minimum; without an intercept both are as ever."""
    (x, label, kept), ridge = data(key, 60, 8), 0.1
    for side, strength in ((1.0, 1e-4), (-1.0, 1e-4), (1.0, 10.0)):
        assert not bool(fit(loss, x, label, kept & (label == side), jnp.asarray(strength)).converged)
    assert not bool(fit(loss, x, label, jnp.zeros(60, bool), jnp.asarray(ridge)).converged)
    assert bool(any_fit(loss, x, label, kept & (label == 1.0), jnp.asarray(ridge)).converged)
    one = jnp.flatnonzero(label == -1.0)[0]
    assert bool(fit(loss, x, label, (kept & (label == 1.0)).at[one].set(True), jnp.asarray(ridge)).converged)


@pytest.mark.parametrize("loss", LOSSES)
def test_without_penalty_there_must_be_more_kept_than_dimensions(key, loss):
    x, label, _ = uneven(key, 300, 5)
    every = jnp.ones(300, bool)
    assert bool(fit(loss, x, label, every, jnp.asarray(0.0)).converged)
    assert not bool(fit(loss, x, label, jnp.arange(300) < 5, jnp.asarray(0.0)).converged)


# --- what is measured ---


@pytest.mark.statistical
def test_accuracies_are_those_of_a_sampled_test_set(fresh_seed):
    """By class and weighed by the prior, of 400,000 fresh points. False-failure rate of the three claims 3e-8.

    The twins are off by 0.03, 20 standard errors of the smaller class: they go unseen with probability < 1e-40.
    """
    problem = COLOURED
    fresh = draw(jax.random.key(fresh_seed), problem, 400_000, 8)
    sample, kept = draw_fixed(jax.random.fold_in(jax.random.key(fresh_seed), 1), problem, 60, 8)
    found = fit("logistic", sample.x, sample.label, kept, jnp.asarray(0.1))
    spread = eigenvalues(problem, 8)
    measured = measure(sample, kept, found, mean(problem, 8), spread, jnp.asarray(RATES.prior))
    hits = np.asarray(jnp.where(fresh.x @ found.weights + found.offset >= 0, 1.0, -1.0) == fresh.y)
    t, b, sigma = (float(number) for number in (measured.mean_score, measured.offset, measured.score_sd))
    sides = {side: float(ndtr((t + side * b) / sigma)) for side in (-1, 1)}
    groups = [(hits[np.asarray(fresh.y) == side], accuracy) for side, accuracy in sides.items()]
    for some, accuracy in [*groups, (hits, float(measured.accuracy))]:
        assert binomtest(int(some.sum()), len(some), accuracy).pvalue > 1e-8
        assert binomtest(int(some.sum()), len(some), accuracy - 0.03).pvalue < 1e-8
    assert float(measured.balanced_accuracy) == pytest.approx(sum(sides.values()) / 2, abs=1e-14)
    assert float(measured.score_sd) == pytest.approx(float(jnp.sqrt(spread @ found.weights**2)), rel=1e-14)


@partial(jax.jit, static_argnames=("loss", "intercept"))
def compiled(problem, loss, intercept):
    return eager_trial(jax.random.key(3), problem._replace(intercept=intercept), n=60, d=8, loss=loss)


def one_trial(problem, loss):
    return compiled(problem._replace(intercept=None), loss, problem.intercept)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("intercept", [None, True])
def test_units_of_the_features_do_not_matter(loss, intercept):
    """x -> c x with ridge -> c^2 ridge: the same classifier of the same points."""
    problem = COLOURED._replace(intercept=intercept)
    signal = LEVELS._replace(eigenvalues=9 * LEVELS.eigenvalues, signals_sq=9 * LEVELS.signals_sq)
    here, scaled = one_trial(problem, loss), one_trial(problem._replace(signal=signal, ridge=0.9), loss)
    for name in ("accuracy", "balanced_accuracy", "mean_score", "offset", "score_sd"):
        assert float(getattr(scaled, name)) == pytest.approx(float(getattr(here, name)), abs=1e-8), name
    assert float(scaled.norm) == pytest.approx(float(here.norm) / 3, rel=1e-8)
    assert int(scaled.kept_positive) == int(here.kept_positive)


def test_splitting_a_level_changes_nothing():
    """Also into a part without signal; the order of levels only renames axes, which takes other points."""
    split = Spectrum(*map(np.array, ((3.0, 1.0, 1.0, 0.1), (0.25, 0.25, 0.25, 0.25), (1.0, 0.5, 0.0, 0.05))))
    here, there = (one_trial(COLOURED._replace(signal=signal), "squared") for signal in (LEVELS, split))
    assert float(here.accuracy) == float(there.accuracy)


def test_one_level_of_one_is_white_noise():
    """A spectrum [1], [1], [r^2] draws the very points of a signal r."""
    white = Spectrum(*map(np.array, ((1.0,), (1.0,), (4.0,))))
    here, there = (one_trial(COLOURED._replace(signal=signal), "squared") for signal in (2.0, white))
    assert float(here.accuracy) == pytest.approx(float(there.accuracy), rel=1e-12)
    assert float(here.mean_score) == pytest.approx(2 * float(here.overlap), rel=1e-14)
    assert (float(here.offset), float(here.score_sd)) == (0.0, float(here.norm))


def test_exchanging_the_classes_mirrors_the_offset(key):
    """y -> -y with x -> -x: b -> -b, and the same accuracy under exchanged priors, not under the old ones."""
    k_draw, k_keep = jax.random.split(key)
    sample = draw(k_draw, COLOURED, 80, 8)
    kept = verify(k_keep, COLOURED, sample)
    mirror = sample._replace(x=-sample.x, y=-sample.y, label=-sample.label)
    spread, mu, prior = eigenvalues(COLOURED, 8), mean(COLOURED, 8), jnp.asarray(RATES.prior)
    for loss in LOSSES:
        found, other = (fit(loss, s.x, s.label, kept, jnp.asarray(0.1)) for s in (sample, mirror))
        here = measure(sample, kept, found, mu, spread, prior)
        there = measure(mirror, kept, other, mu, spread, prior[::-1])
        assert float(there.offset) == pytest.approx(-float(here.offset), abs=1e-9)
        assert float(there.accuracy) == pytest.approx(float(here.accuracy), abs=1e-9)
        old = measure(mirror, kept, other, mu, spread, prior)
        assert abs(float(old.accuracy) - float(here.accuracy)) > 1e-4


def test_a_failed_fit_has_no_numbers():
    """One label kept: no plausible number anywhere."""
    only = COLOURED._replace(curation=RATES._replace(p=np.array([1.0, 0.0])), intercept=True)
    found = one_trial(only, "squared")
    assert int(found.kept_positive) == int(found.m) > 0
    assert not bool(found.converged)
    for name in ("overlap", "norm", "accuracy", "balanced_accuracy", "mean_score", "offset", "score_sd"):
        assert np.isnan(getattr(found, name)), name


def test_trials_in_a_batch_are_those_alone():
    words = np.arange(12, dtype=np.uint32).reshape(4, 3)
    batch = jax.tree.map(lambda leaf: np.broadcast_to(np.asarray(leaf, float), (4, *np.shape(leaf))), COLOURED)
    for together in (1, 2):
        found = make_trials(40, 8, "squared", together, intercept=True)(0, words, batch)
        assert found.converged.all()
        if together == 1:
            first = found
    np.testing.assert_allclose(found.accuracy, first.accuracy, rtol=1e-9)
    np.testing.assert_allclose(found.offset, first.offset, rtol=1e-9)


# --- counts, refusals ---


def test_fixed_counts_are_the_expected_ones(key):
    sample, kept = draw_fixed(key, COLOURED, 400, 4)
    for side in (0, 1):
        here = np.asarray(sample.y) == (-1, 1)[side]
        wrong = np.asarray(sample.label != sample.y)
        p, phi, psi, prior = (np.asarray(rate)[side] for rate in RATES)
        expected = 400 * prior * np.array([(1 - p) * phi, p * psi, 1 - p, p])
        counts = [here & ~wrong & kept, here & wrong & kept, here & ~wrong, here & wrong]
        assert np.all(np.abs([some.sum() for some in counts] - expected) <= 1)
    assert len(np.unique(np.asarray(sample.x)[:, 0])) == 400
    again, same = draw_fixed(jax.random.fold_in(key, 1), COLOURED, 400, 4)
    np.testing.assert_array_equal(again.y, sample.y)
    np.testing.assert_array_equal(same, kept)


@pytest.mark.parametrize("curation", [Cosines(0.4, 0.6, 0.2), Learned(0.4, 0.9, 0.3)])
def test_other_settings_are_refused_by_name(key, curation):
    linear = Problem(2.0, curation, 0.1)
    name = type(curation).__name__
    with pytest.raises(KindError, match=f"a Spectrum goes with Rates or ClassRates, not with {name}"):
        eager_draw(key, linear._replace(signal=LEVELS), 20, 8)
    with pytest.raises(KindError, match=f"an intercept goes with Rates or ClassRates, not with {name}"):
        eager_trial(key, linear._replace(intercept=True), n=20, d=8, loss="squared")
    with pytest.raises(KindError, match=f"counts are fixed with Rates or ClassRates, not with {name}"):
        eager_trial(key, linear, n=20, d=8, loss="squared", fixed_counts=True)


def test_a_traced_intercept_is_refused_with_the_remedy(key):
    traced = Problem(2.0, Rates(0.1, 1.0, 1.0), 0.1, True)
    with pytest.raises(KindError, match="intercept is static, and cannot be traced"):
        jax.jit(partial(eager_trial, n=20, d=4, loss="squared"))(key, traced)


# --- through the door ---


def test_a_trial_of_a_notebook_has_an_intercept_and_a_spectrum():
    """Plain lists; what white noise without intercept repeats is not printed."""
    import pstar as ps

    lists = ps.Spectrum([3.0, 1.0, 0.1], [0.25, 0.5, 0.25], [1.0, 0.5, 0.05])
    problem = ps.Problem(lists, ps.ClassRates([0.1, 0.3], [0.9, 0.8], [0.2, 0.4], [0.3, 0.7]), 0.1, intercept=True)
    found = ps.trial(problem, n=60, d=8, seed=3)
    assert found.accuracy == pytest.approx(float(one_trial(COLOURED._replace(intercept=True), "squared").accuracy))
    assert {type(value) for value in found} == {int, float, bool}
    assert "offset" in repr(found)
    assert "score_sd" in repr(ps.trial(problem._replace(intercept=None), n=60, d=8))
    assert "offset" not in repr(ps.trial(problem._replace(signal=2.0, intercept=False), n=60, d=8))
    for other, said in [
        (problem._replace(signal=ps.Spectrum([3.0, 1.0], [0.01, 0.99], [1.0, 1.0])), "no dimension for level 1"),
        (problem._replace(signal=ps.Spectrum([3.0, 1.0], [0.5, 0.4], [1.0, 1.0])), "shares sum to 0.9"),
        (problem._replace(signal=ps.Spectrum(*([values] for values in lists))), "holds arrays"),
        (problem._replace(curation=ps.Cosines(0.4, 0.6, 0.2)), "linear setting"),
        (problem._replace(curation=RATES._replace(prior=[0.0, 1.0])), "both classes must occur"),
    ]:
        with pytest.raises(ps.InputError, match=said):
            ps.trial(other, n=60, d=8)
