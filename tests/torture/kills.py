"""SIGKILL at random moments and at chosen steps: sweeps, reports, figures, audits and stages of experiments.

    python -m tests.torture.kills --count 1000 --seed 7 --json kills.json

A folder lives for one to four kills, then the same command comes to its end. What must hold: no shard that was finished
is lost, the final files have the bytes of an undisturbed run, `pstar verify` then says whole, and no process and no
temporary file is left.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sims.sweeps.store import Store
from tests.processes import alive, descendants, wait_for
from tests.pstar.command import PSTAR, ROOT, SWEEP
from tests.torture.hook import trap
from tests.torture.record import Record, arguments, rng_of

STAGES = (sys.executable, "-m", "tests.torture.stages")
KINDS = {"sweep": 0.5, "stages": 0.25, "audit": 0.1, "compare": 0.08, "figures": 0.04, "dask": 0.03}
"""What is killed, and how often."""
MOMENTS = {"driver": 0.3, "worker": 0.3, "random": 0.4}
STEPS = {"driver": 4, "worker": 4, "stages": 30, "audit": 12, "compare": 8, "figures": 11}
"""About how many files are put in place by the driver of a sweep, its worker, and a command; for each two fsyncs."""
SECONDS = {"sweep": 4.0, "dask": 9.0, "stages": 1.0, "audit": 3.0, "compare": 3.0, "figures": 6.0}
"""Random moments are drawn from so long a time after the start."""


def run(words, **environment):
    """A command in a process of its own, to its end."""
    return subprocess.run(
        list(map(str, words)), cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=600
    )


class Place:
    """A finished sweep and records, and what undisturbed commands make of them."""

    def __init__(self, folder, kinds=("sweep", "compare", "figures", "audit", "stages"), run=run):
        """Run each command once, undisturbed."""
        self.folder, self.expected = folder, {}
        self.file, self.records = folder / "sweep.toml", folder / "records.csv"
        self.file.write_text(SWEEP.replace("seeds = 3", "seeds = 40").replace("alpha = 4", "alpha = [4, 6]"))
        self.records.write_text("correct,kept\n" + "1,1\n1,0\n0,1\n1,1\n0,0\n" * 20)
        self.sweep = folder / "reference"
        for kind in kinds:
            out = folder / kind if kind in ("audit", "stages") else self.sweep
            done = run(self.words(kind, out))
            assert done.returncode == 0, done.stderr
            self.expected[kind] = self.table(kind, out)
        self.expected["dask"] = self.expected.get("sweep")

    def words(self, kind, out):
        """The command of a kind."""
        return {
            "sweep": (*PSTAR, "sweep", self.file, "--out", out, "--workers", "1"),
            "dask": (*PSTAR, "sweep", self.file, "--out", out, "--workers", "1", "--scheduler", "local"),
            "compare": (*PSTAR, "compare", out),
            "figures": (*PSTAR, "figures", out),
            "audit": (*PSTAR, "audit", self.records, "--correct", "correct", "--kept", "kept", "--out", out),
            "stages": (*STAGES, out),
        }[kind]

    def table(self, kind, out):
        """Bytes of what a command has written, without what names its folder."""
        wanted = {
            "sweep": ["rows.parquet"],
            "dask": ["rows.parquet"],
            "compare": ["tables/cells.csv", "tables/maps.csv", "summary.json", "report.txt"],
            "figures": ["figures/phase_diagram.png", "figures/residuals.png"],
            "audit": ["audit.json", "report.txt", "verifier.csv"],
            "stages": ["sum"],
        }[kind]
        return {name: (out / name).read_bytes() for name in wanted if (out / name).exists()}


def start(place, kind, case, number, rng, out):
    """A command that will be killed: (process, moment); it has ended, or been killed, when this returns."""
    moment = str(rng.choice(list(MOMENTS), p=list(MOMENTS.values())))
    if kind not in ("sweep", "dask") and moment == "worker":
        moment = "driver"
    folder = place.folder / f"trap {case} {number}"
    name, when = rng.choice(["fsync", "replace"]), rng.choice(["before", "after"])
    steps = STEPS[kind if kind in STEPS else moment] if moment != "random" else 1
    step = int(rng.integers(1, steps * (2 if name == "fsync" else 1) + 1))
    role = moment if moment != "random" else "none"
    environment = trap(folder, role, name, step, when)
    process = subprocess.Popen(
        list(map(str, place.words(kind, out))),
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if moment == "random":
        whole = rng.random() < 0.5
        time.sleep(float(rng.random()) * SECONDS[kind])
        crew = descendants(process.pid)
        for pid in [process.pid, *(crew if whole else [])]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    else:
        crew = []
        while process.poll() is None:
            crew = descendants(process.pid) or crew
            time.sleep(0.02)
    process.wait()
    wait_for(lambda: not any(map(alive, crew)), "workers to end with their driver")
    sprung = (folder / "sprung").exists() or process.returncode == -signal.SIGKILL
    return f"{moment}, {name} {step} {when}" if moment != "random" else "random", sprung


def case_of(place, seed, case, record, kinds=KINDS):
    """A folder, one to four kills of one command, and the same command to its end."""
    rng = rng_of(seed, case)
    kind = str(rng.choice(list(kinds), p=list(kinds.values())))
    out = place.folder / f"out {case}"
    if kind in ("compare", "figures"):
        subprocess.run(["cp", "-r", str(place.sweep), str(out)], check=True)
        (out / "certificates" / "figures.json").unlink()
        shutil.rmtree(out / "figures")
        if kind == "compare":
            (out / "certificates" / "compare.json").unlink()
    kills, seen, said = int(rng.integers(1, 5)), {}, []
    for number in range(kills):
        what, sprung = start(place, kind, case, number, rng, out)
        said.append(what)
        if kind in ("sweep", "dask") and out.exists():
            receipts, damaged = Store(out).scan()
            now = {receipt.chunk: receipt.sha256 for receipt in receipts}
            if damaged or not now.items() >= seen.items():
                record.fault(case, "a finished shard was lost or damaged", kind=kind, kills=said, damaged=damaged)
                return
            seen = now
        if sprung:
            record.outcome(f"{kind} killed")
        else:
            record.missed += 1
    done = run(place.words(kind, out))
    check = run((*PSTAR, "verify", out, "--json"))
    wrong = [
        ("the same command failed", done.returncode != 0, done.stderr[-1000:]),
        ("other bytes", done.returncode == 0 and place.table(kind, out) != place.expected[kind], ""),
        ("not whole", check.returncode != 0, check.stdout[-1000:]),
        ("temporary files", any(out.rglob(".*.tmp")), ""),
        ("a traceback", "Traceback" in done.stderr, done.stderr[-1000:]),
    ]
    for what, bad, detail in wrong:
        if bad:
            record.fault(case, what, kind=kind, kills=said, detail=detail)
            return
    subprocess.run(["rm", "-rf", str(out), *map(str, place.folder.glob(f"trap {case} *"))], check=True)


def main():
    """The program."""
    given = arguments(__doc__.splitlines()[0])
    record = Record("kills", given.count, given.seed)
    with tempfile.TemporaryDirectory(prefix="kills") as folder:
        place, case = Place(Path(folder)), given.first
        while record.done < given.count:
            case_of(place, given.seed, case, record)
            case += 1
    record.about |= {"folders": case - given.first, "ended before the kill": record.missed}
    return record.end(given.json)


if __name__ == "__main__":
    sys.exit(main())
