"""Where the two roads meet: simulation against theory, with stated error rates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sims.trial import make_trials
from tests.statistical import rejects_mean
from theory.prediction import predict
from theory.threshold import p_star
from theory.types import ClassRates, Problem, Rates

FALSE_FAIL = 1e-6
BIAS = 0.5
"""Allowed |finite-size bias| times d; about 0.1 was seen for these problems."""


def accuracies(seed, problem, n, d, loss, trials):
    """``trials`` independent accuracies of one problem, in batches of 128."""
    run, width = make_trials(n, d, loss), 128
    batch = jax.tree.map(lambda leaf: jnp.broadcast_to(jnp.asarray(leaf, float), (width, *np.shape(leaf))), problem)
    words = np.random.default_rng(seed).integers(0, 2**32, (-(-trials // width), width, 3), dtype=np.uint32)
    found = [run(seed, block, batch) for block in words]
    assert all(bool(part.converged.all()) for part in found)
    return np.concatenate([part.accuracy for part in found])


@pytest.mark.statistical
@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize(
    ("phi", "psi", "n", "d", "ridge"),
    [(0.9, 0.3, 60, 30, 0.1), (0.5, 0.5, 20, 40, 1e-3), (0.4, 0.8, 240, 20, 1.0), (1.0, 0.25, 90, 30, 0.01)],
)
def test_p_half_is_p_star_at_any_size(fresh_seed, loss, phi, psi, n, d, ridge):
    """At p = p* mean accuracy is 1/2 exactly, at finite n and d. Twin: at p = p* -+ 0.1 it is not.

    False-failure rate 1e-6 a case. The shift of 0.1 moves accuracy by 0.05 or more, 10 standard errors.
    """
    star = float(p_star(Rates(0.1, phi, psi)))
    found = accuracies(fresh_seed, Problem(2.0, Rates(star, phi, psi), ridge), n, d, loss, 1024)
    assert not rejects_mean(found, 0.5, false_fail=FALSE_FAIL)
    for p, sign in ((star - 0.1, 1), (star + 0.1, -1)):
        moved = accuracies(fresh_seed, Problem(2.0, Rates(p, phi, psi), ridge), n, d, loss, 1024)
        assert rejects_mean(moved, 0.5, false_fail=FALSE_FAIL)
        assert sign * (moved.mean() - 0.5) > 0


@pytest.mark.statistical
def test_class_dependent_threshold(fresh_seed):
    """Purity 1/2 with unequal classes: p, phi, psi and prior all differ between them."""
    p, phi, psi, prior = (np.array(x) for x in ([0.3, 0.0], [0.9, 0.6], [0.8, 0.4], [0.4, 0.6]))
    right = prior * (1 - p) * phi
    p[1] = (right[0] + prior[1] * phi[1] - prior[0] * p[0] * psi[0]) / (prior[1] * (phi[1] + psi[1]))
    problem = Problem(2.0, ClassRates(p, phi, psi, prior), 0.1)
    assert float(predict(problem, 2.0).purity) == pytest.approx(0.5, abs=1e-12)
    found = accuracies(fresh_seed, problem, 60, 30, "squared", 1024)
    assert not rejects_mean(found, 0.5, false_fail=FALSE_FAIL)
    swapped = problem._replace(curation=problem.curation._replace(psi=psi[::-1]))
    assert rejects_mean(accuracies(fresh_seed, swapped, 60, 30, "squared", 1024), 0.5, false_fail=FALSE_FAIL)


@pytest.mark.statistical
@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize(
    ("problem", "alpha"),
    [
        (Problem(2.0, Rates(0.3, 0.9, 0.2), 0.1), 2.0),
        (Problem(1.0, Rates(0.6, 0.8, 0.4), 0.01), 4.0),
        (Problem(2.0, Rates(0.85, 0.8, 0.4), 1.0), 0.5),
    ],
)
def test_accuracy_agrees_with_exact_theory(fresh_seed, loss, problem, alpha):
    """Mean accuracy at d = 100 within z standard errors plus BIAS/d; a theory shifted by 0.04 must fail."""
    d = 100
    found = accuracies(fresh_seed, problem, round(alpha * d), d, loss, 1024)
    expected = float(predict(problem, alpha, loss).accuracy)
    assert not rejects_mean(found, expected, BIAS / d, FALSE_FAIL)
    for shift in (-0.04, 0.04):
        assert rejects_mean(found, expected + shift, BIAS / d, FALSE_FAIL)
