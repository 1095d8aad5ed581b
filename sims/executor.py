"""Run chunks in worker processes: one thread each, one shape at a time where possible, replaced when they die.

Parallelism is processes because float64 results in JAX on CPU change in the last bits with the number of
threads; a worker pinned to one thread computes the same bytes whoever else is running.
"""

import contextlib
import json
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sims.plan import Cell, Chunk, Shape, cell_to_json

MAX_ATTEMPTS = 3
"""A chunk that ends this many workers, or fails this many times, is set aside; the rest goes on."""

ONE_THREAD = {
    "NPROC": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JAX_ENABLE_X64": "1",
    "JAX_PLATFORMS": "cpu",
}


class DiskError(RuntimeError):
    """A worker could not write its shard."""


@dataclass
class Job:
    """A chunk on its way, with how often it was tried and why that failed."""

    chunk: Chunk
    attempts: int = 0
    reason: str = ""


@dataclass
class Worker:
    """A worker process, the job it has, and the shapes it has compiled."""

    process: "subprocess.Popen[str]"
    job: Job | None = None
    shapes: set[Shape] = field(default_factory=set)


def _environment() -> dict[str, str]:
    """This process's environment without what could change numbers unseen (JAX_*, XLA_*), with one thread set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "XLA_"))}
    return kept | ONE_THREAD


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def execute(
    chunks: Iterable[Chunk],
    cells: Mapping[str, Cell],
    root: Path,
    root_seed: int,
    workers: int,
    on_done: Callable[[Chunk], None],
) -> list[Job]:
    """Compute and store all chunks; call ``on_done`` after each. Returns the jobs that were set aside.

    Raises DiskError as soon as a worker cannot write. Workers end with this function, however it ends, and by
    themselves should this process be killed.
    """
    waiting: dict[Shape, deque[Job]] = {}
    for chunk in chunks:
        waiting.setdefault(chunk.shape, deque()).append(Job(chunk))
    total = sum(map(len, waiting.values()))
    selector = selectors.DefaultSelector()
    crew: list[Worker] = []
    failed: list[Job] = []

    def hire() -> None:
        command = [sys.executable, "-P", "-m", "sims.worker", str(root), str(root_seed)]
        paths = [path or os.getcwd() for path in sys.path]  # and -P: a folder `sims` where we stand is not ours
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_environment() | {"PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )
        worker = Worker(process)
        assert process.stdout is not None
        selector.register(process.stdout, selectors.EVENT_READ, worker)
        crew.append(worker)
        give(worker)

    def give(worker: Worker) -> None:
        job = _next_job(waiting, worker, crew)
        if job is None:
            return
        worker.job = job
        worker.shapes.add(job.chunk.shape)
        request = _request(job.chunk, cells)
        assert worker.process.stdin is not None
        try:
            worker.process.stdin.write(json.dumps(request) + "\n")
            worker.process.stdin.flush()
        except BrokenPipeError:
            pass  # it died; the selector will say so

    def retry(job: Job, reason: str) -> None:
        job.attempts, job.reason = job.attempts + 1, reason
        if job.attempts < MAX_ATTEMPTS:
            waiting[job.chunk.shape].appendleft(job)
        else:
            failed.append(job)

    try:
        for _ in range(min(workers, total)):
            hire()
        while any(worker.job for worker in crew) or any(waiting.values()):
            for key, _ in selector.select():
                worker: Worker = key.data
                line = key.fileobj.readline()  # type: ignore[union-attr]
                job, worker.job = worker.job, None
                if not line.endswith("\n"):  # nothing, or a reply cut short: the worker died
                    selector.unregister(key.fileobj)
                    code = _close(worker.process)
                    crew.remove(worker)
                    if job is not None:
                        retry(job, f"the worker died ({_exit_text(code)})")
                    if any(waiting.values()):
                        hire()
                    continue
                assert job is not None
                reply = json.loads(line)
                if "done" in reply:
                    on_done(job.chunk)
                elif reply["kind"] == "disk":
                    raise DiskError(reply["error"])
                else:
                    retry(job, reply["error"])
                give(worker)
    finally:
        for worker in crew:
            worker.process.kill()
        for worker in crew:
            _close(worker.process)
        selector.close()
    return failed


def _close(process: "subprocess.Popen[str]") -> int:
    """Wait for an ended process and close its pipes; returns its exit code."""
    assert process.stdin is not None and process.stdout is not None
    process.stdout.close()
    with contextlib.suppress(BrokenPipeError):  # of a request that it did not live to read
        process.stdin.close()
    return process.wait()


def _exit_text(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit {code}"


def _next_job(waiting: dict[Shape, deque[Job]], worker: Worker, crew: list[Worker]) -> Job | None:
    """Prefer a shape this worker has compiled, then one that no other has, then the one with most work left."""
    left = [shape for shape, jobs in waiting.items() if jobs]
    if not left:
        return None
    others = {shape for other in crew if other is not worker for shape in other.shapes}

    def preference(shape: Shape) -> tuple[bool, bool, float]:
        work = sum(job.chunk.trials for job in waiting[shape]) * shape.trial_seconds
        return shape in worker.shapes, shape not in others, work

    return waiting[max(left, key=preference)].popleft()


def _request(chunk: Chunk, cells: Mapping[str, Cell]) -> dict[str, Any]:
    names = dict.fromkeys(span.cell for span in chunk.spans)
    return {
        "shape": chunk.shape,
        "spans": chunk.spans,
        "cells": [cell_to_json(cells[name]) for name in names],
    }
