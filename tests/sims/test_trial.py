import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binomtest

from sims import trial as trials
from sims.draw import draw as eager_draw
from sims.fit import fit as eager_fit
from sims.losses import LOSSES
from sims.measure import exact_accuracy, measure
from sims.population import mean
from sims.settings.base import Sample
from sims.trial import make_trials, trial_key
from sims.verify import verify as eager_verify
from theory.types import Cosines, Problem, Rates

draw = jax.jit(eager_draw, static_argnames=("n", "d"))
fit = jax.jit(eager_fit, static_argnames="loss")
trial = jax.jit(trials.trial, static_argnames=("n", "d", "loss"))
verify = jax.jit(eager_verify)

PROBLEM = Problem(1.5, Rates(0.3, 0.8, 0.3), 0.1)


def batch(problem, size):
    return jax.tree.map(lambda leaf: np.full(size, float(leaf)), problem)


def words(size, start=0):
    return np.stack([np.full(size, 7), np.full(size, 11), np.arange(start, start + size)], 1).astype(np.uint32)


@pytest.mark.statistical
@pytest.mark.parametrize("problem", [PROBLEM, Problem(1.5, Cosines(0.4, 0.6, 0.2), 0.1)])
def test_exact_accuracy_is_that_of_a_sampled_test_set(fresh_seed, problem):
    """The formula Phi(w.mu/||w||) against 200,000 fresh points; false-failure rate 1e-8.

    The twin is off by 0.03, 27 standard errors or more: it goes unseen with probability < 1e-90.
    """
    k_fit, k_keep, k_test = jax.random.split(jax.random.key(fresh_seed), 3)
    sample = draw(k_fit, problem, 60, 8)
    w = fit("logistic", sample.x, sample.label, verify(k_keep, problem, sample), jnp.asarray(0.1)).weights
    fresh = draw(k_test, problem, 200_000, 8)
    hits = int(jnp.sum(jnp.sign(fresh.x @ w) == fresh.y))
    accuracy = float(exact_accuracy(w, mean(problem, 8)))
    assert binomtest(hits, 200_000, accuracy).pvalue > 1e-8
    assert binomtest(hits, 200_000, accuracy - 0.03).pvalue < 1e-8


def test_measurement_of_known_weights():
    sample = Sample(jnp.zeros((3, 2)), jnp.array([1.0, 1.0, -1.0]), jnp.array([1.0, -1.0, 1.0]))
    fitted = fit("squared", jnp.eye(3)[:, :2], sample.label, jnp.ones(3, bool), jnp.asarray(1.0))
    fitted = fitted._replace(weights=jnp.array([3.0, 4.0]), converged=jnp.asarray(True))
    found = measure(sample, jnp.array([True, True, False]), fitted, jnp.array([2.0, 0.0]))
    assert (int(found.m), int(found.wrong), int(found.kept_wrong)) == (2, 2, 1)
    assert float(found.overlap) == 3.0
    assert float(found.norm) == 5.0
    assert float(found.accuracy) == pytest.approx(ndtr(2 * 3 / 5), rel=1e-14)


def test_a_failed_fit_has_no_numbers(key):
    nothing = trial(key, Problem(1.5, Rates(1.0, 0.5, 0.0), 0.1), n=40, d=8, loss="logistic")
    assert int(nothing.m) == 0
    assert not bool(nothing.converged)
    assert all(np.isnan(number) for number in (nothing.overlap, nothing.norm, nothing.accuracy))


@pytest.mark.parametrize("loss", LOSSES)
def test_batch_size_order_and_padding_change_nothing(loss):
    """One trial alone, in a batch, in another order: equal to 1e-10 (bits are promised for one width only)."""
    run = make_trials(40, 8, loss)
    together = run(0, words(16), batch(PROBLEM, 16), 16)
    for width, count in ((1, 1), (16, 5)):
        alone = run(0, words(width, start=3), batch(PROBLEM, width), count)
        np.testing.assert_allclose(alone.accuracy[:count], together.accuracy[3 : 3 + count], rtol=1e-10)
        np.testing.assert_array_equal(alone.m[:count], together.m[3 : 3 + count])
        assert not np.any(alone.m[count:])
    backwards = run(0, words(16)[::-1], batch(PROBLEM, 16), 16)
    np.testing.assert_array_equal(backwards.accuracy[::-1], together.accuracy)  # one width: bit for bit
    apart = trial(trial_key(0, jnp.asarray(words(1, 5)[0])), PROBLEM, n=40, d=8, loss=loss)
    np.testing.assert_allclose(apart.accuracy, together.accuracy[5], rtol=1e-10)


@pytest.mark.parametrize("loss", LOSSES)
def test_side_by_side_as_on_a_gpu_they_are_the_same_trials(loss):
    apart, together = (make_trials(40, 8, loss, width)(0, words(8), batch(PROBLEM, 8), 8) for width in (1, 4))
    np.testing.assert_allclose(together.accuracy, apart.accuracy, rtol=1e-10)
    assert together.converged.all()


def test_neighbours_in_a_batch_do_not_matter():
    """A lane's bits are the same whatever the other lanes hold, even a slow or failing problem."""
    run = make_trials(40, 8, "logistic")
    calm = run(0, words(16), batch(PROBLEM, 16), 16)
    same, later, second = batch(PROBLEM, 16), np.arange(16) > 0, np.arange(16) == 1
    rates = Rates(np.where(later, 0.0, same.curation.p), np.where(second, 0.0, same.curation.phi), same.curation.psi)
    hard = Problem(np.where(later, 6.0, same.signal), rates, np.where(later, 1e-9, same.ridge))
    wild = run(0, words(16), hard, 16)
    assert int(wild.steps.max()) > int(calm.steps.max())
    assert int(wild.m[1]) == 0
    assert float(wild.accuracy[0]) == float(calm.accuracy[0])


def test_root_seed_cell_and_seed_each_change_the_numbers():
    base = np.array([1, 2, 3], np.uint32)
    keys = [trial_key(0, base), trial_key(1, base)]
    keys += [trial_key(0, np.where(np.arange(3) == i, base + 1, base).astype(np.uint32)) for i in range(3)]
    draws = {float(jax.random.normal(key)) for key in keys}
    assert len(draws) == len(keys)


def test_one_compilation_per_static_shape():
    run = make_trials(24, 6, "squared")
    for signal, p, phi, psi, ridge in [(1.0, 0.1, 0.9, 0.1, 0.1), (3.0, 0.7, 0.2, 0.5, 1e-3)]:
        run(0, words(4), batch(Problem(signal, Rates(p, phi, psi), ridge), 4))
    assert run._cache_size() == 1
    assert trials.make_trials(24, 6, "squared") is run


def test_label_flip_gives_the_mirrored_classifier(key):
    """Exchanging right and wrong labels, and phi with psi, on the same noise turns accuracy into 1 - accuracy."""
    flipped = PROBLEM._replace(curation=Rates(0.7, 0.3, 0.8))
    k_draw, k_keep = jax.random.split(key)
    sample = draw(k_draw, PROBLEM, 40, 8)
    kept = verify(k_keep, PROBLEM, sample)
    mirror = sample._replace(label=-sample.label)
    for loss in LOSSES:
        w, v = (fit(loss, sample.x, s.label, kept, jnp.asarray(0.1)).weights for s in (sample, mirror))
        mu = mean(flipped, 8)
        assert float(exact_accuracy(w, mu)) == pytest.approx(1 - float(exact_accuracy(v, mu)), abs=1e-12)
