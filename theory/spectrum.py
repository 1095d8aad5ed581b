"""What equations see of the features: four functions of an effective penalty (THEORY §21).

    A(k) = sum mu^2/(s+k),  B(k) = sum mu^2 s/(s+k)^2,  d1(k) = sum f s/(s+k),  d2(k) = sum f s^2/(s+k)^2

Whatever gives them serves: levels of a spectrum, the eigenvalues of a matrix, estimates from data (`Features`).
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from theory.arrays import Array, Shared, of
from theory.types import Spectrum


class Moments(NamedTuple):
    """The four functions at some k, each of the shape of k."""

    a: Array
    """A = mu^T (Sigma + k)^-1 mu."""
    b: Array
    """B = mu^T (Sigma + k)^-1 Sigma (Sigma + k)^-1 mu = A + k A'."""
    d1: Array
    """tr Sigma (Sigma + k)^-1 per dimension."""
    d2: Array
    """tr Sigma^2 (Sigma + k)^-2 per dimension = d1 + k d1'."""


class Features(Shared, ABC):
    """Whatever gives the four functions, in the place of a `Spectrum`; all cells share it. A subclass says how."""

    largest: float
    """An eigenvalue of Sigma that no other exceeds by much: beyond it, penalties are large."""

    @abstractmethod
    def at(self, k: np.ndarray) -> Moments:
        """The four functions at k >= 0 of shape (cells,): fields of that shape."""


def at(features: Spectrum | Features, k: Array) -> Moments:
    """The four functions at k of shape (...): fields (...). A spectrum has its levels on a last axis, (..., J)."""
    if isinstance(features, Features):
        return features.at(k)
    xp = of(features, k)
    s, f, signal = features
    damped = s + k[..., None]
    damped = xp.where(damped > 0, damped, 1.0)  # s = k = 0: nothing varies there, and nothing is learned
    part, pull = s / damped, signal / damped
    total = lambda values: xp.sum(values, -1)
    return Moments(total(pull), total(pull * part), total(f * part), total(f * part**2))


def largest(features: Spectrum | Features) -> Array:
    """The largest eigenvalue, of shape (...)."""
    return features.largest if isinstance(features, Features) else of(features).max(features.eigenvalues, -1)
