"""Run an experiment's stages into a folder, or say what that would take.

DIR/report.txt, report.json, tables/*.csv    what was found
DIR/figures/                                 drawn from the tables
DIR/stages/                                  what it was made from (`empirical.stages`)
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from empirical.stages.artefact import MANIFEST, Artefact, Stage, locked
from empirical.stages.schedule import execute, needed, of_other_programs, survey
from figures import KINDS, rendered
from sims.running.certificates import Maker, claim, find, sums, whole, write
from sims.running.fingerprint import fingerprint
from sims.running.machine import cores
from theory.errors import InputError

PATIENCE = 12 * 3600.0
"""Estimated seconds above which a CPU must be asked for by name."""
SUFFIXES = (".csv", ".txt", ".json", ".md")
"""Of the files of a report that are published."""
PUBLISHED = ("report.txt", "report.json")
"""What every report has."""


class Outlook(NamedTuple):
    """What a run would do."""

    stages: list[Stage]
    missing: list[Stage]
    device: str
    workers: int
    seconds: float
    """Estimated, for what is missing."""
    other: list[str]
    """Stages that are there, made by another state of the program, and too dear to be made again for that alone."""


def chosen(device: str) -> str:
    """The device that is meant: auto is the GPU if there is one. Raises ValueError for a GPU that is not there."""
    import torch

    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise InputError("device = cuda: PyTorch finds none here; leave it out, or install a build with CUDA")
    return ("cuda" if there else "cpu") if device == "auto" else device


def outlook(plan: Sequence[Stage], targets: Iterable[str], out: Path, workers: int | None, device: str) -> Outlook:
    """What is needed for ``targets``, what of it is there, and about how long the rest takes on ``device``.

    ``workers``: default one per core, and one on a machine with GPUs (more take a GPU each). Raises ValueError for
    workers < 1.
    """
    if workers is not None and workers < 1:
        raise InputError(f"workers = {workers} must be at least 1")
    wanted = needed(plan, targets)
    done, missing = survey(wanted, out)
    crew = workers or (cores() if device == "cpu" else 1)
    seconds = sum(stage.seconds for stage in missing) / crew
    return Outlook(wanted, missing, device, crew, seconds, of_other_programs(wanted, done))


def patient(ahead: Outlook, named: bool, what: str, instead: str) -> None:
    """Raise ValueError for a run of many hours on a CPU that was not ``named``."""
    if ahead.device == "cpu" and not named and ahead.seconds > PATIENCE:
        raise InputError(
            f"{what} would take about {ahead.seconds / 86400:.0f} days on the CPU of this machine, and there "
            f"is no GPU; {instead}, or insist with --device cpu"
        )


def run(
    ahead: Outlook,
    out: Path,
    runtime: Mapping[str, Any],
    figures: Sequence[str],
    maker: Maker,
    on_done: Callable[[Stage], None] = lambda stage: None,
    shared: bool = False,
) -> list[Path]:
    """Make what is missing, publish the report if it was asked for, and return what was written for the reader.

    ``maker`` is who certifies that. ``shared``: other processes may be at work in the same folder, on other stages.
    Raises InputError for a folder that another command made, StageError where a stage fails; what was finished is
    kept, and the same call continues.
    """
    claim(out, maker, (*PUBLISHED, *(f"figures/{name}.{kind}" for name in figures for kind in KINDS)))
    if ahead.other:
        names = ", ".join(ahead.other[:3]) + (", ..." if len(ahead.other) > 3 else "")
        print(
            f"note: {len(ahead.other)} finished stages are of an earlier state of the program and kept ({names}); "
            "a new --out makes them anew",
            file=sys.stderr,
        )
    with locked(out, shared):
        done = execute(ahead.stages, out, runtime, ahead.workers, on_done)
        return publish(done["report"], out, figures, maker) if "report" in done else []


def publish(report: Artefact, out: Path, figures: Sequence[str], maker: Maker) -> list[Path]:
    """Copy report and tables to where a reader looks, and draw the figures, where they are not there already.

    What was damaged there is said, and written again.
    """
    source = (report.folder / MANIFEST).relative_to(out).as_posix()
    made = {"program": fingerprint(__name__, *(f"figures.{name}" for name in figures))}
    before = find(out, maker.name)
    if before is not None and source in before.read and before.made == made:
        wrong = whole(out, before)
        if not wrong:
            return [out / name for name in before.files]
        for fault in wrong:
            print(f"warning: {fault.path} is {fault.what}; it is written again", file=sys.stderr)
    paths = [path for path in sorted(report.folder.rglob("*")) if path.suffix in SUFFIXES and path.name != MANIFEST]
    files = {path.relative_to(report.folder).as_posix(): path.read_bytes() for path in paths}
    tables = {Path(name).stem: pd.read_csv(BytesIO(data)) for name, data in files.items() if name.endswith(".csv")}
    for name in figures:
        files |= {f"figures/{file}": data for file, data in rendered(name, tables).items()}
    return write(out, maker, files, read=sums(out, [source]), made=made)
