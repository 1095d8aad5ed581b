"""Where a store keeps its files: a local folder, or any URL that fsspec knows (s3://, gs://, memory://, ...).

A file appears whole or not at all. In a folder: temporary name beside it, flush, fsync, rename, fsync of the
folder. In an object store one PUT does the same by itself. Elsewhere (sftp, say) a write may be cut short, which
the receipts of the store find out.
"""

import errno
import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sims.running.text import one_line
from theory.errors import RunError

A_DAY = 86_400

TOGETHER = 64
"""Objects fetched at a time: a latency is waited for once, and memory holds no more than these."""

NO_FOLDERS = {"memory", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss"}
"""Stores whose folders are only parts of names; making one there would make a bucket."""


class StoreError(RunError):
    """A place that cannot be used as it is; the message says why and what to do."""


class Files(Protocol):
    """What a store needs of a place. Names are relative to it; every failure is an OSError that says where."""

    @property
    def private(self) -> bool:
        """Whether this process alone sees what is written."""

    def path(self, name: str = "") -> str:
        """The name as the user would write it."""

    def make(self) -> None:
        """Make the place and its folder of shards. Raises StoreError where that is not possible."""

    def names(self, folder: str = "") -> list[str]:
        """Names of the files and folders there, sorted; none where there is no such folder. No temporary files."""

    def read(self, name: str) -> bytes:
        """The content of a file."""

    def read_all(self, names: Sequence[str]) -> Iterator[bytes | OSError]:
        """The content of each file, or why it cannot be read."""

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole, or not at all."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def discard_leftovers(self) -> None:
        """Remove temporary files of writers that are gone."""


def files_at(root: str | Path) -> Files:
    """The files of a folder or URL. Raises StoreError for what is no folder and no URL that can be used here."""
    text = str(root)
    if isinstance(root, Path) or "://" not in text:
        return LocalFiles(Path(root))
    protocol, _, rest = text.partition("://")
    if protocol in ("file", "local"):
        return LocalFiles(Path(rest))
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped, unused-ignore]

        system, path = url_to_fs(text, use_listings_cache=False)
    except ImportError as error:
        missing = "fsspec" if error.name == "fsspec" else str(error)
        raise StoreError(f"{text}: the driver of {protocol}:// is not installed here ({missing})") from None
    except ValueError as error:
        raise StoreError(f"{text}: {error}; give a folder, or a URL such as s3://bucket/folder") from None
    except Exception as error:
        raise StoreError(f"{text}: cannot be opened ({one_line(error)})") from None
    return RemoteFiles(text.rstrip("/"), system, path.rstrip("/"))


def write_atomic(path: Path, data: bytes) -> None:
    """Write a local file that is there whole or not at all, even after a crash or a full disk."""
    temporary = path.with_name(f".{path.name}{_writer(os.getpid())}")
    try:
        with _located(path):
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _located(path: Path) -> Iterator[None]:
    """Let an OSError say where it was; a full disk does not by itself."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@dataclass(frozen=True)
class LocalFiles:
    """A folder of this machine, or one that it shares."""

    root: Path
    private = False

    def path(self, name: str = "") -> str:
        """See `Files`."""
        return str(self.root / name)

    def make(self) -> None:
        """See `Files`."""
        try:
            (self.root / "shards").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot make the output folder {self.root}: {error.strerror}; choose another") from None

    def names(self, folder: str = "") -> list[str]:
        """See `Files`. Raises StoreError where the place is a file."""
        if not folder and self.root.is_file():
            raise StoreError(f"{self.root} is a file; give a folder with --out")
        try:
            with _located(self.root / folder):
                found = os.listdir(self.root / folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in found if not _temporary(name))

    def read(self, name: str) -> bytes:
        """See `Files`."""
        with _located(self.root / name):
            return (self.root / name).read_bytes()

    def read_all(self, names: Sequence[str]) -> Iterator[bytes | OSError]:
        """See `Files`."""
        for name in names:
            try:
                yield self.read(name)
            except OSError as error:
                yield error

    def write(self, name: str, data: bytes) -> None:
        """See `Files`."""
        write_atomic(self.root / name, data)

    def remove(self, name: str) -> None:
        """See `Files`."""
        (self.root / name).unlink(missing_ok=True)

    def discard_leftovers(self) -> None:
        """See `Files`. A process of this machine that lives may still be writing, and others may, for a day."""
        for path in [*self.root.glob("shards/.*.tmp"), *self.root.glob(".*.tmp")]:
            pid = path.name.split(".")[-2]
            ours = pid.isdigit() and path.name.endswith(_writer(int(pid)))
            with suppress(FileNotFoundError):  # it was finished, or removed, meanwhile
                if (ours and not _alive(int(pid))) or time.time() - path.stat().st_mtime > A_DAY:
                    path.unlink()


@dataclass(frozen=True)
class RemoteFiles:
    """A place behind a URL, through fsspec."""

    url: str
    system: Any
    base: str

    @property
    def private(self) -> bool:
        """See `Files`."""
        return self.url.startswith("memory://")

    def path(self, name: str = "") -> str:
        """See `Files`."""
        return f"{self.url}/{name}".rstrip("/")

    def make(self) -> None:
        """See `Files`."""
        if self.url.partition("://")[0] in NO_FOLDERS:
            return
        try:
            self.system.makedirs(self._at("shards"), exist_ok=True)
        except NotImplementedError:
            return  # folders are only parts of names there, too
        except Exception as error:
            raise StoreError(f"cannot make the output folder {self.url}: {one_line(error)}") from None

    def names(self, folder: str = "") -> list[str]:
        """See `Files`."""
        with _explained(self.path(folder)):
            try:
                found = self.system.ls(self._at(folder), detail=False)
            except FileNotFoundError:
                return []
        names = {path.rstrip("/").rpartition("/")[2] for path in found if path.rstrip("/") != self._at(folder)}
        return sorted(name for name in names if not _temporary(name))

    def read(self, name: str) -> bytes:
        """See `Files`."""
        with _explained(self.path(name)):
            return bytes(self.system.cat_file(self._at(name)))

    def read_all(self, names: Sequence[str]) -> Iterator[bytes | OSError]:
        """See `Files`."""
        for start in range(0, len(names), TOGETHER):
            batch = names[start : start + TOGETHER]
            with _explained(self.path()):
                found = self.system.cat([self._at(name) for name in batch], on_error="return")
            for name in batch:
                try:
                    with _explained(self.path(name)):
                        content = found[self._at(name)]
                        if isinstance(content, Exception):
                            raise content
                    yield bytes(content)
                except OSError as error:
                    yield error

    def write(self, name: str, data: bytes) -> None:
        """See `Files`."""
        with _explained(self.path(name)):
            self.system.pipe_file(self._at(name), data)

    def remove(self, name: str) -> None:
        """See `Files`."""
        with _explained(self.path(name)):
            try:
                self.system.rm_file(self._at(name))
            except FileNotFoundError:
                return

    def discard_leftovers(self) -> None:
        """See `Files`. A PUT leaves none."""

    def _at(self, name: str) -> str:
        return f"{self.base}/{name}".rstrip("/")


@contextmanager
def _explained(path: str) -> Iterator[None]:
    """Turn whatever a driver raises into an OSError of one line that names the object."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "no such object or bucket", path) from None
    except Exception as error:
        raise OSError(f"{path}: {one_line(error)}") from error


def _writer(pid: int) -> str:
    """How the temporary files of a process of this machine end."""
    return f".{platform.node()}.{pid}.tmp"


def _alive(pid: int) -> bool:
    """Whether a process of this machine runs; one that has ended, and waits to be noticed, does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return not Path("/proc/self").exists()  # without /proc nothing is known: leave its files alone
    return state not in ("Z", "X")


def _temporary(name: str) -> bool:
    return name.startswith(".") and name.endswith(".tmp")
