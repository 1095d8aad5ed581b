"""Run a profile into a folder, or say what that would take; see `empirical.stages.experiment`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from empirical.eigenvalues import times
from empirical.eigenvalues.plan import stages, targets
from empirical.eigenvalues.profile import Profile
from empirical.stages import experiment
from empirical.stages.artefact import Stage
from empirical.stages.experiment import Outlook
from sims.running.certificates import Maker

FIGURES = ("eigenvalues_table", "eigenvalues_p_star", "eigenvalues_collapse", "eigenvalues_beams")


def outlook(
    profile: Profile, out: Path, verb: str, workers: int | None = None, device: str = "auto", insist: bool = False
) -> Outlook:
    """What is asked for by a sub-command, what of it is there, and about how long the rest takes.

    Raises ValueError for workers < 1, for a GPU that is not there, and for a run of many hours on a CPU that was not
    asked for by name (unless ``insist``).
    """
    found = experiment.chosen(device)
    plan = stages(profile, found)
    ahead = experiment.outlook(plan, targets(plan, verb), out, workers, found)
    experiment.patient(ahead, insist or device != "auto", f"profile {profile.name}", "run --profile quick")
    return ahead


def run(
    ahead: Outlook,
    out: Path,
    again: str,
    on_done: Callable[[Stage], None] = lambda stage: None,
    say: Callable[[str], None] = lambda line: None,
    **more: Any,
) -> list[Path]:
    """Make what is missing; see `empirical.stages.experiment.run`.

    ``again``: what is typed to run it. ``say`` gets the times of all stages, estimated before and measured after.
    ``more``: of `training.Runtime`, as JSON.
    """
    made: list[Stage] = []
    seconds: dict[str, float] = {}

    def done(stage: Stage) -> None:
        made.append(stage)
        took = times.measured(out, stage)
        if took is not None:
            seconds[stage.name] = took
        on_done(stage)

    for line in times.before(ahead.missing):
        say(line)
    runtime = {"device": ahead.device, "record": ahead.device == "cuda"} | more
    try:
        return experiment.run(ahead, out, runtime, FIGURES, Maker("eigenvalues", again, mark="stages"), done)
    finally:
        for line in times.after(made, seconds):
            say(line)
