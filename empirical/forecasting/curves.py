"""Learning curves on a grid of sizes, one per draw: read at any n, and read backwards."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from empirical.forecasting.pilot import Numbers

FINENESS, BELOW, ABOVE = 8, 256.0, 1024.0
"""Points of the grid per doubling; how far it reaches below the smallest size and above the largest, as a factor."""


def grid(smallest: float, largest: float) -> Numbers:
    """log n, evenly spaced."""
    low, high = np.log(smallest / BELOW), np.log(largest * ABOVE)
    return np.linspace(low, high, int(np.ceil((high - low) / np.log(2) * FINENESS)) + 1)


@dataclass(frozen=True)
class Curves:
    """One curve per draw, the last of them through the means themselves."""

    name: str
    log_n: Numbers
    """(points,), evenly spaced."""
    accuracy: Numbers
    """(draws + 1, points)."""
    chance: float
    """Accuracy of a guess, where nothing is learned from: 1/K."""

    def at(self, n: Numbers, which: NDArray[np.intp]) -> Numbers:
        """Accuracy of curves ``which`` at n >= 0, arrays of one shape; straight to a guess at 0 below the grid."""
        count = len(self.log_n)
        with np.errstate(divide="ignore", invalid="ignore"):
            place = (np.log(n) - self.log_n[0]) / (self.log_n[1] - self.log_n[0])
        clipped = np.clip(np.nan_to_num(place, nan=0.0, neginf=0.0, posinf=count), 0, count - 1 - 1e-9)
        left = clipped.astype(int)
        low, high = self.accuracy[which, left], self.accuracy[which, left + 1]
        inside = low + (clipped - left) * (high - low)
        share = np.minimum(n / np.exp(self.log_n[0]), 1.0)
        return np.where(np.isnan(n), np.nan, np.where(place < 0, self.chance + share * (low - self.chance), inside))

    def reaches(self, accuracy: Numbers, which: NDArray[np.intp]) -> Numbers:
        """The n from which on a curve stays above an accuracy; inf where it never does, 0 where it always does."""
        count = len(self.log_n)
        low, high = np.zeros(np.shape(accuracy), int), np.full(np.shape(accuracy), count)
        for _ in range(int(np.ceil(np.log2(count + 1))) + 1):  # first place of the rising envelope that is above
            middle = (low + high) // 2
            above = self._rising[which, np.minimum(middle, count - 1)] > accuracy
            low, high = np.where(above | (low >= high), low, middle + 1), np.where(above & (low < high), middle, high)
        before = np.clip(low - 1, 0, count - 2)
        step = self._rising[which, before + 1] - self._rising[which, before]
        share = (accuracy - self._rising[which, before]) / np.where(step > 0, step, 1.0)
        place = self.log_n[before] + np.clip(share, 0, 1) * (self.log_n[1] - self.log_n[0])
        return np.where(low >= count, np.inf, np.where(low == 0, 0.0, np.exp(place)))

    @property
    def _rising(self) -> Numbers:
        """The least that a curve is from each n on."""
        found = self.__dict__.get("_envelope")
        if found is None:
            found = np.minimum.accumulate(self.accuracy[:, ::-1], axis=1)[:, ::-1]
            self.__dict__["_envelope"] = found
        return found
