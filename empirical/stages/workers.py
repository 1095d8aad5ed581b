"""Where stages run: in this process, or each in one of several worker processes."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from empirical.stages.artefact import Stage
from empirical.stages.worker import request, run
from sims.running.workers import Workers


class Outcome(NamedTuple):
    """A stage that ended."""

    stage: Stage
    folder: Path
    error: str
    """Empty where it went well."""


class _Here:
    """Runs stages in this process, when they are submitted. Their errors are raised, traceback and all."""

    def __init__(self) -> None:
        self.ended: list[Outcome] = []

    @property
    def idle(self) -> bool:
        """Whether another stage can be taken."""
        return not self.ended

    @property
    def busy(self) -> bool:
        """Whether some stage is not collected yet."""
        return bool(self.ended)

    def submit(self, stage: Stage, folder: Path, inputs: Mapping[str, Path], runtime: Mapping[str, Any]) -> None:
        """Start a stage."""
        run(stage, folder, inputs, runtime)
        self.ended.append(Outcome(stage, folder, ""))

    def collect(self) -> list[Outcome]:
        """Wait until a stage ends, if any runs; returns all that have."""
        ended, self.ended = self.ended, []
        return ended


class _Processes:
    """The same in ``count`` worker processes. One that died is not replaced: its stage ends the run."""

    def __init__(self, crew: Workers[tuple[Stage, Path]], count: int) -> None:
        self.crew = crew
        self.free = [crew.hire(slot) for slot in range(count)]

    @property
    def idle(self) -> bool:
        return bool(self.free)

    @property
    def busy(self) -> bool:
        return self.crew.busy

    def submit(self, stage: Stage, folder: Path, inputs: Mapping[str, Path], runtime: Mapping[str, Any]) -> None:
        self.crew.ask(self.free.pop(0), request(stage, folder, inputs, runtime), (stage, folder))

    def collect(self) -> list[Outcome]:
        ended = []
        for worker, job, answer in self.crew.wait() if self.busy else ():
            if isinstance(answer, int):
                ended.append(Outcome(*job, f"its process died (exit {answer}; out of memory?)"))
            else:
                self.free.append(worker)
                ended.append(Outcome(*job, answer["error"]))
        return ended


Pool = _Here | _Processes


@contextlib.contextmanager
def pool(workers: int, most: int, gpus: Sequence[str] = ()) -> Iterator[Pool]:
    """Run stages in this process (1 worker), or in processes, at most ``most``, which are ended with the block.

    Processes have one thread each, and see one of ``gpus`` each, in turn.
    """
    if workers <= 1:
        yield _Here()
        return

    def environment(slot: int) -> dict[str, str]:
        gpu = {"CUDA_VISIBLE_DEVICES": gpus[slot % len(gpus)]} if gpus else {}
        return {**os.environ, "OMP_NUM_THREADS": "1", **gpu}

    with Workers[tuple[Stage, Path]]("empirical.stages.worker", [], environment) as crew:
        yield _Processes(crew, min(workers, most))
