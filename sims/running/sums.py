"""The sha256 of files: one way to take it, and to say of which files it is no longer that which was written down."""

import hashlib
import stat
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

DAMAGED, MISSING = "damaged", "missing"


class Fault(NamedTuple):
    """A file that is not as it was written."""

    path: Path
    what: str
    """DAMAGED or MISSING, or in words what else is the matter."""
    remedy: str = ""
    """The command that makes it again."""

    def __str__(self) -> str:
        """One line."""
        return f"{self.path}: {self.what}{f'; mend it: {self.remedy}' if self.remedy else ''}"


class Checked(NamedTuple):
    """What a look at every file of a folder, or of a part of it, has found."""

    files: int = 0
    """Files of ours that were read."""
    size: int = 0
    """Their bytes."""
    faults: tuple[Fault, ...] = ()
    unfinished: tuple[str, ...] = ()
    """What is not there yet, a line each."""
    foreign: tuple[Path, ...] = ()
    """Files that are not ours."""

    def __add__(self, other: "Checked") -> "Checked":  # type: ignore[override]
        """Of two parts together."""
        return Checked(
            self.files + other.files,
            self.size + other.size,
            self.faults + other.faults,
            self.unfinished + other.unfinished,
            self.foreign + other.foreign,
        )


def size_of(paths: Iterable[Path]) -> int:
    """Bytes of those files that are there."""
    return sum(path.stat().st_size for path in paths if path.is_file())


def sha256(data: bytes) -> str:
    """Of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_of(path: Path) -> str:
    """Of a file's content, read once per process as long as the file stays as it is. Raises OSError."""
    state = path.stat()
    return _sha256_of(path, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


@lru_cache(maxsize=100_000)
def _sha256_of(path: Path, *state: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def faults(root: Path, files: Mapping[str, str], remedy: str = "") -> Iterator[Fault]:
    """Of the files of a folder (name to sha256) those that are missing, or have another content."""
    for name, expected in files.items():
        path = root / name
        try:
            inside = not Path(name).is_absolute() and ".." not in Path(name).parts
            if not inside or not stat.S_ISREG(path.stat().st_mode) or sha256_of(path) != expected:
                yield Fault(path, DAMAGED, remedy)
        except (FileNotFoundError, NotADirectoryError):
            yield Fault(path, MISSING, remedy)
        except OSError as error:
            yield Fault(path, f"cannot be read ({error.strerror})", remedy)
