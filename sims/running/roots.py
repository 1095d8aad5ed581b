"""Roots of many functions at once, bracketed. As SciPy's, which takes longer to import than most of our audits."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
MOST_STEPS = 200


def find_roots(
    function: Callable[[Numbers, NDArray[np.intp]], Numbers], low: Numbers, high: Numbers, tolerance: float = 1e-12
) -> Numbers:
    """Where functions change sign, by Chandrupatla's method: inverse quadratic steps where they are safe, else halves.

    Args:
        function: of places (k,) and the numbers (k,) of the functions that they belong to, 0 to n - 1.
        low, high: brackets, (n,), finite. tolerance: how far apart the ends of a bracket are when it is done.

    Returns:
        (n,); NaN where the ends have the same sign, or a function is NaN. At a jump: the place of the jump.

    Source: chandrupatla1997new.
    """
    index = np.arange(low.size)
    found = np.full(low.size, np.nan)
    x1, x2 = low.astype(np.float64), high.astype(np.float64)
    f1, f2 = function(x1, index), function(x2, index)
    for place, value in ((x1, f1), (x2, f2)):
        found = np.where(value == 0, place, found)
    some = np.sign(f1) * np.sign(f2) < 0
    index, x1, x2, f1, f2 = index[some], x1[some], x2[some], f1[some], f2[some]
    part = np.full(index.size, 0.5)
    for _ in range(MOST_STEPS):
        if not index.size:
            break
        x = x1 + part * (x2 - x1)
        f = function(x, index)
        same = np.sign(f) == np.sign(f1)
        x3, f3 = np.where(same, x1, x2), np.where(same, f1, f2)
        x2, f2 = np.where(same, x2, x1), np.where(same, f2, f1)
        x1, f1 = x, f
        nearer = np.where(np.abs(f1) < np.abs(f2), x1, x2)
        wide = np.abs(x2 - x1)
        done = (wide < tolerance) | (f1 == 0) | np.isnan(f1)
        found[index[done]] = np.where(np.isnan(f1), np.nan, nearer)[done]
        index, x1, x2, x3, f1, f2, f3, wide = (a[~done] for a in (index, x1, x2, x3, f1, f2, f3, wide))
        with np.errstate(all="ignore"):
            place, rise, scale = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2), (x3 - x1) / (x2 - x1)
            safe = (1 - np.sqrt(1 - place) < rise) & (rise < np.sqrt(place))
            quick = f1 / (f1 - f2) * f3 / (f3 - f2) - scale * f1 / (f3 - f1) * f2 / (f2 - f3)
        least = 0.5 * tolerance / wide
        part = np.clip(np.where(safe, quick, 0.5), least, 1 - least)
    return found
