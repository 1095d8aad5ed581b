import numpy as np
import pytest

from theory.prediction import predict
from theory.types import ClassRates, Problem, Rates


def test_literal_reading_of_the_poster_fails():
    """'Training works iff the generator's accuracy 1 - p exceeds p*' is wrong; 'iff p < p*' is right.

    A perfect verifier has psi = 0 and p* = 1. No accuracy exceeds 1, so the literal reading says that perfect
    verification never helps; in fact training is then Bayes-optimal at any p < 1.
    """
    perfect = predict(Problem(2.0, Rates(0.4, 0.8, 0.0), 0.1), 1e4, "squared")
    best = 0.9772498680518208
    assert float(perfect.p_star) == 1.0
    assert not float(perfect.generator_accuracy) > float(perfect.p_star)  # the literal criterion says: fails
    assert float(perfect.accuracy) == pytest.approx(best, abs=1e-3)  # it succeeds
    poor = predict(Problem(2.0, Rates(0.3, 0.3, 0.9), 0.1), 1e6, "squared")
    assert float(poor.generator_accuracy) > float(poor.p_star)  # the literal criterion says: succeeds
    assert float(poor.accuracy) == pytest.approx(1 - best, abs=1e-3)  # it fails, and p = 0.3 > p* = 0.25 says so


def test_class_dependent_rates_act_through_purity_and_kept_rate():
    rates = ClassRates(*(np.array(x) for x in ([0.1, 0.4], [0.9, 0.6], [0.3, 0.2], [0.3, 0.7])))
    found = predict(Problem(1.5, rates, 0.1), 3.0, "squared")
    kept, pure = float(found.kept_rate), float(found.purity)
    same = predict(Problem(1.5, Rates(1 - pure, 1.0, 1.0), 0.1), 3.0 * kept, "squared")
    assert float(found.accuracy) == pytest.approx(float(same.accuracy), rel=1e-12)


def test_properties_follow_the_numbers():
    found = predict(Problem(2.0, Rates(np.array([0.1, 0.9]), 0.8, 0.2), 0.1), 10.0, "logistic")
    assert list(np.asarray(found.below_threshold)) == [True, False]
    expected = np.asarray(found.accuracy) > np.asarray(found.generator_accuracy)
    np.testing.assert_array_equal(np.asarray(found.beats_generator), expected)


def test_unknown_loss():
    with pytest.raises(ValueError, match="hingy.*squared"):
        predict(Problem(2.0, Rates(0.1, 0.8, 0.2), 0.1), 10.0, "hingy")
