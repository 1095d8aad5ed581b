"""Run chunks on Dask: on a scheduler that is there already, or on a cluster of this machine that ends with the sweep.

A task computes one chunk and commits its shard to the store; the store, never the scheduler, is the truth. There is
one task at a time for each worker, so that a worker's death is charged to no other task. Tasks are pickled: use
clusters that you trust.
"""

import logging
import os
import queue
import sys
import time
import uuid
import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sims.running.files import LocalFiles
from sims.running.machine import Crew, clean_environment
from sims.running.text import one_line
from sims.sweeps.cluster_task import TaskError, fingerprint
from sims.sweeps.grid import Chunk, Shape
from sims.sweeps.jobs import MAX_ATTEMPTS, DiskError, Execute, Job, OnDone, Work, by_shape, next_job
from sims.sweeps.store import Store
from theory.errors import RunError

CONNECT_SECONDS = 5
POLL_SECONDS = 1.0
"""How often the number of workers is looked up."""

LATE_TRIES = 10
"""How often a new file is looked for; network file systems may be late."""

TASK = "sims.sweeps.cluster_task"
CALL = f"__import__({TASK!r}, fromlist=['task']).task(*arguments)"
"""By name: Dask ends a worker that cannot unpickle a task, and pstar may be missing there, or be another version."""

INSTALL = "pip install distributed"


class ClusterError(RunError):
    """A cluster that is not there, or whose workers cannot compute this sweep; the message says why."""


@contextmanager
def executor(crew: Crew, address: str | None) -> Iterator[Execute]:
    """A cluster while the block runs; yields what computes and stores chunks on it, as `processes.execute` does.

    A local folder as store must be one that all workers share. What it yields raises DiskError where a worker
    cannot write to the store, and ClusterError for workers of another version or environment than this process.

    Args:
        crew: workers and device; of a cluster that is there already only the device counts.
        address: of the scheduler; None for a cluster of this machine with ``crew.workers`` spawned processes.

    Raises:
        ClusterError: no Dask here, or no scheduler there.
    """
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise ClusterError(f"--scheduler needs dask.distributed, which is not installed: {INSTALL}") from None
    with _quiet(), _cluster(crew) if address is None else _connect(address) as client:
        yield lambda work, on_done: _Drive(client, work, fingerprint(crew.device), on_done).run()


@dataclass
class _Drive:
    """One sweep on one client."""

    client: Any
    work: Work
    expected: Mapping[str, str]
    on_done: OnDone
    running: dict[Any, tuple[Job, str]] = field(default_factory=dict)
    """Futures, with the address of the worker that each was meant for."""
    compiled: dict[str, set[Shape]] = field(default_factory=dict)
    """Shapes that the workers have had, by address."""
    finished: "queue.SimpleQueue[Any]" = field(default_factory=queue.SimpleQueue)
    failed: list[Job] = field(default_factory=list)

    def run(self) -> list[Job]:
        waiting = by_shape(self.work.chunks)
        told = False
        try:
            while any(waiting.values()) or self.running:
                workers = self._workers()
                if not workers and not told:
                    print("the cluster has no workers yet; waiting for them", file=sys.stderr)
                    told = True
                busy = {address for _, address in self.running.values()}
                for address in workers:
                    if address not in busy:
                        self._give(address, workers, waiting)
                with suppress(queue.Empty):
                    self._settle(self.finished.get(timeout=POLL_SECONDS), waiting)
        finally:
            with suppress(Exception):
                self.client.cancel(list(self.running), reason="the sweep ended")
        return self.failed

    def _workers(self) -> list[str]:
        try:
            return list(self.client.nthreads())
        except Exception as error:
            raise _lost(error) from None

    def _give(self, address: str, workers: list[str], waiting: dict[Shape, deque[Job]]) -> None:
        """Submit the next job for an idle worker; should it be gone, another may take it."""
        mine = self.compiled.setdefault(address, set())
        job = next_job(waiting, mine, (self.compiled.get(other, set()) for other in workers if other != address))
        if job is None:
            return
        mine.add(job.chunk.shape)
        root = str(self.work.root)
        root = root if "://" in root else os.path.abspath(root)
        arguments = (self.work.request(job.chunk), root, self.work.root_seed, dict(self.expected))
        name, place = f"pstar-{uuid.uuid4().hex}", {"workers": [address], "allow_other_workers": True}
        future = self.client.submit(eval, CALL, {"arguments": arguments}, key=name, **place)
        self.running[future] = job, address
        future.add_done_callback(self.finished.put)

    def _settle(self, future: Any, waiting: dict[Shape, deque[Job]]) -> None:
        """Take in one finished task; a failed one is tried again next, or set aside."""
        job, _ = self.running.pop(future)
        if future.status == "cancelled":
            raise _lost(RuntimeError("it dropped its tasks"))
        if future.status != "error":  # finished, or lost since then with the worker that knew of it
            self._see(job.chunk)
            self.on_done(job.chunk)
            return
        reason, attempts = _failure(future.exception())
        job.attempts, job.reason = job.attempts + attempts, reason
        if job.attempts < MAX_ATTEMPTS:
            waiting[job.chunk.shape].appendleft(job)
        else:
            self.failed.append(job)

    def _see(self, chunk: Chunk) -> None:
        """Raise ClusterError where a finished chunk is not in the folder that this process sees."""
        files, name = Store(self.work.root).files, f"shards/{chunk.id(self.work.root_seed)}.json"
        if not isinstance(files, LocalFiles):
            return
        for _ in range(LATE_TRIES):
            if (files.root / name).exists():
                return
            time.sleep(POLL_SECONDS)
        raise ClusterError(
            f"a worker wrote {name}, but not into this machine's {files.root}; give an --out that all workers share"
        )


def _failure(error: BaseException) -> tuple[str, int]:
    """Why a task failed, and for how many attempts that counts. Raises what ends the whole sweep."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return "the worker died", error.allowed_failures + 1
    if isinstance(error, ImportError | AttributeError):
        ours = fingerprint("cpu")["pstar"]
        raise ClusterError(f"the workers cannot load pstar ({error}); install there what is here: {ours}")
    if isinstance(error, TaskError) and error.kind == "setup":
        raise ClusterError(f"a worker of this cluster cannot compute this sweep: {error}")
    if isinstance(error, TaskError) and error.kind == "disk":
        raise DiskError(str(error))
    return str(error) if isinstance(error, TaskError) else one_line(error), 1


def _lost(error: BaseException) -> ClusterError:
    return ClusterError(
        f"the scheduler went away ({one_line(error)}); what was finished is kept, the same command continues"
    )


@contextmanager
def _connect(address: str) -> Iterator[Any]:
    """A client of a scheduler. Raises ClusterError within seconds where there is none."""
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name="pstar")
    except Exception as error:
        why = f"no Dask scheduler answers at {address} within {CONNECT_SECONDS} s ({one_line(error)})"
        raise ClusterError(f"{why}; start one with `dask scheduler`, or use --scheduler local") from None
    try:
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=CONNECT_SECONDS)


@contextmanager
def _cluster(crew: Crew) -> Iterator[Any]:
    """A client of a cluster of this machine: ``crew.workers`` spawned processes, reachable from this machine only."""
    import dask
    from distributed import Client, Nanny, Scheduler, SpecCluster

    host: dict[str, Any] = {"host": "127.0.0.1", "dashboard": False}
    options = host | {
        "nthreads": 1,
        "memory_limit": 0,
        "silence_logs": logging.CRITICAL,
        "preload": [TASK],
    }
    workers = {
        slot: {"cls": Nanny, "options": options | {"env": crew.environment(slot)}} for slot in range(crew.workers)
    }
    scheduler = {"cls": Scheduler, "options": host | {"port": 0, "allowed_failures": 0}}  # attempts are counted here
    with (
        _environment(clean_environment() | crew.environment(0)),
        dask.config.set({"distributed.worker.multiprocessing-method": "spawn"}),
        ExitStack() as stack,
    ):
        try:
            cluster = SpecCluster(workers=workers, scheduler=scheduler, silence_logs=logging.CRITICAL)
            client = Client(stack.enter_context(cluster), set_as_default=False)
            where = cluster.scheduler_address
        except Exception as error:
            raise ClusterError(f"no cluster could be started on this machine ({one_line(error)})") from None
        print(f"Dask on this machine: {where}, which no other machine can reach", file=sys.stderr)
        yield stack.enter_context(client)


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """What processes spawned meanwhile start with."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from telling on standard error what is told here."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
