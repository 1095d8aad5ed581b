"""Simulated rounds: what one round is, what a failure leaves, and agreement with the exact map."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtr

from sims.draw import draw as eager_draw
from sims.fit import fit as eager_fit
from sims.measure import exact_accuracy
from sims.population import directions, mean
from sims.rounds import make_rounds
from sims.rounds import rounds_trial as eager_rounds
from sims.trial import make_trials
from sims.verify import verify as eager_verify
from tests.statistical import rejects_mean
from theory.rounds import trajectory
from theory.types import Cosines, Learned, Problem, Rates

draw = jax.jit(eager_draw, static_argnames=("n", "d"))
fit = jax.jit(eager_fit, static_argnames="loss")
rounds_trial = jax.jit(eager_rounds, static_argnames=("n", "d", "loss", "rounds", "verified"))
verify = jax.jit(eager_verify)

PROBLEM = Problem(2.0, Cosines(0.3, 0.6, 0.2), 1.0)
FALSE_FAIL = 1e-6
BIAS = 0.6
"""Allowed |finite-size bias| times d; at most 0.2 was seen for these problems (1,500 trials)."""


def words(seed, count):
    return np.random.default_rng(seed).integers(0, 2**32, (count, 3), dtype=np.uint32)


def test_labels_by_given_weights(key):
    """The default generator is the problem's own unit vector, at any length; the draw itself does not change."""
    default = draw(jax.random.clone(key), PROBLEM, 50, 6)
    given = draw(jax.random.clone(key), PROBLEM, 50, 6, 3.0 * directions(PROBLEM.curation, 6).generator)
    for mine, other in zip(default, given, strict=True):
        np.testing.assert_array_equal(mine, other)
    oracle = draw(key, PROBLEM, 50, 6, mean(PROBLEM, 6))
    np.testing.assert_array_equal(oracle.x, default.x)
    np.testing.assert_array_equal(oracle.label, jnp.sign(oracle.x[:, 0]))


@pytest.mark.parametrize(("loss", "verified"), [("squared", True), ("logistic", False)])
def test_rounds_written_out(key, loss, verified):
    """Two rounds by hand, step by step."""
    found = rounds_trial(key, PROBLEM, n=60, d=12, loss=loss, rounds=2, verified=verified)
    axes, mu = directions(PROBLEM.curation, 12), mean(PROBLEM, 12)
    w = axes.generator
    for index in range(2):
        k_draw, k_verify = jax.random.split(jax.random.fold_in(key, index))
        sample = draw(k_draw, PROBLEM, 60, 12, w)
        kept = verify(k_verify, PROBLEM, sample) if verified else jnp.ones(60, bool)
        w = fit(loss, sample.x, sample.label, kept, jnp.asarray(1.0)).weights
        unit = w / jnp.linalg.norm(w)
        assert float(found.measurement.accuracy[index]) == pytest.approx(float(exact_accuracy(w, mu)), rel=1e-10)
        assert float(found.cos_generator[index]) == pytest.approx(float(unit[0]), rel=1e-9)
        assert float(found.cos_between[index]) == pytest.approx(float(unit @ axes.verifier), rel=1e-9)
        assert int(found.measurement.m[index]) == int(kept.sum())
    np.testing.assert_allclose(found.measurement.accuracy, ndtr(2 * np.asarray(found.cos_generator)), rtol=1e-12)


def test_learned_rounds_written_out(key):
    """The first generator is the setting's own; the weights of the first round label the second."""
    problem = Problem(2.0, Learned(0.4, 0.9, 0.3), 1.0)
    found = rounds_trial(key, problem, n=60, d=12, loss="squared", rounds=2, verified=True)
    w = None
    for index in range(2):
        k_draw, k_verify = jax.random.split(jax.random.fold_in(key, index))
        sample = draw(k_draw, problem, 60, 12, w)
        kept = verify(k_verify, problem, sample)
        w = fit("squared", sample.x, sample.label, kept, jnp.asarray(1.0)).weights
        assert float(found.cos_generator[index]) == pytest.approx(float((w / jnp.linalg.norm(w))[0]), rel=1e-9)
        assert int(found.measurement.m[index]) == int(kept.sum())
        assert int(found.measurement.kept_wrong[index]) == int((kept & (sample.label != sample.y)).sum())
    assert np.isnan(np.asarray(found.cos_between)).all()
    with pytest.raises(TypeError, match="Cosines or Learned"):
        rounds_trial(key, Problem(2.0, Rates(0.1, 0.9, 0.3), 1.0), n=9, d=3, loss="squared", rounds=1, verified=True)


def test_a_failed_round_leaves_no_numbers_after_it(key):
    """v = -g keeps nothing: the first fit fails, and no later round is trained on labels of its weights."""
    opposed = Problem(2.0, Cosines(0.3, -0.3, -1.0), 1.0)
    found = rounds_trial(key, opposed, n=60, d=12, loss="squared", rounds=3, verified=True)
    assert not bool(found.measurement.converged.any())
    for numbers in (found.cos_generator, found.cos_between, found.measurement.accuracy, found.measurement.norm):
        assert np.isnan(np.asarray(numbers)).all()


@pytest.mark.statistical
def test_one_round_is_a_trial_of_the_same_law(fresh_seed):
    """Same problem, other keys: mean accuracies within 6 standard errors (false-failure rate 2e-9)."""
    many = words(fresh_seed, 256)
    batch = jax.tree.map(lambda leaf: np.full(256, float(leaf)), PROBLEM)
    trial = np.asarray(make_trials(60, 15, "squared")(0, many, batch).accuracy)
    run, problem = make_rounds(60, 15, "squared", 1, True), jax.tree.map(jnp.asarray, PROBLEM)
    rounds = np.asarray(run(1, many, problem).measurement.accuracy)[:, 0]
    distance = lambda shift: abs((trial - rounds + shift).mean()) / ((trial - rounds).std(ddof=1) / 16)
    assert distance(0) < 6
    assert distance(0.05) > 6
    backwards = np.asarray(run(1, many[::-1], problem).measurement.accuracy)[::-1, 0]
    np.testing.assert_allclose(backwards, rounds, rtol=1e-10)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("problem", "alpha", "loss", "verified"),
    [
        (PROBLEM, 4.0, "squared", True),
        (Problem(1.0, Cosines(0.8, 0.3, 0.24), 0.5), 2.0, "squared", True),
        (PROBLEM, 2.0, "logistic", False),
        (Problem(1.5, Learned(0.4, 1.0, 0.5), 0.1), 4.0, "squared", True),
        (Problem(1.5, Learned(0.4, 1.0, 0.0), 0.1), 2.0, "squared", True),
    ],
)
def test_rounds_agree_with_the_exact_map(fresh_seed, problem, alpha, loss, verified):
    """Mean accuracy of rounds 1 to 3 at d = 100 within BIAS/d; a theory shifted by 0.05 must fail.

    False-failure rate 1e-6 a round.
    """
    d, rounds = 100, 3
    run = make_rounds(round(alpha * d), d, loss, rounds, verified)
    found = np.asarray(run(fresh_seed, words(fresh_seed, 128), jax.tree.map(jnp.asarray, problem)).measurement.accuracy)
    expected = np.asarray(trajectory(problem, alpha, rounds, loss, verified).accuracy)[1:]
    for measured, exact in zip(found.T, expected, strict=True):
        assert not rejects_mean(measured, exact, BIAS / d, FALSE_FAIL), (measured.mean(), exact)
        for shift in (-0.05, 0.05):
            assert rejects_mean(measured, exact + shift, BIAS / d, FALSE_FAIL), (measured.mean(), exact)
