"""What a machine offers a sweep (cores, memory, GPUs), and the environment in which its workers compute."""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal

from theory.errors import InputError, RunError

Device = Literal["cpu", "gpu"]

ONE_THREAD = {
    "NPROC": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JAX_ENABLE_X64": "1",
    "PYTHONSAFEPATH": "1",  # a folder `sims` where the user stands is not ours
}
"""What a worker needs in its environment before Python starts; on any device."""

UNITS = {"": 1, "B": 1} | {f"{k}B": 1000**i for i, k in enumerate("kMGT", 1)}
UNITS |= {f"{k}iB": 1024**i for i, k in enumerate("KMGT", 1)}


class ResourceError(RunError):
    """A sweep that this machine, or this installation, cannot compute; the message says why and what to do."""


@dataclass(frozen=True)
class Resources:
    """Where a sweep is computed, as asked for.

    Attributes:
        workers: processes, each with one thread, at least 1; None for one per core (per GPU).
        memory: bytes that all workers of this machine together may use, > 0; None for half of what is free.
        device: "auto" is "gpu" where JAX's CUDA plugin is installed and the machine has a GPU, else "cpu".
        scheduler: None for worker processes of this one, "local" for a Dask cluster of ``workers`` processes that
            ends with the sweep, or the address of a Dask scheduler, tcp://host:8786.
    """

    workers: int | None = None
    memory: int | None = None
    device: Literal["auto", "cpu", "gpu"] = "auto"
    scheduler: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for numbers outside their range."""
        if self.workers is not None and self.workers < 1:
            raise InputError(f"workers = {self.workers} must be at least 1")
        if self.memory is not None and self.memory < 1:
            raise InputError(f"memory = {self.memory} must be at least 1 byte; leave it out for half of what is free")
        if self.remote and not re.fullmatch(r"((tcp|tls|ucx|ws|wss)://)?[^/]+:[0-9]+", str(self.scheduler)):
            raise InputError(f"scheduler = {self.scheduler!r}: must be local, or an address such as tcp://host:8786")
        for name, value in (("workers", self.workers), ("memory", self.memory)):
            if value is not None and self.remote:
                raise InputError(f"{name} = {value}: a cluster at {self.scheduler} has its own; leave it out")

    @property
    def remote(self) -> bool:
        """Whether the workers belong to a cluster that is there already."""
        return self.scheduler not in (None, "local")


@dataclass(frozen=True)
class Crew:
    """Worker processes of this machine as they will be: how many, and on what."""

    workers: int
    device: Device = "cpu"
    gpus: tuple[str, ...] = ()
    """Ids for CUDA_VISIBLE_DEVICES, one for each worker; empty on CPU."""

    def environment(self, slot: int) -> dict[str, str]:
        """What worker number ``slot``, from 0, needs in its environment before Python starts."""
        if self.device == "cpu":
            return ONE_THREAD | {"JAX_PLATFORMS": "cpu"}
        gpu = {"JAX_PLATFORMS": "cuda", "CUDA_VISIBLE_DEVICES": self.gpus[slot]}
        return ONE_THREAD | gpu | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


def clean_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """An environment without what could change numbers unseen: JAX_* and XLA_*."""
    return {name: value for name, value in environment.items() if not name.startswith(("JAX_", "XLA_"))}


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def find_device(asked: Literal["auto", "cpu", "gpu"]) -> tuple[Device, tuple[str, ...]]:
    """The device, and the ids of its GPUs. Raises ResourceError for "gpu" where JAX would see none."""
    plugin = any(point.name.startswith("xla_cuda") for point in entry_points(group="jax_plugins"))
    found = gpus() if asked != "cpu" else ()
    if asked == "gpu" and not (plugin and found):
        why = "this machine shows none (no /dev/nvidia0, or CUDA_VISIBLE_DEVICES hides it)"
        why = why if plugin else "its CUDA plugin is not installed: pip install 'jax[cuda12]'"
        raise ResourceError(f"--device gpu: JAX sees none; {why}. Use --device cpu")
    return ("gpu", found) if plugin and found else ("cpu", ())


def gpus() -> tuple[str, ...]:
    """Ids of this machine's NVIDIA GPUs that CUDA_VISIBLE_DEVICES does not hide."""
    present = sorted(int(path.name[6:]) for path in Path("/dev").glob("nvidia[0-9]*") if path.name[6:].isdigit())
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None or not present:
        return tuple(map(str, present))
    named = [name.strip() for name in visible.split(",")]
    return tuple(named[: named.index("-1")] if "-1" in named else filter(None, named))


def parse_bytes(text: str) -> int:
    """Bytes of a size such as 8GB, 512MiB or 1e9. Raises ValueError."""
    match = re.fullmatch(r"\s*([0-9.]+(?:e[0-9]+)?)\s*([a-z]*)\s*", text, re.IGNORECASE)
    units = {unit.lower(): size for unit, size in UNITS.items()}
    try:
        number = float(match[1]) if match else math.nan
        size = number * units[match[2].lower()] if match else math.nan
    except (ValueError, KeyError):
        size = math.nan
    if not 1 <= size < 2**63:
        raise InputError(f"memory = {text!r}: must be a size of at least 1 byte, such as 8GB or 512MiB")
    return int(size)


def free_memory() -> int | None:
    """Bytes that could be taken now: of the machine, or of the control group where that is less; None if unknown."""
    found = [*_of_the_machine(), *_of_the_groups()]
    return min(found) if found else None


def _of_the_machine() -> list[int]:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return [int(line.split()[1]) * 1024]
        return [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    except (OSError, ValueError):
        return []


def _of_the_groups(proc: Path = Path("/proc/self/cgroup"), mount: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """What is left in every control group around this process, file caches counted as free; versions 1 and 2."""
    left = []
    try:
        entries = [line.split(":", 2) for line in proc.read_text().splitlines()]
    except OSError:
        return []
    for _, controllers, place in entries:
        if controllers not in ("", "memory"):
            continue
        base = mount / controllers
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes") if controllers else ("memory.max", "memory.current")
        inner = base / place.lstrip("/")
        for group in (inner, *(parent for parent in inner.parents if parent == base or base in parent.parents)):
            left += _left_in(group, *names)
    return left


def _left_in(group: Path, limit: str, used: str) -> list[int]:
    try:
        most = int((group / limit).read_text())  # "max" where there is none
        now = int((group / used).read_text())
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return [max(most - now + int(statistics.get("inactive_file", 0)), 0)]
    except (OSError, ValueError):
        return []
