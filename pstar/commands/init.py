"""`pstar init`: a sweep file and a file of records to start from."""

from pathlib import Path
from shlex import quote
from typing import Annotated

from tyro.conf import Positional, arg

from pstar.commands.options import Json
from pstar.commands.output import on_disk, show
from theory.errors import InputError


def init(
    folder: Annotated[
        Positional[Path], arg(metavar="DIR", help="Where they go; made if it is not there. Default: here.")
    ] = Path("."),
    json: Json = False,
) -> None:
    """Write a small sweep file, with comments on what to change, and a small file of records to start from.

    Writes DIR/sweep.toml, which runs in seconds, and DIR/records.csv, twelve judged records to audit. Nothing that is
    there is replaced.
    """
    from pstar import starting
    from sims.running.files import check_makeable

    if folder.parts and folder.parts[0].endswith(":"):
        raise InputError(f"{folder} is a URL; name a folder of this machine")
    with on_disk():
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file; name a folder")
        check_makeable(folder)
        there = [path for path in (folder / name for name in starting.FILES) if path.exists() or path.is_symlink()]
        if there:
            names = " and ".join(map(str, there))
            raise InputError(f"{names} {'is' if len(there) == 1 else 'are'} there already; name another folder")
        paths = starting.write(folder)
    sweep, records = paths
    where = quote(str(folder / "out"))
    steps = [
        f"pstar sweep {quote(str(sweep))} --out {where}",
        f"pstar audit {quote(str(records))} --correct correct --kept kept",
    ]
    show({"written": list(map(str, paths)), "next": steps}, json, lambda _: "\n".join(_lines(paths, steps)))


def _lines(paths: list[Path], steps: list[str]) -> list[str]:
    return [*(f"written: {path}" for path in paths), *(f"next:    {step}" for step in steps)]
