"""Pages for a browser that a command writes: where one may go, and whose it is that is there."""

from pathlib import Path

from theory.errors import InputError

HEAD = 2_000
"""Bytes of a page that say whose it is."""


def check_place(option: str, page: Path) -> None:
    """Raise InputError where a page has another ending, or no folder to lie in."""
    if page.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{option} {page} does not end in .html; name a page, as {page.with_suffix('.html')}")
    if not page.parent.is_dir():
        raise InputError(f"{option} {page}: {page.parent} is not a folder; make it, or choose another")


def has_mark(page: Path, mark: str) -> bool:
    """Whether it is a file whose head holds the mark of those that write such pages."""
    if not page.is_file():
        return False
    with page.open("rb") as file:
        return mark.encode() in file.read(HEAD)
