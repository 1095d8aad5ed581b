"""Estimates over all readings of a pilot and all draws of an audit: the value, and the ends of every reading."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from empirical.forecasting import DRAWS
from empirical.forecasting.evidence import Evidence
from empirical.forecasting.readings import Reading

LARGEST = 1e300
Measured = Callable[[Reading, Any, Any, Any, Any], Any]
"""Of a reading, p, phi, psi and which curve goes with each."""


class Range(NamedTuple):
    """Values of the ways to take learned errors, from the least to the most; and the ends of all intervals."""

    least: float
    most: float
    low: float
    high: float


class Judge(NamedTuple):
    """What is asked of readings."""

    known: Evidence
    level: float
    readings: Sequence[Reading]

    def measure(self, function: Measured, kinds: Sequence[str] = ()) -> Range:
        """Over readings of these ``kinds``, all if none are named.

        The value of a kind is the median of its families at the estimates.
        """
        groups: dict[Any, list[float]] = {}
        intervals = []
        p, phi, psi = map(np.asarray, self.known.rates)
        for reading in self.readings:
            if not kinds or reading.kind in kinds:
                value = float(function(reading, p, phi, psi, np.asarray(DRAWS)))
                groups.setdefault((reading.kind, self._steepness(reading)), []).append(value)
                intervals.append(self.known.resampled.interval(partial(_drawn, function, reading), self.level))
        values = [float(np.median(group)) for group in groups.values()]
        low, high = np.transpose(intervals)
        return Range(min(values), max(values), _endless(low.min()), _endless(high.max()))

    @staticmethod
    def _steepness(reading: Reading) -> Any:
        """Exponents that were assumed part kinds; fitted ones, each of its own family, do not."""
        return reading.exponent[0] if np.ptp(reading.exponent) == 0 else None


def _drawn(function: Measured, reading: Reading, p: Any, phi: Any, psi: Any) -> Any:
    """At draws of the rates, (draws,), each with a curve of its own."""
    if np.ndim(p) > 1:  # corners of the audit's draws: each goes with the same draws of the curve
        return np.stack([_drawn(function, reading, *rates) for rates in zip(p, phi, psi, strict=True)])
    found = function(reading, p, phi, psi, np.arange(len(p)) % DRAWS)
    return np.where(np.isinf(found), LARGEST, found)


def _endless(end: float) -> float:
    """An end among draws, of which those that were infinite are LARGEST: quantiles of an audit take finite ones."""
    return float(end) if end < LARGEST else float(np.inf)
