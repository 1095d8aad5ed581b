"""How wrong answers spread."""

import numpy as np
import pytest

from empirical.eigenvalues.results import _plurality


def test_how_wrong_answers_spread():
    true = np.repeat([[1, 1], [2, 2]], 100, axis=0)
    answers = true.copy()
    answers[:30] = [1, 3]  # 30 of 100 go to one wrong answer
    answers[100:160] = [2, 5]  # and 60 of 100, where the true one is no longer the commonest
    found = _plurality(answers, true)
    assert (found["true_answers"], found["seen_often"], found["weight"]) == (2, 2, 1.0)
    assert (found["exact"], found["commonest_wrong"], found["plurality"]) == pytest.approx((0.55, 0.45, 0.5))
    assert np.isnan(_plurality(answers[::10], true[::10])["exact"])
