"""When a row is ok: the one predicate that every row of every method passes, simulated, drawn or predicted.

Nothing is computed here that a row says; a finished row is looked at, whoever made it, in NumPy or in JAX. What it
refuses has a status of `theory.types.STATUSES` and no numbers. A test holds that nothing is ok without it.
"""

from typing import Any, NamedTuple

from theory import status
from theory.arrays import Array, of

PROMISED = {"simulation": 1e-10, "exact-law": 1e-8, "theory": 1e-9}
"""By method: the largest norm of a fit's gradient; error by cutting off; relative residual of the equations."""
ROUNDING = 1e-9
"""By how much lengths (relative) and shares (absolute) may miss their bounds."""


class Row(NamedTuple):
    """What is asked of finished rows; all arrays broadcast."""

    kept: Any
    """Samples kept, or the share of them: above 0."""
    residual: Any
    """Of a fit or of equations: at most `bound`."""
    bound: float
    """One of `PROMISED`."""
    numbers: tuple[Any, ...]
    """Whatever is reported: finite."""
    lengths: tuple[tuple[Any, Any], ...] = ()
    """Pairs (part, whole): |part| <= whole, and the whole is above 0."""
    shares: tuple[tuple[Any, Any, Any], ...] = ()
    """(share, least, most): in [0, 1] and between. The most of an accuracy is Bayes, and of two classes 1 - Bayes the
    least."""


def accuracy(share: Any, best: Any = 1.0) -> tuple[Any, Any, Any]:
    """An accuracy on two classes as one of `Row.shares`: turned round, a classifier is no better than the best."""
    return share, 1 - best, best


def refused(row: Row) -> Array:
    """Codes of `theory.types.STATUSES`: 0 for rows that are ok, else the first reason why they are not.

    In this order: nothing kept; not finite; not converged, where the residual is above its bound; out of bounds.
    """
    xp: Any = of(*row)
    kept = xp.asarray(row.kept) >= status.LEAST
    finite, within = xp.asarray(True), xp.asarray(True)
    for number in row.numbers:
        finite = finite & xp.isfinite(number)
    for part, whole in row.lengths:
        finite = finite & (xp.asarray(whole) >= status.LEAST)
        within = within & (xp.abs(part) <= whole * (1 + ROUNDING) + status.LEAST)
    for share, least, most in row.shares:
        low, high = xp.maximum(xp.asarray(least) - ROUNDING, 0.0), xp.minimum(xp.asarray(most) + ROUNDING, 1.0)
        within = within & (share >= low) & (share <= high)
    code = xp.where(within, status.OK, status.OUT_OF_BOUNDS)
    code = xp.where(xp.asarray(row.residual) <= row.bound, code, status.NOT_CONVERGED)
    code = xp.where(finite, code, status.NOT_FINITE)
    return xp.where(kept, code, status.NOTHING_KEPT)


def judged(codes: Any, row: Row) -> Array:
    """The codes that a solver gave, and where it said ok what `refused` says."""
    xp = of(codes, *row)
    return xp.where(xp.asarray(codes) == status.OK, refused(row), codes)


def known(codes: Any, numbers: Any) -> tuple[Array, ...]:
    """Numbers, NaN where the code is not ok."""
    xp = of(codes, numbers)
    return tuple(xp.where(xp.asarray(codes) == status.OK, number, xp.nan) for number in numbers)
