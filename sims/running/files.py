"""Files of this machine, which appear whole or not at all: temporary name, flush, fsync, rename, fsync of the folder.

What the system refuses (a full disk, a folder that is read-only) is a `FileError`, which says where.
"""

import errno
import json
import os
import platform
import re
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from theory.errors import Error, InputError, RunError

A_DAY = 86_400
UNFINISHED = re.compile(r"\..+\.[^.].*\.[0-9]+\.tmp", re.DOTALL)
"""Names that `write_atomic` gives to what it has not finished: .NAME.HOST.PID.tmp; a host may have points."""
REMEDIES = {
    errno.ENOTDIR: "a part of that path is a file; name another place",
    errno.ENOENT: "name one that is there",
    errno.ENAMETOOLONG: "name a shorter one",
    errno.EISDIR: "it is a folder; name a file",
    errno.ELOOP: "a link there leads back to itself; name another place",
    errno.EACCES: "ask for the right to it, or name another place",
    errno.EPERM: "ask for the right to it, or name another place",
    errno.EROFS: "it can only be read; name another place",
    errno.ENOSPC: "make room there, or name another place, and run the command again",
    errno.EDQUOT: "make room there, or name another place, and run the command again",
    errno.EMFILE: "allow more open files (ulimit -n) and run the command again",
    errno.ENFILE: "allow more open files (ulimit -n) and run the command again",
}
"""What to do about what the system says of a path."""


def remedy(error: OSError) -> str:
    """What to do about it, after a semicolon; nothing where that is not known."""
    known = REMEDIES.get(error.errno or 0)
    return f"; {known}" if known else ""


def check_makeable(folder: Path) -> None:
    """Refuse, before any work, a folder that is not there and cannot be made.

    Raises:
        InputError: something on the way to it is a file, or may not be written.
        OSError: it cannot be looked at.
    """
    if folder.is_dir():
        return
    above = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not above.is_dir():
        raise InputError(f"{folder} cannot be made, as {above} is a file; name another folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"{folder} cannot be made, as {above} may not be written; name another folder")


class FileError(Error, OSError):
    """A file or folder that cannot be read or written; errno, strerror and filename are those of the system."""


class MissingError(FileError, FileNotFoundError):
    """One that is not there."""


class StoreError(RunError):
    """A place that cannot be used as it is; the message says why and what to do."""


@contextmanager
def located(path: Path) -> Iterator[None]:
    """Turn an OSError into a FileError, which names the file; that of a full disk does not by itself."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        kind = MissingError if isinstance(error, FileNotFoundError | NotADirectoryError) else FileError
        if error.errno is None:  # of a library, in its own words
            raise kind(f"{path}: {error}") from error
        place = str(path) if error.filename is None else error.filename
        raise kind(error.errno, error.strerror, place, None, error.filename2) from error


def read_bytes(path: Path) -> bytes:
    """A regular file: a pipe is not waited for. Raises FileError for anything else."""
    with located(path):
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # of a folder the system says so
            raise OSError(errno.EINVAL, "it is a pipe or device, not a file", str(path))
        return path.read_bytes()


def write_atomic(path: Path, data: bytes) -> None:
    """Write a local file that is there whole or not at all, even after a crash or a full disk.

    What has the temporary name already, a link of somebody else's say, is removed and not written through.
    """
    temporary = path.with_name(f".{path.name}{_writer(os.getpid())}")
    try:
        with located(path):
            temporary.unlink(missing_ok=True)
            with open(temporary, "xb") as file:
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
        with suppress(OSError):  # what went wrong with the file is what is told
            temporary.unlink()
        raise


def write_json(path: Path, value: Any) -> None:
    """The same of a value as JSON that a person can read."""
    write_atomic(path, json.dumps(value, indent=1).encode())


@dataclass(frozen=True)
class LocalFiles:
    """A folder of this machine, or one that it shares, as `sims.running.places.Files`."""

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
        try:
            with located(self.root / folder):
                if not folder and self.root.is_file():
                    raise StoreError(f"{self.root} is a file; give a folder with --out")
                found = os.listdir(self.root / folder)
        except MissingError:
            return []
        return sorted(name for name in found if not unfinished(name))

    def read(self, name: str) -> bytes:
        """See `Files`."""
        return read_bytes(self.root / name)

    def read_all(self, names: Sequence[str]) -> Iterator[bytes | FileError]:
        """See `Files`."""
        for name in names:
            try:
                yield self.read(name)
            except FileError as error:
                yield error

    def write(self, name: str, data: bytes) -> None:
        """See `Files`."""
        write_atomic(self.root / name, data)

    def remove(self, name: str) -> None:
        """See `Files`."""
        with located(self.root / name):
            (self.root / name).unlink(missing_ok=True)

    def discard_leftovers(self) -> None:
        """See `Files`. A process of this machine that lives may still be writing, and others may, for a day."""
        discard_leftovers([self.root, self.root / "shards"])


def discard_leftovers(folders: Iterable[Path]) -> None:
    """Remove temporary files of writers that are gone: dead processes of this machine, and others after a day.

    Those that `write_atomic` makes, and no other file, whatever it is called.
    """
    for path in [path for folder in folders for path in folder.glob(".*.tmp") if is_leftover(path)]:
        pid = int(path.name.split(".")[-2])
        with suppress(MissingError), located(path):  # it was finished, or removed, meanwhile
            ours = path.name.endswith(_writer(pid))
            if (ours and not _alive(pid)) or time.time() - path.lstat().st_mtime > A_DAY:
                path.unlink()


def is_leftover(path: Path) -> bool:
    """Whether it is a temporary file of `write_atomic`: a regular one with such a name."""
    return unfinished(path.name) and path.is_file() and not path.is_symlink()


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


def unfinished(name: str) -> bool:
    """Whether a name is that of a file that was not finished: .NAME.HOST.PID.tmp."""
    return UNFINISHED.fullmatch(name) is not None
