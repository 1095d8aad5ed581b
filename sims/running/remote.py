"""A store behind a URL that fsspec knows (s3://, gs://, memory://, ...): one PUT is a file, whole or not at all.

Elsewhere (sftp, say) a write may be cut short, which the receipts of the store find out.
"""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sims.running.files import FileError, MissingError, StoreError, unfinished
from sims.running.text import one_line

TOGETHER = 64
"""Objects fetched at a time: a latency is waited for once, and memory holds no more than these."""

NO_FOLDERS = {"memory", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss"}
"""Stores whose folders are only parts of names; making one there would make a bucket."""


@dataclass(frozen=True)
class RemoteFiles:
    """A place behind a URL, through fsspec, as `sims.running.places.Files`."""

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
        return sorted(name for name in names if not unfinished(name))

    def read(self, name: str) -> bytes:
        """See `Files`."""
        with _explained(self.path(name)):
            return bytes(self.system.cat_file(self._at(name)))

    def read_all(self, names: Sequence[str]) -> Iterator[bytes | FileError]:
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
                except FileError as error:
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
    """Turn whatever a driver raises into a FileError of one line that names the object."""
    try:
        yield
    except FileNotFoundError:
        raise MissingError(errno.ENOENT, "no such object or bucket", path) from None
    except Exception as error:
        raise FileError(f"{path}: {one_line(error)}") from error
