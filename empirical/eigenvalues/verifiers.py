"""Verifiers and what is selected by them: which answers are kept (data), or which answer of a beam (label)."""

import numpy as np

from theory.errors import InputError


def noisy(correct: np.ndarray, phi: float, psi: float, rng: np.random.Generator) -> np.ndarray:
    """Keep mask of a verifier that keeps a correct answer with probability phi and a wrong one with psi.

    phi = 1, psi = 0 is the oracle; phi = psi = 1 keeps everything. From the same ``rng`` state masks are nested: a
    verifier with larger rates keeps all that one with smaller rates keeps. Raises ValueError for rates outside [0, 1].
    """
    for name, rate in (("phi", phi), ("psi", psi)):
        if not 0 <= rate <= 1:
            raise InputError(f"{name} = {rate} must lie in [0, 1]; it is a probability of being kept")
    return rng.random(len(correct)) < np.where(correct, phi, psi)


def closest(distances: np.ndarray) -> np.ndarray:
    """Index (count,) of the answer nearest to the truth among beams (count, beams): the oracle's label selection.

    The more likely answer of equals; the most likely where all are malformed.
    """
    return distances.argmin(1)


def most_likely(scores: np.ndarray) -> np.ndarray:
    """Index (count,) of the answer that the model itself holds for most likely."""
    return scores.argmax(1)
