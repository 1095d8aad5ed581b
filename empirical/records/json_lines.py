"""JSON lines: by pyarrow where the lines of a block are alike, else by the json module."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from empirical.records.blocks import Block, blocks, last_line, row_lines
from empirical.records.column import Columns
from empirical.records.faults import Faults
from empirical.records.gathering import Gathered
from empirical.records.names import All
from empirical.records.objects import LOOKED_AT, Fields, NotAnObject, decoder, outermost, why
from empirical.records.paths import leaves
from empirical.records.sources import Source

BATCH = 8192


def read(source: Source, wanted: Sequence[str] | None, limit: int | None, want: All | None = None) -> Columns:
    """The wanted columns, all that the first block has for None; ``limit`` is the most records. Raises RecordsError."""
    assert source.text is not None
    fields: Fields | None = None
    for block in blocks(source.name, source.text, last_line):
        if fields is None:
            first = _first(block.data, 1000)
            faults = Faults(source.name)
            every = outermost(first, faults) if want is not None else leaves(first)
            gathered = Gathered(source.name, every if wanted is None else wanted, "line", limit)
            gathered.faults = faults
            fields = Fields(gathered.names, first, faults, want)
        if not _quickly(block, fields, gathered):
            _carefully(block, fields, gathered)
        if gathered.full:
            break
    assert fields is not None
    if not gathered.names:
        Faults.refuse(gathered.faults)  # no column will ever tell
    fields.check(gathered.rows)
    return gathered.columns("JSON lines", source.notes)


def _first(data: bytes, most: int) -> list[dict[str, Any]]:
    """The first records, as far as they can be read."""
    found: list[dict[str, Any]] = []
    start = 0
    while start < len(data) and len(found) < most:
        end = data.find(b"\n", start) + 1 or len(data)
        if data[start:end].strip():
            try:
                value = json.loads(data[start:end])
            except (ValueError, RecursionError):
                return found
            if not isinstance(value, dict):
                return found
            found.append(value)
        start = end
    return found


def _quickly(block: Block, fields: Fields, gathered: Gathered) -> bool:
    """Read a block by pyarrow; False where anything is unusual."""
    columns = fields.quick(block.data, _first(block.data, LOOKED_AT))
    if not columns:  # or none at all: the first line was no record
        return False
    rows, lines = len(columns[0]), block.data.count(b"\n") + (not block.data.endswith(b"\n"))
    numbers = block.line if rows == lines else row_lines(block, quoted=False)
    if not isinstance(numbers, int) and len(numbers) != rows:
        return False
    gathered.add(columns, rows, numbers)
    return True


def _carefully(block: Block, fields: Fields, gathered: Gathered) -> None:
    """Read a block line by line. What is no record is a fault."""
    numbers: list[int] = []
    decode = decoder(fields.keys).decode
    rows: list[list[Any]] = []

    def flush() -> None:
        gathered.add(fields.arrays(rows), len(rows), np.array(numbers, np.int64))
        rows.clear()
        numbers.clear()

    for number, line in enumerate(block.data.split(b"\n"), block.line):
        if not line.strip():
            continue
        try:
            rows.append(fields.values(decode(line.decode().strip())))
            numbers.append(number)
        except (ValueError, RecursionError) as error:
            _refuse(gathered.faults, error, number)
        if len(rows) == BATCH:
            flush()
    flush()


def _refuse(faults: Faults, error: ValueError | RecursionError, number: int) -> None:
    said = str(error) if isinstance(error, NotAnObject) else f"is not JSON: {why(error)}; give one object per line"
    faults.add(said, number, f"line {number}")
