"""Worker processes for stages: spawned, one thread each, gone when their driver is gone."""

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from empirical.stages.artefact import Stage, StageError, make


class Outcome(NamedTuple):
    """A stage that ended."""

    stage: Stage
    folder: Path
    error: str
    """Empty where it went well."""


class Pool(Protocol):
    """Something that runs stages."""

    @property
    def idle(self) -> bool:
        """Whether another stage can be taken."""

    @property
    def busy(self) -> bool:
        """Whether some stage is not collected yet."""

    def submit(self, stage: Stage, folder: Path, inputs: Mapping[str, Path], runtime: Mapping[str, Any]) -> None:
        """Start a stage."""

    def collect(self) -> list[Outcome]:
        """Wait until a stage ends, if any runs; returns all that have."""


class _Here:
    """Runs stages in this process, when they are submitted. Their errors are raised, traceback and all."""

    def __init__(self) -> None:
        self.ended: list[Outcome] = []

    @property
    def idle(self) -> bool:
        return not self.ended

    @property
    def busy(self) -> bool:
        return bool(self.ended)

    def submit(self, stage: Stage, folder: Path, inputs: Mapping[str, Path], runtime: Mapping[str, Any]) -> None:
        if runtime.get("device") == "cuda":
            _on_gpu(stage, folder, inputs, runtime)
        else:
            make(stage, folder, inputs, runtime)
        self.ended.append(Outcome(stage, folder, ""))

    def collect(self) -> list[Outcome]:
        ended, self.ended = self.ended, []
        return ended


def _on_gpu(stage: Stage, folder: Path, inputs: Mapping[str, Path], runtime: Mapping[str, Any]) -> None:
    """A GPU's memory is given back after each stage: the next may need all of it, in processes of its own even."""
    import torch

    try:
        make(stage, folder, inputs, runtime)
    except torch.OutOfMemoryError as error:
        raise StageError(f"{stage.name}: {error}; what is finished is kept") from error
    finally:
        release()


def release() -> None:
    """Give back memory of a GPU that nothing refers to, or that only refers to itself, as models under autocast do."""
    import torch

    gc.collect()
    torch.cuda.empty_cache()


class _Worker:
    def __init__(self, gpu: str | None) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _environment({"OMP_NUM_THREADS": "1"} | ({} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu})):
            self.process.start()  # read when a worker loads its libraries
        theirs.close()
        self.job: tuple[Stage, Path] | None = None


class _Processes:
    def __init__(self, count: int, gpus: Sequence[str]) -> None:
        self.crew = [_Worker(gpus[index % len(gpus)] if gpus else None) for index in range(count)]

    @property
    def idle(self) -> bool:
        return any(worker.job is None for worker in self.crew)

    @property
    def busy(self) -> bool:
        return any(worker.job is not None for worker in self.crew)

    def submit(self, stage: Stage, folder: Path, inputs: Mapping[str, Path], runtime: Mapping[str, Any]) -> None:
        worker = next(worker for worker in self.crew if worker.job is None)
        worker.pipe.send((stage, folder, dict(inputs), dict(runtime)))
        worker.job = (stage, folder)

    def collect(self) -> list[Outcome]:
        running = {worker.pipe: worker for worker in self.crew if worker.job is not None}
        ended = []
        for pipe in wait(list(running)) if running else ():
            worker = running[pipe]  # type: ignore[index]
            assert worker.job is not None
            try:
                error = worker.pipe.recv()
            except EOFError:
                worker.process.join()
                error = f"its process died (exit {worker.process.exitcode}; out of memory?)"
            ended.append(Outcome(*worker.job, error))
            worker.job = None
        return ended

    def close(self) -> None:
        for worker in self.crew:
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()


@contextlib.contextmanager
def pool(workers: int, most: int, gpus: Sequence[str] = ()) -> Iterator[Pool]:
    """Run stages in this process (1 worker), or in processes, at most ``most``, which are ended with the block.

    Processes see one of ``gpus`` each, in turn.
    """
    if workers <= 1:
        yield _Here()
        return
    crew = _Processes(min(workers, most), gpus)
    try:
        yield crew
    finally:
        crew.close()


@contextlib.contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _follow(parent: BaseProcess) -> None:
    """End with the driver, even if it was killed."""
    parent.join()
    os._exit(1)


def _serve(pipe: Connection) -> None:
    """Make what comes in; answer with the error, or an empty text."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal; the driver ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    while True:
        stage, folder, inputs, runtime = pipe.recv()
        try:
            (_on_gpu if runtime.get("device") == "cuda" else make)(stage, folder, inputs, runtime)
            pipe.send("")
        except Exception as error:
            if not isinstance(error, (ValueError, RuntimeError, OSError)):
                traceback.print_exc()  # nobody raised it on purpose
            pipe.send(f"{type(error).__name__}: {error}")
