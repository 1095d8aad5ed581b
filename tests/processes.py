"""Processes that tests start: waiting for what they do, never for how long it takes."""

import time
from pathlib import Path

PATIENCE = 600
"""Seconds before a process that should end is called stuck."""


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)
    return value


def alive(pid):
    """Whether a process runs; one that has ended may wait long until somebody asks how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def descendants(pid):
    """Process ids of what a process has started, and of what that has."""
    found = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):  # one for each thread
        try:
            children = listing.read_text().split()
        except OSError:
            continue  # it ended meanwhile
        found += [each for child in map(int, children) for each in (child, *descendants(child))]
    return found
