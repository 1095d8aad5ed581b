"""What goes through the door: numbers in float64 on the way in, plain numbers on the way out."""

from typing import Any

import numpy as np

from theory.decimals import widened
from theory.errors import InputError, KindError


def exact(given: Any, name: str = "value") -> Any:
    """Numbers as float64 arrays, field by field of a named tuple.

    Raises InputError for what is no number, and KindError for a JAX tracer, which has none yet.
    """
    if hasattr(given, "_asdict"):
        return type(given)(*(exact(value, field) for field, value in given._asdict().items()))
    try:
        return widened(given)
    except (TypeError, ValueError):
        if hasattr(given, "aval"):
            raise KindError(
                f"{name} is traced by JAX, and this function returns plain numbers; under jit, vmap or grad take the "
                "one of the same name from theory or sims, with JAX in float64"
            ) from None
        raise InputError(f"{name} = {given!r} is not a number") from None


def plain(found: Any) -> Any:
    """Results as Python numbers, or NumPy arrays where they are arrays, field by field of a named tuple."""
    if hasattr(found, "_asdict"):
        return type(found)(*map(plain, found))
    array = np.asarray(found)
    return array.item() if array.ndim == 0 else array
