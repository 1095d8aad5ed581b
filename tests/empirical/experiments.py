"""What the tests of both experiments do: run the command line, look at folders, change and write configurations."""

import copy
import json
import os
import random
import signal
import subprocess
import sys

from pstar import cli
from tests.gate import Gate
from tests.processes import alive, descendants, wait_for


def main(monkeypatch, *words):
    """The command line in this process, where torch is imported already; returns the exit code."""
    monkeypatch.setattr(sys, "argv", ["pstar", *map(str, words)])
    try:
        cli.main()
    except SystemExit as end:
        return end.code
    return 0


def snapshot(root):
    """Every file of a folder, and when and how it was made."""
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_ino)
        for path in root.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def kill_three_times(words, out, stages, seed):
    """SIGKILL a command, and with it its workers, when it has put drawn numbers of files in place."""
    rng = random.Random(seed)
    for kill in range(3):
        gate = Gate(out.with_name(f"gate {kill}"), f"{out}/*")
        with subprocess.Popen([*map(str, words)], env=os.environ | gate.environment) as running, gate:
            gate.let(rng.randrange(2 * stages // 3))  # each stage has two at least, so that none of the three can end
            wait_for(lambda: gate.passed() or running.poll() is not None, "these files")  # noqa: B023
            assert running.poll() is None, "the command ended before it was killed"
            crew = descendants(running.pid)
            running.kill()
            wait_for(lambda: not any(map(alive, crew)), "the workers to end")  # noqa: B023
        assert running.returncode == -signal.SIGKILL


def toml(document):
    """A configuration as a file."""
    lines = []
    for table, values in document.items():
        lines += [f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return "\n".join(lines)


def changed(document, **changes):
    """A copy of a configuration with table__key=value applied."""
    made = copy.deepcopy(document)
    for path, value in changes.items():
        table, key = path.split("__")
        made.setdefault(table, {})[key] = value
    return made
