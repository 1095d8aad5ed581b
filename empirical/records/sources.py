"""A file, a folder or standard input is opened: its kind by its content, unpacked, text as UTF-8.

Nothing of it is run, no name that it holds is followed out of its folder, and no more than a block is unpacked at once.
"""

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
ENDS = {"gzip": ".gz", "zstd": ".zst"}
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
    mode = os.stat(path).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)):
        raise RecordsError(f"{path} is neither a file nor a pipe; give {READ}")
    with open(path, "rb") as pipe:
        return _kept(pipe)


@cache
def _kept(stream: Any) -> BinaryIO:
    kept = tempfile.TemporaryFile()
    shutil.copyfileobj(stream, kept, 1 << 20)
    return kept


def _source(name: str, path: Path, file: BinaryIO) -> Source:
    head = file.read(32)
    file.seek(0)
    packed = next((how for magic, how in PACKED.items() if head.startswith(magic)), None)
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    said_packed = bool(suffixes) and suffixes[-1] in ENDS.values()
    suffix = (suffixes[:-1] if said_packed else suffixes or [""])[-1:]
    source = Source(name, "", suffix=suffix[0] if suffix else "", path=path)
    if packed is not None:
        if not said_packed and name != "standard input":
            source.notes.append(f"it is packed by {packed}")
        read = _unpacked(name, file, packed)
    else:
        read = file.read
    start = read(SAMPLE)
    binary = next((kind for magic, kind in BINARY.items() if start.startswith(magic)), None)
    other = next((what for magic, what in OTHER.items() if start.startswith(magic)), None)
    expected = SUFFIXES.get(source.suffix)
    if packed and binary:
        raise RecordsError(f"{name} is {binary}, packed by {packed}; give the {binary} file itself, which packs inside")
    if other:
        raise RecordsError(f"{name} is {other}, or give {READ}")
    if binary or expected in ("Parquet", "Arrow"):
        if binary != expected and expected in ("Parquet", "Arrow"):
            raise RecordsError(f"{name} is no readable {expected} file: it does not begin as one; write it again")
        file.seek(0)
        source.kind, source.file = str(binary), file
        return source
    if not start:
        raise RecordsError(f"{name} is empty; give a line with the names of the columns, then a line per record")
    encoding = guess(start)
    source.text = Text(name, start, read, encoding)
    source.notes += [f"encoding {encoding.upper()}"] if not encoding.startswith("utf-8") else []
    source.sample = source.text.peek(SAMPLE)
    source.notes += source.text.notes
    source.kind = _kind_of_text(source, expected)
    return source


def _kind_of_text(source: Source, expected: str | None) -> str:
    first = source.sample.lstrip()[:1]
    if expected is not None:
        return expected
    kind = "JSON" if first in (b"{", b"[") else "CSV"
    if b"\0" in source.sample or (source.suffix and _is_code(source.sample)):
        raise RecordsError(f"{source.name} ends in {source.suffix!r} and holds no text; give {READ}")
    source.notes.append(f"read as {kind}")
    return kind


def _is_code(sample: bytes) -> bool:
    """Whether text has control characters, as no table has."""
    return any(byte < 9 or 13 < byte < 27 for byte in sample[:4096])


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
