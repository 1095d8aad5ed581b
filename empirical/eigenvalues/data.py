"""Random symmetric matrices and their eigenvalues."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from empirical.seeds import stream
from theory.errors import InputError

Entries = Literal["uniform", "gaussian"]


class Ensemble(NamedTuple):
    """Where matrices come from."""

    size: int
    """n of n x n."""
    entries: Entries
    """uniform on [-bound, bound], or Gaussian of the same variance bound^2/3."""
    bound: float
    step: float | None = None
    """Spacing of the grid that uniform entries lie on; None for real numbers."""


def splits(ensemble: Ensemble, counts: Mapping[str, int], seed: Sequence[int]) -> dict[str, np.ndarray]:
    """Disjoint sets of matrices, {name: (count, n, n)}, from one stream of random numbers.

    On a grid no matrix occurs twice, within or across the sets; real entries do not repeat anyway.
    Raises ValueError where the grid holds too few matrices.
    """
    total = sum(counts.values())
    rng = stream(seed)
    triangles = _triangles(ensemble, total, rng) if ensemble.step is None else _distinct(ensemble, total, rng)
    ends = np.cumsum(list(counts.values()))
    parts = np.split(_mirror(triangles, ensemble.size), ends[:-1])
    return dict(zip(counts, parts, strict=True))


def eigenvalues(matrices: np.ndarray) -> np.ndarray:
    """Eigenvalues (count, n) of symmetric matrices (count, n, n), in descending order."""
    return np.linalg.eigvalsh(matrices)[:, ::-1]


def _triangles(ensemble: Ensemble, count: int, rng: np.random.Generator) -> np.ndarray:
    """Upper triangles (count, n(n+1)/2), row by row."""
    shape = (count, ensemble.size * (ensemble.size + 1) // 2)
    if ensemble.step is not None:
        half = grid_half(ensemble.bound, ensemble.step)
        return rng.integers(-half, half, shape, endpoint=True) * ensemble.step
    if ensemble.entries == "uniform":
        return rng.uniform(-ensemble.bound, ensemble.bound, shape)
    return rng.normal(0.0, ensemble.bound / np.sqrt(3), shape)


def _distinct(ensemble: Ensemble, count: int, rng: np.random.Generator) -> np.ndarray:
    """Triangles on the grid, in the order drawn, each once."""
    if count > room(ensemble):
        raise InputError(f"{count} different matrices wanted, at most {room(ensemble):.0f} are taken from this grid")
    found = np.empty((0, ensemble.size * (ensemble.size + 1) // 2))
    while len(found) < count:
        found = np.concatenate([found, _triangles(ensemble, count - len(found), rng)])
        _, first = np.unique(found, axis=0, return_index=True)
        found = found[np.sort(first)]
    return found


def room(ensemble: Ensemble) -> float:
    """How many different matrices may be drawn: half of those on the grid, inf without a grid."""
    if ensemble.step is None:
        return np.inf
    return ((2 * grid_half(ensemble.bound, ensemble.step) + 1) ** (ensemble.size * (ensemble.size + 1) // 2)) // 2


def _mirror(triangles: np.ndarray, size: int) -> np.ndarray:
    rows, columns = np.triu_indices(size)
    matrices = np.empty((len(triangles), size, size))
    matrices[:, rows, columns] = matrices[:, columns, rows] = triangles
    return matrices


def grid_half(reach: float, step: float) -> int:
    """Steps from zero to the end of a grid that covers [-reach, reach]."""
    return int(np.ceil(reach / step - 1e-9))
