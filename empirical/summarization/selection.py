"""What a verifier keeps: the best share by its scores."""

import hashlib
from collections.abc import Sequence

import numpy as np


def ranking(ids: Sequence[str], scores: np.ndarray) -> np.ndarray:
    """Indices from the best score down; equal scores stand in the order of a hash of their ids, NaN is left out."""
    ties = np.array([_uniform("tie", name) for name in ids])
    order = np.lexsort((ties, -scores))
    return order[np.isfinite(scores[order])]


def kept(ids: Sequence[str], scores: np.ndarray, rate: float) -> np.ndarray:
    """Flags of the best round(rate x all), or of all that have a score where they are fewer.

    What is kept at a rate is kept at every higher one.
    """
    flags = np.zeros(len(ids), bool)
    flags[ranking(ids, scores)[: int(rate * len(ids) + 0.5)]] = True
    return flags


def chance(ids: Sequence[str], seed: Sequence[int]) -> np.ndarray:
    """Scores that know nothing: uniform in [0, 1), a function of seed and id alone."""
    return np.array([_uniform(str(list(seed)), name) for name in ids])


def _uniform(salt: str, name: str) -> float:
    return int.from_bytes(hashlib.sha256(f"{salt}:{name}".encode()).digest()[:7]) / 2**56
