"""Write pins/*.txt: every pin of constraints.txt with the sha256 of its files at the package index.

    python pins/renew.py [WHEEL ...]     in an environment that has all of constraints.txt

core.txt has pip, what builds packages, and what `pip install pstar` needs; docs.txt what the group docs needs besides,
dev.txt what the group dev needs besides both.
All files of a release are listed, so that one list serves every platform and Python. WHEEL: a build that the index
does not have, such as PyTorch's for CPUs. torch.txt has PyTorch alone: which of its builds is meant differs from
machine to machine, and pip, when it checks sums, would take the index's with its gigabytes for GPUs before any other.
"""

import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from urllib.request import Request, urlopen

from packaging.dependency_groups import resolve_dependency_groups
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

TOP = Path(__file__).parents[1]
CONSTRAINTS = TOP / "constraints.txt"
INDEX = "https://pypi.org/simple"
TOOLS = ("pip", "setuptools", "hatchling")
"""What installs, and what builds: PyTorch's CPU build and rouge-score's source want setuptools, we want hatchling."""
PIN = re.compile(r"([A-Za-z0-9._-]+)==(\S+)")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def constraints() -> dict[str, str]:
    """Version by canonical name."""
    lines = [line for line in CONSTRAINTS.read_text().splitlines() if line and not line.startswith("#")]
    found = [PIN.fullmatch(line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found, strict=True) if match is None]
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def hashed(part: str) -> dict[str, tuple[str, list[str]]]:
    """Version and sums by canonical name, as core.txt, docs.txt, dev.txt or torch.txt has them."""
    entries = (TOP / "pins" / f"{part}.txt").read_text().replace("\\\n", "").splitlines()
    found = {}
    for entry in entries:
        if match := PIN.match(entry):
            found[canonicalize_name(match[1])] = match[2], HASH.findall(entry)
    return found


def closure(names: Iterable[str]) -> set[str]:
    """Canonical names of these packages and all that they need here, as they are installed."""
    found: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        wanted = waiting.pop()
        found.add(canonicalize_name(wanted.name))
        extras = wanted.extras or {""}
        try:
            needs = [Requirement(line) for line in requires(wanted.name) or ()]
        except PackageNotFoundError:
            raise SystemExit(f"{wanted.name} is not installed here; install constraints.txt first") from None
        for need in needs:
            applies = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras)
            if applies and (canonicalize_name(need.name) not in found or need.extras):
                waiting.append(need)
    return found


def parts() -> dict[str, set[str]]:
    """Names by file."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    core = closure([*TOOLS, *project["project"]["dependencies"]])
    groups = project["dependency-groups"]
    docs = closure(resolve_dependency_groups(groups, "docs")) - core
    dev = closure(resolve_dependency_groups(groups, "dev")) - core - docs
    return {"core": core, "docs": docs, "dev": dev - {"torch"}, "torch": {"torch"}}


def released(name: str, version: str) -> Iterator[str]:
    """The sha256 of every file of a release. Asks the index."""
    question = Request(f"{INDEX}/{name}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    with urlopen(question, timeout=120) as answer:
        files = json.load(answer)["files"]
    for file in files:
        of_wheel = file["filename"].endswith(".whl")
        if not of_wheel and not file["filename"].endswith((".tar.gz", ".zip")):
            continue
        try:
            parsed = (parse_wheel_filename if of_wheel else parse_sdist_filename)(file["filename"])
        except ValueError:  # of a time before there were rules for names
            continue
        if str(parsed[1]) == version:
            yield file["hashes"]["sha256"]


def main(wheels: list[str]) -> None:
    """Write all files."""
    pins, found = constraints(), parts()
    known = set().union(*found.values())
    missing, idle = sorted(known - pins.keys()), sorted(pins.keys() - known)
    if missing or idle:
        raise SystemExit(f"constraints.txt lacks {missing}, and has {idle}, which nothing here needs")
    own: dict[str, list[str]] = {}
    for path in map(Path, wheels):
        name = parse_wheel_filename(path.name)[0]
        own.setdefault(name, []).append(hashlib.sha256(path.read_bytes()).hexdigest())
    for part, names in found.items():
        lines = ["# By pins/renew.py: constraints.txt with the sha256 of every file that may be installed."]
        for name in sorted(names):
            sums = sorted({*released(name, pins[name]), *own.get(name, [])})
            assert sums, f"the index has no file of {name} {pins[name]}"
            lines.append(" \\\n".join([f"{name}=={pins[name]}", *(f"    --hash=sha256:{each}" for each in sums)]))
        (TOP / "pins" / f"{part}.txt").write_text("\n".join(lines) + "\n")
        print(f"pins/{part}.txt: {len(names)} packages")


if __name__ == "__main__":
    main(sys.argv[1:])
