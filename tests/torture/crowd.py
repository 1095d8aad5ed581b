"""Eight processes at once on one folder, one of them perhaps frozen in the middle of a write: one right result.

    python -m tests.torture.crowd --count 20 --seed 7 --processes 8 --json crowd.json

Each case starts its processes together: the same sweep, sweeps of the same grid with more and more seeds, an
experiment, or comparisons, figures and looks at a folder beside the sweep that makes it grow. In half the cases one
process sends SIGSTOP to itself at a chosen step of its writing, and is continued when all others have ended. What must
hold: every process ends by itself, with exit 0 or with a line that says what another one did; nothing waits for the one
that is frozen; what `pstar verify` calls whole is made of the rows that are there; the same commands then end well
without anybody having removed a lock, with the bytes of an undisturbed run, no trial twice, and no temporary file.
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

from pyarrow.parquet import read_metadata

from sims.sweeps.store import Store
from tests.processes import PATIENCE, alive, descendants, wait_for
from tests.pstar.command import ROOT
from tests.torture.hook import trap
from tests.torture.kills import PSTAR, STEPS, Place, run
from tests.torture.record import Record, arguments, rng_of

KINDS = {"same": 0.3, "growing": 0.25, "beside": 0.3, "stages": 0.15}
EARLY = 0.5
"""Seconds at most between the starts of two processes."""
SEEDS = 40
"""Of the largest sweep; see `Place`."""
BESIDE = ("sweep", "compare", "figures", "compare", "verify", "figures", "compare", "sweep")
EXCUSES = {
    "growing": ("on this folder meanwhile", "A folder can only grow"),
    "beside": ("; run again: pstar ", "; run first: pstar ", "run pstar sweep again", "run the same command again"),
    "stages": ("another process is at work in",),
}
"""What a process may say that ends with exit 1 because of the others."""


class Crowd(Place):
    """What undisturbed commands make: of the whole sweep, and of the first half of its seeds."""

    def __init__(self, folder, kinds=("sweep", "compare", "figures", "stages")):
        """Run each once."""
        super().__init__(folder, kinds)
        self.half, self.before = folder / "half", {}
        for kind in [kind for kind in kinds if kind != "stages"]:
            done = run(self.grown(0.5, self.half) if kind == "sweep" else self.words(kind, self.half))
            assert done.returncode == 0, done.stderr
            self.before[kind] = self.table(kind, self.half)

    def grown(self, share, out):
        """The sweep with the first seeds only."""
        seeds = max(1, round(share * SEEDS))
        file = self.folder / f"first {seeds}.toml"
        file.write_text(self.file.read_text().replace(f"seeds = {SEEDS}", f"seeds = {seeds}"))
        return (*PSTAR, "sweep", file, "--out", out, "--workers", "1")

    def lines(self, kind, size, out):
        """The commands of a crowd."""
        if kind == "growing":
            return [self.grown((number + 1) / size, out) for number in range(size)]
        verbs = {"same": ("sweep",), "stages": ("stages",), "beside": BESIDE}[kind]
        chosen = [verbs[number % len(verbs)] for number in range(size)]
        return [(*PSTAR, "verify", out) if verb == "verify" else self.words(verb, out) for verb in chosen]

    def last(self, kind):
        """The commands that bring a folder to its end."""
        return {"stages": ("stages",), "beside": ("sweep", "compare", "figures")}.get(kind, ("sweep",))


def frozen_at(place, rng, case, words):
    """The environment in which one process stops itself."""
    verb = next((verb for verb in ("sweep", "compare", "figures") if verb in words), "stages")
    role = "worker" if verb == "sweep" and rng.random() < 0.5 else "driver"
    steps = STEPS["driver" if verb == "sweep" else verb]
    name, when = rng.choice(["fsync", "replace"]), rng.choice(["before", "after"])
    step = int(rng.integers(1, steps * (2 if name == "fsync" else 1) + 1))
    return trap(place.folder / f"trap {case}", role, name, step, when, signal.SIGSTOP), f"{verb} {role} {name} {step}"


def wrong_end(kind, words, process):
    """What is wrong with how one of the crowd has ended; empty where nothing is."""
    out, err = process.communicate(timeout=PATIENCE)
    if process.returncode == 0:
        return ""
    excused = any(each in err for each in EXCUSES.get(kind, ())) or "verify" in words
    if process.returncode != 1 or not excused or ("Traceback" in out + err and kind != "stages"):
        return f"exit {process.returncode} of {' '.join(map(str, words[2:]))}: {out[-300:]}{err[-1000:]}"
    return ""


def crowded(place, lines, rng, environments):
    """Start all of them; returns the processes in the order of ``lines``."""
    processes = {}
    for number in rng.permutation(len(lines)):
        given = {"cwd": ROOT, "env": os.environ | environments.get(number, {}), "text": True}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        processes[number] = subprocess.Popen(list(map(str, lines[number])), **given, **pipes)
        time.sleep(float(rng.random()) * EARLY)
    return [processes[number] for number in range(len(lines))]


def stale(place, out):
    """Whether what verify calls whole was not made of the rows that are there."""
    if run((*PSTAR, "verify", out)).returncode:
        return ""
    rows = place.table("sweep", out)
    expected = place.expected if rows == place.expected["sweep"] else place.before
    other = [kind for kind in ("sweep", "compare", "figures") if place.table(kind, out) != expected[kind]]
    return f"whole, and of other rows: {', '.join(other)}" if other else ""


def end_wrong(place, kind, out):
    """What is wrong with a folder after the same commands once more; empty where nothing is."""
    for verb in place.last(kind):
        done = run(place.words(verb, out))
        if done.returncode:
            return f"{verb} failed afterwards: {done.stderr[-1000:]}"
        if place.table(verb, out) != place.expected[verb]:
            return f"other bytes of {verb}"
    check = run((*PSTAR, "verify", out, "--json"))
    if check.returncode:
        return f"not whole: {check.stdout[-1000:]}"
    if any(out.rglob(".*.tmp")):
        return f"temporary files: {[path.name for path in out.rglob('.*.tmp')]}"
    if kind == "same":
        receipts, damaged = Store(out).scan()
        trials = sum(span.count for receipt in receipts for span in receipt.spans)
        if damaged or trials != read_metadata(out / "rows.parquet").num_rows:
            return f"{trials} trials in the shards, damaged: {damaged}"
    return ""


def case_of(place, seed, case, record, size=8, kinds=KINDS):
    """One crowd on one folder."""
    rng = rng_of(seed, case)
    kind = str(rng.choice(list(kinds), p=list(kinds.values())))
    out = place.folder / f"out {case}"
    if kind == "beside":
        shutil.copytree(place.half, out)
    lines = place.lines(kind, size, out)
    ice = [number for number, words in enumerate(lines) if "verify" not in words]
    ice = int(rng.choice(ice)) if rng.random() < 0.5 else None
    environments, said = {}, "none frozen"
    if ice is not None:
        environments[ice], said = frozen_at(place, rng, case, lines[ice])
    processes, crew = crowded(place, lines, rng, environments), set()
    try:
        ends = [wrong_end(kind, lines[at], each) for at, each in enumerate(processes) if at != ice]
        if ice is not None:
            cold = wait_for(lambda: stopped(processes[ice]), "one to stop, or to end")
            crew = {processes[ice].pid, *descendants(processes[ice].pid)}
            sprung = processes[ice].poll() is None
            if sprung and kind == "same" and place.table("sweep", out) != place.expected["sweep"]:
                ends += ["the table is not there while one is frozen"]
            thaw(cold)
            ends += [wrong_end(kind, lines[ice], processes[ice])]
            said += "" if sprung else ", not reached"
        ends += [stale(place, out)] if kind == "beside" else []
        wait_for(lambda: not any(map(alive, crew)), "workers to end with their driver")
        wrong = next(filter(None, [*ends, end_wrong(place, kind, out)]), "")
    except (subprocess.TimeoutExpired, AssertionError) as error:
        wrong = f"stuck: {error}"
    finally:
        for pid in [pid for each in processes for pid in (each.pid, *descendants(each.pid)) if each.poll() is None]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    if wrong:
        record.fault(case, wrong, kind=kind, frozen=said)
    else:
        record.outcome(f"{kind}{'' if ice is None or 'not reached' in said else ', one frozen'}")
        shutil.rmtree(out)


def stopped(process):
    """The processes of a command that are stopped; its own once it has ended, or nothing while it is at work."""
    if process.poll() is not None:
        return [process.pid]
    found = []
    for pid in (process.pid, *descendants(process.pid)):
        with contextlib.suppress(OSError):
            found += [pid] * (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    return found


def thaw(pids):
    """Continue what was stopped."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def main():
    """The program."""
    given = arguments(__doc__.splitlines()[0], count=20, processes=8)
    record = Record(f"crowds of {given.processes}", given.count, given.seed)
    with tempfile.TemporaryDirectory(prefix="crowd") as folder:
        place = Crowd(Path(folder))
        for case in range(given.first, given.first + given.count):
            case_of(place, given.seed, case, record, given.processes)
    return record.end(given.json)


if __name__ == "__main__":
    sys.exit(main())
