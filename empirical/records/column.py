"""What has been read: columns as the file has them, and where in it each record stands."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from empirical.records.faults import Faults
from empirical.records.places import Places


@dataclass(frozen=True, eq=False)
class Column:
    """One column: text, booleans, numbers or times; null where the file says so. Nothing nested."""

    name: str
    values: pa.ChunkedArray
    places: Places = field(repr=False)
    pending: Faults = field(repr=False)
    """What is wrong with the lines of the file: raised by whatever makes something of a column."""

    def __len__(self) -> int:
        """Records."""
        return len(self.values)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where there is nothing: null, NaN, text without a character but blanks."""
        values = self.values
        gaps = pc.is_null(values, nan_is_null=True)
        if is_text(values.type):
            gaps = pc.or_(gaps, pc.fill_null(pc.equal(pc.utf8_trim_whitespace(values), ""), True))
        return gaps.to_numpy().astype(bool)

    def line(self, index: int) -> str:
        """Where record ``index`` (from 0) stands, such as "line 7" (CSV, JSON lines) or "row 7" (Parquet)."""
        return self.places.where(index)


class Columns(Mapping[str, Column]):
    """Columns by name, in the order in which they were asked for."""

    def __init__(
        self,
        columns: Mapping[str, Column],
        kind: str,
        notes: tuple[str, ...],
        places: Places,
        pending: Faults,
        unusable: Iterable[str] = (),
    ):
        """``kind`` is CSV, JSON lines, ...; ``notes`` say what was found out about the file.

        ``pending``: what is wrong with its lines; with all columns wanted, also with their names, and then
        ``unusable`` are those that are there and cannot be read.
        """
        self._columns = dict(columns)
        self.kind = kind
        self.notes = notes
        self.rows = places.rows
        self.places = places
        self.pending = pending
        self.unusable = frozenset(unusable)

    def __getitem__(self, name: str) -> Column:
        """One column; outer blanks of names do not count."""
        return self._columns[name if name in self._columns else name.strip()]

    def __iter__(self) -> Iterator[str]:
        """Names."""
        return iter(self._columns)

    def __len__(self) -> int:
        """How many columns."""
        return len(self._columns)


def is_text(kind: pa.DataType) -> bool:
    """Whether a type is one of text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def is_words(column: Column) -> bool:
    """Whether a column is text, and some of it holds no digit, as a word does."""
    return is_text(column.values.type) and bool(
        pc.any(pc.utf8_is_alpha(pc.utf8_trim_whitespace(column.values))).as_py()
    )
