"""What MkDocs calls while it builds the site: pages that are made, links into the tree, mathematics.

Pages are Markdown files of `docs`. What can be computed is never typed: the help of every verb, the reference of every
module, the figures, the notebooks' outputs and the explorer are made here, at every build, by a module of this folder
each. A module has ``made() -> dict[str, str | bytes]``: files of the site by path; what ends in .md is a page.
"""

from typing import Any

import commands
import elsewhere
import explorer
import gallery
import mathematics
import notebooks
import reference
import tree
from mkdocs.structure.files import File, Files

MAKERS = (elsewhere, explorer, commands, reference, gallery, notebooks)


def on_files(files: Files, config: Any) -> Files:
    """Add what is made, and every file of the tree that a page links to."""
    for maker in MAKERS:
        for path, content in maker.made().items():
            files.append(File.generated(config, path, content=content))
    pages = {file.src_uri: file.content_string for file in files.documentation_pages()}
    for path, content in tree.linked(pages).items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links into the tree lead to the site's copy; the explorer has the width of the contents at the side as well."""
    if '<iframe class="explorer"' in markdown:
        page.meta["hide"] = ["toc"]
    return tree.at_home(markdown, page.file.src_uri)


def on_page_content(html: str, **_: Any) -> str:
    """Formulas are MathML, which browsers draw by themselves."""
    return mathematics.drawn(html)
