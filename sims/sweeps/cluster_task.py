"""What runs in a Dask worker: one chunk, once the worker is seen to be fit for it."""

import os
import signal
import sys
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

from sims.running.machine import ONE_THREAD
from sims.sweeps.grid import Shape
from sims.sweeps.jobs import read_request
from sims.sweeps.store import Store, versions

NEEDED = {name: ONE_THREAD[name] for name in ("JAX_ENABLE_X64", "NPROC", "OMP_NUM_THREADS")}


class TaskError(Exception):
    """What a task could not do: its kind ("setup", "disk" or "compute") and the reason."""

    @property
    def kind(self) -> str:
        """Of what kind."""
        return str(self.args[0])

    def __str__(self) -> str:
        """The reason."""
        return str(self.args[1])


def dask_setup(worker: object) -> None:
    """Make a worker of our own leave Ctrl-C to the driver, which ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def task(request: str, root: str, root_seed: int, expected: Mapping[str, str]) -> None:
    """Compute and commit one chunk, in a Dask worker; a chunk that is in the store already is left as it is.

    Returns nothing, so that nothing is lost with the worker. Raises TaskError.
    """
    from sims.sweeps.worker import reply

    unfit = _unfit(expected)  # first: another version may not even read the request
    if unfit:
        raise TaskError("setup", unfit)
    store, (chunk, _) = Store(root), read_request(request)
    small = _too_small(chunk.shape)
    if small:
        raise TaskError("setup", small)
    if store.read_manifest() is None:
        raise TaskError("setup", f"{root} is not there; give an --out that all workers share")
    if store.find(chunk, root_seed) is None:
        answer = reply(request, root, root_seed)
        if "error" in answer:
            raise TaskError(answer["kind"], answer["error"])


def _unfit(expected: Mapping[str, str]) -> str:
    """Why this worker would not compute the bits of the driver; empty where it would."""
    import jax
    from distributed import get_worker

    wrong = {name: value for name, value in NEEDED.items() if os.environ.get(name) != value}
    if wrong or not jax.config.jax_enable_x64:
        settings = " ".join(f"{name}={value}" for name, value in (wrong or NEEDED).items())
        return f"its environment lacks {settings}; export that before `dask worker` starts"
    threads = get_worker().state.nthreads
    if threads != 1:
        return f"it has {threads} threads; start it with --nthreads 1, and more --nworkers instead"
    here = fingerprint(jax.default_backend())
    other = [f"{name} {here.get(name)}, the driver {its}" for name, its in expected.items() if here.get(name) != its]
    return f"it has {'; '.join(other)}" if other else ""


def _too_small(shape: Shape) -> str:
    """Why this worker would be ended for its memory; empty where it would not."""
    from distributed import get_worker

    limit, needed = get_worker().memory_manager.memory_limit, shape.worker_bytes
    if not limit or needed <= limit:
        return ""
    sizes = f"{limit / 1e9:.3g} GB of memory, and n = {shape.n}, d = {shape.d} takes {needed / 1e9:.3g} GB"
    return f"it has {sizes}; start it with a larger --memory-limit"


@cache
def fingerprint(device: str) -> Mapping[str, str]:
    """What driver and workers must have in common for the same bits: versions, our own code, the kind of device."""
    code = sha256()
    top = Path(__file__).resolve().parents[2]
    for path in sorted([*top.glob("theory/**/*.py"), *top.glob("sims/**/*.py")]):
        code.update(f"{path.relative_to(top)}\n".encode() + path.read_bytes())
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = versions()
    ours = f"{found['pstar']} (source {code.hexdigest()[:8]})"
    return {**found, "pstar": ours, "python": python, "device": device}
