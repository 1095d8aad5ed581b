"""A file, a folder or standard input is opened: its kind by its content, unpacked, text as UTF-8.

Nothing of it is run, no name that it holds is followed out of its folder, and no more than a block is unpacked at once.
"""

import atexit
import gzip
import os
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from empirical.records.encodings import Text, guess
from empirical.records.faults import RecordsError, shown
from sims.running.files import located

SAMPLE = 1 << 16
SUFFIXES = {
    ".csv": "CSV",
    ".tsv": "CSV",
    ".tab": "CSV",
    ".json": "JSON",
    ".jsonl": "JSON",
    ".ndjson": "JSON",
    ".parquet": "Parquet",
    ".arrow": "Arrow",
    ".feather": "Arrow",
    ".ipc": "Arrow",
}
PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
ENDS = (".gz", ".zst")
BINARY = {b"PAR1": "Parquet", b"ARROW1": "Arrow", b"\xff\xff\xff\xff": "Arrow"}
OTHER = {
    b"PK\x03\x04": "a zip archive or an Excel sheet; save it as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel sheet; save it as CSV",
    b"BZh": "packed by bzip2; unpack it",
    b"\xfd7zXZ": "packed by xz; unpack it",
    b"\x89HDF": "an HDF5 file; write it as Parquet",
    b"\x93NUMPY": "a NumPy array; write it as CSV with a line of names",
    b"SQLite format 3": "an SQLite database; write the table as CSV",
    b"FEA1": "a Feather file of version 1; write it again",
    b"PARE": "an encrypted Parquet file; decrypt it",
    b"\x80\x04": "a Python pickle, which is never opened; write it as CSV",
    b"\x80\x05": "a Python pickle, which is never opened; write it as CSV",
    b"%PDF": "a PDF",
}
READ = "a .csv, .tsv, .json, .jsonl, .parquet or .arrow"


@dataclass
class Source:
    """What has been opened."""

    name: str
    """What messages call it."""
    kind: str
    """CSV, JSON, Parquet, Arrow or folder."""
    file: BinaryIO | None = None
    """Of a binary kind, from its start."""
    text: Text | None = None
    """Of a kind of text, from its start."""
    sample: bytes = b""
    """How the text begins."""
    suffix: str = ""
    path: Path | None = None
    notes: list[str] = field(default_factory=list)


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """A file, a folder of a dataset, or standard input where the path is -.

    Raises:
        RecordsError: what is there is no table that can be read.
        FileError: the system refuses.
    """
    name = "standard input" if str(path) == "-" else str(path)
    with located(path):
        if str(path) != "-" and path.is_dir():
            yield Source(name, "folder", path=path)
            return
        if str(path) != "-" and not path.exists():
            raise RecordsError(f"{path} is not a file; {_nearest(path)}give the file that holds the records")
        file, owned = _file(path)
        try:
            yield _source(name, path, file)
        finally:
            if owned:
                file.close()


def _file(path: Path) -> tuple[BinaryIO, bool]:
    """From its start, seekable; and whether it is to be closed. A pipe is kept in an unnamed file until the end."""
    if str(path) == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise RecordsError(f"nothing is sent to standard input; give {READ}, or send one by a pipe")
        kept = _kept(sys.stdin.buffer)
    elif not path.is_file():
        kept = _pipe(path, os.stat(path).st_ino)
    else:
        return open(path, "rb"), True
    kept.seek(0)
    return kept, False


@cache
def _pipe(path: Path, _inode: int) -> BinaryIO:
    if not stat.S_ISFIFO(os.stat(path).st_mode):
        raise RecordsError(f"{path} is neither a file nor a pipe; give {READ}")
    with open(path, "rb") as pipe:
        return _kept(pipe)


@cache
def _kept(stream: Any) -> BinaryIO:
    kept = tempfile.TemporaryFile()
    atexit.register(kept.close)
    room = shutil.disk_usage(tempfile.gettempdir()).free // 2
    try:
        while data := stream.read(1 << 20):
            kept.write(data)
            room -= len(data)
            if room < 0:
                raise RecordsError(f"the pipe fills half of what is free in {tempfile.gettempdir()}; give a file")
    except BaseException:
        kept.close()
        raise
    return kept


def _source(name: str, path: Path, file: BinaryIO) -> Source:
    head = file.read(8)
    file.seek(0)
    packed = next((how for magic, how in PACKED.items() if head.startswith(magic)), None)
    *outer, suffix = ["", *(suffix.lower() for suffix in path.suffixes)]
    said_packed = suffix in ENDS
    source = Source(name, "", suffix=outer[-1] if said_packed else suffix, path=path)
    if packed is not None and not said_packed and name != "standard input":
        source.notes.append(f"it is packed by {packed}")
    read = file.read if packed is None else _unpacked(name, file, packed)
    start, expected = read(SAMPLE), SUFFIXES.get(source.suffix)
    kind = next((kind for magic, kind in BINARY.items() if start.startswith(magic)), None)
    _check_kind(name, kind, expected, packed, start)
    if kind is not None:
        file.seek(0)
        source.kind, source.file = kind, file
        return source
    encoding = guess(start)
    source.text = Text(name, start, read, encoding)
    source.sample = source.text.peek(SAMPLE)
    source.notes += [] if encoding.startswith("utf-8") else [f"encoding {encoding.upper()}"]
    source.notes += source.text.notes
    source.kind = expected or _kind_of_text(source)
    return source


def _check_kind(name: str, kind: str | None, expected: str | None, packed: str | None, start: bytes) -> None:
    """Raise RecordsError for a content that is no table, or not of the kind that the name promises."""
    other = next((what for magic, what in OTHER.items() if start.startswith(magic)), None)
    if other is not None:
        raise RecordsError(f"{name} is {other}, or give {READ}")
    if kind is not None and packed is not None:
        raise RecordsError(f"{name} is {kind}, packed by {packed}; give the {kind} file itself, which packs inside")
    if expected in ("Parquet", "Arrow") and kind != expected:
        raise RecordsError(f"{name} is no readable {expected} file: it does not begin as one; write it again")
    if not start:
        raise RecordsError(f"{name} is empty; give a line with the names of the columns, then a line per record")


def _kind_of_text(source: Source) -> str:
    """By how it begins, where the name does not say it."""
    if any(byte < 9 or 13 < byte < 27 for byte in source.sample[:4096]):
        raise RecordsError(f"{source.name} ends in {source.suffix!r} and holds no text; give {READ}")
    kind = "JSON" if source.sample.lstrip()[:1] in (b"{", b"[") else "CSV"
    source.notes.append(f"read as {kind}")
    return kind


def _unpacked(name: str, file: BinaryIO, packed: str) -> Callable[[int], bytes]:
    stream: Any = gzip.GzipFile(fileobj=file) if packed == "gzip" else pa.CompressedInputStream(file, "zstd")

    def read(size: int) -> bytes:
        try:
            return bytes(stream.read(size))
        except (EOFError, OSError, zlib.error) as error:
            raise RecordsError(f"{name} is damaged or cut short ({error}); make it again") from None

    return read


def _nearest(path: Path) -> str:
    import difflib

    try:
        names = sorted(os.listdir(path.parent))
    except OSError:
        return ""
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.75)
    return f"did you mean {shown(close[0])}? " if close else ""
