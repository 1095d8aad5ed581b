"""Run chunks in worker processes: one shape at a time where possible, and tried again elsewhere when a worker dies."""

from sims.running.machine import Crew, clean_environment
from sims.running.workers import Worker, Workers
from sims.sweeps.grid import Shape
from sims.sweeps.jobs import MAX_ATTEMPTS, DiskError, Job, OnDone, Work, by_shape, next_job


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
    compiled: dict[int, set[Shape]] = {}  # by slot
    failed: list[Job] = []

    def hire(slot: int) -> None:
        compiled[slot] = set()
        give(crew.hire(slot))

    def give(worker: Worker) -> None:
        mine = compiled[worker.slot]
        job = next_job(waiting, mine, (shapes for slot, shapes in compiled.items() if slot != worker.slot))
        if job is not None:
            mine.add(job.chunk.shape)
            crew.ask(worker, work.request(job.chunk), job)

    def retry(job: Job, reason: str) -> None:
        job.attempts, job.reason = job.attempts + 1, reason
        if job.attempts < MAX_ATTEMPTS:
            waiting[job.chunk.shape].appendleft(job)
        else:
            failed.append(job)

    arguments = [str(work.root), str(work.root_seed)]
    environment = lambda slot: clean_environment() | machine.environment(slot)
    with Workers[Job]("sims.sweeps.worker", arguments, environment) as crew:
        for slot in range(min(machine.workers, len(work.chunks))):
            hire(slot)
        while crew.busy or any(waiting.values()):
            for worker, job, answer in crew.wait():
                if isinstance(answer, int):
                    del compiled[worker.slot]
                    retry(job, f"the worker died ({_exit_text(answer)})")
                    if any(waiting.values()):
                        hire(worker.slot)
                    continue
                if "done" in answer:
                    on_done(job.chunk)
                elif answer["kind"] == "disk":
                    raise DiskError(answer["error"])
                else:
                    retry(job, answer["error"])
                give(worker)
    return failed


def _exit_text(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit {code}"
