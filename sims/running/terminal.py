"""Streams that write no more than text: nothing that comes from data moves a cursor, hides a line or turns it round.

What a terminal would obey (ESC and the other control characters, carriage returns, marks of direction, letters without
a width) is written as an escape. What this program itself tells a terminal, a bar that moves, goes to `unguarded`.
"""

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sims.running.text import plain


class Guarded:
    """A stream of text; everything but writing is that of the stream."""

    def __init__(self, stream: Any) -> None:
        """What is written goes to ``stream``."""
        self.stream = stream

    def write(self, words: str) -> int:
        """Write text, escaped."""
        self.stream.write(plain(words))
        return len(words)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write text in pieces."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        """As the stream has it."""
        return getattr(self.stream, name)


def unguarded(stream: Any) -> Any:
    """The stream itself."""
    return unguarded(stream.stream) if isinstance(stream, Guarded) else stream


@contextmanager
def guarded() -> Iterator[None]:
    """Standard output and error write no more than text while the block runs, and after it the traceback of a bug.

    Characters that the terminal does not know are escaped as well.
    """
    before = sys.stdout, sys.stderr
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.stdout, sys.stderr = ((stream and Guarded(stream)) for stream in before)
    try:
        yield
    except SystemExit:
        sys.stdout, sys.stderr = before
        raise
    sys.stdout, sys.stderr = before
