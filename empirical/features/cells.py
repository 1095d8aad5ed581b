"""Kept samples by true class and label: their shares of what is generated, in the order of `theory.laws.kept.TRUE`."""

import numpy as np
from numpy.typing import NDArray

from theory.laws.kept import generated_shares
from theory.threshold import marginal
from theory.types import ClassRates, Rates

Numbers = NDArray[np.float64]


def by_class(rates: Rates, prior: float) -> ClassRates:
    """Rates that are numbers, or pairs for y = -1, +1, with P(y = +1)."""
    p, phi, psi = (np.broadcast_to(np.asarray(rate, float), 2) for rate in rates)
    return ClassRates(p, phi, psi, np.array([1 - prior, prior]))


def joint(rates: Rates, prior: float) -> Numbers:
    """P(y = k, y' = l, kept) of the four kinds."""
    return np.asarray(generated_shares(by_class(rates, prior)))


def error_rate(rates: Rates, prior: float) -> float:
    """P(y' != y) over both classes: what the generator errs on."""
    return float(marginal(by_class(rates, prior)).p)
