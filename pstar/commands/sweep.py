"""`pstar sweep`: simulate a sweep file into a result folder."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from pstar.commands.options import Json
from pstar.commands.output import SWAPPED, counted, show
from theory.errors import InputError


def sweep(
    file: Annotated[Positional[Path], arg(metavar="FILE.toml", help="Sweep file, as pstar init writes one.")],
    out: Annotated[str, arg(metavar="DIR", help="Result folder or URL (s3://...); continued where it left off.")],
    workers: Annotated[
        int | None, arg(metavar="INT", help="Processes, each with one thread. Default: one per core or GPU.")
    ] = None,
    memory: Annotated[
        str | None, arg(metavar="SIZE", help="For all workers together, as 8GB. Default: half of what is free.")
    ] = None,
    device: Annotated[Literal["auto", "cpu", "gpu"], arg(help="auto: gpu where JAX would see one.")] = "auto",
    scheduler: Annotated[
        str | None, arg(metavar="ADDRESS", help="Dask scheduler, tcp://HOST:8786; local starts one with --workers.")
    ] = None,
    dry_run: Annotated[bool, arg(help="Only say how many trials, how long, and what is already there.")] = False,
    json: Json = False,
) -> None:
    """How good is training on verified labels, measured? Simulates every cell of a sweep file, or what is missing.

    Writes DIR/shards (one file per finished chunk; a killed sweep continues with the same command) and, when
    complete, DIR/rows.parquet with one row per trial.
    """
    from sims.running.machine import Resources, parse_bytes
    from sims.sweeps import run as sweeps
    from sims.sweeps.config import load
    from sims.sweeps.outlook import plan

    if out.startswith("memory://"):
        raise InputError(f"--out {out} would end with this command; give a folder, or the URL of a bucket")
    config = load(file)
    resources = Resources(workers, None if memory is None else parse_bytes(memory), device, scheduler)
    outlook = plan(config, out)
    crew, fewer = sweeps.hire(outlook, resources)
    for line in (*outlook.warnings, *filter(None, [fewer])):
        print(f"warning: {line}", file=sys.stderr)
    if all(_swapped(cell) for cell in outlook.cells.values()):
        print(SWAPPED, file=sys.stderr)
    seconds = outlook.estimated_seconds(crew.workers)
    result: dict[str, Any] = {"out": out, "cells": len(outlook.cells), "trials": outlook.trials}
    result |= {"present": outlook.trials - outlook.missing, "missing": outlook.missing}
    workers_known = None if resources.remote else crew.workers
    if dry_run:
        result |= {"chunks": len(outlook.chunks), "estimated_seconds": round(seconds), "workers": workers_known}
        show(result, json, _ahead)
        return
    if outlook.missing and not json:
        by = "" if workers_known else " on one worker"
        print(
            f"{counted(outlook.trials, 'trial')}, {result['present']} there already; about {seconds:.0f} s{by}",
            file=sys.stderr,
        )
    outcome = sweeps.run(config, out, resources, outlook)
    aside = [str(job) for job in outcome.set_aside]
    result |= {"rows": None if aside else outcome.store.rows_path, "set_aside": aside}
    show(result, json, _done)
    if aside:
        raise SystemExit(3)


def _swapped(cell: Any) -> bool:
    """Whether its verifier keeps wrong labels more readily than correct ones, of either class."""
    phi, psi = (cell.value(name) for name in ("phi", "psi"))
    if phi is None or psi is None:
        return False
    sides = [rate if isinstance(rate, tuple) else (rate, rate) for rate in (phi, psi)]
    return any(bad > good for good, bad in zip(*sides, strict=True))


def _ahead(result: dict[str, Any]) -> str:
    seconds = result["estimated_seconds"]
    by = "" if result["workers"] else " on one worker"
    return (
        f"{counted(result['cells'], 'cell')}, {counted(result['trials'], 'trial')}\n"
        f"already in {result['out']}: {result['present']}\n"
        f"to compute: {counted(result['missing'], 'trial')} in {counted(result['chunks'], 'chunk')}, "
        f"about {seconds} s{by} "
        "(a cost model, good to a factor of three; nothing was run)"
    )


def _done(result: dict[str, Any]) -> str:
    if result["set_aside"]:
        aside = "\n".join(f"  {line}" for line in result["set_aside"])
        return f"set aside after three failures each (the rest is kept; run the same command again):\n{aside}"
    done = f"{counted(result['trials'], 'trial')} ({result['missing']} computed, {result['present']} there already)"
    compare = f"pstar compare {shlex.quote(result['out'])}"
    if "://" in result["out"]:
        compare = f"copy rows.parquet and rows.sha256 from {result['out']} into a folder, then pstar compare FOLDER"
    return f"{done}\nwritten: {result['rows']}\nnext:    {compare}"
