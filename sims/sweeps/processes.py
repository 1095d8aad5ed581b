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
from dataclasses import dataclass, field

from sims.running.machine import Crew, clean_environment
from sims.sweeps.grid import Shape
from sims.sweeps.jobs import MAX_ATTEMPTS, DiskError, Job, OnDone, Work, by_shape, next_job


@dataclass
class Worker:
    """A worker process, its number, the job it has, and the shapes it has compiled."""

    process: "subprocess.Popen[str]"
    slot: int
    job: Job | None = None
    shapes: set[Shape] = field(default_factory=set)


def execute_here(work: Work, on_done: OnDone) -> list[Job]:
    """Compute and store all chunks in this process; call ``on_done`` after each. Nothing is ever set aside.

    For a store that no other process sees. Raises OSError where it cannot be written, RuntimeError where JAX is
    not in float64.
    """
    from sims.sweeps.worker import compute

    for chunk in work.chunks:
        compute(work.request(chunk), work.root, work.root_seed)
        on_done(chunk)
    return []


def execute(work: Work, machine: Crew, on_done: OnDone) -> list[Job]:
    """Compute and store all chunks; call ``on_done`` after each. Returns the jobs that were set aside.

    Raises DiskError as soon as a worker cannot write. Workers end with this function, however it ends, and by
    themselves should this process be killed.
    """
    waiting = by_shape(work.chunks)
    selector = selectors.DefaultSelector()
    crew: list[Worker] = []
    failed: list[Job] = []

    def hire(slot: int) -> None:
        command = [sys.executable, "-P", "-m", "sims.sweeps.worker", str(work.root), str(work.root_seed)]
        paths = [path or os.getcwd() for path in sys.path]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment() | machine.environment(slot) | {"PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )
        worker = Worker(process, slot)
        assert process.stdout is not None
        selector.register(process.stdout, selectors.EVENT_READ, worker)
        crew.append(worker)
        give(worker)

    def give(worker: Worker) -> None:
        job = next_job(waiting, worker.shapes, (other.shapes for other in crew if other is not worker))
        if job is None:
            return
        worker.job = job
        worker.shapes.add(job.chunk.shape)
        request = work.request(job.chunk)
        assert worker.process.stdin is not None
        try:
            worker.process.stdin.write(request + "\n")
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
        for slot in range(min(machine.workers, len(work.chunks))):
            hire(slot)
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
                        hire(worker.slot)
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
