"""`pstar study`: one question, answered by theory and simulation, or measurement, side by side."""

import sys
import textwrap
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from pstar.commands.options import Json
from pstar.commands.output import on_disk, one_thread, pairs, show, written
from pstar.float64 import float64
from theory.errors import InputError

MEASURED = {"features": "empirical.features.study", "worth": "empirical.worth.study"}
"""Studies of which one side is measured on real data, and their homes; the others are `sims.studies.NAMES`."""
SEEDS = {"features": 100, "worth": 2}


def study(
    name: Annotated[Positional[str], arg(help="Which study; see --list.")] = "",
    out: Annotated[Path | None, arg(metavar="DIR", help="Where it goes. Default: out/NAME.")] = None,
    seeds: Annotated[
        int | None, arg(metavar="INT", help="Trials behind every point. Default: 16; features 100, worth 2.")
    ] = None,
    list: Annotated[bool, arg(help="List the studies and what they show.")] = False,
    json: Json = False,
) -> None:
    """One question of the paper, answered by theory and simulation side by side, and drawn.

    Prints what came out, where the study says it in words. Writes DIR/tables/*.csv and DIR/figures/NAME.png and .pdf.
    Takes up to a minute; features and worth, which are measured on real data, a few.
    """
    one_thread()
    import figures as package
    from sims import studies
    from sims.comparison.tables import as_files
    from sims.running.certificates import Maker, claim, write
    from sims.running.fingerprint import fingerprint

    if not name and not list and (out is not None or seeds is not None):
        raise InputError("NAME is missing: which study; pstar study --list says which there are")
    if list or not name:
        show({name: package.caption(name) for name in (*studies.NAMES, *MEASURED)}, json, pairs)
        return
    out = Path("out") / name if out is None else out
    studies.check_name(name, MEASURED)
    seeds = SEEDS.get(name, 16) if seeds is None else seeds
    maker = Maker(f"study {name}", f"pstar study {name} --seeds {seeds} --out {{folder}}", mark=f"figures/{name}.png")
    claim(out, maker)
    print(f"{name}: {package.caption(name)}", file=sys.stderr)
    with on_disk(), float64():
        tables = studies.run(name, seeds, MEASURED)
        drawn = {f"figures/{file}": data for file, data in package.rendered(name, tables).items()}
        made = {"program": fingerprint(MEASURED.get(name, f"sims.studies.{name}"))}
        paths = write(out, maker, as_files(tables) | drawn, made=made)
    found: dict[str, Any] = {"findings": tables["findings"]["finding"].tolist()} if "findings" in tables else {}
    show(found | {"written": [str(path) for path in paths]}, json, _told)


def _told(result: dict[str, Any]) -> str:
    """Findings, then paths."""
    findings = [textwrap.fill(finding, 100) for finding in result.get("findings", [])]
    return "\n\n".join([*findings, written(result)])
