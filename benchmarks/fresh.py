"""A whole process, measured: what a user waits for, imports and compilation included.

Whoever calls this must stay small: a process inherits the peak memory of the one that starts it.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from record import TOP


class Cost(NamedTuple):
    """Of a process and the processes that it waited for."""

    cpu: float
    """User and system seconds."""
    wall: float
    rss: float
    """Peak resident MB of the largest of them."""
    printed: str


def run(words: Sequence[str], checkout: Path = TOP, folder: Path | None = None) -> Cost:
    """Run ``python WORDS`` with the packages of a checkout, in a folder. Raises RuntimeError where it fails."""
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *words], cwd=folder or checkout, env=environment, stdout=out, stderr=err
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        printed, said = (file.seek(0) or file.read().decode() for file in (out, err))
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}:\n{said}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, printed)
