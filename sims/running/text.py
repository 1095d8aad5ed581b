"""Plain text for terminals, logs and reports: tables of cells, prose in lines, an error in one line."""

import re
import textwrap
from collections.abc import Iterable

WIDTH = 116
"""Of prose, in characters."""

OBEYED = re.compile(r"[^\n\t\x20-\x7e]+")
"""Where a terminal may be told something; most of it is letters of other languages."""

Column = tuple[str, str]
"""Heading and alignment, '<' or '>'."""


def layout(columns: Iterable[Column], lines: Iterable[Iterable[str]]) -> str:
    """Lines of text cells under headings, each column as wide as its widest cell."""
    headings, sides = zip(*columns, strict=True)
    table = [headings, *(tuple(map(printable, line)) for line in lines)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)).rstrip()
        for row in table
    )


def printable(words: str) -> str:
    """Words with what a terminal would obey, or break a line at, escaped."""
    return words if words.isprintable() else "".join(one if one.isprintable() else repr(one)[1:-1] for one in words)


def plain(words: str) -> str:
    """The same of text in lines: line ends and tabs stay."""
    return OBEYED.sub(lambda found: printable(found[0]), words)


def markdown(words: str) -> str:
    """Text of whatever origin as Markdown that says just that: no markup, no link, one line."""
    for mark in "\\`*_|<>[]~$&":
        words = words.replace(mark, f"\\{mark}")
    return printable(words)


def say(words: str, mark: str = "") -> str:
    """Prose in lines of WIDTH; under a mark such as "- " it is indented."""
    return textwrap.fill(words, WIDTH, initial_indent=mark, subsequent_indent=" " * len(mark))


def one_line(error: BaseException, most: int | None = None) -> str:
    """What somebody else's error says, without what follows its first line: its class and ``most`` characters."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:most]}" if lines else type(error).__name__


def duration(seconds: float) -> str:
    """Seconds as a person says them: in the largest unit of which there are two."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
