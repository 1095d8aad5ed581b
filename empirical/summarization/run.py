"""Run a profile into a folder, or say what that would take; see `empirical.stages.experiment`."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch

from empirical.stages import experiment
from empirical.stages.artefact import Stage
from empirical.stages.experiment import Outlook
from empirical.stages.schedule import needed, survey
from empirical.summarization import corpus
from empirical.summarization.accelerators import FSDP, check_accelerate, processes
from empirical.summarization.plan import others, shard, stages, targets
from empirical.summarization.preflight import check
from empirical.summarization.profile import Profile
from empirical.summarization.schedule import Schedule
from empirical.summarization.sections import MADE, SAME
from sims.running.certificates import Maker
from theory.errors import InputError

ANSWERING = ("generator", "model")
"""Roles of models that a stage lets answer."""
SHOWN = 2
FIGURES = ("summarization_rouge", "summarization_p_star")
OF_NOISE = "summarization_collapse"
"""The figure of a profile with stories.curve."""


def outlook(
    profile: Profile,
    out: Path,
    verb: str,
    workers: int | None = None,
    device: str = "auto",
    part: tuple[int, int] | None = None,
    insist: bool = False,
) -> Outlook:
    """What is asked for by a sub-command, what of it is there, and about how long the rest takes.

    ``part``: (i, n), the i-th of n shares of generate or score; what it reads must be there. Raises ValueError for
    workers < 1, for a GPU that is not there, for a run of many hours on a CPU that was not asked for by name (unless
    ``insist``), and for a part that is none or comes too early.
    """
    found = experiment.chosen(device)
    plan = stages(profile, found)
    wanted = targets(plan, verb) if part is None else shard(plan, verb, *part)
    ahead = experiment.outlook(plan, wanted, out, workers, found)
    if part is not None:
        early = [stage.name for stage in ahead.missing if stage.name not in wanted]
        if early:
            before = "train-generator" + (" and generate" if verb == "score" else "")
            raise InputError(
                f"--shard {part[0]}/{part[1]}: {len(early)} stages before it are not there yet, such as {early[0]}; "
                f"run {before} first (generate may be in shards)"
            )
    experiment.patient(ahead, insist or device != "auto", f"preset {profile.name}", "run --preset small")
    return ahead


def run(
    ahead: Outlook,
    profile: Profile,
    out: Path,
    again: str,
    accelerate: str | None = None,
    on_done: Callable[[Stage], None] = lambda stage: None,
    shared: bool = False,
) -> list[Path]:
    """Make what is missing; see `empirical.stages.experiment.run`. ``again``: what is typed to run it.

    Raises ValueError, before anything is made, where a model or the memory for it is not to be had.
    """
    launcher = str(FSDP) if accelerate == "fsdp" else accelerate
    if launcher and ahead.device == "cuda" and ahead.workers > 1:
        raise InputError(f"--accelerate beside --workers {ahead.workers}: trainings take all GPUs; leave --workers out")
    if launcher and ahead.device == "cpu":
        raise InputError(f"--accelerate {accelerate}: it is for GPUs, and PyTorch finds none here; leave it out")
    if launcher:
        check_accelerate(launcher, torch.cuda.device_count())
    _check(profile, ahead, out, launcher)
    runtime = {"device": ahead.device, "accelerate": launcher, "fitting": profile.fitting}
    figures = (*FIGURES, *((OF_NOISE,) if profile.stories.curve else ()))
    return experiment.run(ahead, out, runtime, figures, Maker("summarization", again, mark="stages"), on_done, shared)


def show_batch(profile: Profile, out: Path) -> str:
    """Which tokens of the first articles carry loss, as the generator is trained on them; `prepare` has been run."""
    import pandas as pd

    from empirical.summarization.encode import Encoder, shown
    from empirical.summarization.models import load_tokenizer

    done, _ = survey(needed(stages(profile), ("seed0/prepare", "base")), out)
    rows = pd.read_parquet(done["seed0/prepare"].folder / "generator.parquet").head(SHOWN)
    encoder = Encoder(load_tokenizer(done["base"].folder), profile.layout)
    examples = [shown(encoder, row.text, row.summary) for row in rows.itertuples()]
    return "\n\n".join(f"{name}\n{example}" for name, example in zip(rows["id"], examples, strict=True))


def _check(profile: Profile, ahead: Outlook, out: Path, accelerate: str | None) -> None:
    """Refuse what could only fail later: the source and the models that missing stages read, and memory for them."""
    if any(stage.name == "source" for stage in ahead.missing):
        corpus.resolve(profile.data.source, profile.data.revision)
    demands = []
    for base in ("base", *(f"base-{name}" for name in others(profile))):
        table = getattr(profile, base.removeprefix("base-"))
        if table.name not in (MADE, SAME):
            model = {"name": table.name, "revision": table.revision}
            demands += [(model, schedule, times) for schedule, times in _demands(ahead.missing, base, profile).items()]
    if demands:
        models, schedules, times = zip(*demands, strict=True)
        count, sharded = processes(accelerate) if accelerate else (1, False)
        rows = max(profile.generation.batch, profile.generation.scoring_batch)
        precision = profile.generation.precision
        found = check(models, schedules, ahead.device, count, profile.layout, sharded, rows, precision)
        _check_disk(out, [size * number for size, number in zip(found["parameters"], times, strict=True)], profile)


def _demands(missing: list[Stage], base: str, profile: Profile) -> Counter[Schedule | None]:
    """How often a base model is to be trained by the missing stages; None: its descendants answer."""
    trained = [stage.settings["schedule"] for stage in missing if stage.inputs.get("base") == base]
    found = Counter[Schedule | None](Schedule(**schedule, **profile.fitting) for schedule in trained)
    own = base.replace("base", "verifier") if base != "base" else "generator"
    answers = any(stage.inputs.get(role, "").endswith(own) for stage in missing for role in ANSWERING)
    if answers:
        found[None] = 0
    return found


def _check_disk(out: Path, kept: list[int], profile: Profile) -> None:
    """Raise ValueError where the trained models, of so many parameters in all, would not fit; adapters always do."""
    if profile.training.lora_rank or not sum(kept):
        return
    there = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    width = 2 if profile.training.precision == "bfloat16" else 4
    needed, free = width * sum(kept), shutil.disk_usage(there).free
    if needed > free:
        raise InputError(
            f"--out {out}: the trained models take {needed / 1e9:.0f} GB, and {free / 1e9:.0f} GB are free there; "
            "choose another disk, fewer selection.rates, or [training] lora_rank = 16"
        )
