"""`pstar figures`: draw a compared sweep."""

import sys
from typing import Annotated, Any

from tyro.conf import Positional, arg

from pstar.commands.options import Folder, Json, local
from pstar.commands.output import on_disk, pairs, show, written


def figures(
    folder: Folder,
    names: Annotated[Positional[tuple[str, ...]], arg(help="Figures to draw; default all. See --list.")] = (),
    list: Annotated[bool, arg(help="List the figures and what they show.")] = False,
    json: Json = False,
) -> None:
    """Draw the figures of a compared sweep into DIR/figures, as PNG and PDF."""
    import figures as package

    if list:
        show(package.describe(), json, pairs)
        return
    from sims.comparison.tables import read_tables
    from sims.running.progress import progress

    package.check_names(names)
    tables = read_tables(local(folder))
    paths: Any = []
    absent: Any = []
    with on_disk(), progress("drawing", len(names or package.NAMES), "figures") as advance:
        for name in names or package.NAMES:
            drawn = package.draw(name, tables, folder / "figures")
            absent += [] if drawn else [name]
            paths += drawn
            advance(1)
    for name in absent:
        print(f"{name}: not drawn; the sweep has another setting, or fewer than three psi at one phi", file=sys.stderr)
    show({"written": [str(path) for path in paths], "not_drawn": absent}, json, written)
