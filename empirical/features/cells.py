"""Kept samples by true class and label: their shares and their counts as chance has them (THEORY §27).

The four cells are in the order (y, y') = ++, --, +-, -+ throughout.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrik

from theory.types import Rates

Numbers = NDArray[np.float64]


def joint(rates: Rates, prior: float) -> Numbers:
    """P(y = k, y' = l, kept) of the four cells; rates are numbers, or pairs for y = -1, +1."""
    (p_minus, p_plus), (phi_minus, phi_plus), (psi_minus, psi_plus) = (
        np.broadcast_to(np.asarray(rate, float), 2) for rate in rates
    )
    right = prior * (1 - p_plus) * phi_plus, (1 - prior) * (1 - p_minus) * phi_minus
    return np.array([*right, prior * p_plus * psi_plus, (1 - prior) * p_minus * psi_minus])


def error_rate(rates: Rates, prior: float) -> float:
    """P(y' != y) over both classes: what the generator errs on."""
    minus, plus = np.broadcast_to(np.asarray(rates.p, float), 2)
    return float(prior * plus + (1 - prior) * minus)


def counts(n: int, cells: Numbers, draws: int) -> Numbers:
    """Counts of the four cells in n generated samples, (draws, 4): multinomial, at places of equal weight.

    m kept of n, of those the ones with label +, of each label the correct ones: binomial quantiles at points that fill
    the cube evenly, so that 64 do (.0005 in accuracy on seven curves), and that neighbouring problems share.
    """
    kept, plus, right_plus, right_minus = places(draws).T
    m = quantile(kept, np.full(draws, float(n)), cells.sum())
    up = cells[0] + cells[3]
    labelled = quantile(plus, m, up / cells.sum())
    first = quantile(right_plus, labelled, cells[0] / up if up else 0.0)
    down = cells[1] + cells[2]
    second = quantile(right_minus, m - labelled, cells[1] / down if down else 0.0)
    return np.stack([first, second, m - labelled - second, labelled - first], -1)


def places(count: int) -> Numbers:
    """Points that fill the cube of four dimensions evenly: halton1960efficiency, coordinates spread by their ranks."""
    index = np.arange(1, count + 1)
    return np.stack([(np.argsort(np.argsort(_mirrored(index, base))) + 0.5) / count for base in (2, 3, 5, 7)], -1)


def _mirrored(index: NDArray[np.int_], base: int) -> Numbers:
    """Digits of whole numbers, mirrored at the point."""
    found, unit = np.zeros(len(index)), 1.0
    while index.any():
        unit /= base
        found, index = found + unit * (index % base), index // base
    return found


def quantile(level: Numbers, total: Numbers, share: float) -> Numbers:
    """The least k with P(X <= k) >= level for X ~ Bin(total, share)."""
    if share <= 0 or share >= 1:
        return total * float(share >= 1)
    none = total == 0
    found = np.ceil(bdtrik(level, np.where(none, 1, total), share) - 1e-9)
    return np.where(none, 0.0, np.clip(np.nan_to_num(found), 0, total))
