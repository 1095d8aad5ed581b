"""Where a store keeps its files: a local folder, or any URL that fsspec knows."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from sims.running.files import FileError, LocalFiles, StoreError
from sims.running.remote import RemoteFiles
from sims.running.text import one_line


class Files(Protocol):
    """What a store needs of a place. Names are relative to it; every failure is a FileError that says where."""

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

    def read_all(self, names: Sequence[str]) -> Iterator[bytes | FileError]:
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
