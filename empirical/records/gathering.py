"""Columns that grow block by block, of one type in the end, within a bound of memory."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from empirical.records.column import Column, Columns, is_text
from empirical.records.faults import Faults, RecordsError
from empirical.records.places import Places
from sims.running.machine import free_memory

SHARE = 0.5
"""Of the free memory, which the columns of a file may take."""
EXACT = 2**53
"""Whole numbers up to here are exact as float64."""


class Gathered:
    """What has been read of the columns ``names``."""

    def __init__(self, source: str, names: Sequence[str], unit: str, limit: int | None = None):
        """Nothing as yet; at most ``limit`` records."""
        self.names = list(names)
        self.faults = Faults(source)
        self.places = Places(unit)
        self._limit = limit
        self._chunks: list[list[pa.Array]] = [[] for _ in self.names]
        self._bytes = 0
        self._room = int(SHARE * (free_memory() or 2**62))

    @property
    def rows(self) -> int:
        """Records so far."""
        return self.places.rows

    @property
    def full(self) -> bool:
        """Whether no more are wanted."""
        return self._limit is not None and self.rows >= self._limit

    def add(self, arrays: Sequence[pa.Array], rows: int, numbers: int | NDArray[np.int64]) -> None:
        """The next records: an array per column, and the lines or rows at which they stand.

        Raises RecordsError where they take more memory than there is.
        """
        if self._limit is not None and self.rows + rows > self._limit:
            rows = self._limit - self.rows
            arrays = [array.slice(0, rows) for array in arrays]
            numbers = numbers if isinstance(numbers, int) else numbers[:rows]
        for chunks, array in zip(self._chunks, arrays, strict=True):
            chunks.append(array)
            self._bytes += array.nbytes
        self._bytes += 0 if isinstance(numbers, int) else numbers.nbytes
        self.places.extend(rows, numbers)
        if self._bytes > self._room:
            raise RecordsError(
                f"{self.faults.source} takes more than {self._room / 2**30:.1f} GiB after {self.rows:,} records, which "
                f"is {SHARE:.0%} of the memory that is free; give fewer records, or a random sample of them"
            )

    def columns(self, kind: str, notes: Sequence[str], unusable: Iterable[str] = ()) -> Columns:
        """All of it, and the names of columns that cannot be read."""
        made = {
            name: Column(name, one_type(chunks), self.places, self.faults)
            for name, chunks in zip(self.names, self._chunks, strict=True)
        }
        return Columns(made, kind, tuple(notes), self.places, self.faults, unusable)


def one_type(chunks: Sequence[pa.Array]) -> pa.ChunkedArray:
    """Chunks as one column: whole numbers become floats beside floats, and anything else text beside another kind."""
    kinds = {chunk.type for chunk in chunks if not pa.types.is_null(chunk.type)}
    if len(kinds) > 1 and kinds <= {pa.int64(), pa.float64()} and all(map(_exact, chunks)):
        kinds = {pa.float64()}
    elif len(kinds) > 1:
        kinds = {pa.large_string()}
        chunks = [chunk if pa.types.is_null(chunk.type) else as_text(chunk) for chunk in chunks]
    kind = kinds.pop() if kinds else pa.string()
    return pa.chunked_array([chunk.cast(kind) for chunk in chunks], kind)


def as_text(array: pa.Array) -> pa.Array:
    """Values as text."""
    if is_text(array.type):
        return array.cast(pa.large_string())
    coded = array.dictionary_encode()
    words = pa.array([written(value) for value in coded.dictionary.to_pylist()], pa.large_string())
    return words.take(coded.indices)


def written(value: Any) -> str:
    """A value of a column that mixes text and numbers: True, 1, 0.5, and 1.0 as 1, as it may stand beside 1."""
    whole = isinstance(value, float) and abs(value) < EXACT and value == int(value)
    return str(int(value) if whole else value)


def from_python(values: Sequence[Any]) -> pa.Array:
    """An array of None, bool, int, float and str, by the rules of `one_type`."""
    kinds = {type(value) for value in values} - {type(None)}
    whole = kinds & {int} and any(type(value) is int and abs(value) > EXACT for value in values)
    if len(kinds) <= 1 and not whole:
        kind = {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}.get(next(iter(kinds), str), pa.string())
        if kind != pa.string():
            return pa.array(values, kind)
    elif kinds == {int, float} and not whole:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    elif kinds == {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return pa.array(values, pa.int64())
    texts = (None if value is None else written(value) for value in values)
    return pa.array([text and text.encode("utf-8", "backslashreplace").decode() for text in texts], pa.string())


def _exact(chunk: pa.Array) -> bool:
    if not pa.types.is_int64(chunk.type):
        return True
    ends = pc.min_max(chunk).as_py()
    return ends["min"] is None or -EXACT <= ends["min"] <= ends["max"] <= EXACT
