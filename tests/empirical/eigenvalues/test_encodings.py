"""Matrices, encodings and the metric: published sizes, round trips, and what counts as malformed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from empirical.eigenvalues.data import Ensemble, eigenvalues, splits
from empirical.eigenvalues.encodings import NAMES, START, Encoding, scientific
from empirical.eigenvalues.metric import correct, distance

SCIENTIFIC = NAMES[:4]
NUMBERS = st.floats(-1e8, 1e8).filter(lambda x: x == 0 or abs(x) > 1e-5)


def encoding(name):
    return Encoding("grid", 10.0, 0.1) if name == "grid" else Encoding(name)


@pytest.mark.parametrize(
    ("name", "per_number", "matrix", "vector", "vocabulary"),
    [("P10", 5, 127, 27, 338), ("P1000", 3, 77, 17, 1328), ("B1999", 2, 52, 12, 2329), ("FP15", 1, 27, 7, 29128)],
)
def test_published_sizes_and_lengths(name, per_number, matrix, vector, vocabulary):
    """Those of charton2022linear for 5 x 5: tokens per number, per matrix, per vector of eigenvalues; vocabulary."""
    made = Encoding(name)
    assert (made.tokens_per_number, made.vocabulary) == (per_number, vocabulary)
    assert made.write_matrices(np.ones((2, 5, 5))).shape == (2, matrix) == (2, made.matrix_length(5))
    assert made.write_vectors(np.ones((2, 5))).shape == (2, vector) == (2, made.vector_length(5))


def test_tokens_of_the_published_example():
    """3.14159 is + 314 E-2 and zero is + 0 E0, digit by digit in P10."""
    plus, digit, exponent = (start for start, _ in (Encoding("P10")._symbols[i] for i in (0, 1, 4)))
    pi = [plus, digit + 3, digit + 1, digit + 4, exponent + 98]
    zero = [plus, digit, digit, digit, exponent + 100]
    assert Encoding("P10").write_vectors(np.array([[3.14159, 0.0]])).tolist() == [[2, 1, *pi, *zero]]


@pytest.mark.parametrize("name", SCIENTIFIC)
@given(numbers=st.lists(NUMBERS, min_size=1, max_size=8))
def test_round_trip_keeps_three_digits_and_is_a_projection(name, numbers):
    made, numbers = Encoding(name), np.array([numbers])
    tokens = made.write(numbers)
    back = made.read(tokens)
    assert tokens.min() > START
    assert tokens.max() < made.vocabulary
    assert np.all(np.abs(back - numbers) <= 0.005 * (1 + 1e-9) * np.abs(numbers))
    assert np.array_equal(made.write(back), tokens)


@given(numbers=st.lists(NUMBERS, min_size=1, max_size=8))
def test_all_published_encodings_read_back_the_same_number(numbers):
    read = [Encoding(name).read(Encoding(name).write(np.array([numbers]))) for name in SCIENTIFIC]
    assert all(np.array_equal(read[0], other) for other in read[1:])


@given(number=st.floats(1e-100, 1e100))
def test_rounding_agrees_with_decimal_formatting(number):
    """Away from ties; Python prints correctly rounded decimals."""
    mantissa, exponent = scientific(np.array([number]))
    text = f"{number:.2e}"
    if f"{number:.14e}"[4:].startswith(("5000000000", "4999999999")):
        return
    assert (mantissa[0], exponent[0]) == (int(text[0] + text[2:4]), int(text.split("e")[1]) - 2)


@given(places=st.lists(st.integers(-100, 100), min_size=3, max_size=3))
def test_grid_round_trip_is_exact(places):
    made = encoding("grid")
    matrices = np.array(places)[[0, 1, 1, 2]].reshape(1, 2, 2) * 0.1
    tokens = made.write_matrices(matrices)
    assert tokens.tolist() == [[place + 101 for place in places]]
    assert np.array_equal(made.values()[tokens], made.read(tokens))


def test_range_of_fp15_ends_in_zero_and_nan():
    made = Encoding("FP15")
    back = made.read(made.write(np.array([[1e-8, -1e-8, 9.99e8, -9.99e8, 1e9, -1e-7]])))
    assert np.array_equal(back, [[0, 0, 9.99e8, -9.99e8, np.nan, -1e-7]], equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
def test_malformed_answers_are_nan_and_extra_tokens_ignored(name):
    made = encoding(name)
    tokens = made.write_vectors(np.array([[3.1, -2.0]]))[0].astype(int)
    length = len(tokens)
    assert np.array_equal(made.read_vectors(np.append(tokens, [START, 7]), 2), [3.1, -2.0])
    assert np.isnan(made.read_vectors(tokens[:-1], 2)).all()
    for place in range(length):
        broken = tokens.copy()
        broken[place] = START
        assert np.isnan(made.read_vectors(broken, 2)).all(), place
    if name in ("P10", "P1000"):
        assert np.isnan(made.read_vectors(np.delete(np.append(tokens, tokens[-1]), 2), 2)).all()  # no sign


@pytest.mark.parametrize(("bad", "message"), [(np.nan, "finite"), (np.inf, "finite"), (1e104, "1e103")])
def test_numbers_that_cannot_be_written_are_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        Encoding("P1000").write(np.array([bad]))
    with pytest.raises(ValueError, match=r"from -10 to 10|finite"):
        encoding("grid").write(np.array([bad]))


def test_distance_is_relative_l1_and_the_tolerance_strict():
    target = np.array([[100.0, -100.0]])
    assert distance(np.array([[102.0, -102.0]]), target)[0] == pytest.approx(0.02)
    assert not correct(np.array([0.02]), 0.02)[0]
    assert correct(np.array([np.nextafter(0.02, 0)]), 0.02)[0]
    assert not correct(distance(np.array([[np.nan, 1.0]]), target), 0.5)[0]
    assert distance(np.zeros((2, 2)) + [[0.0], [1.0]], np.zeros((2, 2))).tolist() == [0.0, np.inf]


@pytest.mark.parametrize("entries", ["uniform", "gaussian"])
def test_matrices_are_symmetric_seeded_and_have_the_stated_variance(entries):
    ensemble = Ensemble(5, entries, 10.0)
    made = splits(ensemble, {"a": 4000, "b": 10}, (1, 2))
    again = splits(ensemble, {"a": 4000, "b": 10}, (1, 2))
    assert np.array_equal(made["a"], made["a"].swapaxes(1, 2))
    assert np.array_equal(made["a"], again["a"])
    assert not np.array_equal(made["a"], splits(ensemble, {"a": 4000}, (1, 3))["a"])
    upper = made["a"][:, *np.triu_indices(5)]
    assert upper.var() == pytest.approx(100 / 3, rel=0.05)  # 60,000 entries: nine standard errors
    assert (np.abs(upper).max() > 10) == (entries == "gaussian")


def test_eigenvalues_descend_and_solve_the_characteristic_equation():
    matrices = splits(Ensemble(5, "uniform", 10.0), {"a": 50}, (3,))["a"]
    values = eigenvalues(matrices)
    assert np.all(np.diff(values, axis=1) <= 0)
    determinants = np.linalg.det(matrices[:, None] - values[..., None, None] * np.eye(5))
    assert np.abs(determinants).max() < 1e-6


def test_matrices_of_a_grid_never_repeat():
    made = splits(Ensemble(2, "uniform", 2.0, 1.0), {"a": 30, "b": 20}, (4,))
    rows = {tuple(matrix.ravel()) for part in made.values() for matrix in part}
    assert len(rows) == 50
    with pytest.raises(ValueError, match=r"63 different matrices wanted, at most 62 are taken"):
        splits(Ensemble(2, "uniform", 2.0, 1.0), {"a": 63}, (4,))
