"""Coloured features, an intercept and unlike classes: reference numbers, limits, invariances, and other roads."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog, minimize
from scipy.special import ndtr

from theory import coloured, scores, status
from theory.engine import solve
from theory.laws.kept import LABEL, TRUE, kept_shares
from theory.limits import best_offset_accuracy, mahalanobis
from theory.losses import LOSSES
from theory.prediction import predict
from theory.solvers import states
from theory.table import predict_table
from theory.types import STATUSES, ClassRates, Problem, Rates, Spectrum

REFERENCE = Path(__file__).parents[1] / "reference"
SMOOTH = ("squared", "logistic")
EVERY_LOSS = sorted(LOSSES)
THREE = Spectrum(np.array([10.0, 1.0, 0.05]), np.array([0.1, 0.4, 0.5]), np.array([4.0, 0.5, 0.1]))
UNLIKE = ClassRates(np.array([0.1, 0.3]), np.array([0.9, 0.8]), np.array([0.3, 0.6]), np.array([0.3, 0.7]))
PROBLEM = Problem(THREE, UNLIKE, 0.05, intercept=True)


def wild(rng, count, levels=5):
    """Points of the whole box of the note's solver test: power-law spectra, unlike classes, four decades of n/d."""
    uniform = lambda low, high, *more: rng.uniform(low, high, (count, *more))
    spread = lambda low, high: np.exp(uniform(np.log(low), np.log(high)))
    s = np.arange(1, levels + 1) ** -uniform(0, 2, 1) * spread(0.01, 10)[:, None]
    squares = s ** uniform(0, 2, 1)
    squares *= (spread(0.2, 7) ** 2 / (squares / s).sum(1))[:, None]
    plus = uniform(0.02, 0.98)
    rates = ClassRates(uniform(0, 0.6, 2), uniform(0.1, 1, 2), uniform(0, 1, 2), np.stack([1 - plus, plus], -1))
    return Problem(Spectrum(s, np.full_like(s, 1 / levels), squares), rates, spread(1e-7, 100)), spread(0.08, 90)


@pytest.mark.parametrize("name", ["theory_intercept", "theory_anisotropic"])
def test_reference_numbers(name):
    """To all digits that they are printed with, columns as they are."""
    given = pd.read_csv(REFERENCE / f"{name}.csv")
    found = predict_table(dict(given.items()) | ({} if "intercept" in given else {"intercept": 1}))
    assert found["converged"].all()
    for column in ("accuracy", "balanced_accuracy", "accuracy_minus", "accuracy_plus", "bayes_accuracy"):
        np.testing.assert_allclose(found[column], given[column], rtol=0, atol=2e-12)
    for column in ("mean_score", "offset", "score_sd", "theta", "kept_rate", "purity", "log_odds_sum"):
        np.testing.assert_allclose(found[column], given[column], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("intercept", [True, None])
@pytest.mark.parametrize("loss", EVERY_LOSS)
def test_the_whole_box_is_solved_or_named(loss, intercept):
    """Statuses are ok, or that of a hinge whose classifier is constant; at most one in 300 is not found."""
    problem, alpha = wild(np.random.default_rng([7, len(loss)]), 600)
    found = solve(problem._replace(intercept=intercept), alpha, loss)
    names = status.name(found.status)
    allowed = {"ok", "constant classifier"} if loss == "hinge" and intercept else {"ok"}
    assert np.isin(names, list(allowed)).mean() > 1 - 1 / 300, np.unique(names, return_counts=True)
    assert np.isnan(found.accuracy[~found.converged]).all()
    assert (found.residual[found.converged] <= 1e-9).all()
    if loss == "hinge" and intercept:
        assert 0.02 < np.mean(names == "constant classifier") < 0.4


def brute(u, shares, spectrum, delta, ridge, loss, intercept):
    """The equations of the note as they are written, by a dense rule in h and proximal points."""
    t, b, sigma, theta = u
    h, step = np.linspace(-9, 9, 40_001, retstep=True)
    weight = np.exp(-(h**2) / 2) / np.sqrt(2 * np.pi) * step
    pull = tilt = push = response = 0.0
    for share, true, label in zip(shares, TRUE, LABEL, strict=True):
        x = label * (true * t + b) + sigma * h
        slope = (x - LOSSES[loss].prox(x, np.full_like(x, theta))) / theta
        pull -= share * true * label * (weight @ slope)
        tilt += share * label * (weight @ slope)
        push += share * (weight @ slope**2)
        response += share * (weight @ (slope * h)) / sigma  # E[M''] = E[M' h]/sigma, by parts
    s, f, squares = spectrum
    damp = ridge + response * s
    return (
        t - pull * np.sum(squares / damp),
        tilt if intercept else 0.0,
        sigma**2 - pull**2 * np.sum(squares * s / damp**2) - push / delta * np.sum(f * s**2 / damp**2),
        theta - np.sum(f * s / damp) / delta,
    )


@pytest.mark.parametrize("intercept", [True, None])
@pytest.mark.parametrize("loss", EVERY_LOSS)
def test_equations_hold_by_brute_force(loss, intercept):
    found = solve(PROBLEM._replace(intercept=intercept), 2.0, loss)
    shares, kept = kept_shares(UNLIKE)
    u = (found.mean_score, found.offset, found.score_sd, found.theta)
    off = brute(u, shares, THREE, 2.0 * kept, 0.05, loss, intercept)
    moved = brute(np.array(u) * 1.001, shares, THREE, 2.0 * kept, 0.05, loss, intercept)
    precision = 3e-7 if loss == "hinge" else 1e-9  # the kink, by equal steps
    assert np.max(np.abs(off)) < precision < np.max(np.abs(moved)) / 100


@pytest.mark.parametrize("intercept", [True, None])
def test_squared_loss_by_the_general_solver_is_the_closed_form(intercept):
    problem, alpha = wild(np.random.default_rng(3), 200)
    law, delta = law_of(problem, alpha, intercept)
    exact, found = (road(law, delta, problem.ridge) for road in (scores.parabolas, squared_states))
    both = exact.converged & found.converged
    assert both.mean() > 0.97  # nearly interpolating points are resolved by the closed form alone
    for name in ("a", "tau", "theta"):
        np.testing.assert_allclose(getattr(found, name)[both], getattr(exact, name)[both], rtol=2e-7)


def law_of(problem, alpha, intercept):
    shares, kept = kept_shares(problem.curation)
    return coloured.law_of(shares, problem.signal, bool(intercept)), alpha * kept


def squared_states(law, delta, ridge):
    return states(LOSSES["squared"], law, delta, ridge)


@pytest.mark.parametrize("loss", SMOOTH)
def test_equal_classes_need_no_intercept(loss):
    """b = 0, and the accuracy is that without."""
    problem, alpha = wild(np.random.default_rng(5), 30)
    rates = Rates(*(rate[:, 0] for rate in problem.curation[:3]))
    problem = problem._replace(curation=rates)
    without, fitted = (solve(problem._replace(intercept=intercept), alpha, loss) for intercept in (None, True))
    np.testing.assert_allclose(fitted.accuracy, without.accuracy, atol=1e-10)
    assert np.max(np.abs(fitted.offset / fitted.score_sd)) < 1e-8


@pytest.mark.parametrize("loss", EVERY_LOSS)
def test_white_noise_is_the_engine_of_the_low_dimensional_part(loss):
    """Two sets of equations, two parametrisations: the same trained classifier."""
    rng = np.random.default_rng(9)
    r, ridge, alpha = rng.uniform(0.3, 4, 20), np.exp(rng.uniform(-6, 2, 20)), np.exp(rng.uniform(-1, 3, 20))
    rates = Rates(rng.uniform(0, 0.6, 20), rng.uniform(0.2, 1, 20), rng.uniform(0, 1, 20))
    white = Spectrum(np.ones((20, 1)), np.ones((20, 1)), r[:, None] ** 2)
    one, other = (solve(Problem(signal, rates, ridge), alpha, loss) for signal in (r, white))
    for name in ("accuracy", "overlap", "bulk_norm", "norm", "mean_score", "score_sd"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-8, atol=1e-10)


def accuracies(problem, alpha=2.0, loss="logistic"):
    found = predict(problem, alpha, loss)
    assert np.all(found.converged)
    return np.array([found.accuracy, found.balanced_accuracy, found.accuracy_minus, found.accuracy_plus])


def by_class(rates, change):
    return ClassRates(*(change(np.asarray(rate)) for rate in rates))


@pytest.mark.parametrize("loss", SMOOTH)
def test_invariances(loss):
    """Names of classes, units of the features, how levels are listed, directions without variance."""
    there = accuracies(PROBLEM, loss=loss)
    swapped = PROBLEM._replace(curation=by_class(UNLIKE, lambda rate: rate[::-1]))
    np.testing.assert_allclose(accuracies(swapped, loss=loss), there[[0, 1, 3, 2]], atol=1e-12)
    b, mirrored = (solve(problem, 2.0, loss).offset for problem in (PROBLEM, swapped))
    assert b == pytest.approx(-mirrored, rel=1e-9)
    scaled = PROBLEM._replace(signal=Spectrum(9 * THREE[0], THREE[1], 9 * THREE[2]), ridge=9 * 0.05)
    np.testing.assert_allclose(accuracies(scaled, loss=loss), there, atol=1e-12)
    split = Spectrum(THREE[0][[1, 0, 2, 1]], np.array([0.15, 0.1, 0.5, 0.25]), np.array([0.1, 4.0, 0.1, 0.4]))
    np.testing.assert_allclose(accuracies(PROBLEM._replace(signal=split), loss=loss), there, atol=1e-12)
    still = Spectrum(np.append(THREE[0], 0.0), np.append(0.8 * THREE[1], 0.2), np.append(THREE[2], 0.0))
    np.testing.assert_allclose(accuracies(PROBLEM._replace(signal=still), 2.0 * 0.8, loss), there, atol=1e-12)


@pytest.mark.parametrize("loss", EVERY_LOSS)
def test_every_true_class_turned_around(loss):
    """q_kl -> q_-k,l: t -> -t, b stays, balanced accuracy -> 1 - balanced accuracy."""
    shares, _ = kept_shares(UNLIKE)
    turned = shares[[3, 2, 1, 0]]  # (+,+) with (-,+), (-,-) with (+,-)
    here, there = (
        coloured.solve_cells(coloured.law_of(q[None], Spectrum(*(x[None] for x in THREE)), True), *cell, loss)
        for q in (shares, turned)
        for cell in [(np.array([1.5]), np.array([0.05]))]
    )
    assert there.mean_score == pytest.approx(-here.mean_score, rel=1e-9)
    assert there.offset == pytest.approx(here.offset, rel=1e-9)
    assert np.mean(coloured.accuracies(there)) == pytest.approx(1 - np.mean(coloured.accuracies(here)), abs=1e-12)


@pytest.mark.parametrize("loss", EVERY_LOSS)
def test_the_direction_threshold_is_exact_at_every_size(loss):
    """o_+ o_- = 1: balanced accuracy is 1/2, at any spectrum, penalty and n/d; above it is more than that."""
    rng = np.random.default_rng(11)
    problem, alpha = wild(rng, 40)
    phi, psi = problem.curation.phi, np.maximum(problem.curation.psi, 0.05)
    p = 1 / (1 + np.sqrt(psi.prod(-1) / phi.prod(-1)))
    at = lambda p: problem._replace(
        curation=problem.curation._replace(p=np.stack([p, p], -1), psi=psi), intercept=True, ridge=problem.ridge + 1e-3
    )
    found, below = predict(at(p), alpha, loss), predict(at(0.9 * p), alpha, loss)
    np.testing.assert_allclose(found.p_star_direction, p, rtol=1e-12)
    solved = found.converged
    assert solved.mean() > (0.6 if loss == "hinge" else 0.99)
    np.testing.assert_allclose(found.balanced_accuracy[solved], 0.5, atol=1e-9)
    more = below.balanced_accuracy[below.converged] - 0.5
    assert (more > -1e-9).all()
    assert (more > 1e-6).mean() > 0.6  # others see next to nothing of the class mean
    assert (below.log_odds_sum > 0).all()


def test_without_an_intercept_only_purity_matters():
    """Whose fault an error is does not."""
    other = ClassRates(np.array([0.3, 0.1]), np.array([0.8, 0.9]), np.array([0.6, 0.3]), np.array([0.5, 0.5]))
    even = UNLIKE._replace(prior=np.array([0.5, 0.5]))
    one, two = (accuracies(PROBLEM._replace(curation=rates, intercept=None)) for rates in (other, even))
    np.testing.assert_allclose(one, two, atol=1e-12)
    assert abs(accuracies(PROBLEM._replace(curation=other))[2] - accuracies(PROBLEM._replace(curation=even))[2]) > 0.01


def test_large_penalties_leave_the_constant_classifier_and_the_averaging_direction():
    found = predict(PROBLEM._replace(ridge=1e7), 2.0, "logistic")
    shares, kept = kept_shares(UNLIKE)
    agreement = 4 * (shares[0] * shares[1] - shares[2] * shares[3])
    plus_label = shares[0] + shares[3]
    e = agreement**2 / (4 * plus_label * (1 - plus_label))
    s, f, squares = THREE
    separation = squares.sum() * np.sqrt(e / (e * (squares * s).sum() + (f * s**2).sum() / (2.0 * kept)))
    assert found.mean_score / found.score_sd == pytest.approx(separation, rel=1e-5)
    assert found.accuracy == pytest.approx(0.7 if plus_label > 0.5 else 0.3, abs=1e-6)


@pytest.mark.parametrize("loss", SMOOTH)
def test_endless_data_give_the_population_minimiser(loss):
    """min over (w, b) of the expected loss, by minimisation over two directions of w that the levels span."""
    two = Spectrum(np.array([2.0, 0.2]), np.array([0.5, 0.5]), np.array([0.5, 0.5]))
    found = solve(Problem(two, UNLIKE, 0.1, True), 1e8, loss)
    shares, _ = kept_shares(UNLIKE)
    h, step = np.linspace(-9, 9, 2001, retstep=True)
    weight = np.exp(-(h**2) / 2) / np.sqrt(2 * np.pi) * step

    def objective(v):
        t, sigma = np.sqrt(0.5) * (v[0] + v[1]), np.sqrt(2.0 * v[0] ** 2 + 0.2 * v[1] ** 2)
        value = sum(
            q * (weight @ LOSSES[loss].value(label * (true * t + v[2]) + sigma * h))
            for q, true, label in zip(shares, TRUE, LABEL, strict=True)
        )
        return value + 0.05 * (v[0] ** 2 + v[1] ** 2)

    best = minimize(objective, [0.5, 0.5, 0.1], method="BFGS", options={"gtol": 1e-9})
    t, sigma = np.sqrt(0.5) * (best.x[0] + best.x[1]), np.sqrt(2.0 * best.x[0] ** 2 + 0.2 * best.x[1] ** 2)
    np.testing.assert_allclose([found.mean_score, found.score_sd, found.offset], [t, sigma, best.x[2]], rtol=3e-5)


def test_unequal_classes_and_their_noise_are_not_bayes_with_an_intercept():
    """What §23 prints: infinite data, penalty to 0, p < p* throughout, and yet not Bayes."""
    accuracy = lambda p, prior, r, loss: predict(
        Problem(r, ClassRates(np.array(p), np.ones(2), np.ones(2), np.array([1 - prior, prior])), 1e-6, True), 1e6, loss
    )
    skew = [accuracy([p, p], 0.9, 1.0, "logistic").accuracy for p in (0.2, 0.4)]
    np.testing.assert_allclose(skew, [0.9181, 0.9112], atol=1.5e-4)
    for p in (0.0, 0.2, 0.4):
        found = accuracy([p, p], 0.9, 1.0, "squared")
        assert (found.accuracy, found.bayes_accuracy) == pytest.approx((0.9105, 0.9299), abs=1.5e-4)
    found = accuracy([0.05, 0.35], 0.5, 2.0, "squared")
    assert (found.accuracy, found.bayes_accuracy) == pytest.approx((0.8864, 0.9772), abs=1.5e-4)
    assert found.best_offset_accuracy == pytest.approx(found.bayes_accuracy, abs=1e-4)
    assert accuracy([0.05, 0.35], 0.5, 2.0, "logistic").accuracy == pytest.approx(0.8669, abs=1.5e-4)
    lost = accuracy([0.1, 0.6], 0.5, 2.0, "squared")
    assert np.exp(lost.log_odds_sum) == pytest.approx(6)
    assert lost.least_log_odds < 0 < lost.log_odds_sum


def test_a_fixed_penalty_bends_the_direction_of_coloured_features():
    two = Spectrum(np.array([2.0, 0.2]), np.array([0.5, 0.5]), np.array([0.5, 0.5]))
    found = [predict(Problem(two, Rates(0.2, 0.9, 0.3), ridge), 1e9) for ridge in (1.0, 0.1)]
    assert found[0].bayes_accuracy == pytest.approx(0.9514, abs=1e-4)
    np.testing.assert_allclose([one.accuracy for one in found], [0.9151, 0.9502], atol=1e-4)


def test_separations():
    assert mahalanobis(THREE) == pytest.approx(np.sqrt(4 / 10 + 0.5 + 0.1 / 0.05))
    grid = np.linspace(-8, 8, 20001)
    for separation, prior in ((0.7, 0.8), (2.0, 0.1), (-0.5, 0.3)):
        best = np.max(prior * ndtr(separation + grid) + (1 - prior) * ndtr(separation - grid))
        assert best_offset_accuracy(separation, prior) == pytest.approx(best, abs=1e-6)
    assert best_offset_accuracy(1.3) == pytest.approx(ndtr(1.3), abs=1e-15)


def test_numpy_and_jax_meet_and_derivatives_are_of_the_solution():
    law, delta = law_of(*wild(np.random.default_rng(17), 6), intercept=True)
    ridge = np.exp(np.linspace(-6, 1, 6))
    here = states(LOSSES["logistic"], law, delta, ridge)
    there = states(LOSSES["logistic"], *jax.tree.map(jnp.asarray, (law, delta, ridge)))
    for name in ("a", "tau", "theta"):
        np.testing.assert_allclose(getattr(here, name), getattr(there, name), rtol=1e-9)
    accuracy = lambda ridge: solve(PROBLEM._replace(ridge=ridge), 2.0, "logistic").accuracy
    by_ridge = (accuracy(0.0501) - accuracy(0.0499)) / 2e-4
    assert float(jax.grad(accuracy)(0.05)) == pytest.approx(by_ridge, rel=1e-5)


def test_statuses():
    named = lambda problem, alpha, loss: STATUSES[int(solve(problem, alpha, loss).status)]
    one_label = PROBLEM._replace(curation=UNLIKE._replace(p=np.array([0.0, 0.0]), phi=np.array([0.0, 1.0])))
    assert {named(one_label, 2.0, loss) for loss in SMOOTH} == {"one label kept"}
    none = PROBLEM._replace(curation=UNLIKE._replace(p=np.zeros(2), phi=np.zeros(2)))
    assert named(none, 2.0, "logistic") == "nothing kept"
    assert named(PROBLEM._replace(ridge=0.0), 0.5, "squared") == "not unique"
    assert named(PROBLEM._replace(ridge=0.0), 0.5, "logistic") == "separable"
    assert named(PROBLEM._replace(ridge=0.0), 60.0, "logistic") == "ok"
    half_still = Spectrum(np.array([1.0, 0.0]), np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    assert named(PROBLEM._replace(ridge=0.0, signal=half_still), 1.0, "squared") == "ok"  # m/d = .7 of .5


def test_least_squares_on_directions_that_vary():
    """lambda = 0 on half-empty features is lambda -> 0."""
    still = Spectrum(np.array([1.0, 0.0]), np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    at = lambda ridge: accuracies(PROBLEM._replace(ridge=ridge, signal=still), 1.5, "squared")
    np.testing.assert_allclose(at(0.0), at(1e-10), atol=1e-8)


@pytest.mark.parametrize(
    ("p", "prior", "r", "delta", "constant"),
    [
        ((0.05, 0.44), 0.52, 0.64, 31.0, True),
        ((0.05, 0.44), 0.52, 0.64, 6.0, False),
        ((0.3, 0.3), 0.9, 1.0, 20.0, True),
    ],
)
def test_hinge_with_an_intercept_may_end_at_a_constant(p, prior, r, delta, constant):
    """Where theory says so, w = 0 is optimal in a draw: subgradients in [0, 1] balance (a linear program)."""
    rates = ClassRates(np.array(p), np.ones(2), np.ones(2), np.array([1 - prior, prior]))
    found = solve(Problem(r, rates, 0.01, True), delta, "hinge")
    assert (STATUSES[int(found.status)] == "constant classifier") == constant
    assert np.isnan(found.accuracy) == constant
    rng = np.random.default_rng(1)
    d = 30
    y = np.where(rng.random(round(delta * d)) < prior, 1.0, -1.0)
    x = r * y[:, None] * np.eye(d)[0] + rng.normal(size=(len(y), d))
    label = np.where(rng.random(len(y)) < np.where(y > 0, p[1], p[0]), -y, y)
    many = label == np.sign(label.sum())
    system = np.vstack([x[many].T, np.ones(many.sum())])
    balanced = linprog(np.zeros(many.sum()), A_eq=system, b_eq=np.append(x[~many].sum(0), (~many).sum()), bounds=(0, 1))
    assert balanced.success == constant


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"signal": THREE._replace(shares=np.array([0.1, 0.4, 0.4]))}, "shares sum to 0.9; they must sum to 1"),
        ({"signal": THREE._replace(eigenvalues=np.array([-1.0, 1, 1]))}, "eigenvalues = -1 is outside"),
        ({"signal": THREE._replace(eigenvalues=np.array([0.0, 1, 1]))}, "eigenvalue 0 and signals_sq > 0"),
        ({"signal": THREE._replace(signals_sq=np.zeros(3))}, "signals_sq is 0 on every level"),
        ({"signal": THREE._replace(shares=np.ones(2) / 2)}, "3 eigenvalues, 2 shares, 3 signals_sq"),
        ({"curation": UNLIKE._replace(prior=np.array([0.0, 1.0]))}, "prior in (0, 1)"),
        ({"intercept": np.array([True, False])}, "must be True or False"),
    ],
)
def test_what_is_no_problem_is_refused(change, said):
    with pytest.raises((ValueError, TypeError), match=said.replace("(", r"\(").replace(")", r"\)")):
        solve(PROBLEM._replace(**change), 2.0, "logistic")


def test_a_table_may_mix_lines_of_every_kind():
    """White noise, spectra of one and of two levels, with an intercept and without: line by line the same."""
    table = {
        "signal": [2.0, np.nan, np.nan, 1.5],
        "eigenvalues": [None, "1;2", "3", ""],
        "shares": [None, [0.5, 0.5], "1", ""],
        "signals_sq": [np.nan, "1;1", "2", ""],
        "intercept": [0, 1, 0, 1],
        "loss": ["squared", "logistic", "logistic", "squared"],
    }
    fixed = {"alpha": 4.0, "ridge": 0.1, "p": 0.3, "phi": 0.9, "psi": 0.2, "prior": 0.7}
    found = predict_table(table | fixed)["accuracy"]
    rates = ClassRates(np.full(2, 0.3), np.full(2, 0.9), np.full(2, 0.2), np.array([0.3, 0.7]))
    signals = [2.0, Spectrum([1.0, 2.0], [0.5, 0.5], [1.0, 1.0]), Spectrum([3.0], [1.0], [2.0]), 1.5]
    one = [
        predict(Problem(signal, rates, 0.1, bool(fitted)), 4.0, loss).accuracy
        for signal, fitted, loss in zip(signals, table["intercept"], table["loss"], strict=True)
    ]
    np.testing.assert_allclose(found, one, rtol=0, atol=1e-13)
    with pytest.raises(ValueError, match="line 2: a spectrum of 2 eigenvalues, 0 shares"):
        predict_table(table | fixed | {"shares": [None, None, "1", ""]})
