"""The page for reviewers quotes the pages as they are, and leaves none out."""

import re

from tests.docs.examples import PAGES, ROOT

PAGE = "docs/reviewers.md"
WITHOUT = {
    "docs/DECISIONS.md": "measured once, as it says itself",
    "docs/claims.md": "a table of commands itself",
    "docs/index.md": "examples, which tests/docs/test_examples.py runs",
    "docs/layout.md": "no numbers",
    PAGE: "this page",
}
"""Pages that have no row, and why."""


def rows(text):
    """Pages and quotation of each row; "the same" is the last of the pages above."""
    found, last = [], []
    for first, said in re.findall(r'^\| ([^|]+) \| "([^|]+)" \|', text, re.MULTILINE):
        links = re.findall(r"\]\(([\w./]+)\)", first)
        last = [str((ROOT / "docs" / link).resolve().relative_to(ROOT)) for link in links] if links else last[-1:]
        found.append((last, said))
    return found


def flat(page):
    return " ".join((ROOT / page).read_text(encoding="utf-8").split())


def test_pages_say_what_is_quoted():
    found = rows((ROOT / PAGE).read_text(encoding="utf-8"))
    assert len(found) > 20
    assert [(page, said) for pages, said in found for page in pages if said not in flat(page)] == []


def test_every_page_has_a_row():
    found = {page for pages, _ in rows((ROOT / PAGE).read_text(encoding="utf-8")) for page in pages}
    assert set(PAGES) - found == set(WITHOUT)


def test_rows_are_read():
    text = (
        '| [A](../README.md), [B](b.md) | "1.5 s" | `x` | |\n| the same | "2" | `y` | 3 s |\n| a | no quotation | | |\n'
    )
    assert rows(text) == [(["README.md", "docs/b.md"], "1.5 s"), (["docs/b.md"], "2")]
