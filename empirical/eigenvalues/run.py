"""Run a profile into a folder, or say what that would take.

DIR/report.txt, report.json, tables/*.csv    what was found
DIR/figures/                                 drawn from the tables
DIR/stages/                                  what it was made from (`empirical.stages`)
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch

from empirical.eigenvalues.plan import stages, targets
from empirical.eigenvalues.profile import Profile
from empirical.stages import Artefact, Stage, execute, locked, needed, survey
from sims.files import write_atomic
from sims.machine import cores

FIGURES = ("eigenvalues_table", "eigenvalues_p_star", "eigenvalues_beams")
PATIENCE = 12 * 3600.0
"""Estimated seconds above which a CPU must be asked for by name."""


class Outlook(NamedTuple):
    """What a run would do."""

    stages: list[Stage]
    missing: list[Stage]
    device: str
    workers: int
    seconds: float
    """Estimated, for what is missing."""


def outlook(profile: Profile, out: Path, verb: str, workers: int | None = None, device: str = "auto") -> Outlook:
    """What is asked for by a sub-command, what of it is there, and about how long the rest takes.

    Raises ValueError for workers < 1, and for a run of many hours on a CPU that was not asked for by name.
    """
    found = "cuda" if torch.cuda.is_available() else "cpu"
    if workers is not None and workers < 1:
        raise ValueError(f"workers = {workers} must be at least 1")
    chosen = found if device == "auto" else device
    plan = stages(profile, chosen)
    wanted = needed(plan, targets(plan, verb))
    missing = survey(wanted, out)[1]
    crew = workers or (cores() if chosen == "cpu" else 1)
    seconds = sum(stage.seconds for stage in missing) / crew
    if device == "auto" and chosen == "cpu" and seconds > PATIENCE:
        raise ValueError(
            f"profile {profile.name} would take about {seconds / 86400:.0f} days on the CPU of this machine, and there "
            "is no GPU; run --profile quick, or insist with --device cpu"
        )
    return Outlook(wanted, missing, chosen, crew, seconds)


def run(ahead: Outlook, out: Path, on_done: Callable[[Stage], None] = lambda stage: None) -> list[Path]:
    """Make what is missing, publish the report if it was asked for, and return what was written for the reader.

    Raises ValueError for a GPU that is not there, StageError where a stage fails; what was finished is kept, and the
    same call continues.
    """
    if ahead.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device = cuda: PyTorch finds none here; leave it out, or install a build with CUDA")
    runtime = {"device": ahead.device, "compile": ahead.device == "cuda"}
    with locked(out):
        done = execute(ahead.stages, out, runtime, ahead.workers, on_done)
        return publish(done["report"], out) if "report" in done else []


def publish(report: Artefact, out: Path) -> list[Path]:
    """Copy report and tables to where a reader looks, and draw the figures, where they are not there already."""
    sources = [
        path
        for path in sorted(report.folder.rglob("*"))
        if path.suffix in (".csv", ".txt") or path.name == "report.json"
    ]
    places = {out / path.relative_to(report.folder): path.read_bytes() for path in sources}
    stale = {path: data for path, data in places.items() if not path.is_file() or path.read_bytes() != data}
    for path, data in stale.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)
    drawn = [out / "figures" / f"{name}.{kind}" for name in FIGURES for kind in ("png", "pdf")]
    if stale or not all(path.is_file() for path in drawn):
        import figures

        tables = {path.stem: pd.read_csv(path) for path in places if path.suffix == ".csv"}
        drawn = [path for name in FIGURES for path in figures.draw(name, tables, out / "figures")]
    return [*places, *drawn]
