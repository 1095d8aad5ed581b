"""Certificates: what a command wrote into a folder, and the sha256 of each file.

    DIR/certificates/compare.json     of what `pstar compare` wrote into DIR

One for each command, written after the files that it names; while these are written it says so, and what was
interrupted is seen. A file that has a certificate is never read without being compared with it (`read`), and never
written by another command than the one it names (`claim`). Against damage, not against somebody who forges both.
"""

import contextlib
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sims.running.files import (
    StoreError,
    check_makeable,
    discard_leftovers,
    located,
    read_bytes,
    unfinished,
    write_atomic,
)
from sims.running.sealed import seal, unseal
from sims.running.sums import DAMAGED, Checked, Fault, faults, sha256, sha256_of, size_of
from theory.errors import InputError

FORMAT = 1
FOLDER = "certificates"
PLACE = "{folder}"
"""What stands for the folder in a command."""
GUESTS = ("compare", "figures")
"""Commands whose words are known from the folder alone."""
INTERRUPTED, STALE = "writing was interrupted", "made from files that have changed since"


@dataclass(frozen=True)
class Maker:
    """A command that writes into a folder."""

    name: str
    """Of its certificate, such as compare."""
    command: str
    """What is typed to make its files again, with {folder} where the folder stands."""
    mark: str = ""
    """A file or folder by which a folder of an earlier version, without certificates, shows that it is of this kind."""
    guest: bool = False
    """Whether it writes into folders of others, as `pstar compare` into that of a sweep."""

    def again(self, root: Path) -> str:
        """The command for a folder, ready to be pasted."""
        return self.command.replace(PLACE, shlex.quote(str(root)))


@dataclass(frozen=True)
class Certificate:
    """What one command wrote."""

    maker: str
    command: str
    files: Mapping[str, str]
    """Name to sha256."""
    read: Mapping[str, str] = field(default_factory=dict)
    """Files of the same folder that it was made from, likewise."""
    made: Mapping[str, Any] = field(default_factory=dict)
    """How: the program's fingerprint, versions."""
    finished: bool = True

    def to_bytes(self) -> bytes:
        """As it is stored."""
        body = {"format": FORMAT, "maker": self.maker, "command": self.command, "finished": self.finished}
        return seal(body | {"files": dict(self.files), "read": dict(self.read), "made": dict(self.made)})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Certificate":
        """Inverse of `to_bytes`. Raises ValueError for anything that does not certify itself."""
        body = unseal(data)
        if body.get("format") != FORMAT:
            raise InputError(f"certificate has format {body.get('format')}, this version reads {FORMAT}")
        for name in (*body["files"], *body["read"]):
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise InputError(f"certificate names {name!r}, which is not in its folder")
        return cls(**{name: body[name] for name in ("maker", "command", "files", "read", "made", "finished")})

    def again(self, root: Path) -> str:
        """See `Maker.again`."""
        command = self.command if PLACE in self.command else movable(self.command)  # of an earlier version
        return Maker(self.maker, command).again(root)


def movable(command: str) -> str:
    """A command as it was typed, with {folder} in the place of the folder after --out, for `Maker.command`."""
    words = shlex.split(command)
    for i, word in enumerate(words):
        if i and words[i - 1] == "--out":
            words[i] = PLACE
        elif word.startswith("--out="):
            words[i] = f"--out={PLACE}"
        else:
            words[i] = shlex.quote(word)
    return " ".join(words)


def path_of(root: Path, maker: str) -> Path:
    """Where the certificate of a command lies."""
    return root / FOLDER / f"{maker.replace(' ', '-')}.json"


def find(root: Path, maker: str) -> Certificate | None:
    """The certificate of a command, or None where there is none that certifies itself."""
    return _at(path_of(root, maker))


def _at(path: Path) -> Certificate | None:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return Certificate.from_bytes(read_bytes(path))
    return None


def find_all(root: Path) -> dict[Path, Certificate | None]:
    """Every certificate of a folder by its path; None for one that is damaged."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), located(root / FOLDER):
        paths = sorted(path for path in (root / FOLDER).iterdir() if not unfinished(path.name))
        found = {path: _at(path) for path in paths if path.suffix == ".json"}
        return {path: each for path, each in found.items() if each is None or path == path_of(root, each.maker)}
    return {}


def claim(root: Path, maker: Maker, names: Iterable[str] = (), inputs: Iterable[Path] = ()) -> None:
    """Refuse, before any work, what would overwrite something that this command did not make.

    Args:
        root: the folder, which need not exist.
        maker: who will write into it.
        names: what it will write, as far as that is known.
        inputs: files that it reads.

    Raises:
        InputError: the place is a file or cannot be made; it holds what no earlier call of this command made; a name is
            that of an input.
        FileError: it cannot be looked at.
    """
    with located(root):
        _claim(root, maker, tuple(names), inputs)


def _claim(root: Path, maker: Maker, names: tuple[str, ...], inputs: Iterable[Path]) -> None:
    if root.exists() and not root.is_dir():
        raise InputError(f"--out {root} is a file; name a folder")
    there = [root / name for name in names if (root / name).exists()]
    for given in inputs:
        if given.exists() and any(path.samefile(given) for path in there):
            raise InputError(f"--out {root} would overwrite {given}, its own input; choose another folder")
    check_makeable(root)
    if not root.is_dir():
        return
    if maker.guest or _is_ours(root, maker):
        _refuse_foreign(root, maker, names)
        return
    found = sorted(path.name for path in root.iterdir() if not _unbegun(path))
    if found:
        makers = sorted({each.again(root) for each in find_all(root).values() if each})
        made = f"was made by `{makers[0]}`" if makers else f"holds files already, such as {found[0]!r}"
        raise InputError(
            f"--out {root} {made}; pstar {maker.name} wants a folder of its own: a new one, or an empty one"
        )


def _unbegun(path: Path) -> bool:
    """Whether it is what a command leaves that is killed before its first certificate is in place."""
    if path.name == FOLDER and path.is_dir():
        return all(unfinished(each.name) for each in path.iterdir())
    return unfinished(path.name)


def _is_ours(root: Path, maker: Maker) -> bool:
    """Whether the command, perhaps of an earlier version, has written into the folder before."""
    return path_of(root, maker.name).exists() or bool(maker.mark and (root / maker.mark).exists())


def _refuse_foreign(root: Path, maker: Maker, names: Iterable[str]) -> None:
    """Raise InputError for a file that is there and was not made by this command."""
    place = path_of(root, maker.name)
    certificates = find_all(root)
    own = certificates.get(place)
    others = {name: each for path, each in certificates.items() if each and path != place for name in each.files}
    known = own.files if own is not None else {}
    anything = own is None and _is_ours(root, maker)  # what it made is not known any more, or never was
    for name in names:
        if name in known or not (root / name).exists() or (anything and name not in others):
            continue
        made = f"`{others[name].again(root)}` made it" if name in others else f"`pstar {maker.name}` did not make it"
        raise InputError(f"{root / name} is there, and {made}; move it away, or choose another folder")


def sums(root: Path, names: Iterable[str]) -> dict[str, str]:
    """Name to sha256 of those files of a folder that are there. Raises FileError for one that cannot be read."""
    found = {}
    for name in names:
        with located(root / name):
            if (root / name).is_file():
                found[name] = sha256_of(root / name)
    return found


def write(
    root: Path,
    maker: Maker,
    files: Mapping[str, bytes],
    read: Mapping[str, str] | None = None,
    made: Mapping[str, Any] | None = None,
    keep: bool = False,
) -> list[Path]:
    """Write files into a folder, and their certificate; returns their paths.

    What the same command wrote before and does not write now is removed, unless it was changed or ``keep``: then it
    stays in the certificate. ``read``: the `sums` of files in the folder that all was made from, taken before they were
    read; who changed them meanwhile makes it stale.

    Raises:
        InputError: see `claim`.
        StoreError: the folder cannot be made.
        FileError: the disk refuses.
    """
    _refuse_foreign(root, maker, files)
    before = find(root, maker.name)
    old = dict(before.files) if before is not None else {}
    try:
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the output folder {root}: {error.strerror}; choose another") from None
    place = path_of(root, maker.name)
    about, seen = dict(made or {}), dict(read or {})
    new = {name: sha256(data) for name, data in files.items()}
    write_atomic(place, Certificate(maker.name, maker.command, old | new, seen, about, finished=False).to_bytes())
    for name, data in files.items():
        with located(root / name):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomic(root / name, data)
    left = {name: expected for name, expected in old.items() if name not in files}
    if not keep:
        changed = {fault.path for fault in faults(root, left)}
        for name in left:
            if root / name not in changed:
                (root / name).unlink(missing_ok=True)
        left = {}
    write_atomic(place, Certificate(maker.name, maker.command, left | new, seen, about).to_bytes())
    discard_leftovers({root, place.parent, *(path.parent for path in map(root.joinpath, files))})
    return [root / name for name in files]


def read(root: Path, maker: Maker, name: str) -> bytes:
    """A certified file. Raises StoreError, which says how to mend it, for any other."""
    path, place, again = root / name, path_of(root, maker.name), maker.again(root)
    found = find(root, maker.name)
    if not path.exists():
        raise StoreError(f"{path} does not exist; run first: {again}")
    if found is None:
        why = f"its certificate {place} is damaged" if place.exists() else "it has no certificate"
        raise StoreError(f"{path}: {why}; run again: {again}")
    if not found.finished:
        raise StoreError(f"{path}: {INTERRUPTED}; run again: {again}")
    try:
        data = read_bytes(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror or error}); run again: {again}") from None
    if found.files.get(name) != sha256(data):
        raise StoreError(f"{path} is damaged (its sha256 is not the one in {place}); run again: {again}")
    return data


def whole(root: Path, certificate: Certificate) -> list[Fault]:
    """What is the matter with the files of a certificate, and with those it was made from."""
    again = certificate.again(root)
    if not certificate.finished:
        return [Fault(path_of(root, certificate.maker), INTERRUPTED, again)]
    wrong = [*faults(root, certificate.files, again)]
    if not wrong and any(faults(root, certificate.read)):
        return [Fault(path_of(root, certificate.maker), STALE, again)]
    return wrong


def again_without(root: Path, maker: str) -> str:
    """What is typed to make again what a command made, where its certificate cannot say."""
    return f"pstar {maker} {shlex.quote(str(root))}" if maker in GUESTS else f"pstar {maker}, as it was typed"


def stale(root: Path, maker: Maker) -> bool:
    """Whether what the command was made from has changed since."""
    found = find(root, maker.name)
    return found is not None and any(faults(root, found.read))


def check(root: Path) -> Checked:
    """What is the matter with certified files: damaged, missing, interrupted, or made from what has changed since.

    Foreign are files beside them in the folders below ``root`` that they are in, and in that of the certificates.
    """
    found = find_all(root)
    wrong: list[Fault] = []
    ours = set(found)
    for path, certificate in found.items():
        if certificate is None:
            wrong.append(Fault(path, DAMAGED, again_without(root, path.stem.replace("-", " "))))
        else:
            wrong += whole(root, certificate)
            ours |= {root / name for name in certificate.files}
    folders = {path.parent for path in ours} - {root}
    beside = {path for folder in folders if folder.is_dir() for path in folder.iterdir() if path.is_file()}
    foreign = sorted(path for path in beside - ours if not unfinished(path.name))
    return Checked(len(ours), size_of(ours), tuple(wrong), (), tuple(foreign))
