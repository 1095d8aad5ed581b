"""Numbers that are printed to be typed, and short floats as their decimals: each means the same in both directions."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import numpy as np

ROUNDING = Decimal("1e-13")
"""Beyond the end of an interval, which is still taken for the end."""
LONGEST = 12
"""Characters of a number that a person types."""


def typed(value: Any) -> str:
    """A number as a person types it: the shortest decimal that reads back as the same float64, 1 and not 1.0.

    Where six digits do not say the number itself all that it takes are written: 0.99999991 is not 1.
    """
    if isinstance(value, (int, np.integer)):
        return str(value)
    number = float(value)
    brief, whole = f"{number:g}", repr(number).removesuffix(".0")
    return brief if float(brief) == number and len(brief) <= len(whole) else whole


def beside(value: float, other: float, digits: int = 4) -> str:
    """A reading of a value, with as many digits as show on which side of another one it is."""
    for more in range(digits, 17):
        brief = f"{value:.{more}g}"
        if (float(brief) < other) == (value < other) and (float(brief) > other) == (value > other):
            return brief
    return typed(value)


def echoed(value: float) -> str:
    """A number that a user may have given: as it was typed, or a reading of what nobody types."""
    whole = typed(value)
    return whole if len(whole) <= LONGEST else f"{value:.6g}"


def between(low: float, high: float, digits: int = 6) -> str:
    """An interval whose ends, typed, lie in it: rounded inwards where rounding would leave it; as [0.62, 1]."""
    ends = (_inside(low, ROUND_CEILING, digits), _inside(high, ROUND_FLOOR, digits))
    return f"[{', '.join(ends)}]" if float(ends[0]) <= float(ends[1]) else f"[{typed(low)}, {typed(high)}]"


def _inside(end: float, inwards: str, digits: int) -> str:
    nearest, exact = f"{end:.{digits}g}", Decimal(float(end))
    out = exact - Decimal(nearest) if inwards == ROUND_CEILING else Decimal(nearest) - exact
    if out <= ROUNDING:
        return nearest
    step = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    return typed(float(exact.quantize(step, inwards)))


def widened(values: Any) -> np.ndarray:
    """An array in float64. A float32 or float16 is the shortest decimal that it prints: 0.9, not 0.899999976.

    So a threshold of .9 means the same in a column of either kind. Raises TypeError or ValueError for no numbers.
    """
    array = np.asarray(values)
    if array.dtype in (np.float32, np.float16):
        return np.asarray(array.astype("U32"), dtype=np.float64)
    return np.asarray(values, dtype=np.float64)
