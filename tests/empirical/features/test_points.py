"""What is refused before anything is computed, and what is understood."""

import numpy as np
import pandas as pd
import pytest

from empirical.features.points import odd_columns, points
from theory.errors import InputError

X = np.random.default_rng(0).normal(size=(40, 3))
Y = np.arange(40) % 2


def spoiled(row, column, value):
    x = X.copy()
    x[row, column] = value
    return x


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (X[:, 0], Y, r"X has shape \(40,\).*\(N, d\)"),
        (X[:, :0], Y, r"X has shape \(40, 0\)"),
        (X.astype(str), Y, "X holds entries that are not real numbers"),
        (X + 1j, Y, "not real numbers"),
        (spoiled(7, 2, np.nan), Y, r"X\[7, 2\] is nan; leave those rows out"),
        (spoiled(0, 0, np.inf), Y, r"X\[0, 0\] is inf"),
        (X, Y[:39], "X has 40 rows, y 39 labels"),
        (np.full((40, 3), np.inf), Y, r"X\[0, 0\] is inf, and 120 entries in all are not finite; leave"),
        (X.T, Y, r"X has 3 rows, y 40 labels; give one label per row; transposed\? X has 40 columns, give X.T"),
        (X, np.arange(40) < 1, "y has 1 label of one kind"),
        (X, np.zeros((40, 2)), r"y has shape \(40, 2\)"),
        (X, np.zeros(40), r"y has 1 kind of labels \(0.0\).*needs two"),
        (X, np.arange(40) % 5, r"y has 5 kinds of labels \(0, 1, 2, 3, \.\.\.\)"),
        (X, np.arange(40) < 3, "y has 3 labels of one kind; 10 of each"),
        (X, np.where(Y > 0, 1.0, np.nan), r"y\[0\] is NaN"),
        (X, np.array([None, "a"] * 20, object), "labels that are missing"),
        (np.ones((40, 3)), Y, "does not vary within the classes"),
    ],
)
def test_refusals(x, y, said):
    with pytest.raises(InputError, match=said):
        points(x, y)


def test_columns_that_are_no_features():
    """An id, and one in other units; named where the names are known. Features alone say nothing."""
    assert odd_columns(X) == ()
    table = pd.DataFrame(X, columns=list("abc")).assign(id=np.arange(40), big=1e4 * X[:, 0])
    first, second = odd_columns(table)
    assert first.startswith("column 'id' numbers the rows, as an id does")
    assert second.startswith("column 'big' dwarfs the others")
    assert odd_columns(np.c_[X, -np.arange(40)])[0].startswith("column 3 numbers the rows")


@pytest.mark.parametrize("y", [Y, Y.astype(bool), np.where(Y, "b", "a"), Y[:, None], Y.astype(object), 2.0 * Y - 1])
def test_labels_of_any_kind(y):
    """The larger is y = +1."""
    found = points(X.astype(np.float32), y)
    np.testing.assert_array_equal(found.positive, Y == 1)
    assert found.x.dtype == np.float64
    assert found.prior == 0.5
    assert str(found.classes[0]) < str(found.classes[1]) or found.classes == (-1.0, 1.0)
