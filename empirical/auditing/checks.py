"""Refusals of what cannot be audited: each names the argument, the first record (from 1) and the remedy."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.columns import MOST_COUNTED
from theory.decimals import widened
from theory.errors import InputError

HIGHEST_LEVEL = 0.9999
"""Of 10,000 draws of a bootstrap the most that can be said."""


def vector(name: str, values: ArrayLike) -> NDArray[Any]:
    """``values`` as a vector. Raises ValueError for any other shape."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError(f"{name} has shape {array.shape}; it must be (n,), one entry per record")
    return array


def flags(name: str, values: ArrayLike) -> NDArray[np.bool_]:
    """Booleans from booleans, or from numbers that are all 0 or 1. Raises ValueError otherwise."""
    array = vector(name, values)
    if array.dtype == bool or array.size == 0:
        return array.astype(bool)
    number = _numbers(name, array, "give booleans, or 0 and 1")
    _refuse(name, array, (number != 0) & (number != 1), "neither 0 nor 1; decide what it is, or leave it out knowingly")
    return number == 1


def judgements(name: str, values: ArrayLike) -> NDArray[np.int8]:
    """0 where nobody judged (None, NaN), 1 wrong, 2 correct. Raises ValueError for anything but 0, 1 and missing."""
    array = vector(name, values)
    if array.dtype == bool:
        return 1 + array.astype(np.int8)
    unknown = np.zeros(array.size, bool)
    if array.dtype == object:
        unknown = np.array([_missing(value) for value in array], bool)
    elif array.dtype.kind == "f":
        unknown = np.isnan(array)
    found = np.zeros(array.size, np.int8)
    some = np.where(unknown, False, array) if unknown.any() else array  # in place, so that a refusal says where
    found[~unknown] = 1 + flags(name, some)[~unknown]
    return found


def graded(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Numbers in [0, 1]. Raises ValueError otherwise."""
    number = _numbers(name, vector(name, values), "give a quality in [0, 1]")
    _refuse(name, number, ~((number >= 0) & (number <= 1)), "outside [0, 1]; divide per cents by 100")
    return number


def finite(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Finite numbers. Raises ValueError otherwise."""
    number = _numbers(name, vector(name, values), "give the verifier's score as a number")
    _refuse(name, number, ~np.isfinite(number), "not a finite number; every record needs a score")
    return number


def labels(values: ArrayLike, size: int, name: str = "classes") -> NDArray[Any]:
    """Class labels, one per record, none missing. Raises ValueError otherwise."""
    array = vector(name, values)
    if array.size != size:
        raise InputError(f"{name} has {array.size} entries for {size} records; give one entry per record")
    missing = [_missing(value) for value in array] if array.dtype == object else array != array
    _refuse(name, array, np.asarray(missing, bool), "missing; name it, or leave the record out knowingly")
    return array


def _missing(value: object) -> bool:
    """Whether an entry of an object array stands for nothing: None, NaN, pandas' NA and NaT."""
    try:
        return value is None or not bool(value == value)
    except TypeError:  # of pandas' NA, which is neither true nor false
        return True


def check_level(level: float) -> None:
    """Raise ValueError unless 0 < level <= 0.9999."""
    if not isinstance(level, (int, float)) or not 0 < level <= HIGHEST_LEVEL:
        raise InputError(f"level = {level} is outside (0, {HIGHEST_LEVEL}]; 0.95 is usual")


def check_seed(seed: int) -> None:
    """Raise ValueError unless a whole number of 0 or more."""
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed = {seed} must be a whole number of 0 or more; any one will do")


def check_classes(n_classes: int | None) -> int | None:
    """The number of classes. Raises ValueError unless a whole number from 2 to 10^9, or None."""
    if n_classes is None:
        return None
    if not 2 <= n_classes <= MOST_COUNTED or n_classes % 1 != 0:
        shown = f"{n_classes}"[:20]
        raise InputError(f"n_classes = {shown} must be a whole number from 2 to {MOST_COUNTED:,}; K counts the classes")
    return int(n_classes)


def _numbers(name: str, array: NDArray[Any], remedy: str) -> NDArray[np.float64]:
    try:
        return widened(array)
    except (TypeError, ValueError):
        raise InputError(f"{name} holds entries that are not numbers (dtype {array.dtype}); {remedy}") from None


def _refuse(name: str, array: NDArray[Any], bad: NDArray[np.bool_], why: str) -> None:
    if bad.any():
        first = int(np.argmax(bad))
        raise InputError(f"{name}: record {first + 1} is {array[first]!s}, {why}")
