"""Run a profile into a folder, or say what that would take; see `empirical.experiment`."""

from collections.abc import Callable
from pathlib import Path

from empirical import experiment
from empirical.experiment import Outlook
from empirical.stages import Stage, survey
from empirical.summarization.plan import others, shard, stages, targets
from empirical.summarization.profile import MADE, Profile

SHOWN = 2
FSDP = Path(__file__).parent / "presets" / "fsdp.yaml"
FIGURES = ("summarization_rouge", "summarization_p_star")


def outlook(
    profile: Profile,
    out: Path,
    verb: str,
    workers: int | None = None,
    device: str = "auto",
    part: tuple[int, int] | None = None,
) -> Outlook:
    """What is asked for by a sub-command, what of it is there, and about how long the rest takes.

    ``part``: (i, n), the i-th of n shares of generate or score; what it reads must be there. Raises ValueError for
    workers < 1, for a GPU that is not there, for a run of many hours on a CPU that was not asked for by name, and for
    a part that is none or comes too early.
    """
    found = experiment.chosen(device)
    plan = stages(profile, found)
    wanted = targets(plan, verb) if part is None else shard(plan, verb, *part)
    ahead = experiment.outlook(plan, wanted, out, workers, found)
    if part is not None:
        early = [stage.name for stage in ahead.missing if stage.name not in wanted]
        if early:
            before = "train-generator" if verb == "generate" else "generate"
            raise ValueError(
                f"--shard {part[0]}/{part[1]}: {len(early)} stages before it are not there yet, such as {early[0]}; "
                f"run {before} first, in one process"
            )
    experiment.patient(ahead, device != "auto", f"preset {profile.name}", "run --preset small")
    return ahead


def run(
    ahead: Outlook,
    profile: Profile,
    out: Path,
    accelerate: str | None = None,
    on_done: Callable[[Stage], None] = lambda stage: None,
    shared: bool = False,
) -> list[Path]:
    """Make what is missing; see `empirical.experiment.run`.

    Raises ValueError, before anything is made, where a model or the memory for it is not to be had.
    """
    launcher = str(FSDP) if accelerate == "fsdp" else accelerate
    if ahead.missing:
        _check(profile, ahead, launcher)
    runtime = {"device": ahead.device, "accelerate": launcher}
    return experiment.run(ahead, out, runtime, FIGURES, on_done, shared)


def show_batch(profile: Profile, out: Path) -> str:
    """Which tokens of the first articles carry loss, as the generator is trained on them; `prepare` has been run."""
    import pandas as pd

    from empirical.summarization.encode import Encoder, shown
    from empirical.summarization.models import load_tokenizer

    done, _ = survey([stage for stage in stages(profile) if stage.name in ("seed0/prepare", "base")], out)
    rows = pd.read_parquet(done["seed0/prepare"].folder / "generator.parquet").head(SHOWN)
    encoder = Encoder(load_tokenizer(done["base"].folder), profile.layout)
    examples = [shown(encoder, row.text, row.summary) for row in rows.itertuples()]
    return "\n\n".join(f"{name}\n{example}" for name, example in zip(rows["id"], examples, strict=True))


def _check(profile: Profile, ahead: Outlook, accelerate: str | None) -> None:
    from empirical.summarization.corpus import resolve
    from empirical.summarization.preflight import check
    from empirical.summarization.training import processes

    resolve(profile.data.source, profile.data.revision)

    tables = [(profile.base, profile.generator), (profile.base, profile.retraining)]
    tables += [(getattr(profile, name), getattr(profile, name)) for name in others(profile)]
    elsewhere = [(model, role) for model, role in tables if model.name != MADE]
    models = [{"name": model.name, "revision": model.revision} for model, _ in elsewhere]
    schedules = [profile.schedule(role) for _, role in elsewhere]
    if models:
        count, sharded = processes(accelerate) if accelerate else (1, False)
        check(models, schedules, ahead.device, count, profile.layout, sharded)
