"""A corpus of real text from package lists: an extended description, and the synopsis that a person wrote of it.

Descriptions of one source package are alike (-dev, -doc, -data, and the like), and so are those of sources that differ
in a version alone, or begin with the same words. All of these are one family, and a family is in train or in test as a
whole: which, is a hash of its name. Of what is for test that is left out which is alike further on, and has half of its
runs of eight words in one description to train on. Nothing of it is shipped; it is made on the user's machine from the
lists there.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from empirical.summarization.package_lists import FETCH, Package, about, files_of, packages
from sims.running.certificates import Maker, claim, write
from sims.running.fingerprint import fingerprint
from sims.running.text import markdown
from theory.errors import InputError

LEAST = 120
"""Characters of a description, below which there is nothing to summarize."""
BEGINNING = 200
"""Characters by which two descriptions count as the same."""
ALIKE = 60
"""Letters at the beginning by which two descriptions are of one family; digits and marks do not count."""
TEST = 0.1
"""Share of the families that are for test."""
PROVENANCE = "provenance.json"
FILES = ("README.md", PROVENANCE, "train.jsonl", "test.jsonl")
LICENCE = "the descriptions' own: that of each package (debian/copyright of its source); not to be passed on"
SEPARATORS = re.compile("[^a-z]+")
RUN, SHARED = 8, 0.5
"""Words of a run, and the share of a text's runs in another one from which the two are twins."""


def build(out: Path, lists: Sequence[Path], command: str) -> dict[str, Any]:
    """Make the corpus in a folder of its own, from the given lists or those of this machine; returns what is in it.

    Writes train.jsonl and test.jsonl (id, title, text, summary, source, section, family), README.md and
    provenance.json. The same lists give the same bytes. ``command``: what is typed to make it again.

    Raises:
        InputError: no lists, no extended descriptions, or no source packages in them; a folder of something else.
        RunError: a list cannot be read.
    """
    maker = Maker("summarization corpus", command, mark=PROVENANCE)
    claim(out, maker, FILES, inputs=lists)
    files = files_of(lists)
    rows, counts = pairs(packages(files))
    parts = {name: [row for row in rows if _is_test(row["family"]) == (name == "test")] for name in ("train", "test")}
    tested = len(parts["test"])
    parts["test"] = untold(parts["test"], parts["train"])
    if not all(parts.values()):
        raise InputError(f"{len(rows)} pairs are too few to be split; use the lists of a whole distribution")
    sizes = {name: len(part) for name, part in parts.items()}
    counts |= {"twins": tested - sizes["test"]}
    facts: dict[str, Any] = {"pairs": sum(sizes.values()), **sizes, **counts}
    facts |= {"families": len({row["family"] for row in rows}), "lists": about(files), "licence": LICENCE}
    content = {f"{name}.jsonl": _lines(part) for name, part in parts.items()}
    content |= {PROVENANCE: json.dumps(facts, indent=1).encode(), "README.md": _readme(facts).encode()}
    write(out, maker, content, made={"program": fingerprint(__name__)})
    return facts


def pairs(found: Iterable[Package]) -> tuple[list[dict[str, str]], dict[str, int]]:
    """(rows of the corpus in the order of a hash of their ids, how many packages were left out and why).

    Left out are packages without an extended description of `LEAST` characters, without a source package, with a
    synopsis that another has, or with a description that begins as another does. Raises InputError where all are.
    """
    counts = {"short": 0, "unsourced": 0, "repeated": 0}
    synopses, texts, kept = set[str](), set[str](), []
    described = False
    for package in found:
        described |= bool(package.text)
        same = plain(package.synopsis), plain(package.text)[:BEGINNING]
        if len(package.text) < LEAST or not package.synopsis:
            counts["short"] += 1
        elif not package.source:
            counts["unsourced"] += 1
        elif same[0] in synopses or same[1] in texts:
            counts["repeated"] += 1
        else:
            synopses.add(same[0])
            texts.add(same[1])
            kept.append(package)
    if not kept:
        why = (
            "no source packages: give the Packages list beside Translation-en"
            if described
            else (f"no extended descriptions: give Translation-en beside Packages (`{FETCH}` fetches it)")
        )
        raise InputError(f"the package lists have {why}")
    family = families(kept)
    rows = [
        {
            "id": package.name,
            "title": "",
            "text": package.text,
            "summary": package.synopsis,
            "source": package.source,
            "section": package.section,
            "family": family[package.source],
        }
        for package in kept
    ]
    return sorted(rows, key=lambda row: _hash(row["id"])), counts


def families(found: Sequence[Package]) -> dict[str, str]:
    """The family of each source: the least source of those that are alike, by their names or by their descriptions."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for package in found:
        for mark in (f"name {_letters(package.source)}", f"text {_letters(package.text)[:ALIKE]}"):
            parent[root(mark)] = root(f"source {package.source}")
    least: dict[str, str] = {}
    for source in sorted({package.source for package in found}):
        least.setdefault(root(f"source {source}"), source)
    return {package.source: least[root(f"source {package.source}")] for package in found}


def untold(test: Sequence[dict[str, str]], train: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """The rows of ``test`` of which no row of ``train`` has half of the runs of eight words.

    Families know sources by their names and by how they begin; this also knows what is alike further on.
    """
    own = [_runs(row["text"]) for row in test]
    holders: dict[tuple[str, ...], list[int]] = {run: [] for runs in own for run in runs}
    for place, row in enumerate(train):
        for run in _runs(row["text"]) & holders.keys():
            holders[run].append(place)
    most = [max(Counter(place for run in runs for place in holders[run]).values(), default=0) for runs in own]
    return [row for row, runs, count in zip(test, own, most, strict=True) if count < max(SHARED * len(runs), 1)]


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _letters(text).split()
    return set(zip(*(words[first:] for first in range(RUN)), strict=False))


def licence_of(folder: Path) -> str | None:
    """What a folder says of the licence of its data; None where it says nothing."""
    try:
        said = json.loads((folder / PROVENANCE).read_bytes())["licence"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return said if isinstance(said, str) else None


def _is_test(family: str) -> bool:
    return int(_hash(family)[:12], 16) < TEST * 16**12


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def plain(text: str) -> str:
    """A text without its case and white space, by which two count as the same."""
    return " ".join(text.lower().split())


def _letters(text: str) -> str:
    return SEPARATORS.sub(" ", text.lower()).strip()


def _lines(rows: Iterable[Mapping[str, str]]) -> bytes:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()


def _readme(facts: Mapping[str, Any]) -> str:
    lists = [f"* {markdown(entry['name'])}, sha256 {entry['sha256']}" for entry in facts["lists"]]
    return "\n".join(
        [
            "# Package descriptions and their synopses",
            "",
            f"{facts['pairs']:,} pairs of a text and a one-line summary that a person wrote: extended descriptions of",
            "packages and their synopses, made by `pstar summarization corpus debian` from the package lists below.",
            f"train.jsonl has {facts['train']:,}, test.jsonl {facts['test']:,}. Near-twins by source, name, or how",
            f"they begin do not straddle the two: of {facts['families']:,} families each is in one of them. Left out",
            f"are {facts['short']:,} packages with less than {LEAST} characters, {facts['repeated']:,} that repeat",
            f"others, {facts['unsourced']:,} of unknown source, and {facts['twins']:,} that would be for test, but",
            "have half of their runs of eight words in one text of train.",
            "",
            f"Licence: {facts['licence']}. The texts are their maintainers' and translators'.",
            "",
            "Made from:",
            "",
            *lists,
            "",
        ]
    )
