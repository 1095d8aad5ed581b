"""Columns that hold a list of numbers in each record: typed so in a file, or as text with ; between the numbers."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from empirical.records.column import Column, is_text
from empirical.records.convert import GAP
from empirical.records.faults import Faults, shown
from empirical.records.paths import is_list

Numbers = NDArray[np.float64]


def as_lists(column: Column) -> list[Numbers]:
    """Finite numbers of every record; none where the cell is empty. Raises RecordsError."""
    faults, found = Faults(column.pending.source), []
    if not is_list(column.values.type) and not is_text(column.values.type):
        column = _as_text(column)
    for index, value in enumerate(column.values.to_pylist()):
        words = [] if value is None else value.split(";") if isinstance(value, str) and value.strip() else value or ()
        numbers = np.array([_number(word) for word in words if not isinstance(words, str)])
        if not np.isfinite(numbers).all():
            bad = words[int(np.argmin(np.isfinite(numbers)))]
            what = f"column {shown(column.name)} has {shown(bad)} in its list, not a finite number; write 1;0.5;0.25"
            faults.add(what, column.places.number(index), column.line(index))
        found.append(numbers)
    Faults.refuse(column.pending, faults)
    return found


def as_matrix(column: Column) -> Numbers:
    """A row of finite numbers for every record, all of one length. Raises RecordsError."""
    faults = Faults(column.pending.source)
    if is_list(column.values.type):
        whole = column.values.combine_chunks()
        whole = whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
        lengths = pc.fill_null(pc.list_value_length(whole), 0).to_numpy()
        flat = np.array(whole.flatten().cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
    else:
        rows = as_lists(column)
        lengths, flat = np.array([row.size for row in rows]), np.concatenate(rows)
    width = int(lengths[0])
    usual = f"column {shown(column.name)} has lists of {lengths.min()} to {lengths.max()} numbers; give one length"
    for index in np.flatnonzero(lengths != width)[:1].tolist():
        what = f"column {shown(column.name)} {GAP}" if lengths[index] == 0 else usual
        faults.add(what, column.places.number(index), column.line(index))
    if not faults and not np.isfinite(flat).all():
        wrong = np.flatnonzero(~np.isfinite(flat))
        index, place = divmod(int(wrong[0]), width)
        what = f"column {shown(column.name)} has {flat[wrong[0]]} at place {place + 1} of its list, not a finite number"
        faults.add(what, column.places.number(index), column.line(index), times=int(wrong.size))
    Faults.refuse(column.pending, faults)
    return flat.reshape(len(lengths), width)


def _as_text(column: Column) -> Column:
    """One number in each record is a list of one."""
    return Column(column.name, column.values.cast(pa.string()), column.places, column.pending)


def _number(word: object) -> float:
    try:
        return float(word)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return np.nan
