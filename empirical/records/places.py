"""The line, or the row, of the file at which a record stands; counted from 1, as an editor does."""

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray


class Places:
    """Numbers of lines by record, a block at a time: the first of lines that follow each other, or every one."""

    def __init__(self, unit: str):
        """None as yet. ``unit`` is what is counted: line or row."""
        self.unit = unit
        self.rows = 0
        self._starts: list[int] = []
        self._numbers: list[int | NDArray[np.int64]] = []

    def extend(self, rows: int, numbers: int | NDArray[np.int64]) -> None:
        """The next records, at these numbers, or one after the other from this one."""
        self._starts.append(self.rows)
        self._numbers.append(numbers)
        self.rows += rows

    def number(self, index: int) -> int:
        """Of a record, which is counted from 0."""
        block = bisect_right(self._starts, index) - 1
        numbers, offset = self._numbers[block], index - self._starts[block]
        return numbers + offset if isinstance(numbers, int) else int(numbers[offset])

    def where(self, index: int) -> str:
        """As a message says it."""
        return f"{self.unit} {self.number(index)}"
