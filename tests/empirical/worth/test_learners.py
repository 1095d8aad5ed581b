"""Learners: they learn, choose their setting, and say where a fit failed."""

import numpy as np
import pytest

from empirical.worth import learners
from empirical.worth.data import split
from empirical.worth.learners import FAILED, LEARNERS, tuned

pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    digits = split(rng)
    return digits, *digits.draw(400, rng)


def accuracy(name, digits, x, y):
    return np.mean(tuned(LEARNERS[name], x, y, digits.x, np.random.default_rng(1)) == digits.y)


@pytest.mark.parametrize("name", LEARNERS)
def test_it_learns(name, samples):
    """Seeds are fixed: .89 to .96 on 400 clean samples, .60 to .85 on 60, of 9 classes nothing of the tenth."""
    digits, x, y = samples
    assert accuracy(name, digits, x, y) > 0.85
    assert 0.5 < accuracy(name, digits, x[:60], y[:60]) < 0.9
    found = tuned(LEARNERS[name], x[y != 7], y[y != 7], digits.x, np.random.default_rng(1))
    assert 7 not in found


@pytest.mark.parametrize("name", LEARNERS)
def test_few_samples_and_one_class(name, samples):
    digits, x, y = samples
    for count in (1, 2, 6):
        found = tuned(LEARNERS[name], x[:count], y[:count], digits.x, np.random.default_rng(1))
        assert set(found) <= set(y[:count])
    assert (tuned(LEARNERS[name], x, np.full(len(y), 4), digits.x, np.random.default_rng(1)) == 4).all()


def test_those_that_interpolate_give_back_wrong_labels_and_tuned_ones_do_not(samples):
    _, x, y = samples
    given = np.where(np.arange(len(y)) % 4 == 0, (y + 1) % 10, y)
    for name, learner in LEARNERS.items():
        share = np.mean(tuned(learner, x, given, x, np.random.default_rng(1)) == given)
        assert share > 0.97 if learner.kind == "interpolating" else share < 0.9, (name, share)


def test_the_setting_is_chosen_on_held_out_labels(samples):
    """A quarter of the labels are wrong: the nearest neighbour alone copies them, many do not."""
    digits, x, y = samples
    rng = np.random.default_rng(3)
    given = np.where(rng.random(len(y)) < 0.4, rng.integers(10, size=len(y)), y)
    assert accuracy("kNN", digits, x, given) > accuracy("1-NN", digits, x, given) + 0.1
    assert accuracy("logistic", digits, x, given) > accuracy("logistic, C = 1000", digits, x, given) + 0.1


def test_a_fit_that_does_not_converge_is_failed(samples, monkeypatch):
    digits, x, y = samples
    monkeypatch.setattr(learners, "ITERATIONS", 3)
    with pytest.warns(UserWarning, match="failed to converge"):
        found = tuned(LEARNERS["logistic, C = 1000"], x, y, digits.x, np.random.default_rng(1))
    assert (found == FAILED).all()
