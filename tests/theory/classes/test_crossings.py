"""p_gain of K classes: stated numbers, three roots, and p*_K as a root where nothing is verified."""

import numpy as np
import pytest

from tests.theory.classes.cells import even
from theory.classes.crossings import p_gain
from theory.classes.prediction import predict
from theory.classes.threshold import p_star_classes
from theory.types import Confusion, Rates

TEN = even(0.65, 0.8, 0.6, signal=4.0)


@pytest.mark.parametrize(
    ("loss", "ridge", "root"),
    [("averaging", 0.0, 0.0299), ("squared", 0.1, 0.0788), ("squared", 1.0, 0.0388)],
)
def test_stated_roots_of_ten_classes(loss, ridge, root):
    """K = 10, a = 16, phi = .8, psi = .6, alpha = 5; each wins beyond it, though p* = .571."""
    found = p_gain(TEN._replace(ridge=ridge), 5.0, loss, classes=10)
    np.testing.assert_allclose(found.x, [root], atol=6e-5)
    assert found.rising.tolist() == [True]


def test_a_generator_beyond_the_binary_threshold_is_beaten():
    """K = 10 at p = .65 > p* = .571: averaging .8165, ridge .5784; K = 4: .7055, .4943, softmax .4368 and .5924."""
    for loss, ridge, stated in (("averaging", 0.0, 0.8165), ("squared", 1.0, 0.5784)):
        found = predict(TEN._replace(ridge=ridge), 5.0, loss, classes=10)
        assert found.accuracy == pytest.approx(stated, abs=6e-5)
        assert bool(found.beats_generator)
    four = even(0.7, 0.9, 0.5, signal=3.0)
    for loss, ridge, stated in (
        *(("averaging", 0.0, 0.7055), ("squared", 1.0, 0.4943)),
        *(("logistic", 0.1, 0.4368), ("logistic", 1.0, 0.5924)),
    ):
        found = predict(four._replace(ridge=ridge), 4.0, loss, classes=4, effort="plain")
        assert found.accuracy == pytest.approx(stated, abs=6e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("ridge", "root", "accuracy"), [(0.1, 0.0433, 0.4958), (1.0, 0.0305, 0.762)])
def test_stated_numbers_of_softmax_with_ten_classes(ridge, root, accuracy):
    problem = TEN._replace(ridge=ridge)
    np.testing.assert_allclose(p_gain(problem, 5.0, "logistic", classes=10).x, [root], atol=6e-5)
    assert predict(problem, 5.0, "logistic", classes=10).accuracy == pytest.approx(accuracy, abs=6e-4)


def test_three_roots():
    """K = 4, a = 9, averaging: wins, loses and wins again."""
    found = p_gain(even(0.1, 0.9, 0.5, signal=3.0), 4.0, "averaging", classes=4)
    np.testing.assert_allclose(found.x, [0.0591, 0.9067, 0.9695], atol=6e-5)
    assert found.rising.tolist() == [True, False, True]


@pytest.mark.parametrize(("loss", "ridge"), [("squared", 0.1), ("averaging", 0.0), ("logistic", 0.1)])
def test_unverified_the_threshold_is_a_root(loss, ridge):
    """phi = psi: both sides are 1/K at p*_K = 1 - 1/K; every root is one, by a prediction there."""
    problem = even(0.1, 0.7, 0.7, ridge=ridge)
    star = float(p_star_classes(Rates(0.1, 0.7, 0.7), 3))
    found = p_gain(problem, 3.0, loss, classes=3)
    assert np.min(abs(found.x - star)) < 1e-7
    for x, rising in zip(found.x, found.rising, strict=True):
        moved = [x - 1e-3, x, min(x + 1e-3, 1.0)]
        excess = [
            float(predict(problem._replace(curation=Rates(p, 0.7, 0.7)), 3.0, loss, classes=3).accuracy) - (1 - p)
            for p in moved
        ]
        assert abs(excess[1]) < 1e-6
        assert (excess[2] > excess[0]) == rising


def test_refusals():
    with pytest.raises(TypeError, match="give Rates"):
        p_gain(even()._replace(curation=Confusion(np.eye(3), np.ones((3, 3)))), 2.0)
    with pytest.raises(ValueError, match="one curve"):
        p_gain(even(), np.array([1.0, 2.0]), classes=3)
    with pytest.raises(ValueError, match="alike"):
        p_gain(even(gram=np.diag([1.0, 1, 2])), 2.0, "logistic")
