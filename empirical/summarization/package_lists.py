"""The package lists of Debian, Ubuntu and their kin: per package a synopsis and an extended description.

A list is a file of stanzas, as apt keeps them below /var/lib/apt/lists and a mirror below dists/. `Packages` has the
source package and the section; the extended description stands there, or in `Translation-en` under the same name.
Nothing in a list is run, and apt's own `apt-helper` unpacks what Python cannot.
"""

import bz2
import gzip
import lzma
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sims.running.files import located
from sims.running.sums import sha256_of
from sims.running.text import one_line
from theory.errors import InputError, RunError

HERE = Path("/var/lib/apt/lists")
"""Where apt keeps them."""
NAMES = ("*Packages*", "*Translation-en*")
"""Files of a folder that are lists."""
HELPER = "/usr/lib/apt/apt-helper"
UNPACKED: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"\xfd7zXZ\0": lzma.open, b"BZh": bz2.open}
"""By the bytes that a file begins with."""
BY_APT = (b"\x04\x22\x4d\x18", b"\x28\xb5\x2f\xfd")
"""lz4 and zstd."""
MOST = 1 << 29
"""Bytes of a list, unpacked; the largest of Debian and Ubuntu have a sixth of that."""
FETCH = "apt-get -o Acquire::Languages=en update"
LISTS = f"fetch them by `{FETCH}`, or name files or a folder of a mirror's lists after --lists"


class Package(NamedTuple):
    """What the lists say of a package."""

    name: str
    source: str
    """The package that it is built from; empty where no list says."""
    section: str
    synopsis: str
    text: str
    """The extended description: paragraphs, one a line; empty where no list has it."""


def files_of(given: Sequence[Path]) -> list[Path]:
    """The lists that are meant: files as they are, those of a folder, and of this machine where nothing is given.

    Raises InputError where there are none.
    """
    found: list[Path] = []
    for place in given or [HERE]:
        with located(place):
            inside = sorted({path for name in NAMES for path in place.glob(name)}) if place.is_dir() else [place]
        lists = [path for path in inside if path.is_file()]
        if not lists:
            raise InputError(f"{place} holds no package list ({' or '.join(NAMES)}); {LISTS}")
        found += lists
    return list(dict.fromkeys(found))


def packages(files: Sequence[Path]) -> list[Package]:
    """Every package of these lists once, by name; of several versions the first that is met.

    Raises RunError for a file that cannot be read, InputError for one that holds no stanza of a package or more than
    `MOST` bytes.
    """
    sources: dict[str, tuple[str, str]] = {}
    told: dict[str, tuple[str, str]] = {}
    for path in files:
        for fields in _stanzas(path):
            name = fields["Package"]
            if "Version" in fields:  # of Packages; a source of another version has it in brackets
                sources.setdefault(name, ((fields.get("Source") or name).split()[0], fields.get("Section", "")))
            description = fields.get("Description-en") or fields.get("Description", "")
            synopsis, _, rest = description.partition("\n")
            if name not in told or not told[name][1]:
                told[name] = synopsis.strip(), paragraphs(rest)
    return [Package(name, *sources.get(name, ("", "")), *told[name]) for name in sorted(told)]


def about(files: Iterable[Path]) -> list[dict[str, str]]:
    """Name and sha256 of each list, for provenance."""
    return [{"name": path.name, "sha256": sha256_of(path)} for path in files]


def paragraphs(text: str) -> str:
    """An extended description with one line for each paragraph: a full stop alone parts them (Debian policy 5.6.13)."""
    parts: list[list[str]] = [[]]
    for line in text.split("\n"):
        words = line.split()
        if words == ["."]:
            parts.append([])
        else:
            parts[-1] += words
    return "\n".join(" ".join(part) for part in parts if part)


def _stanzas(path: Path) -> Iterator[dict[str, str]]:
    """Fields by name; a field of several lines keeps them, without the blank that they begin with."""
    count = 0
    for stanza in _text(path).split("\n\n"):
        fields: dict[str, str] = {}
        last = ""
        for line in stanza.split("\n"):
            if line[:1] in (" ", "\t"):
                fields[last] = f"{fields.get(last, '')}\n{line[1:]}"
            elif line:
                last, _, value = line.partition(":")
                fields[last] = value.strip()
        if fields.get("Package"):
            count += 1
            yield fields
    if not count:
        raise InputError(f"{path} is no package list: it has no stanza with 'Package:'; {LISTS}")


def _text(path: Path) -> str:
    with located(path), path.open("rb") as file:
        start = file.read(8)
    unpack: Callable[..., Any] = next((way for magic, way in UNPACKED.items() if start.startswith(magic)), open)
    data: bytes
    try:
        if start.startswith(BY_APT):
            data = _by_apt(path)
        else:
            with unpack(path, "rb") as packed:
                data = packed.read(MOST + 1)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise RunError(f"{path} cannot be unpacked ({one_line(error, 120)}); {LISTS}") from None
    if len(data) > MOST:
        raise InputError(f"{path} has more than {MOST >> 20} MiB, more than any package list; {LISTS}")
    return data.decode(errors="replace").replace("\r\n", "\n")


def _by_apt(path: Path) -> bytes:
    if shutil.which(HELPER) is None:
        raise RunError(f"{path} is packed by lz4 or zstd, which needs apt's {HELPER}; name a .gz or .xz of a mirror")
    words = [HELPER, "cat-file", str(path.absolute())]  # a relative name could begin as an option does
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as helper:
        assert helper.stdout is not None  # it is a pipe
        data = helper.stdout.read(MOST + 1)
        if len(data) > MOST:
            helper.kill()
    if helper.returncode and len(data) <= MOST:
        raise OSError(f"{HELPER} ended with {helper.returncode}")
    return data
