"""The intervals that one would write first, for `interval_coverage`; arrays over repetitions."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from empirical.auditing.rates import Counts, rates
from empirical.auditing.resample import rates_of
from empirical.auditing.value import exact_worth, gain_of, unverified_worth, worth_of

Numbers = NDArray[np.float64]
Ends = tuple[Numbers, Numbers]
VERIFY = 0.3
"""Cost of verifying a sample, that of generating it being 1."""
STEP = 1e-6

worth, unverified, gain = worth_of(), unverified_worth(), gain_of()


def kept_rate(p: Any, phi: Any, psi: Any) -> Any:
    return (1 - p) * phi + p * psi


def purity(p: Any, phi: Any, psi: Any) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        return (1 - p) * phi / kept_rate(p, phi, psi)


def p_star(p: Any, phi: Any, psi: Any) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        return phi / (phi + psi)


def saved(p: Any, phi: Any, psi: Any) -> Any:
    return worth(p, phi, psi) / (1 + VERIFY) - unverified(p, phi, psi)


def break_even(p: Any, phi: Any, psi: Any) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.maximum(worth(p, phi, psi) / unverified(p, phi, psi) - 1, 0.0)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "p": lambda p, phi, psi: p,
    "phi": lambda p, phi, psi: phi,
    "psi": lambda p, phi, psi: psi,
    "kept_rate": kept_rate,
    "purity": purity,
    "p_star": p_star,
    "worth": worth,
    "worth_unverified": unverified,
    "gain": gain,
    "saved": saved,
    "break_even": break_even,
}
"""What is covered, as functions of p, phi and psi."""


def normal(kept: Numbers, dropped: Numbers, counts: Counts, level: float) -> dict[str, Ends]:
    """Delta method, all records of weight 1 and alone: value +- z standard error, clipped nowhere.

    Args:
        kept, dropped: of all records. counts: of the judged ones. Each (repetitions,).
    """
    found = {}
    reach = ndtri((1 + level) / 2)
    for name in FUNCTIONS:
        value, error = delta(name, kept, dropped, counts)
        with np.errstate(invalid="ignore", over="ignore"):
            found[name] = value - reach * error, value + reach * error
    return found


def delta(name: str, kept: Numbers, dropped: Numbers, counts: Counts) -> Ends:
    """Value and standard error; NaN where a share is of nothing."""
    function = lambda *shares: FUNCTIONS[name](*rates_of(*shares))
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = (kept, counts.correct_kept, counts.correct_dropped)
        wholes = (kept + dropped, counts.kept, counts.total - counts.kept)
        shares = [np.asarray(part / whole, float) for part, whole in zip(parts, wholes, strict=True)]
        variance = np.zeros_like(shares[0])
        for place, (share, whole) in enumerate(zip(shares, wholes, strict=True)):
            ends = [np.clip(share + step, 0.0, 1.0) for step in (-STEP, STEP)]
            low, high = (function(*shares[:place], end, *shares[place + 1 :]) for end in ends)
            variance = variance + ((high - low) / (ends[1] - ends[0])) ** 2 * share * (1 - share) / whole
    return function(*shares), np.sqrt(variance)


def as_plain(counts: Counts, level: float) -> dict[str, Ends]:
    """Exact where there is such an interval, as if the judged records were all, alone and of equal weight."""
    found = normal(counts.kept, counts.total - counts.kept, counts, level)
    exact = rates(counts, level)
    found |= {name: (estimate.low, estimate.high) for name, estimate in exact._asdict().items()}
    sure = exact_worth(counts, level)
    one = np.ones_like(exact.p.low)
    ends = unverified(exact.p.high, one, one), unverified(exact.p.low, one, one)
    return found | {"worth": (sure.low, sure.high), "worth_unverified": ends}
