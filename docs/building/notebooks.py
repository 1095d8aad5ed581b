"""Notebooks: scripts with cells (jupytext) of `docs/notebooks`, run while the site is built, shown with their outputs.

Each becomes a page, and a notebook file to download. Their pictures lie beside the page.
"""

import os

import jupytext
import nbformat
import tree
from nbclient import NotebookClient
from nbconvert import MarkdownExporter

FOLDER = tree.ROOT / "docs" / "notebooks"
QUIET = ["--log-level=ERROR"]
PATIENCE = 600
"""Seconds that one cell may take before the build fails."""


def made() -> dict[str, str | bytes]:
    """Pages, pictures and notebook files by path."""
    os.environ["PYTHONPATH"] = str(tree.ROOT)
    files: dict[str, str | bytes] = {}
    for script in sorted(FOLDER.glob("*.py")):
        notebook = jupytext.read(script)
        client = NotebookClient(
            notebook, timeout=PATIENCE, kernel_name="python3", extra_arguments=QUIET, coalesce_streams=True
        )
        client.execute(cwd=str(tree.ROOT))
        name = script.stem
        page, more = MarkdownExporter().from_notebook_node(notebook, resources={"output_files_dir": f"{name}_files"})
        link = f"\n\n[Download the notebook]({name}.ipynb)\n"
        files[f"notebooks/{name}.md"] = page + link
        files[f"notebooks/{name}.ipynb"] = nbformat.writes(notebook)
        files |= {f"notebooks/{path}": data for path, data in more["outputs"].items()}
    return files
