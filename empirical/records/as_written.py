"""A column as a table has it, where nothing is asked of it: numbers as numbers, all else as it is written."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from empirical.records.column import Column, is_text


def as_written(column: Column) -> NDArray[Any]:
    """Whole numbers, finite numbers (NaN in gaps), or text and None; lists as text with ; between the numbers."""
    values = column.values
    if pa.types.is_nested(values.type):
        texts = [None if entry is None else ";".join(map(repr, entry)) for entry in values.to_pylist()]
        return np.array(texts, object)
    if is_text(values.type):
        trimmed = pc.utf8_trim_whitespace(values)
        empty = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, trimmed.type), trimmed)
        for kind in (pa.int64(), pa.float64()):
            try:
                numbers = empty.cast(kind)
            except pa.ArrowInvalid:
                continue
            if kind == pa.int64() or pc.all(pc.is_finite(numbers), min_count=0).as_py() is not False:
                values = numbers
                break
    found: NDArray[Any] = values.to_pandas().to_numpy()
    return found
