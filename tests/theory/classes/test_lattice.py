"""The lattice rule against moments of a normal vector, and against a product rule."""

import numpy as np
import pytest

from theory.classes.lattice import rule, step_of


@pytest.mark.parametrize("classes", [2, 3, 4, 5, 6, 8, 10])
@pytest.mark.parametrize("right", [True, False])
def test_moments_are_those_of_noise_without_its_mean(classes, right):
    """Weights sum to 1, each class has mean 0, variance 1 - 1/K, covariance -1/K, fourth moment 3 (1 - 1/K)^2."""
    by = rule(classes, step_of(classes))
    weight, entries = by.weight * (by.right == right), np.repeat(by.weight * (by.right == right), np.bincount(by.term))
    assert weight.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(by.total(by.h), 0, atol=1e-12)
    np.testing.assert_array_equal(by.total(np.ones(len(by.h))), classes)
    true = by.h[by.first]
    part = 1 - 1 / classes
    tolerance = 1e-5 if classes >= 8 else 1e-7
    assert weight @ true == pytest.approx(0, abs=tolerance)
    assert weight @ true**2 == pytest.approx(part, abs=tolerance)
    assert weight @ true**4 == pytest.approx(3 * part**2, abs=10 * tolerance)
    label = entries * by.label * by.members
    assert np.sum(label * by.h**2) == pytest.approx(part, abs=tolerance)
    product = np.sum(label * by.h * true[by.term])
    assert product == pytest.approx(part if right else -1 / classes, abs=tolerance)


def test_the_label_is_the_true_class_or_one_other():
    for classes in (2, 3, 6):
        by = rule(classes, step_of(classes))
        assert np.all(by.true[by.first])
        np.testing.assert_array_equal(by.total(by.true.astype(float)), 1)
        np.testing.assert_array_equal(by.total(by.label.astype(float)), 1)
        np.testing.assert_array_equal(by.total((by.label & by.true).astype(float)), by.right)


def test_too_fine_a_rule_is_not_made():
    assert rule(10, 0.3) is None
