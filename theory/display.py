"""Result objects as a person reads them: a line per field, numbers short, long arrays by shape and range.

What classes return from ``__repr__``. Works on tracers, of which there is no number to show.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

MOST = 6
"""Entries of an array that are listed."""


def record(found: Any, hidden: Collection[str] = ()) -> str:
    """The name of the class, then a line per field that holds something; what takes several lines is indented."""
    fields = {name: value for name, value in _fields(found).items() if name not in hidden and not _is_nothing(value)}
    width = max(map(len, fields))
    lines = (f"  {name:{width}}  {short(value)}".replace("\n", f"\n{'':{width + 4}}") for name, value in fields.items())
    return "\n".join([type(found).__name__, *lines])


def inline(found: Any) -> str:
    """All fields in one line, for what is itself a field."""
    return f"{type(found).__name__}({', '.join(f'{name}={short(value)}' for name, value in _fields(found).items())})"


def interval(found: Any) -> str:
    """A value with its low and high end, as 0.3 [0.21, 0.41]; of arrays the values alone."""
    if any(np.ndim(end) for end in found):
        return f"{short(found.value)} (and low, high)"
    value, low, high = (short(float(end), 4) for end in found)
    return f"{value} [{low}, {high}]"


def short(value: Any, digits: int = 6) -> str:
    """One value in a few characters."""
    if isinstance(value, Mapping):
        return f"{len(value)} entries: {', '.join(map(str, value))}"
    if type(value) is tuple and len(value) > MOST:
        return f"{len(value)} entries, {value[0]} .. {value[-1]}"
    if isinstance(value, (str, tuple)):
        return str(value)
    try:
        array = np.asarray(value)
    except TypeError:  # a tracer
        return str(value)
    if array.dtype.kind not in "fiub":
        return str(value) if array.ndim == 0 else f"array {array.shape}, {_counted(array)}"
    if array.size <= MOST and array.ndim <= 1:
        listed = [f"{entry:.{digits}g}" if array.dtype.kind == "f" else str(entry) for entry in array.ravel().tolist()]
        return f"[{', '.join(listed)}]" if array.ndim else listed[0]
    return f"array {array.shape}, {_range(array)}"


def _counted(array: np.ndarray) -> str:
    """Words by how often they occur."""
    return ", ".join(f"{count} {word}" for word, count in Counter(array.ravel().tolist()).most_common(MOST))


def _range(array: np.ndarray) -> str:
    if array.dtype.kind == "b":
        return f"{int(array.sum())} True"
    known = array[~np.isnan(array)]
    gaps = f", {array.size - known.size} NaN" if known.size < array.size else ""
    return (f"{known.min():.6g} .. {known.max():.6g}" if known.size else "no number") + gaps


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, Mapping) and not value)


def _fields(found: Any) -> dict[str, Any]:
    return found._asdict() if hasattr(found, "_asdict") else vars(found)
