"""Embeddings and their labels, checked: `points`, and `estimate`, what they show of the four functions."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory import estimated
from theory.errors import InputError
from theory.estimated import Estimated

DWARFS = 1000.0
"""Standard deviation, in units of the median one, from which on a column is named."""
SHOWN = 3
"""Columns that are named at most."""
LEAST = 10
"""Points of each class, below which nothing is said."""


class Points(NamedTuple):
    """N points of two classes."""

    x: NDArray[np.float64]
    """(N, d)."""
    positive: NDArray[np.bool_]
    """(N,), True for the second of the two classes."""
    classes: tuple[Any, Any]
    """What y calls them, y = -1 first."""

    @property
    def prior(self) -> float:
        """P(y = +1), as counted."""
        return float(self.positive.mean())


def points(X: ArrayLike, y: ArrayLike) -> Points:
    """Points from features X (N, d) and labels y (N,) of two kinds, the smaller of which is the class y = -1.

    Raises:
        ValueError: other shapes, numbers that are not finite, labels of one or three kinds, fewer than 10 of one kind,
            features that do not vary within classes.
    """
    x, labels = _features(X), _labels(y)
    if len(labels) != len(x):
        turned = f"; transposed? X has {len(labels)} columns, give X.T" if x.shape[1] == len(labels) else ""
        raise InputError(f"X has {many(len(x), 'row')}, y {many(len(labels), 'label')}; give one label per row{turned}")
    classes, which = np.unique(labels, return_inverse=True)
    if len(classes) != 2:
        shown = ", ".join(map(str, classes[:4].tolist())) + (", ..." if len(classes) > 4 else "")
        raise InputError(
            f"y has {many(len(classes), 'kind')} of labels ({shown}); a probe needs two: merge, or leave some out"
        )
    fewest = int(np.bincount(which).min())
    if fewest < LEAST:
        raise InputError(
            f"y has {many(fewest, 'label')} of one kind; {LEAST} of each are needed at least, hundreds are better"
        )
    positive = which == 1
    if not np.any(estimated.scatter(x, positive)[0]):
        raise InputError("X does not vary within the classes; give features before they are rounded to the class")
    first, second = classes.tolist()
    return Points(x, positive, (first, second))


def odd_columns(X: ArrayLike) -> tuple[str, ...]:
    """What to say of columns that look like no features: those that number the rows, or dwarf the other columns."""
    x = np.asarray(X, float)
    names = getattr(X, "columns", range(x.shape[1]))
    spread = x.std(0)
    steps = np.diff(x, axis=0)
    counts = np.all(x % 1 == 0, axis=0) & (np.all(steps > 0, axis=0) | np.all(steps < 0, axis=0))
    dwarfs = spread > DWARFS * np.median(spread)
    advice = "leave it out if it is no feature"
    return tuple(
        f"column {name!r} numbers the rows, as an id does; {advice}."
        if counts[place]
        else f"column {name!r} dwarfs the others: its standard deviation is {spread[place]:.3g}, their median "
        f"{np.median(spread):.3g}; {advice}, or scale it."
        for place, name in enumerate(names)
        if counts[place] or dwarfs[place]
    )[:SHOWN]


def many(number: int, word: str) -> str:
    """A number of things, in the singular where it is one."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _not_finite(count: int) -> str:
    return "" if count == 1 else f", and {count:,} entries in all are not finite"


def estimate(X: ArrayLike, y: ArrayLike) -> Estimated:
    """What N labelled points show of the features: an object whose ``at(k)`` gives A, B, d1, d2 without bias.

    Args:
        X: embeddings, (N, d); N < d will do.
        y: labels of two kinds, (N,).

    Raises:
        ValueError: see `points`.
    """
    return of_points(points(X, y))


def of_points(given: Points) -> Estimated:
    """`estimate` of points that are checked."""
    return estimated.estimate(given.x, given.positive)


def _features(X: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(X)
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"X has shape {array.shape}; it must be (N, d), a row of d numbers per point")
    if array.dtype.kind not in "fiub":
        raise InputError(f"X holds entries that are not real numbers (dtype {array.dtype}); give an array of floats")
    x = array.astype(np.float64)
    bad = ~np.isfinite(x)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise InputError(
            f"X[{row}, {column}] is {x[row, column]}{_not_finite(int(bad.sum()))}; "
            "leave those rows out, or fill them in"
        )
    return x


def _labels(y: ArrayLike) -> NDArray[Any]:
    array = np.asarray(y)
    if array.ndim == 2 and 1 in array.shape:
        array = array.ravel()
    if array.ndim != 1:
        raise InputError(f"y has shape {array.shape}; it must be (N,), a label per row of X")
    if array.dtype == object:
        kinds = {str(entry) for entry in array if entry is None or entry != entry}
        if kinds:
            raise InputError("y has labels that are missing; leave those rows out")
        array = array.astype(str)
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise InputError(f"y[{int(np.argmax(np.isnan(array)))}] is NaN; leave rows without a label out")
    return array
