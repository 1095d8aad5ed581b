"""What a program of torture says at its end: one line that answers, and a JSON record by which it can be repeated."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
LINE_SECONDS = 20.0


class Record:
    """Counts of what happened, and every fault with the case that reproduces it."""

    def __init__(self, name, count, seed):
        self.name, self.count, self.seed = name, count, seed
        self.outcomes, self.faults, self.about = Counter(), [], {}
        self.start, self.done, self.missed = time.monotonic(), 0, 0
        self.last = self.start

    def outcome(self, what):
        """One case has ended well, in this way."""
        self.outcomes[what] += 1
        self._count()

    def fault(self, case, what, **more):
        """One case has not."""
        self.faults.append({"case": case, "what": what, **more})
        print(f"FAULT {case}: {what} {more}"[:2000], file=sys.stderr, flush=True)
        self._count()

    def _count(self):
        self.done += 1
        now = time.monotonic()
        if now - self.last > LINE_SECONDS:
            self.last = now
            left = (now - self.start) / self.done * (self.count - self.done)
            said = f"{self.name}: {self.done:,}/{self.count:,}, {len(self.faults)} faults, about {left:.0f} s left"
            print(said, file=sys.stderr, flush=True)

    def answer(self):
        """The line that answers."""
        kinds = ", ".join(f"{count:,} {what}" for what, count in self.outcomes.most_common())
        seconds = time.monotonic() - self.start
        return f"{len(self.faults)} faults in {self.done:,} {self.name} (seed {self.seed}, {seconds:.0f} s): {kinds}"

    def as_json(self):
        """All of it."""
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
        return {
            "program": self.name,
            "answer": self.answer(),
            "date": time.strftime("%Y-%m-%d %H:%M"),
            "commit": commit,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "seed": self.seed,
            "done": self.done,
            "seconds": round(time.monotonic() - self.start, 1),
            "outcomes": dict(self.outcomes),
            "faults": self.faults,
            **self.about,
        }

    def end(self, path):
        """Say it, write it, and exit 1 where there was a fault."""
        print(self.answer())
        if path is not None:
            Path(path).write_text(json.dumps(self.as_json(), indent=1) + "\n")
        return 1 if self.faults else 0


def arguments(about, **defaults):
    """--count, --seed, --json, --first, and more with their defaults."""
    parser = argparse.ArgumentParser(description=about)
    defaults = {"count": 100, "seed": 0, "first": 0} | defaults
    for name, value in defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--json", default=None)
    return parser.parse_args()


def rng_of(seed, index):
    """The stream of one case: it can be repeated alone, with --first INDEX --count 1."""
    return np.random.default_rng([seed, index])
