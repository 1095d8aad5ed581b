"""Run an experiment's stages into a folder, or say what that would take.

DIR/report.txt, report.json, tables/*.csv    what was found
DIR/figures/                                 drawn from the tables
DIR/stages/                                  what it was made from (`empirical.stages`)
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from empirical.stages.artefact import Artefact, Stage, locked
from empirical.stages.schedule import execute, needed, survey
from sims.running.files import located, write_atomic
from sims.running.machine import cores
from theory.errors import InputError

PATIENCE = 12 * 3600.0
"""Estimated seconds above which a CPU must be asked for by name."""
PUBLISHED = (".csv", ".txt", ".json", ".md")


class Outlook(NamedTuple):
    """What a run would do."""

    stages: list[Stage]
    missing: list[Stage]
    device: str
    workers: int
    seconds: float
    """Estimated, for what is missing."""


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
    missing = survey(wanted, out)[1]
    crew = workers or (cores() if device == "cpu" else 1)
    return Outlook(wanted, missing, device, crew, sum(stage.seconds for stage in missing) / crew)


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
    on_done: Callable[[Stage], None] = lambda stage: None,
    shared: bool = False,
) -> list[Path]:
    """Make what is missing, publish the report if it was asked for, and return what was written for the reader.

    ``shared``: other processes may be at work in the same folder, on other stages. Raises StageError where a stage
    fails; what was finished is kept, and the same call continues.
    """
    with locked(out, shared):
        done = execute(ahead.stages, out, runtime, ahead.workers, on_done)
        return publish(done["report"], out, figures) if "report" in done else []


def publish(report: Artefact, out: Path, figures: Sequence[str]) -> list[Path]:
    """Copy report and tables to where a reader looks, and draw the figures, where they are not there already."""
    sources = [
        path for path in sorted(report.folder.rglob("*")) if path.suffix in PUBLISHED and path.name != "manifest.json"
    ]
    places = {out / path.relative_to(report.folder): path.read_bytes() for path in sources}
    stale = {path: data for path, data in places.items() if not path.is_file() or path.read_bytes() != data}
    for path, data in stale.items():
        with located(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)
    drawn = [out / "figures" / f"{name}.{kind}" for name in figures for kind in ("png", "pdf")]
    if stale or not all(path.is_file() for path in drawn):
        from figures import draw

        tables = {path.stem: pd.read_csv(path) for path in places if path.suffix == ".csv"}
        with located(out / "figures"):
            drawn = [path for name in figures for path in draw(name, tables, out / "figures")]
    return [*places, *drawn]
