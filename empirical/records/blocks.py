"""Text cut into blocks of whole rows, with the number of the line at which each begins."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from empirical.records.encodings import Text
from empirical.records.faults import RecordsError

SIZE = 1 << 23
"""Bytes of a block."""
LONGEST = 1 << 26
"""Bytes of a row: what is longer is refused, and no more than this is ever held as text."""


class Block(NamedTuple):
    """Rows, and the line (from 1) at which they begin."""

    data: bytes
    line: int


def blocks(name: str, text: Text, end: Callable[[bytes], int], line: int = 1) -> Iterator[Block]:
    """Blocks of a text. ``end`` finds where the last whole row of some bytes ends, 0 where there is none.

    Raises RecordsError for a row longer than `LONGEST`.
    """
    rest = b""
    while chunk := text.read(SIZE):
        rest += chunk
        cut = end(rest)
        if cut:
            text.back(rest[cut:])
            yield Block(rest[:cut], line)
            line += rest.count(b"\n", 0, cut)
            rest = b""
        elif len(rest) > LONGEST:
            raise RecordsError(
                f"{name}, line {line}: the record that begins here is longer than {LONGEST >> 20} MiB; close the quote "
                "that is open, or leave the long column out"
            )
    if rest:
        yield Block(rest, line)


def last_line(data: bytes) -> int:
    """Where the last whole line ends."""
    return data.rfind(b"\n") + 1


def last_row(data: bytes) -> int:
    """Where the last whole row of CSV ends: at a line's end that is not within quotes."""
    if b'"' not in data:
        return last_line(data)
    ends = row_ends(data)
    return int(ends[-1]) + 1 if ends.size else 0


def row_ends(data: bytes) -> NDArray[np.int64]:
    """Places of the line ends that are not within quotes."""
    array = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(array == ord("\n"))
    if b'"' not in data:
        return ends
    return ends[np.searchsorted(np.flatnonzero(array == ord('"')), ends) % 2 == 0]


def row_lines(block: Block, quoted: bool) -> NDArray[np.int64]:
    """The line at which each row of a block begins, without those that are empty."""
    data = block.data
    array = np.frombuffer(data, np.uint8)
    every = np.flatnonzero(array == ord("\n"))
    ends = row_ends(data) if quoted else every
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.concatenate([[0], ends[:-1] + 1])
    last = array[np.maximum(ends - 1, 0)]
    empty = (ends == starts) | ((ends == starts + 1) & (last == ord("\r")))
    return (block.line + np.searchsorted(every, starts))[~empty]
