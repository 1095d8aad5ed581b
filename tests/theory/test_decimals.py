"""Numbers that are printed to be typed mean the same when they are typed; short floats are their decimals."""

import numpy as np
import pytest

from theory.decimals import LONGEST, beside, between, echoed, typed, widened
from theory.table import predict_table


def odd_numbers(seed, count=2000):
    """Of every size, with few and with many digits, and the neighbours of round ones."""
    rng = np.random.default_rng(seed)
    some = rng.standard_normal(count) * 10.0 ** rng.integers(-300, 300, count)
    short = np.array(
        [float(f"{value:.{digits}g}") for value, digits in zip(some, rng.integers(1, 8, count), strict=True)]
    )
    return [*some, *short, *np.nextafter(short, 0), 0.0, 1.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 0.99999991]


def test_what_is_typed_is_the_number(fresh_seed):
    for value in odd_numbers(fresh_seed):
        said = typed(value)
        assert float(said) == value
        assert len(said) <= len(repr(float(value)))
    assert [typed(value) for value in (1.0, 0.99999991, np.float64(0.3), 1e8, 250, np.int64(7), 1e-5)] == [
        *("1", "0.99999991", "0.3", "1e+08", "250", "7", "1e-05"),
    ]
    assert (typed(float("nan")), typed(float("inf"))) == ("nan", "inf")


def test_a_float32_is_the_decimal_that_it_prints(fresh_seed):
    short = np.random.default_rng(fresh_seed).integers(1, 10**6, 5000) / 10**6
    for kind, part in ((np.float32, short), (np.float16, np.round(short, 2))):
        np.testing.assert_array_equal(widened(part.astype(kind)), part)
    whole = np.random.default_rng(fresh_seed).standard_normal(1000).astype(np.float32)
    np.testing.assert_array_equal(widened(whole).astype(np.float32), whole)
    np.testing.assert_array_equal(widened([0.1, np.nan, np.inf]), [0.1, np.nan, np.inf])
    line = {"signal": 2.0, "alpha": 4.0, "ridge": 0.1, "loss": "squared", "phi": 0.9, "psi": 0.2}
    assert predict_table(line | {"p": np.float32(0.3)})["accuracy"] == predict_table(line | {"p": 0.3})["accuracy"]


def test_the_ends_of_an_interval_can_be_typed(fresh_seed):
    rng = np.random.default_rng(fresh_seed)
    for low, size in zip(rng.uniform(-1, 1, 2000), 10.0 ** rng.uniform(-9, 0, 2000), strict=True):
        first, last = map(float, between(low, low + size).strip("[]").split(", "))
        assert low - 1e-13 <= first <= last <= low + size + 1e-13
    assert between(0.62 + 1e-16, 1.0) == "[0.62, 1]"
    assert between(1 / 3, 2 / 3) == "[0.333334, 0.666666]"


def test_a_reading_is_on_its_side(fresh_seed):
    rng = np.random.default_rng(fresh_seed)
    for value, gap in zip(rng.uniform(0.01, 0.99, 2000), 10.0 ** rng.uniform(-15, -1, 2000), strict=True):
        other = value + gap
        assert (float(beside(value, other)) < other) == (value < other)
        assert (float(beside(other, value)) > value) == (other > value)
    assert (beside(0.3, 0.8181818181818), beside(0.8181818181818, 0.3)) == ("0.3", "0.8182")
    assert beside(0.8, 0.8000000001) == "0.8"
    assert beside(0.8000000001, 0.8) == "0.8000000001"


@pytest.mark.parametrize(("value", "said"), [(0.3, "0.3"), (1 / 3, "0.333333"), (0.1234567891, "0.1234567891")])
def test_what_a_user_gave_is_echoed_as_it_was(value, said):
    assert echoed(value) == said
    assert len(said) <= LONGEST
