"""The jobs of `gpu.py`, one to a process: NAME FILE.json OUT SECONDS CORPUS [--toy]. Rows are written as they come."""

import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402

Row = dict[str, Any]
AGREED = 1e-8
"""Largest difference between two devices in float64 of what both compute alike."""


class Job:
    """What a job is told, and where it leaves its rows."""

    def __init__(self, file: Path, out: Path, seconds: float, corpus: str, toy: bool):
        self.file, self.out, self.corpus, self.toy = file, out, corpus, toy
        self.until = time.monotonic() + seconds
        self.rows: list[Row] = []

    def keep(self, row: Row) -> None:
        """Write it at once: a later row may end the process."""
        self.rows.append(row)
        self.file.write_text(json.dumps(self.rows, default=float))

    def all(self, *makers: Callable[["Job"], Iterator[Row]]) -> None:
        """Rows of each; one that fails leaves its error as a row, and the process fails at its end."""
        failed = ""
        for maker in makers:
            try:
                for row in maker(self):
                    self.keep(row)
            except Exception as error:
                traceback.print_exc()
                failed = f"{maker.__name__}: {type(error).__name__}: {str(error).strip().splitlines()[0][:300]}"
                self.keep({"name": maker.__name__, "failed": failed})
        if failed:
            sys.exit(failed)


def timed(work: Callable[[], Any], wait: Callable[[], None] = lambda: None) -> tuple[Any, float]:
    """What it returns, and seconds; ``wait`` ends what the device still does."""
    wait()
    start = time.perf_counter()
    found = work()
    wait()
    return found, time.perf_counter() - start


def simulation(job: Job) -> None:
    """JAX on the GPU beside the CPU."""
    from gpu_simulation import law, theory, trials

    job.all(theory, law, trials)


def models(job: Job) -> None:
    """The transformer of profile gpu: beams first, as they are most likely to break."""
    from gpu_models import beams, machine, updates

    job.all(machine, beams, updates)


def llama(job: Job) -> None:
    """Steps at the shapes of Llama 2 7B."""
    from gpu_models import seven_billion

    job.all(seven_billion)


def eigenvalues(job: Job) -> None:
    """Profile gpu until the time is over; what is finished as rows, and the report where all is."""
    from gpu_models import experiment

    job.all(experiment)


def debian(job: Job) -> None:
    """Preset debian-gpu; it continues what an earlier call has left."""
    from gpu_models import summaries

    job.all(summaries)


if __name__ == "__main__":
    name, file, out, seconds, corpus, *toy = sys.argv[1:]
    np.seterr(all="ignore")
    globals()[name](Job(Path(file), Path(out), float(seconds), corpus, bool(toy)))
