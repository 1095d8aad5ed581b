"""A day's worth of use in one process, in a loop: does anything grow? Memory, open files, threads, children, leftovers.

    python -m tests.torture.soak --minutes 120

Sweeps with worker processes, comparisons, figures, predictions, tables, audits and looks at folders, over and over, by
the command line's own function. After a warm-up the slope of the memory is fitted robustly (Theil and Sen); the program
answers with it, and fails where it is above BOUND, or where files, threads or processes are left.
"""

import gc
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.processes import descendants
from tests.pstar.command import SWEEP
from tests.torture.fuzz import call
from tests.torture.record import Record, arguments

BOUND = 5.0
"""MB per hour of growth that is allowed."""
WARM = 0.25
"""Share of the rounds that are not fitted."""


def resident():
    """MB of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def state():
    """(open files, threads, children) of this process."""
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")), len(descendants(os.getpid()))


def lines(folder, number):
    """The commands of a round: all of them in every round, with other numbers."""
    records = folder / "records.csv"
    rng = np.random.default_rng(number)
    correct = rng.random(300) > 0.3
    kept = rng.random(300) < np.where(correct, 0.9, 0.3)
    records.write_text("correct,kept\n" + "".join(f"{int(a)},{int(b)}\n" for a, b in zip(correct, kept, strict=True)))
    sweep = folder / "sweep.toml"
    sweep.write_text(SWEEP.replace("0.1, 0.3", f"0.1, 0.{number % 97 + 2:02d}5") + f"root_seed = {number}\n")
    table = folder / "table.csv"
    table.write_text("p,phi,psi,alpha,ridge\n" + "".join(f"{p:.6f},.9,.2,4,.1\n" for p in rng.random(20) / 2))
    out, audit = folder / "out", folder / "audit"
    rates = ("--p", f"{rng.random() / 2:.4f}", "--phi", ".9", "--psi", f"{rng.random():.4f}")
    yield ("sweep", sweep, "--out", out, "--workers", 1)
    yield ("compare", out)
    yield ("figures", out)
    yield ("verify", out)
    for loss in ("squared", "logistic", "hinge"):
        yield ("predict", *rates, "--alpha", f"{1 + 9 * rng.random():.4f}", "--loss", loss)
    yield ("predict", "--setting", "linear", "--cos-generator", ".4", "--cos-verifier", ".6", "--cos-between", ".2")
    yield ("predict", "--table", table, "--out", folder / "predicted.csv")
    yield ("audit", records, "--correct", "correct", "--kept", "kept", "--out", audit)
    yield ("audit", records)


def soak(minutes, seed, share=1.0, record=None, rounds=None):
    """The loop; ``share``: of one core, the rest is slept."""
    record = record or Record("rounds of everything", rounds or 0, seed)
    readings, states, left = [], [], []
    start, number = time.monotonic(), 0
    while (time.monotonic() - start < 60 * minutes) if rounds is None else number < rounds:
        began, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="soak"))
        wrong = []
        for words in lines(folder, seed + number):
            code, _, err = call(*words)
            if code != 0:
                wrong.append(f"{words[0]}: exit {code}: {err[-300:]}")
        left += [str(path) for path in folder.rglob(".*.tmp")]
        shutil.rmtree(folder)
        gc.collect()
        readings.append(((time.monotonic() - start) / 3600, resident()))
        states.append(state())
        if wrong:
            record.fault(number, "; ".join(wrong))
        else:
            record.outcome("whole")
        number += 1
        time.sleep((time.monotonic() - began) * (1 / share - 1))
    record.about |= judged(record, readings, states, left)
    return record


def judged(record, readings, states, left):
    """What has grown, as faults of the record and as numbers."""
    from scipy.stats import theilslopes

    used = readings[int(WARM * len(readings)) :]
    about = {"first_mb": round(readings[0][1], 1), "last_mb": round(readings[-1][1], 1)}
    about |= {"files_threads_children": [states[0], states[len(states) // 2], states[-1]], "leftovers": left}
    if len(used) >= 8:
        slope, _, low, high = theilslopes([mb for _, mb in used], [hour for hour, _ in used])
        about |= {"mb_per_hour": round(slope, 2), "interval": [round(low, 2), round(high, 2)]}
        if used[-1][0] > 0.5 and slope > BOUND:
            record.fault("memory", f"grows by {slope:.1f} MB an hour, above {BOUND}")
    warm = states[min(2, len(states) - 1)]
    if any(now > then + 2 for now, then in zip(states[-1], warm, strict=True)):
        record.fault("state", f"(files, threads, children) went from {warm} to {states[-1]}")
    if left:
        record.fault("leftovers", f"{len(left)} temporary files, such as {left[0]}")
    return about


def main():
    """The program."""
    given = arguments(__doc__.splitlines()[0], minutes=120.0, share=0.4)
    record = Record("rounds of everything", given.count, given.seed)
    soak(given.minutes, given.seed, given.share, record)
    print({name: record.about[name] for name in record.about if name != "leftovers"})
    return record.end(given.json)


if __name__ == "__main__":
    sys.exit(main())
