"""Columns that a notebook holds already: a data frame or a mapping of arrays, read as those of a file are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from empirical.records.arrow import plain
from empirical.records.column import Columns
from empirical.records.faults import Faults, RecordsError
from empirical.records.gathering import Gathered, from_python
from empirical.records.names import notes, odd, twice
from theory.errors import KindError


def of_mapping(source: str, given: Any) -> Columns:
    """The columns of a data frame, or of a mapping of lists or arrays; ``source`` is what messages call it.

    Raises:
        RecordsError: columns of different lengths. KindError: what is no table.
    """
    if not isinstance(given, Mapping) and not (hasattr(given, "items") and hasattr(given, "columns")):
        raise KindError(f"{source} of kind {type(given).__name__} is no table; give a path, a data frame or a dict")
    pairs = [(str(name), values) for name, values in given.items()]
    written = [name for name, _ in pairs]
    unusable = twice(written)
    arrays = {name.strip(): _array(name, values) for name, values in pairs if name.strip() not in unusable}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise RecordsError(f"the columns of {source} differ in length ({said}); give one entry a row")
    gathered = Gathered(source, list(arrays), "row")
    gathered.faults = Faults(source)
    for fault in odd(written):
        gathered.faults.add(fault)
    rows = next(iter(lengths.values()), 0)
    gathered.add(list(arrays.values()), rows, 1)
    return gathered.columns("table", notes(written), unusable)


def _array(name: str, values: Any) -> pa.Array:
    """A column in Arrow's types. Raises KindError for what is no column."""
    if np.ndim(values) != 1:
        raise KindError(f"column {name!r} of kind {type(values).__name__} is no column; give a list or an array")
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowException, OverflowError):
        array = from_python(list(values))
    whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return plain(whole)
