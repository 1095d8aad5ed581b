"""How much work a search may take: counted, not timed, so that every machine gives the same answer.

One cell ends by itself, after a second at most. Many cells for one answer, as the points of a curve, share an
allowance; what it does not reach is not converged.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

UNIT = 1.7e-7
"""About the seconds of a processor core that one unit takes: a node of a law, for one of its numbers."""

_left: ContextVar[list[float] | None] = ContextVar("left", default=None)


@contextmanager
def allowance(units: float) -> Iterator[None]:
    """Searches inside have so many units of work together, and no more than is left of an allowance around it."""
    outer = _left.get()
    given = units if outer is None else min(units, max(outer[0], 0.0))
    inner = [given]
    token = _left.set(inner)
    try:
        yield
    finally:
        _left.reset(token)
        if outer is not None:
            outer[0] -= given - inner[0]


def counted() -> bool:
    """Whether there is an allowance."""
    return _left.get() is not None


def gone() -> bool:
    """Whether an allowance was used up."""
    left = _left.get()
    return left is not None and left[0] <= 0


def spend(units: float) -> bool:
    """Take some work from the allowance; whether there was any left."""
    left = _left.get()
    if left is None:
        return True
    left[0] -= units
    return left[0] > -units
