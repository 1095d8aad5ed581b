"""Nine real splits of small data sets into two classes, as scikit-learn ships them: nothing is downloaded."""

from collections.abc import Callable
from typing import Any

import numpy as np

from theory.errors import RunError

Split = tuple[np.ndarray, np.ndarray]
"""X (N, d) and y (N,), booleans."""


def load(name: str) -> Split:
    """One of `NAMES`. Raises RunError without scikit-learn."""
    return _SPLITS[name](shipped())


def shipped() -> Any:
    """The data sets of scikit-learn. Raises RunError without it."""
    try:
        import sklearn.datasets as sets
    except ModuleNotFoundError:
        raise RunError(
            "scikit-learn, which ships the data, is not installed; this study needs the extra: "
            "pip install -e '.[features]'"
        ) from None
    return sets


def _digits(which: Callable[[np.ndarray], np.ndarray], only: tuple[int, ...] = ()) -> Callable[[Any], Split]:
    """8 x 8 pixels of handwritten digits, 0 to 16; all ten digits, or two of them."""

    def make(sets: Any) -> Split:
        x, y = sets.load_digits(return_X_y=True)
        rows = np.isin(y, only) if only else np.ones(len(y), bool)
        return x[rows], which(y[rows])

    return make


def _standard(x: np.ndarray) -> np.ndarray:
    """Columns in units of their standard deviation, where they measure unlike things."""
    return (x - x.mean(0)) / x.std(0)


def _cancer(sets: Any) -> Split:
    x, y = sets.load_breast_cancer(return_X_y=True)
    return _standard(x), y == 1


def _diabetes(sets: Any) -> Split:
    x, y = sets.load_diabetes(return_X_y=True)
    return x, y > np.median(y)


def _wine(sets: Any) -> Split:
    x, y = sets.load_wine(return_X_y=True)
    return _standard(x), y == 1


def _iris(sets: Any) -> Split:
    x, y = sets.load_iris(return_X_y=True)
    return x[y > 0], y[y > 0] == 2


_SPLITS: dict[str, Callable[[Any], Split]] = {
    "digits: even": _digits(lambda y: y % 2 == 0),
    "digits: < 5": _digits(lambda y: y < 5),
    "digits: 8 or not": _digits(lambda y: y == 8),
    "digits: 3 or 8": _digits(lambda y: y == 8, (3, 8)),
    "digits: 4 or 9": _digits(lambda y: y == 9, (4, 9)),
    "cancer: benign": _cancer,
    "diabetes: > median": _diabetes,
    "wine: 1 or not": _wine,
    "iris: 1 or 2": _iris,
}
NAMES = tuple(_SPLITS)
