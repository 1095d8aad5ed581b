"""Run a profile into a folder, or say what that would take; see `empirical.stages.experiment`."""

from collections.abc import Callable
from pathlib import Path

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


def run(ahead: Outlook, out: Path, again: str, on_done: Callable[[Stage], None] = lambda stage: None) -> list[Path]:
    """Make what is missing; see `empirical.stages.experiment.run`. ``again``: what is typed to run it."""
    runtime = {"device": ahead.device, "compile": ahead.device == "cuda"}
    return experiment.run(ahead, out, runtime, FIGURES, Maker("eigenvalues", again, mark="stages"), on_done)
