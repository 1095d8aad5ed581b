"""`pstar verify`: is a folder whole? And mending what can be computed again."""

import sys
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from tyro.conf import Positional, arg

from pstar.commands.options import Json, local
from pstar.commands.output import on_disk, show

MOST = 20
"""Lines of a kind that are shown; --json has all."""


def verify(
    folder: Annotated[Positional[Path], arg(metavar="DIR", help="A folder that any command wrote with --out.")],
    repair: Annotated[bool, arg(help="Make again what is damaged and can be; says first what that costs.")] = False,
    dry_run: Annotated[bool, arg(help="With --repair: only say what would be done, and what it costs.")] = False,
    json: Json = False,
) -> None:
    """Is every file of a result folder as it was written? Exit 0 where it is, 1 where something is damaged or missing.

    Reads all of it: rows, shards, tables, reports, figures, stages of experiments. Files that are not ours are named
    and left alone. --repair recomputes what is damaged, and nothing else.
    """
    from pstar import verifying
    from theory.errors import InputError

    root = local(folder)
    if dry_run and not repair:
        raise InputError("--dry-run goes with --repair; without it nothing is changed anyway")
    with on_disk():
        found = verifying.check(root)
        steps = verifying.plan(root, found) if found.faults else []
        if repair and found.faults:
            for line in _ahead(root, steps):
                print(line, file=sys.stderr)
            if not dry_run:
                verifying.mend(root, steps)
                found, mended = verifying.check(root), found
                show(_summary(root, found, len(mended.faults)), json, _text)
                raise SystemExit(1 if found.faults else 0)
    show(_summary(root, found) | {"repair": [step.command for step in steps]}, json, _text)
    if found.faults:
        raise SystemExit(1)


def _ahead(root: Path, steps: list[Any]) -> list[str]:
    if not steps:
        return [f"nothing of it can be made again from {root} alone: see what to type"]
    return ["to be done:", *(f"  {step.command}: {step.cost}" for step in steps)]


def _summary(root: Path, found: Any, mended: int = 0) -> dict[str, Any]:
    return {
        "folder": str(root),
        "whole": not found.faults and not found.unfinished,
        "files": found.files,
        "bytes": found.size,
        "damaged": [{"path": str(fault.path), "what": fault.what, "remedy": fault.remedy} for fault in found.faults],
        "unfinished": list(found.unfinished),
        "foreign": [str(path) for path in found.foreign],
        "mended": mended,
    }


def _text(result: dict[str, Any]) -> str:
    folder, count = result["folder"], len(result["damaged"])
    files = f"{result['files']:,} files, {_bytes(result['bytes'])}"
    if count:
        mend = f"mend: pstar verify --repair {quote(folder)}" if result.get("repair") else "what to type stands beside"
        head = f"{folder} is damaged: {count} of {result['files']:,} files; {mend}"
    elif result["unfinished"]:
        head = f"{folder} is not finished; what is there is whole: {files}, each as it was written"
    else:
        again = f" again ({result['mended']} mended)" if result["mended"] else ""
        head = f"{folder} is whole{again}: {files}, each as it was written"
    lines = [f"  {entry['path']}: {entry['what']}; {entry['remedy']}" for entry in result["damaged"]]
    lines = [*_few(lines), *_few([f"  {line}" for line in result["unfinished"]])]
    foreign = [f"  {path}" for path in result["foreign"]]
    if foreign:
        lines += ["not ours, left alone, and never counted:", *_few(foreign)]
    return "\n".join([head, *lines])


def _few(lines: list[str]) -> list[str]:
    return lines if len(lines) <= MOST else [*lines[:MOST], f"  ... and {len(lines) - MOST} more (--json has all)"]


def _bytes(size: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} bytes"
