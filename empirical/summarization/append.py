"""Rows made in batches, each written as soon as it is there, so that no end of the process loses one.

folder/<name>.jsonl      while rows are being made: one line for each finished batch
folder/<name>.parquet    all rows, in the order asked for; the other file is then gone
"""

import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sims.running.files import write_atomic
from sims.running.sealed import digest
from theory.errors import InputError

Row = dict[str, Any]


def longest_first(lengths: Sequence[int], batch: int) -> list[list[int]]:
    """Indices in batches of at most ``batch``, longest first, ties by index. Raises ValueError for batch < 1."""
    if batch < 1:
        raise InputError(f"batch = {batch} must be at least 1")
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    return [order[start : start + batch] for start in range(0, len(order), batch)]


def finished(folder: Path, name: str, ids: Sequence[str]) -> pd.DataFrame | None:
    """The rows of an earlier call that came to its end, or None where there are none or they have other ids.

    Raises ValueError where an id comes twice.
    """
    index = pd.Index(ids, dtype="str")
    if index.has_duplicates:
        raise InputError(f"id {index[index.duplicated()][0]!r} comes more than once; give every row an id of its own")
    path = folder / f"{name}.parquet"
    if not path.exists():
        return None
    rows = pd.read_parquet(path)
    return rows if rows["id"].tolist() == index.tolist() else None


def collect(
    folder: Path,
    name: str,
    ids: Sequence[str],
    batches: Sequence[Sequence[int]],
    make: Callable[[Sequence[int]], list[Row]],
    types: Mapping[str, str],
    on_batch: Callable[[int], None],
) -> pd.DataFrame:
    """Make the batches (of indices into ``ids``) that are not there yet; returns one row per id, in their order.

    ``make`` returns a row, a JSON object, for each index; ``types`` gives the column types; an id that is in no batch
    has missing values. ``on_batch`` gets the number of rows that are there, first those of an earlier, unfinished call.
    """
    journal = folder / f"{name}.jsonl"
    rows = _kept(journal, [[ids[index] for index in chosen] for chosen in batches])
    count = sum(map(len, rows))
    on_batch(count)
    with open(journal, "ab") as file:
        for chosen in batches[len(rows) :]:
            made = [{"id": ids[index]} | row for index, row in zip(chosen, make(chosen), strict=True)]
            file.write(json.dumps({"rows": made, "check": digest(made)}).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
            rows.append(made)
            count += len(made)
            on_batch(count)
    flat = [row for made in rows for row in made]
    table = pd.DataFrame(flat, columns=["id", *types]).set_index("id").reindex(pd.Index(ids, dtype="str", name="id"))
    table = table.astype(dict(types)).reset_index()
    write_table(folder / f"{name}.parquet", table)
    journal.unlink()
    return table


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a parquet file, whole or not at all."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    write_atomic(path, buffer.getvalue())


def _kept(journal: Path, wanted: Sequence[list[str]]) -> list[list[Row]]:
    """The batches that were written whole; what follows them, or belongs to other rows, is cut off the file."""
    rows: list[list[Row]] = []
    if not journal.exists():
        return rows
    end = 0
    with open(journal, "rb") as file:
        for line, ids in zip(file, wanted, strict=False):
            made = _batch(line, ids)
            if made is None:
                break
            rows.append(made)
            end += len(line)
    os.truncate(journal, end)
    return rows


def _batch(line: bytes, ids: list[str]) -> list[Row] | None:
    """The rows of a line, None where it is torn, damaged or of other rows."""
    try:
        written = json.loads(line)
        rows: list[Row] = written["rows"]
        whole = line.endswith(b"\n") and written["check"] == digest(rows)
        return rows if whole and [row["id"] for row in rows] == ids else None
    except (ValueError, TypeError, KeyError):
        return None
