"""Features and labels that are columns of a table: read strictly, every fault at once with its line."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from empirical import records
from empirical.records.paths import is_list
from theory.errors import InputError

Held = np.ndarray | records.Column
"""An array of a file, or a column that has been read."""


def read(path: Path) -> dict[str, Held]:
    """Every column of a table. Raises RecordsError for a file that is none, and for what is wrong with its names."""
    found = records.table(path, records.All(lists=lambda name: True))
    _check_header(path, found)
    records.Faults.refuse(found.pending)
    return dict(found)


def labels(held: Held) -> np.ndarray:
    """Labels, none missing: numbers where all are. Raises RecordsError."""
    if isinstance(held, np.ndarray):
        return held
    records.as_labels(held)
    return records.as_written(held)


def numbers(held: Mapping[str, Held]) -> dict[str, np.ndarray]:
    """Columns as numbers, as a matrix where they hold lists; arrays as they are. Raises RecordsError.

    A column without a single number stays text.
    """
    columns = {name: value for name, value in held.items() if isinstance(value, records.Column)}
    tasks: dict[str, Callable[[], Any]] = {name: partial(_numbers, column) for name, column in columns.items()}
    return {name: value for name, value in held.items() if isinstance(value, np.ndarray)} | records.together(tasks)


def _numbers(column: records.Column) -> np.ndarray:
    kind = column.values.type
    if is_list(kind) or _lists_as_text(column):
        return records.as_matrix(column)
    if pa.types.is_boolean(kind):
        return records.as_flags(column).values.astype(float)
    try:
        return records.as_numbers(column)
    except records.RecordsError:
        if not records.partly(column)[1].all():
            raise
        return records.as_written(column).astype(object)


def _lists_as_text(column: records.Column) -> bool:
    first = column.values[0].as_py()
    return isinstance(first, str) and ";" in first and all(map(_is_number, first.split(";")))


def _check_header(path: Path, found: records.Columns) -> None:
    """Raise ValueError where the first row is data: numbers that do not count the columns, or a label again."""
    if found.kind != "CSV":
        return
    names = [*found, *found.unusable]
    counted = [name for name in names if _is_number(name)]
    counting = all(name.isdigit() for name in counted) and [*map(int, counted)] in (
        [*range(len(counted))],
        [*range(1, len(counted) + 1)],
    )
    again = len(found) == 1 and names[0] in found[names[0]].values.to_pylist()
    if again or (counted and not counting):
        shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
        raise InputError(
            f"{path} has no header, its first row is data ({shown}); write a first row of names, as f0,f1,y"
        )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
