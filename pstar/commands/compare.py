"""`pstar compare`: a finished sweep beside what theory says of it."""

from typing import Annotated

from tyro.conf import arg

from pstar.commands.options import Folder, Json, local
from pstar.commands.output import dumps, on_disk


def compare(
    folder: Folder,
    cells: Annotated[bool, arg(help="Also print every cell.")] = False,
    json: Json = False,
) -> None:
    """Does theory predict what a finished sweep measured? p* and exact accuracy, with intervals and verdicts.

    Prints the report and writes DIR/tables/*.csv (cells, crossings, theory lines and maps) and DIR/summary.json.
    """
    from sims.comparison.tables import COMPARE, NAMES, WRITTEN, read_rows, write_comparison
    from sims.running.certificates import claim, sums
    from sims.sweeps.store import ROWS

    with on_disk():
        seen = sums(local(folder), [ROWS])
    rows = read_rows(folder)
    claim(folder, COMPARE, WRITTEN)
    from sims.comparison.compare import STEPS
    from sims.comparison.compare import compare as compare_rows
    from sims.comparison.report import as_json, texts
    from sims.running.progress import progress

    with progress("comparing", STEPS, "steps") as advance:
        found = compare_rows(rows, advance)
    short, full = texts(found)
    with on_disk():
        words = {"summary.json": dumps(found.summary).encode(), "report.txt": f"{full}\n".encode()}
        write_comparison(folder, {name: getattr(found, name) for name in NAMES}, words, seen)
        print(
            dumps(as_json(found))
            if json
            else f"{full if cells else short}\n\nwritten: {folder}/report.txt, summary.json, tables/*.csv"
        )
