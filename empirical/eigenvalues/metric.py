"""The distance of an answer from the truth, and when it counts as correct."""

import numpy as np


def distance(answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """d1 = sum |answer - target| / sum |target| over the last axis; inf for a malformed (NaN) answer.

    Targets of norm zero are met exactly (0) or missed (inf).
    """
    off = np.abs(answers - targets).sum(-1)
    norm = np.broadcast_to(np.abs(targets).sum(-1), off.shape)
    relative = np.divide(off, norm, out=np.where(off == 0, 0.0, np.inf), where=norm > 0)
    return np.where(np.isnan(relative), np.inf, relative)


def correct(distances: np.ndarray, tolerance: float) -> np.ndarray:
    """Whether d1 < tolerance, strictly."""
    return distances < tolerance
