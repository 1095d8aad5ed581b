"""What is cited exists: sections of the theory note, and the files that the pages name."""

import re
from pathlib import Path

import pytest

from theory.columns import COLUMNS, SETTINGS

ROOT = Path(__file__).parents[2]
NOTE = ROOT / "theory" / "README.md"
TEXT = (".py", ".md", ".toml", ".bib")
CITATION = re.compile(r"THEORY,?\s+(§\d+[^;:)\n]*)")
"""With what follows on its line, which may name more sections: THEORY §1, §9; THEORY §1-2."""


def pages(*kinds):
    """Files of these kinds in the tree, as (path, text); what is hidden or made is left out."""
    tops = [path for path in ROOT.iterdir() if path.name[0] != "." and path.name not in ("out", "build", "dist")]
    paths = [path for top in tops for path in ([top] if top.is_file() else sorted(top.rglob("*")))]
    found = [path for path in paths if path.suffix in kinds and path != Path(__file__)]
    return [(path, path.read_text(encoding="utf-8")) for path in found]


def sections(text):
    """Numbers of the headings."""
    return [int(number) for number in re.findall(r"^## §(\d+) ", text, re.MULTILINE)]


def cited(text):
    """Sections that a text cites: THEORY §4, THEORY §1, §9, THEORY §1-2."""
    for line in CITATION.findall(text):
        for first, last in re.findall(r"§(\d+)(?:[-–](\d+))?", line):
            yield from range(int(first), int(last or first) + 1)


def test_citations_are_found():
    assert list(cited('"""Rates (THEORY §1, §9, §10).')) == [1, 9, 10]
    assert list(cited("Source: THEORY §1-2.")) == [1, 2]
    assert list(cited("the limits of THEORY §5, with the ridge kept; golub §7")) == [5]


def test_every_cited_section_of_the_note_exists():
    there = sections(NOTE.read_text(encoding="utf-8"))
    assert there == sorted(set(there))
    found = {(number, path) for path, text in pages(*TEXT) for number in cited(text)}
    assert len({number for number, _ in found}) > 5
    missing = {f"{path.relative_to(ROOT)}: THEORY §{number}" for number, path in found if number not in there}
    assert not missing


def test_no_note_is_cited_that_no_reader_has():
    foreign = re.compile(r"(EIGENVALUES|SUMMARIZATION),? §\d+")
    found = [f"{path.relative_to(ROOT)}: {hit[0]}" for path, text in pages(*TEXT) for hit in foreign.finditer(text)]
    assert not found


def test_every_section_of_the_note_says_what_checks_it():
    parts = re.split(r"^## ", NOTE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    for part in parts:
        if "(reserved)" not in part.splitlines()[0]:
            assert re.search(r"^Checked by (\n?.)*`tests/", part, re.MULTILINE), part[:40]


PAGES = ["README.md", "CONTRIBUTING.md", "theory/README.md", *sorted(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))]
PATH = re.compile(r"`([\w./-]+\.(?:py|md|toml|bib|csv|txt|yaml)|[\w-]+(?:/[\w-]+)*/)`")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")


MADE = ("docs/commands.md", "docs/gallery.md", "docs/explorer.html", "docs/reference/", "docs/notebooks/")
"""Pages that are made while the site is built, which checks links to them."""


def is_made(path):
    """Whether a target of a link is there in the built site alone."""
    return path.resolve().is_relative_to(ROOT) and str(path.resolve().relative_to(ROOT)).startswith(MADE)


def anchors(text):
    """Of the headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_names_exists(name):
    """Links with their anchors, and paths in backticks from our folders, or from tests/ as in the table of claims."""
    page = ROOT / name
    text = page.read_text(encoding="utf-8")
    tops = {path.name for path in ROOT.iterdir()}
    paths = [path for path in PATH.findall(text) if path.split("/")[0] in tops and "/" in path and "NAME" not in path]
    missing = [path for path in paths if not (ROOT / path).exists() and not (ROOT / "tests" / path).exists()]
    for path, anchor in LINK.findall(text):
        target = page.parent / path if path else page
        if is_made(target):
            continue
        if not target.exists() or anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            missing.append(f"{path}#{anchor}")
    assert not missing


def test_the_tree_that_is_shown_is_there():
    """Names at the beginning of a line of the block under "What is where", in the folder that it is indented below."""
    page = (ROOT / "docs" / "layout.md").read_text(encoding="utf-8")
    block = re.search(r"# What is where\n\n```\n(.*?)```", page, re.DOTALL)
    assert block
    parents, missing = [ROOT], []
    for line in block[1].splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        names = re.match(r" *((?:[\w.]+(?:/|\.\w+)(?: |$))+)", line)
        assert names, line
        paths = [parents[depth] / name for name in names[1].split()]
        missing += [str(path.relative_to(ROOT)) for path in paths if not path.exists()]
        parents[depth + 1 :] = [paths[-1]]
    assert not missing


def test_every_source_is_in_the_bibliography():
    known = set(re.findall(r"^@\w+\{([^,]+),", (ROOT / "references.bib").read_text(encoding="utf-8"), re.MULTILINE))
    assert len(known) > 10
    key = re.compile(r"\b[a-z]{3,}(?:19|20)\d\d[a-z]{3,}\b")
    found = {(name, path) for path, text in pages(".py", ".md") for name in key.findall(text)}
    assert not {f"{path.relative_to(ROOT)}: {name}" for name, path in found if name not in known}


def test_the_note_knows_every_column_of_the_vocabulary():
    table = NOTE.read_text(encoding="utf-8").split("## §2")[0]
    assert [name for name in COLUMNS if f"`{name}`" not in table] == []
    settings = NOTE.read_text(encoding="utf-8").split("## §2")[1].split("## §3")[0]
    assert [name for name in SETTINGS if f"**{name}**" not in settings] == []
