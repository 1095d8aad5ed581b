"""CSV: by pyarrow where every quote stands as RFC 4180 wants it, else, and where a row is ragged, by the csv module."""

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from empirical.records import names
from empirical.records.blocks import LONGEST, SIZE, Block, blocks, last_row, row_lines
from empirical.records.column import Columns
from empirical.records.encodings import Text
from empirical.records.faults import Faults, RecordsError, shown
from empirical.records.gathering import Gathered
from empirical.records.names import All
from empirical.records.sources import Source
from sims.running.owned import owned

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
USUAL = {".tsv": "\t", ".tab": "\t"}
INNER = 1 << 21
"""Bytes that one thread of pyarrow reads; a longer row is left to the csv module."""
BATCH = 8192
ALIKE = "take it out, or end all lines alike"


@dataclass(frozen=True)
class _Layout:
    """How the lines are to be read: separator, how many columns there are, the places of those that are wanted."""

    separator: str
    width: int
    wanted: list[int]


def read(source: Source, wanted: Sequence[str] | None, limit: int | None, want: All | None = None) -> Columns:
    """The wanted columns, all of them for None; ``limit`` is the most records. Raises RecordsError.

    With ``want`` what is wrong with names is among what is pending of the columns.
    """
    assert source.text is not None
    text = source.text
    separator = _separator(source, wanted or (want.hints if want else ()))
    written, line = _header(source.name, text, separator)
    header = [name.strip() for name in written]
    notes, unusable = [*source.notes, *names.notes(written)], names.twice(header)
    if wanted is None:
        notes += [f"{header.count(name)} columns are called {shown(name)}: rename all but one" for name in unusable]
        taken = [name for name in header if name not in unusable and (name or not want)]
    else:
        taken = list(wanted)
        _check(source.name, taken, header)
    if separator != USUAL.get(source.suffix, ","):
        notes.append(f"fields are separated by {SEPARATORS[separator]}")
    layout = _Layout(separator, len(header), [header.index(name) for name in taken])
    gathered = Gathered(source.name, taken, "line", limit)
    for fault in names.odd(header) if want else ():
        gathered.faults.add(fault)
    cut = blocks(source.name, text, last_row, line)
    for block in cut:
        if not _quotes_sound(block.data, separator):
            _carefully(io.BufferedReader(_Rest(block.data, text)), block.line, layout, gathered)
            break
        if not _quickly(block, layout, gathered):
            _carefully(io.BytesIO(block.data), block.line, layout, gathered)
        if gathered.full:
            break
    return gathered.columns("CSV", notes, unusable)


def _check(source: str, wanted: Sequence[str], header: Sequence[str]) -> None:
    faults = Faults(source)
    for name in wanted:
        if name not in header:
            faults.add(names.absent(name, header))
        elif header.count(name) > 1:
            faults.add(names.twins(name, header))
    Faults.refuse(faults)


def _separator(source: Source, wanted: Collection[str]) -> str:
    """The separator by which the header has most of the wanted columns; then most rows are as wide as the header."""
    usual = USUAL.get(source.suffix, ",")
    sample = source.sample.decode("utf-8", "ignore")
    whole = sample if "\n" not in sample else sample[: sample.rindex("\n") + 1]

    def worth(separator: str) -> tuple[float, ...]:
        rows: list[list[str]] = []
        try:
            rows.extend(islice(filter(None, csv.reader(io.StringIO(whole, newline=""), delimiter=separator)), 100))
        except csv.Error:  # it is refused when it is read
            pass
        header = rows[0] if rows else []
        alike = sum(len(row) == len(header) for row in rows) / max(len(rows), 1)
        wide = len(header) > 1
        header = [name.strip() for name in header]
        return (sum(name in header for name in wanted), wide * alike, wide, separator == usual)

    return max(SEPARATORS, key=worth)


def _header(source: str, text: Text, separator: str) -> tuple[list[str], int]:
    """The names of the columns, and the line after them, where the text then stands."""
    data, start, line = b"", 0, 1
    while chunk := text.read():
        data += chunk
        while end := data.find(b"\n", start) + 1:
            row = data[start:end]
            while row.count(b'"') % 2 and (more := data.find(b"\n", end) + 1):
                end, row = more, data[start:more]
            if row.count(b'"') % 2:
                break
            start, line = end, line + row.count(b"\n")
            if row.strip(b"\r\n"):
                text.back(data[end:])
                return _names(source, row, separator, line - row.count(b"\n")), line
        if len(data) > LONGEST:
            break
    if not data[start:].strip():
        raise RecordsError(f"{source} holds no records; give a line with the names of the columns, then one per record")
    return _names(source, data[start:], separator, line), line


def _names(source: str, row: bytes, separator: str, line: int) -> list[str]:
    try:
        found = list(csv.reader(io.StringIO(row.decode(), newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise RecordsError(f"{source}, line {line} is not CSV: {error}; mend the line of names") from None
    if len(found) > 1:
        raise RecordsError(
            f"{source}, line {line}: a carriage return stands in the line of names, after {shown(found[0][-1])}, and "
            f"lines end otherwise; {ALIKE}"
        )
    return found[0]


def _quotes_sound(data: bytes, separator: str) -> bool:
    """Whether quotes open after a separator, close before one, are doubled within, and none is left open.

    Then all readers of CSV agree. ``data`` begins with a row.
    """
    if b'"' not in data:
        return True
    array = np.frombuffer(b"\n" + data + b"\n", np.uint8)
    quotes = np.flatnonzero(array == ord('"'))
    if quotes.size % 2:
        return False
    border = np.zeros(256, bool)
    border[[ord("\n"), ord("\r"), ord(separator)]] = True
    doubled = np.diff(quotes) == 1
    opens, closes = border[array[quotes[::2] - 1]], border[array[quotes[1::2] + 1]]
    opens[1:] |= doubled[1::2]
    closes[:-1] |= doubled[1::2]
    return bool(opens.all() and closes.all())


def _quickly(block: Block, layout: _Layout, gathered: Gathered) -> bool:
    """Read a block by pyarrow; False where a row is ragged, or anything else is unusual."""
    quoted = b'"' in block.data
    places = [str(place) for place in range(layout.width)]
    unique = list(dict.fromkeys(places[place] for place in layout.wanted))
    try:
        table = pc.read_csv(
            owned(block.data),
            pc.ReadOptions(column_names=places, block_size=INNER),
            pc.ParseOptions(delimiter=layout.separator, newlines_in_values=quoted),
            pc.ConvertOptions(include_columns=unique, column_types=dict.fromkeys(unique, pa.string())),
        )
    except pa.ArrowException:
        return False
    rows, lines = table.num_rows, block.data.count(b"\n") + (not block.data.endswith(b"\n"))
    numbers = block.line if rows == lines else row_lines(block, quoted)
    if not isinstance(numbers, int) and len(numbers) != rows:
        return False
    columns = [table[places[place]].combine_chunks() for place in layout.wanted]
    gathered.add(columns, rows, numbers)
    return True


def _carefully(file: io.BufferedReader | io.BytesIO, line: int, layout: _Layout, gathered: Gathered) -> None:
    """Read rows by the csv module. Ragged ones are faults. Raises RecordsError for what is not CSV."""
    before = csv.field_size_limit(LONGEST)
    rows: list[list[str]] = []
    numbers: list[int] = []

    def flush() -> None:
        columns = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(layout.wanted))]
        gathered.add(columns, len(rows), np.array(numbers, np.int64))
        rows.clear()
        numbers.clear()

    size = 0
    try:
        for number, row, cut in _numbered(file, line, layout.separator, gathered.faults):
            if len(row) != layout.width:
                fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
                do = f"it ends at a carriage return: {ALIKE}" if cut else "mend the line"
                gathered.faults.add(f"{fields} for {layout.width} columns; {do}", number, f"line {number}")
                continue
            rows.append([row[place] for place in layout.wanted])
            numbers.append(number)
            size += sum(map(len, rows[-1]))
            if len(rows) == BATCH or size > SIZE:
                flush()
                size = 0
                if gathered.full:
                    return
        flush()
    finally:
        csv.field_size_limit(before)


def _numbered(
    file: io.BufferedReader | io.BytesIO, line: int, separator: str, faults: Faults
) -> Iterator[tuple[int, list[str], bool]]:
    """Rows that are not blank, each with the line at which it begins, where the first begins at ``line``.

    And whether it ends at a carriage return that no line feed follows.
    """
    last = ""

    def lines() -> Iterator[str]:
        nonlocal last
        for last in io.TextIOWrapper(file, "utf-8", newline=""):  # noqa: UP028 (which is looked at below)
            yield last

    rows = csv.reader(lines(), delimiter=separator, strict=True)
    begins = line
    try:
        for row in rows:
            if len(row) > 1 or any(map(str.strip, row)):
                yield begins, row, last.endswith("\r")
            begins = line + rows.line_num
    except csv.Error as error:
        open_quote = "unexpected end" in str(error)
        number = begins if open_quote else line + rows.line_num - 1
        why = "a quote that opens here is never closed; close it" if open_quote else f"{error}; mend the line"
        faults.add(f"is not CSV: {why}", number, f"line {number}")
        raise Faults.error(faults) from None


class _Rest(io.RawIOBase):
    """Some bytes, then what a text still holds."""

    def __init__(self, data: bytes, text: Text):
        """At the bytes."""
        self._data, self._text = memoryview(data), text

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, target: "memoryview") -> int:  # type: ignore[override]
        """Some of it; 0 at the end."""
        if not self._data:
            self._data = memoryview(self._text.read())
        size = min(len(target), len(self._data))
        target[:size] = self._data[:size]
        self._data = self._data[size:]
        return size
