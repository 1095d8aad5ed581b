"""Every limit of the theory note's §5, approached on a grid: the distance must shrink, not just be small."""

import numpy as np
import pytest
from scipy.special import ndtr

from theory import limits
from theory.engine import solve
from theory.types import Problem, Rates

LOSSES = ("squared", "logistic")
PROBLEM = Problem(1.7, Rates(0.35, 0.8, 0.3), 0.1)
"""p* = 0.727: a verifier good enough."""


def accuracy(problem, alpha, loss="squared"):
    return float(solve(problem, alpha, loss).accuracy)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("p", [0.35, 0.9])
def test_large_ridge_is_averaging(loss, p):
    problem = PROBLEM._replace(curation=PROBLEM.curation._replace(p=p))
    limit = float(limits.averaging(problem, 3.0))
    gaps = [abs(accuracy(problem._replace(ridge=lam), 3.0, loss) - limit) for lam in (10.0, 100.0, 1000.0)]
    assert gaps[0] > 5 * gaps[1] > 25 * gaps[2]
    assert gaps[2] < 1e-3


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("p", [0.35, 0.9])
def test_infinite_data_is_the_sharp_transition(loss, p):
    problem = PROBLEM._replace(curation=PROBLEM.curation._replace(p=p))
    limit = float(limits.infinite_data(problem))
    assert limit == pytest.approx(ndtr(1.7) if p < 8 / 11 else ndtr(-1.7))
    gaps = [abs(accuracy(problem, alpha, loss) - limit) for alpha in (1e2, 1e3, 1e4)]
    assert gaps[0] > 5 * gaps[1] > 25 * gaps[2]


def test_infinite_data_at_the_threshold_is_a_coin():
    assert float(limits.infinite_data(Problem(2.0, Rates(0.5, 0.7, 0.7), 0.1))) == 0.5


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("alpha", "lam"), [(0.3, 1e-3), (2.0, 0.1), (50.0, 10.0)])
@pytest.mark.parametrize(("phi", "psi"), [(0.8, 0.2), (0.4, 0.9), (1.0, 1.0)])
def test_accuracy_is_half_at_the_threshold_whatever_the_size(loss, alpha, lam, phi, psi):
    problem = Problem(2.0, Rates(phi / (phi + psi), phi, psi), lam)
    assert accuracy(problem, alpha, loss) == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
def test_mirror(loss):
    mirrored = accuracy(limits.mirrored(PROBLEM), 2.0, loss)
    assert mirrored == pytest.approx(1 - accuracy(PROBLEM, 2.0, loss), abs=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
def test_blind_verifier_is_no_verifier_at_the_thinned_size(loss):
    blind = PROBLEM._replace(curation=Rates(0.3, 0.4, 0.4))
    assert accuracy(*limits.unverified(blind, 3.0), loss) == pytest.approx(accuracy(blind, 3.0, loss), abs=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
def test_perfect_verifier_is_clean_labels_at_the_thinned_size(loss):
    perfect = PROBLEM._replace(curation=Rates(0.3, 0.6, 0.0))
    assert accuracy(*limits.clean(perfect, 3.0), loss) == pytest.approx(accuracy(perfect, 3.0, loss), abs=1e-9)


def test_accuracy_stays_within_bayes():
    best = float(limits.bayes_accuracy(1.7))
    values = np.array([accuracy(PROBLEM, alpha) for alpha in np.geomspace(0.1, 1e5, 13)])
    assert np.all(values < best)
    assert np.all(values > 0.5)  # p < p*: better than a coin at any size
    assert values[1] > values[2]  # more data can hurt near delta = 1 at small ridge: double descent
