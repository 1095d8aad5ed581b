"""A JSON list of objects, a block at a time: by pyarrow where the objects are alike, else by the json module."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from empirical.records.blocks import LONGEST, SIZE
from empirical.records.column import Columns
from empirical.records.encodings import Text
from empirical.records.faults import Faults, RecordsError
from empirical.records.gathering import Gathered
from empirical.records.names import All
from empirical.records.objects import LOOKED_AT, Fields, NotAnObject, decoder, outermost, why
from empirical.records.paths import leaves
from empirical.records.sources import Source

BATCH = 8192
BLANKS = re.compile(r"[ \t\r\n]*")
BETWEEN = re.compile(rb"\}[ \t\r\n]*(,)[ \t\r\n]*\{")
TAIL = 1 << 16
"""Bytes at the end of a block in which the border of two objects is looked for."""


def read(source: Source, wanted: Sequence[str] | None, limit: int | None, want: All | None = None) -> Columns:
    """The wanted columns, all of the first records for None; ``limit`` is the most records. Raises RecordsError."""
    assert source.text is not None
    found = _List(source.text, Faults(source.name))
    first = found.first(1000)
    every = outermost(first, found.faults) if want is not None else leaves(first)
    gathered = Gathered(source.name, every if wanted is None else list(wanted), "row", limit)
    gathered.faults = found.faults
    fields = Fields(gathered.names, first, found.faults, want)
    while not found.ended and not gathered.full:
        if not _quickly(found, fields, gathered):
            _carefully(found, fields, gathered)
    fields.check(gathered.rows)
    return gathered.columns("JSON array", source.notes)


def _quickly(found: "_List", fields: Fields, gathered: Gathered) -> bool:
    """Read a block by pyarrow, as the one list of one object; False where anything is unusual.

    The border at the end is a guess: were it within an object or a text, the block would be no JSON.
    """
    data = found.text.read(SIZE)
    borders = list(BETWEEN.finditer(data, max(0, len(data) - TAIL)))
    border = borders[-1] if borders else None
    body, rest = (data[: border.start() + 1], data[border.end(1) :]) if border else (b"", data)
    if len(data) < SIZE and data.rstrip().endswith(b"]"):
        body, rest = data.rstrip()[:-1], b""
    columns = fields.quick(body, found.first_of(data), within_list=True) if body else None
    if columns is None:
        found.text.back(data)
        return False
    rows = len(columns[0]) if columns else 0
    gathered.add(columns, rows, found.number + 1)
    found.number += rows
    found.ended = not rest
    found.text.back(rest)
    return True


def _carefully(found: "_List", fields: Fields, gathered: Gathered) -> None:
    """Read about a block object by object. What is no record is a fault."""
    rows: list[list[Any]] = []
    numbers: list[int] = []

    def flush() -> None:
        gathered.add(fields.arrays(rows), len(rows), np.array(numbers, np.int64))
        rows.clear()
        numbers.clear()

    for number, record in found.objects(fields.keys):
        try:
            rows.append(fields.values(record))
            numbers.append(number)
        except NotAnObject as error:
            found.faults.add(str(error), number, f"row {number}")
        if len(rows) == BATCH:
            flush()
    flush()


class _List:
    """A list of which ``number`` entries have been read."""

    def __init__(self, text: Text, faults: Faults):
        """After its bracket."""
        self.text, self.faults, self.number = text, faults, 0
        start = text.read(1).lstrip()[1:]
        while not start.strip() and (more := text.read(1)):
            start = more
        text.back(start)
        self.ended = start.lstrip()[:1] == b"]" and not start.strip()[1:]

    def first(self, most: int) -> list[dict[str, Any]]:
        """The first objects of what has not been read, which stay."""
        data = self.text.read(1)
        self.text.back(data)
        return self.first_of(data, most)

    @staticmethod
    def first_of(data: bytes, most: int = LOOKED_AT) -> list[dict[str, Any]]:
        """The first objects of a block, as far as they can be read."""
        held, place = data[:TAIL].decode("utf-8", "ignore"), 0
        decode = json.JSONDecoder().raw_decode
        found: list[dict[str, Any]] = []
        while len(found) < most:
            place = BLANKS.match(held, place).end()  # type: ignore[union-attr]
            try:
                record, place = decode(held, place)
            except (ValueError, RecursionError):
                break
            if not isinstance(record, dict):
                break
            found.append(record)
            place = BLANKS.match(held, place).end() + 1  # type: ignore[union-attr]
        return found

    def objects(self, keys: frozenset[str]) -> Iterator[tuple[int, Any]]:
        """About a block of what comes next, numbered from 1. Raises RecordsError where it is no JSON."""
        decode = decoder(keys).raw_decode
        held, place, before = "", 0, 0

        def more() -> bool:
            nonlocal held, place, before
            raw = self.text.read()
            before += place
            held, place = held[place:] + raw.decode(), 0
            return bool(raw)

        def sign() -> str:
            """The next character that is no blank; none at the end."""
            nonlocal place
            while True:
                place = BLANKS.match(held, place).end()  # type: ignore[union-attr]
                if place < len(held) or not more():
                    return held[place : place + 1]

        while before + place < SIZE:
            sign()
            try:
                record, place = decode(held, place)
            except NotAnObject as error:
                raise self._refused(str(error)) from None
            except (ValueError, RecursionError) as error:
                if isinstance(error, json.JSONDecodeError) and len(held) - place < LONGEST and more():
                    continue  # it may have been cut
                raise self._refused(f"is not JSON: {why(error)}; give a list of objects, [{{...}}, ...]") from None
            self.number += 1
            yield self.number, record
            after = sign()
            place += 1
            if after == "]" and not sign():
                self.ended = True
                return
            if after != ",":
                said = "it ends before the list does" if not after else "there is more where a comma or the end belongs"
                raise self._refused(f"is not JSON: {said}; mend it")
        self.text.back(held[place:].encode("utf-8", "surrogatepass"))

    def _refused(self, what: str) -> RecordsError:
        self.faults.add(what, self.number + 1, f"row {self.number + 1}")
        return Faults.error(self.faults)
