"""Links of pages to files of the tree: in the site each such file is a page of its own, with its text.

Pages are read on a code host as well, where `../sweeps/linear.toml` is the file beside the page. In the site the same
link leads to a copy, so that nothing is missing where there is no network and no clone.
"""

import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = {
    "README.md": "index.md",
    "theory/README.md": "theory.md",
    "empirical/LOG.md": "log.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Pages that lie elsewhere in the tree, and what they are called in the site."""
HOMES = {page: path for path, page in PAGES.items() if path != "README.md"}
COPIES = "files"
LINK = re.compile(r"(\]\()(?![a-z]+:|#)([^)#\s]+)((?:#[^)\s]*)?\))")
FENCE = re.compile(r"^(```+|~~~+).*?^\1$", re.MULTILINE | re.DOTALL)
LANGUAGES = {".py": "python", ".toml": "toml", ".json": "json", ".yaml": "yaml", ".bib": "bibtex", ".cff": "yaml"}


def source(page: str) -> str:
    """Where a page of the site lies in the tree."""
    return HOMES.get(page, f"docs/{page}")


def target(link: str, page: str) -> str:
    """The path in the tree that a link of a page means."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(source(page)), link))


def place(path: str) -> str | None:
    """The page of the site for a file or folder of the tree; None where there is no such file."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path in PAGES:
        return PAGES[path]
    whole = ROOT / path
    if whole.is_dir():
        return f"{COPIES}/{path}/index.md"
    return f"{COPIES}/{path}.md" if whole.is_file() else None


def links(markdown: str) -> list[str]:
    """Relative links outside fenced blocks."""
    return [link for _, link, _ in LINK.findall(FENCE.sub("", markdown))]


def linked(pages: dict[str, str]) -> dict[str, str]:
    """Copies of all that these pages link to, as pages by path."""
    wanted = {target(link, page) for page, markdown in pages.items() for link in links(markdown)}
    found = {path: place(path) for path in sorted(wanted)}
    return {page: _copy(path) for path, page in found.items() if page and page.startswith(f"{COPIES}/")}


def at_home(markdown: str, page: str) -> str:
    """A page whose links lead to pages of the site; what leads nowhere stays, and fails the strict build."""

    def led(match: re.Match[str]) -> str:
        where = place(target(match[2], page))
        if where is None or page.startswith(f"{COPIES}/"):
            return match[0]
        return f"{match[1]}{posixpath.relpath(where, posixpath.dirname(page))}{match[3]}"

    parts, last = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [LINK.sub(led, markdown[last : fence.start()]), fence[0]]
        last = fence.end()
    return "".join([*parts, LINK.sub(led, markdown[last:])])


def _copy(path: str) -> str:
    """A file as a page, or the names in a folder."""
    whole = ROOT / path
    head = f"# {path}\n\n"
    if whole.is_dir():
        names = sorted(each.name for each in whole.iterdir() if not each.name.startswith((".", "__")))
        return head + "In a clone of the project:\n\n" + "".join(f"* `{path}/{name}`\n" for name in names)
    text = whole.read_text(encoding="utf-8")
    return f"{head}````{LANGUAGES.get(whole.suffix, 'text')}\n{text}\n````\n"
