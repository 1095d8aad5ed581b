"""What is wrong with the lines of a table: all of it at once, each with its line."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from theory.errors import InputError

MOST = 10
"""Faults that a message tells."""
LOOKED_FOR = 200
"""Lines that are looked for where a fault lies between columns."""


class LineFault(NamedTuple):
    """One fault."""

    line: int
    """From 0."""
    column: str
    """Empty where it lies between columns."""
    what: str
    """Value, range and remedy."""


class TableError(InputError):
    """Lines of a table that are no problems; `faults` has them all, in the order of the lines."""

    def __init__(self, faults: Sequence[LineFault], length: int):
        """Of a table of ``length`` lines."""
        self.faults = sorted(faults, key=lambda fault: fault.line)
        said = [self._said(fault, length) for fault in self.faults[:MOST]]
        if len(said) > 1 and length == 1:
            said = ["; and ".join(said)]
        elif len(said) > 1:
            more = len(self.faults) - len(said)
            least = " or more" if sum(not fault.column for fault in self.faults) >= LOOKED_FOR else ""
            head = f"{len(self.faults):,}{least} faults in a table of {length:,} lines"
            said = [head, *(f"  - {line}" for line in said)]
            said += [f"  and {more:,} more"] if more else []
        super().__init__("\n".join(said))

    @staticmethod
    def _said(fault: LineFault, length: int) -> str:
        if length == 1 and not fault.what.startswith("column "):
            return fault.what
        return f"line {fault.line + 1}{', ' if fault.what.startswith('column ') else ': '}{fault.what}"


def refused(check: Callable[[np.ndarray], object], lines: np.ndarray) -> list[LineFault]:
    """The lines that ``check`` refuses, found by halves: it takes some places and raises ValueError for any wrong one.

    At most `LOOKED_FOR` of them.
    """

    def within(some: np.ndarray) -> Iterator[LineFault]:
        try:
            check(some)
        except ValueError as error:
            if len(some) == 1:
                yield LineFault(int(some[0]), "", str(error))
            else:
                half = len(some) // 2
                yield from within(some[:half])
                yield from within(some[half:])

    return list(islice(within(lines), LOOKED_FOR)) if len(lines) else []
