"""Streams of random numbers: what numpy makes of a name, and what may be skipped of them."""

import numpy as np
import pytest

from empirical.order import Order
from empirical.seeds import stream, word


@pytest.mark.parametrize("name", [0, 7, [1, 2, 3], (5, 0)])
def test_a_stream_is_numpys_own_of_that_seed(name):
    assert np.array_equal(stream(name).random(5), np.random.default_rng(name).random(5))
    assert np.array_equal(stream(name, skipped=3).random(2), stream(name).random(5)[3:])


def test_words_and_orders_are_what_they_were():
    """Results made before depend on these values."""
    assert (word([0, 1, 2]), word(7)) == (3884055042, 2083679832)
    assert Order(5, 3).batch(0, 10).tolist() == [4, 2, 1, 3, 0, 1, 4, 0, 2, 3]
