"""An experiment of trivial stages, to be killed: python -m tests.torture.stages DIR."""

import sys
from pathlib import Path

from empirical.stages.artefact import Stage, locked
from empirical.stages.schedule import execute
from sims.running.certificates import Maker, write
from sims.running.files import write_atomic


def add(settings, inputs, folder, runtime):
    """The sum of the inputs and one's own number, by way of a file that a killed try leaves half."""
    total = settings["more"] + sum(int((path / "value").read_text()) for path in inputs.values())
    for part in range(3):
        write_atomic(folder / f"part{part}", str(total + part).encode())
    write_atomic(folder / "value", str(total).encode())


def plan():
    """A chain with two ends."""
    function = "tests.torture.stages:add"
    stages = [Stage(f"s/{n}", function, {"more": n}, {"left": f"s/{n - 1}"} if n else {}) for n in range(4)]
    return [*stages, Stage("s/sum", function, {"more": 0}, {"a": "s/3", "b": "s/1"})]


def main(out):
    """Make all of it, and publish the sum."""
    with locked(out):
        done = execute(plan(), out, {})
    write(out, Maker("torture", "python -m tests.torture.stages {folder}", mark="stages"), {"sum": total(done)})


def total(done):
    """What the last stage has written."""
    return (done["s/sum"].folder / "value").read_bytes()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
