"""Rounds against the theory note's numbers, a dumb quadrature and symmetries."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from theory.engine import solve
from theory.limits import bayes_accuracy, linear_infinite_data
from theory.prediction import predict
from theory.rounds import step, trajectory
from theory.threshold import p_star, purity
from theory.types import Cosines, Learned, Problem, Rates

FAIR = Problem(2.0, Cosines(0.3, 0.6, 0.2), 1.0)
WEAK = Problem(1.0, Cosines(0.8, 0.3, 0.24), 0.5)
ROUNDS = 400
"""Common to all tests, as every number of rounds is compiled."""
SHOWN = 5
"""Rounds that are compared with the slow quadrature."""

PRINTED = [
    (FAIR, 4.0, True, [0.7257, 0.9506, 0.9675, 0.9687, 0.9689]),
    (FAIR, 4.0, False, [0.7257, 0.8244, 0.9166, 0.9608, 0.9695]),
    (WEAK, 2.0, True, [0.7881, 0.7455, 0.7064, 0.6812, 0.6661, 0.6575]),
]


def brute_step(problem, alpha, verified):
    """One round by the trapezoidal rule on a grid in the plane of g and v (mu's remainder is a third direction).

    Moments of c ~ N(s r mu, I_3) restricted to {g.c > 0, v.c > 0} by summing over points; then the closed form.
    """
    r, (cg, cv, cb), lam = problem[:3]
    if not verified:
        actual_v, cv, cb = cv, cg, 1.0
    g = np.array([1.0, 0.0, 0.0])
    v = np.array([cb, np.sqrt(1 - cb**2), 0.0])
    mu2 = (cv - cg * cb) / v[1] if v[1] > 0 else np.sqrt(1 - cg**2)
    mu = np.array([cg, mu2, np.sqrt(max(1 - cg**2 - mu2**2, 0))])
    # polar coordinates: the wedge is an interval of angles, so the sums see no jump
    low = -np.pi / 2 if v[1] == 0 else np.arctan2(-v[0], v[1])
    nodes, weights = np.polynomial.legendre.leggauss(400)
    angle = low + (np.pi / 2 - low) * (nodes + 1) / 2
    radius = 6.0 * (nodes + 1)
    turn, reach = np.meshgrid(angle, radius)
    measure = np.outer(6.0 * weights * radius, (np.pi / 2 - low) / 2 * weights)
    x, y = reach * np.cos(turn), reach * np.sin(turn)
    mass, b, c = 0.0, np.zeros(3), np.zeros((3, 3))
    for m in (r * mu, -r * mu):  # x of either class, turned by its label: both count in full
        f = measure * np.exp(-((x - m[0]) ** 2 + (y - m[1]) ** 2) / 2) / (2 * np.pi)
        at = np.stack([x, y, np.full_like(x, m[2])])
        mass += f.sum()
        b += np.einsum("ij,kij->k", f, at)
        c += np.einsum("ij,kij,lij->kl", f, at, at) + f.sum() * np.diag([0.0, 0.0, 1.0])
    b, c, delta = b / mass, c / mass, alpha * mass
    theta = max(np.roots([lam * delta, delta + lam * delta - 1, -1]).real)
    a = np.linalg.solve(c + lam * (1 + theta) * np.eye(3), b)
    tau2 = (1 - 2 * a @ b + a @ c @ a) / (1 + theta) ** 2 / (1 / (delta * theta**2) - 1 / (1 + theta) ** 2)
    n = np.sqrt(a @ a + tau2)
    if verified:
        return Cosines(a @ mu / n, cv, a @ v / n)
    # v outside the plane of (mu, g) does not see w: use its part within the plane
    gram, wanted = np.array([[1, cg], [cg, 1]]), np.array([actual_v, problem.curation.cos_between])
    part = np.linalg.solve(gram, wanted)
    return Cosines(a @ mu / n, actual_v, (part[0] * a @ mu + part[1] * a @ g) / n)


def brute_path(problem, alpha, rounds, verified):
    path = [problem.curation]
    for _ in range(rounds):
        path.append(brute_step(problem._replace(curation=path[-1]), alpha, verified))
    return np.array(path)


@pytest.mark.parametrize(("problem", "alpha", "verified", "printed"), PRINTED)
def test_trajectories_of_the_note_and_of_a_dumb_quadrature(problem, alpha, verified, printed):
    found = trajectory(problem, alpha, ROUNDS, verified=verified)
    np.testing.assert_allclose(found.accuracy[: len(printed)], printed, atol=5.1e-5)
    path = brute_path(problem, alpha, SHOWN, verified)
    np.testing.assert_allclose(found.cos_generator[: SHOWN + 1], path[:, 0], atol=1e-9)
    np.testing.assert_allclose(found.cos_between[: SHOWN + 1], path[:, 2], atol=1e-9)
    assert bool(found.converged.all())


def test_two_digits_of_the_note_are_rounded_wrongly():
    """Without verification the note prints .8245 and .9609; the exact map gives .82443 and .96084."""
    path = brute_path(FAIR, 4.0, 3, verified=False)
    np.testing.assert_allclose(ndtr(2 * path[[1, 3], 0]), [0.82443, 0.96084], atol=5e-6)


def test_what_a_trajectory_says_is_consistent():
    found = trajectory(FAIR, 4.0, ROUNDS)
    rates = Rates(found.p, found.phi, found.psi)
    np.testing.assert_allclose(found.accuracy, 1 - found.p, rtol=1e-13)
    np.testing.assert_allclose(found.p_star, p_star(rates), rtol=1e-13)
    np.testing.assert_allclose(found.purity, purity(rates), rtol=1e-13)
    problem = FAIR._replace(curation=Cosines(found.cos_generator[:-1], 0.6, found.cos_between[:-1]))
    np.testing.assert_allclose(solve(problem, 4.0, "squared").accuracy, found.accuracy[1:], rtol=1e-12)
    alone = trajectory(FAIR, 4.0, ROUNDS, verified=False)
    for field, value in ((alone.phi, 1.0), (alone.psi, 1.0), (alone.p_star, 0.5), (alone.kept_rate, 1.0)):
        np.testing.assert_array_equal(field, value)


def test_batch_equals_one_by_one():
    both = jax.tree.map(lambda *pair: np.array(pair), FAIR, WEAK)
    together = trajectory(both, np.array([4.0, 2.0]), ROUNDS)
    for i, (problem, alpha) in enumerate(((FAIR, 4.0), (WEAK, 2.0))):
        np.testing.assert_allclose(together.accuracy[:, i], trajectory(problem, alpha, ROUNDS).accuracy, rtol=1e-12)


def test_no_verifier_is_the_verifier_equal_to_the_generator():
    """For the squared loss to the rounding of a degenerate wedge."""
    same = FAIR._replace(curation=Cosines(0.3, 0.3, 1.0))
    accuracy = float(solve(same, 4.0, "squared").accuracy)
    assert float(ndtr(2 * step(FAIR, 4.0, verified=False).cos_generator)) == pytest.approx(accuracy, abs=1e-8)


def test_general_solver_and_closed_form_through_one_interface():
    """At a huge ridge every loss averages: logistic rounds become squared ones."""
    gaps = []
    for ridge in (10.0, 100.0, 1000.0):
        problem = WEAK._replace(ridge=ridge)
        squared, logistic = (step(problem, 2.0, loss, verified=False) for loss in ("squared", "logistic"))
        gaps.append(abs(float(squared.cos_generator - logistic.cos_generator)))
    assert gaps[0] > 5 * gaps[1] > 25 * gaps[2]


@pytest.mark.slow
def test_logistic_rounds_by_the_wedge():
    """Two laws, one number: everything kept, and a verifier equal to the generator up to rounding."""
    near = WEAK._replace(curation=Cosines(0.8, 0.8, 1 - 1e-15))
    found = step(WEAK, 2.0, "logistic", verified=False)
    assert float(ndtr(found.cos_generator)) == pytest.approx(float(solve(near, 2.0, "logistic").accuracy), abs=1e-7)
    wedge = trajectory(FAIR, 4.0, 4, "logistic")
    np.testing.assert_allclose(wedge.accuracy, [0.7257, 0.9649, 0.9727, 0.9729, 0.9729], atol=5.1e-5)


def test_learned_rounds_are_predictions_in_a_row():
    """w of one round is the g of the next: only cos(w, mu) carries over, phi and psi stay."""
    problem = Problem(1.5, Learned(0.3, 0.9, 0.4), 0.1)
    found = trajectory(problem, 4.0, 6)
    np.testing.assert_allclose(found.p, ndtr(-1.5 * found.cos_generator), rtol=1e-13)
    assert np.isnan(found.cos_between).all()
    assert found.converged.all()
    for field, value in ((found.phi, 0.9), (found.psi, 0.4), (found.p_star, 9 / 13)):
        np.testing.assert_allclose(field, value, rtol=1e-13)
    curation = Learned(found.cos_generator[:-1], 0.9, 0.4)
    predicted = predict(problem._replace(curation=curation), 4.0)
    np.testing.assert_allclose(predicted.accuracy, found.accuracy[1:], rtol=1e-12)
    np.testing.assert_allclose(predicted.purity, found.purity[:-1], rtol=1e-12)
    np.testing.assert_allclose(step(problem, 4.0), [found.cos_generator[1], 0.9, 0.4], rtol=1e-13)


def test_learned_rounds_of_everything_are_the_linear_ones_without_verification():
    """phi = psi = 1, or no verification at any rates; keeping a share q at random is alpha q."""
    linear = trajectory(WEAK, 2.0, 6, verified=False)
    for curation, alpha, verified in (
        (Learned(0.8, 1.0, 1.0), 2.0, True),
        (Learned(0.8, 0.7, 0.2), 2.0, False),
        (Learned(0.8, 0.25, 0.25), 8.0, True),
    ):
        found = trajectory(WEAK._replace(curation=curation), alpha, 6, verified=verified)
        np.testing.assert_allclose(found.accuracy, linear.accuracy, rtol=1e-12)
    other = trajectory(WEAK._replace(curation=Learned(0.8, 1.0, 0.9)), 2.0, 6)
    assert abs(other.accuracy[-1] - linear.accuracy[-1]) > 0.005


@pytest.mark.parametrize(
    ("samples", "psi", "printed"),
    [
        (2, 1.0, {1: 0.650, 2: 0.633, 3: 0.618, 60: 0.500}),
        (2, 0.25, {60: 0.727}),
        (2, 0.0, {60: 0.754}),
        (100, 1.0, {1: 0.673, 2: 0.678, 60: 0.839}),
        (100, 0.0, {60: 0.840}),
    ],
)
def test_learned_rounds_of_the_note(samples, psi, printed):
    """The poster's generator, r = 1, lambda = .01: to chance unverified, up from where there are many samples."""
    problem = Problem(1.0, Learned(ndtri(0.669), 1.0, psi), 0.01)
    found = trajectory(problem, samples * 1.395519, 60).accuracy
    assert {at: round(float(found[at]), 3) for at in printed} == printed


def test_learned_rounds_by_jax():
    problem = Problem(np.array([1.5, 2.0]), Learned(0.3, 0.9, np.array([0.4, 0.0])), 0.1)
    traced = jax.tree.map(jnp.asarray, problem)
    np.testing.assert_allclose(trajectory(traced, 4.0, 3).accuracy, trajectory(problem, 4.0, 3).accuracy, rtol=1e-12)


def test_jacobian_against_finite_differences():
    at = jnp.array([0.4, 0.5])
    flow = lambda u: jnp.stack(
        [field for i, field in enumerate(step(FAIR._replace(curation=Cosines(u[0], 0.6, u[1])), 4.0)) if i != 1]
    )
    found = jax.jit(jax.jacfwd(flow))(at)
    numeric = [(flow(at + 1e-5 * e) - flow(at - 1e-5 * e)) / 2e-5 for e in jnp.eye(2)]
    np.testing.assert_allclose(found, np.stack(numeric, -1), atol=1e-8)


def test_turning_generator_and_verifier_around_turns_everything():
    turned = FAIR._replace(curation=Cosines(-0.3, -0.6, 0.2))
    np.testing.assert_allclose(
        trajectory(turned, 4.0, ROUNDS).accuracy, 1 - trajectory(FAIR, 4.0, ROUNDS).accuracy, atol=1e-12
    )


@pytest.mark.parametrize("ridge", [0.0, 0.5])
def test_infinite_data_in_the_linear_setting(ridge):
    """(C + lambda I)^-1 b is approached like 1/alpha; C^-1 b is its limit at ridge 0 only."""
    problem = FAIR._replace(ridge=ridge)
    limit = float(linear_infinite_data(problem))
    gaps = [abs(float(solve(problem, alpha, "squared").accuracy) - limit) for alpha in (1e2, 1e3, 1e4)]
    assert gaps[0] > 8 * gaps[1] > 64 * gaps[2]
    other = float(linear_infinite_data(problem._replace(ridge=0.5 - ridge)))
    assert abs(other - limit) > 10 * gaps[2]


def test_infinite_data_below_the_threshold_is_not_bayes():
    """p < p*, yet accuracy is .09 short of Bayes, less than the generator's; at cos_g = -cos_v it is 1/2 exactly."""
    problem = Problem(1.5, Cosines(0.8, 0.1, 0.08), 0.1)
    accuracy = float(linear_infinite_data(problem))
    assert float(bayes_accuracy(1.5)) - accuracy > 0.08
    assert accuracy < ndtr(1.5 * 0.8)
    mirror = Problem(1.5, Cosines(0.4, -0.4, 0.3), 0.1)
    assert float(linear_infinite_data(mirror)) == pytest.approx(0.5, abs=1e-12)
    for alpha in (0.5, 4.0, 1e4):
        assert float(solve(mirror, alpha, "squared").accuracy) == pytest.approx(0.5, abs=1e-12)


def test_the_sign_of_the_rule_can_be_wrong_below_chance():
    """A verifier on the other side of chance: p > p* and purity .33, yet the exact accuracy is above .75."""
    problem = Problem(2.5, Cosines(0.9, -0.95, -0.9), 1e-3)
    found = trajectory(problem, 1024.0, ROUNDS)
    assert float(found.p[0]) > float(found.p_star[0])
    assert float(found.accuracy[1]) > 0.75
    assert float(linear_infinite_data(problem)) > 0.75


def test_a_failed_training_is_nan_from_there_on():
    """Unregularised and fewer kept samples than dimensions: no unique minimiser."""
    found = trajectory(FAIR._replace(ridge=0.0), 0.5, ROUNDS)
    np.testing.assert_array_equal(found.converged, [True] + ROUNDS * [False])
    assert np.isfinite(found.accuracy[0])
    assert np.isnan(np.asarray(found.accuracy[1:])).all()


def test_refusals():
    with pytest.raises(TypeError, match="Cosines, Learned"):
        step(Problem(1.0, Rates(0.1, 0.9, 0.1), 0.1), 2.0)
    with pytest.raises(ValueError, match="no three"):
        step(Problem(1.0, Cosines(0.9, 0.9, -0.9), 0.1), 2.0)
    with pytest.raises(ValueError, match="loss = 'square'"):
        step(FAIR, 2.0, "square")
    with pytest.raises(ValueError, match="rounds = -1"):
        trajectory(FAIR, 2.0, -1)
    with pytest.raises(ValueError, match="alpha = 0"):
        trajectory(FAIR, 0.0, 1)
    with pytest.raises(TypeError, match="infinite_data"):
        linear_infinite_data(Problem(1.0, Rates(0.1, 0.9, 0.1), 0.1))
