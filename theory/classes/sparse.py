"""Expectations of smooth functions of many normal variables: Smolyak's sparse grid of Gauss-Hermite rules.

Source: gerstner1998numerical.
"""

from collections.abc import Iterator
from functools import cache
from math import comb

import numpy as np

MOST = 40_000
"""Points of the largest grid that is used."""


@cache
def grids(dimensions: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Points (points, dimensions) and weights, of the finest grid of MOST points and of the next coarser one."""
    found = [_grid(dimensions, level) for level in (1, 2)]
    for level in range(3, 9):
        if len(found[-1][1]) * (dimensions + 1) > 4 * MOST:  # a level more has so many times the points, or more
            break
        finer = _grid(dimensions, level)
        if len(finer[1]) > MOST:
            break
        found.append(finer)
    return found[-1], found[-2]


def _grid(dimensions: int, level: int) -> tuple[np.ndarray, np.ndarray]:
    """Exact for polynomials of total degree 2 level + 1, of N(0, I): combinations of products of small rules.

    sum_(L - d < |l| <= L) (-1)^(L - |l|) C(d - 1, L - |l|)  Q_l1 x ... x Q_ld,   Q_l of 2 l + 1 points
    """
    rules = []
    for size in range(level + 1):
        nodes, mass = np.polynomial.hermite_e.hermegauss(2 * size + 1)
        rules.append((np.round(nodes, 13), mass / mass.sum()))
    points, weights = [], []
    for total in range(max(0, level - dimensions + 1), level + 1):
        sign = (-1) ** (level - total) * comb(dimensions - 1, level - total)
        for sizes in _compositions(total, dimensions):
            axes = np.meshgrid(*(rules[size][0] for size in sizes), indexing="ij")
            product = np.prod(np.meshgrid(*(rules[size][1] for size in sizes), indexing="ij"), axis=0)
            points.append(np.stack([axis.ravel() for axis in axes], 1))
            weights.append(sign * product.ravel())
    distinct, place = np.unique(np.concatenate(points), axis=0, return_inverse=True)
    return distinct, np.bincount(place.ravel(), np.concatenate(weights))


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """All ways to write a number as an ordered sum."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield first, *rest
