"""Worker processes: a line of JSON goes in, a line comes out. They are seen to die, and none outlives its driver.

Work is parallel by processes, one thread each, because float64 results in JAX and torch on CPU change in the last
bits with the number of threads; a process also bears an environment that must be there before Python starts, and its
death costs only what it was at. Plain `subprocess` rather than `multiprocessing`, which would import the caller's
main module again and spoil the whole pool when a worker dies.

The driver's side is `Workers`. The worker's is `serve`, in a module that is run as ``python -m MODULE ARGUMENTS``.
"""

import contextlib
import json
import os
import queue
import selectors
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TextIO, TypeVar

from sims.running.terminal import Guarded
from theory.errors import Error

Job = TypeVar("Job")
Answer = dict[str, Any]


class Worker(NamedTuple):
    """A process, and the number of its place, from 0."""

    slot: int
    process: "subprocess.Popen[str]"


def found_here() -> dict[str, str]:
    """The environment in which a process of ``python -P`` finds the modules that this process finds."""
    return {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}


class Workers(Generic[Job]):
    """Processes of one module, which end with the ``with`` block, however it ends."""

    def __init__(self, module: str, arguments: Sequence[str], environment: Callable[[int], Mapping[str, str]]):
        """None at first. ``environment``: all that the worker in a slot starts with, but PYTHONPATH."""
        self.command = [sys.executable, "-P", "-m", module, *arguments]
        self.environment = environment
        self._crew: list[Worker] = []
        self._asked = selectors.DefaultSelector()

    def __enter__(self) -> "Workers[Job]":
        """Nothing starts before `hire`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill all."""
        for worker in self._crew:
            worker.process.kill()
        for worker in self._crew:
            _close(worker.process)
        self._asked.close()

    def hire(self, slot: int) -> Worker:
        """Start a worker, which finds the modules that this process finds. Ctrl-C at the terminal does not reach it."""
        process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**self.environment(slot), **found_here()},
            start_new_session=True,
        )
        worker = Worker(slot, process)
        self._crew.append(worker)
        return worker

    def ask(self, worker: Worker, request: str, job: Job) -> None:
        """Send a line to a worker that has nothing to do; ``job`` comes back with its answer."""
        assert worker.process.stdin is not None and worker.process.stdout is not None
        self._asked.register(worker.process.stdout, selectors.EVENT_READ, (worker, job))
        with contextlib.suppress(BrokenPipeError):  # it died; `wait` will say so
            worker.process.stdin.write(request + "\n")
            worker.process.stdin.flush()

    @property
    def busy(self) -> bool:
        """Whether any answer is still to come."""
        return bool(self._asked.get_map())

    def wait(self) -> list[tuple[Worker, Job, Answer | int]]:
        """Wait until a worker that was asked has answered, or died: then its exit code stands for the answer."""
        ended: list[tuple[Worker, Job, Answer | int]] = []
        for key, _ in self._asked.select():
            worker, job = key.data
            self._asked.unregister(key.fileobj)
            line = key.fileobj.readline()  # type: ignore[union-attr]
            if line.endswith("\n"):
                ended.append((worker, job, json.loads(line)))
            else:  # nothing, or an answer cut short
                self._crew.remove(worker)
                ended.append((worker, job, _close(worker.process)))
        return ended


def _close(process: "subprocess.Popen[str]") -> int:
    """Wait for an ended process and close its pipes; returns its exit code."""
    assert process.stdin is not None and process.stdout is not None
    process.stdout.close()
    with contextlib.suppress(BrokenPipeError):  # of a request that it did not live to read
        process.stdin.close()
    return process.wait()


def serve(answer: Callable[[str], Answer]) -> None:
    """Answer every line of standard input, until it closes: no worker outlives its driver, even one that is killed.

    What a library prints goes to standard error, never into the protocol, and what it reads is nothing.
    """
    requests: queue.Queue[str] = queue.Queue()
    replies, lines = os.fdopen(os.dup(1), "w", buffering=1), os.fdopen(os.dup(0))
    os.dup2(2, 1)
    sys.stderr = Guarded(sys.stderr)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    threading.Thread(target=_listen, args=(lines, requests), daemon=True).start()
    while True:
        replies.write(json.dumps(answer(requests.get())) + "\n")


def _listen(lines: TextIO, requests: "queue.Queue[str]") -> None:
    for line in lines:
        requests.put(line)
    os._exit(0)


def told(error: Exception) -> str:
    """An error as a worker answers it. One that nobody raised on purpose shows its traceback on standard error, too."""
    if not isinstance(error, Error | OSError):
        traceback.print_exception(error)
    return f"{type(error).__name__}: {error}"
