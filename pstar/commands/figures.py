"""`pstar figures`: draw a compared sweep."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from pstar.commands.options import Json, local
from pstar.commands.output import on_disk, pairs, show, written
from theory.errors import InputError


def figures(
    folder: Annotated[Positional[Path | None], arg(metavar="DIR", help="Result folder of a sweep.")] = None,
    names: Annotated[Positional[tuple[str, ...]], arg(help="Figures to draw; default all. See --list.")] = (),
    list: Annotated[bool, arg(help="List the figures and what they show.")] = False,
    json: Json = False,
) -> None:
    """What does a compared sweep look like? Draws its figures into DIR/figures, as PNG and PDF."""
    import figures as package

    if list:
        show(package.describe(), json, pairs)
        return
    if folder is None:
        raise InputError("DIR is missing: the folder of a compared sweep; --list says which figures there are")
    from sims.comparison.tables import COMPARE, FIGURES, TABLES, read_tables
    from sims.running.certificates import claim, find, stale, sums, write
    from sims.running.fingerprint import fingerprint
    from sims.running.progress import progress

    package.check_names(names)
    with on_disk():
        seen, before = sums(local(folder), TABLES), find(folder, FIGURES.name)
    same = before is not None and before.read == seen
    tables = read_tables(folder)
    names = names or package.NAMES
    earlier = () if before is None or same else _drawn(before.files, set(package.NAMES) - set(names))
    if earlier:
        print(f"note: the tables have changed since {', '.join(earlier)} was drawn; drawn again, too", file=sys.stderr)
    names = (*names, *earlier)
    claim(folder, FIGURES, [f"figures/{name}.{kind}" for name in names for kind in package.KINDS])
    if stale(folder, COMPARE):
        print(f"warning: the tables are of earlier rows; run again: {COMPARE.again(folder)}", file=sys.stderr)
    files: dict[str, bytes] = {}
    absent: Any = []
    with on_disk(), progress("drawing", len(names), "figures") as advance:
        for name in names:
            drawn = package.rendered(name, tables)
            absent += [] if drawn else [name]
            files |= {f"figures/{file}": data for file, data in drawn.items()}
            advance(1 if drawn else 0)
        made = {"program": fingerprint("figures", *(f"figures.{name}" for name in names))}
        paths = write(folder, FIGURES, files, read=seen, made=made, keep=same)
    if absent:
        print(f"{len(names) - len(absent)} of {len(names)} figures drawn", file=sys.stderr)
    for name in absent:
        print(f"{name}: not drawn; the sweep has another setting, or fewer than three psi at one phi", file=sys.stderr)
    show({"written": [str(path) for path in paths], "not_drawn": absent}, json, written)


def _drawn(files: Iterable[str], names: set[str]) -> tuple[str, ...]:
    """Those of the named figures of which there are files."""
    return tuple(sorted(names & {Path(file).stem for file in files}))
