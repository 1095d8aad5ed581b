"""Which stages of an experiment are there, and making those that are not, inputs first."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from empirical.stages.artefact import Artefact, Stage, StageError, find, folder_of
from empirical.stages.workers import pool

CHEAP = 60.0
"""Estimated seconds up to which a stage is made again when the program has changed; dearer ones are kept, and told."""


def needed(stages: Sequence[Stage], targets: Iterable[str]) -> list[Stage]:
    """The stages that the targets are made of, in the given order (inputs before what reads them)."""
    wanted = set(targets)
    for stage in reversed(stages):
        if stage.name in wanted:
            wanted |= set(stage.inputs.values())
    return [stage for stage in stages if stage.name in wanted]


def survey(stages: Sequence[Stage], root: Path) -> tuple[dict[str, Artefact], list[Stage]]:
    """(finished stages by name, stages still to be made), reading every finished file once."""
    done: dict[str, Artefact] = {}
    for stage in stages:
        if all(name in done for name in stage.inputs.values()):
            found = find(folder_of(root, stage, done), stage)
            if found is not None and not _to_renew(stage, found):
                done[stage.name] = found
    return done, [stage for stage in stages if stage.name not in done]


def _to_renew(stage: Stage, found: Artefact) -> bool:
    return found.program != stage.program and stage.seconds <= CHEAP


def of_other_programs(stages: Sequence[Stage], done: Mapping[str, Artefact]) -> list[str]:
    """Names of finished stages that another state of the program has made."""
    return [stage.name for stage in stages if stage.name in done and done[stage.name].program != stage.program]


def execute(
    stages: Sequence[Stage],
    root: Path,
    runtime: Mapping[str, Any],
    workers: int = 1,
    on_done: Callable[[Stage], None] = lambda stage: None,
) -> dict[str, Artefact]:
    """Make what is missing of ``stages`` (inputs first); returns all of them by name.

    With one worker stages run in this process, else in processes of their own that end with this function. Raises
    StageError for the first stage that fails; what was finished is kept, and the same call continues.
    """
    done, missing = survey(stages, root)
    waiting = {stage.name: stage for stage in missing}
    with pool(workers, len(missing), _gpus() if runtime.get("device") == "cuda" else ()) as crew:
        while waiting or crew.busy:
            for stage in list(waiting.values()):
                if crew.idle and all(name in done for name in stage.inputs.values()):
                    del waiting[stage.name]
                    folder = folder_of(root, stage, done)
                    found = find(folder, stage)  # made before, from inputs that came out the same again
                    if found is not None and not _to_renew(stage, found):
                        done[stage.name] = found
                        on_done(stage)
                        continue
                    if folder.exists():
                        why = "is damaged" if found is None else "is of an earlier state of the program"
                        print(f"warning: {folder} {why}; it is made again", file=sys.stderr)
                    crew.submit(
                        stage, folder, {role: done[name].folder for role, name in stage.inputs.items()}, runtime
                    )
            for stage, folder, error in crew.collect():
                if error:
                    raise StageError(f"{stage.name}: {error}; what is finished is kept in {root}")
                found = find(folder, stage)
                if found is None:
                    raise StageError(f"{folder} changed while it was read; run the same command again")
                done[stage.name] = found
                on_done(stage)
    return done


def _gpus() -> list[str]:
    """What CUDA_VISIBLE_DEVICES would be for each GPU alone."""
    import torch

    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    return [str(index) for index in range(torch.cuda.device_count())] if allowed is None else allowed.split(",")
