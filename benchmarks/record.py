"""What benchmarks measured, kept: one JSON file per benchmark, day and machine under ``results/``.

A row is a dictionary with a ``name``. Where it was measured beside a named alternative in the same run it has
``ratio``, how many times quicker ours is, and ``against``, the alternative; `history` draws those.
"""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[1]
RESULTS = TOP / "benchmarks" / "results"
PACKAGES = ("numpy", "scipy", "jax")


def record(name: str, rows: Iterable[Mapping[str, Any]], results: Path = RESULTS) -> Path:
    """Append one run of a benchmark to its file of today on this machine; returns the file."""
    about, now = machine(), datetime.now(UTC)
    run: dict[str, Any] = {"benchmark": name, "date": now.isoformat(timespec="seconds")}
    found = commit()
    run |= {"commit": found} if found else {}
    mark = sha256(f"{about['cpu']}, {about['cores']}".encode()).hexdigest()[:6]
    path = results / f"{name}-{now:%Y-%m-%d}-{mark}.json"
    runs = json.loads(path.read_bytes()) if path.is_file() else []
    results.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([*runs, run | {"machine": about, "rows": list(rows)}], indent=1) + "\n")
    return path


def machine() -> dict[str, Any]:
    """What the numbers depend on beside the code."""
    about = {"cpu": _cpu(), "cores": len(os.sched_getaffinity(0)), "python": platform.python_version()}
    return about | {package: _version(package) for package in PACKAGES}


def commit() -> str:
    """Of the checkout, with a + where files differ from it; empty where git or its folder is not there."""
    try:
        run = lambda *words: subprocess.run(["git", *words], cwd=TOP, capture_output=True, text=True, check=True).stdout
        changed = run("status", "--porcelain", "--untracked-files=no")
        return run("rev-parse", "--short=12", "HEAD").strip() + ("+" if changed.strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
