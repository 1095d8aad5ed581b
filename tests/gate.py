"""A gate that files pass one by one: how far a process comes is up to the test, however fast or busy the machine.

In the environment of a gate a Python process, and each that it starts, waits before `os.replace` puts a file in its
place, until it is let on. What waits there does not end by itself, and can be stopped or killed.
"""

import os
import select

HOOK = """
import os
from fnmatch import fnmatch

def gated(replace, fifo, pattern):
    def step(source, target, **folders):
        if fnmatch(str(target), pattern):
            os.read(fifo, 1)
        replace(source, target, **folders)
    return step

fifo = os.open(os.environ["PSTAR_TEST_GATE"], os.O_RDONLY | os.O_NONBLOCK)  # opens without the test, too
os.set_blocking(fifo, True)
os.replace = gated(os.replace, fifo, os.environ["PSTAR_TEST_GATED"])
"""
"""What Python runs at its start, as sitecustomize. Each byte in the FIFO lets one file pass, its end lets all."""


class Gate:
    """Closed until `let` or `open`, for files that match a pattern; as a context it is open in the end."""

    def __init__(self, folder, pattern):
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(HOOK)
        os.mkfifo(folder / "fifo")
        self.fifo = open(folder / "fifo", "r+b", buffering=0)
        path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.environment = {
            "PYTHONPATH": path,
            "PSTAR_TEST_GATE": str(folder / "fifo"),
            "PSTAR_TEST_GATED": pattern,
        }

    def let(self, files):
        """Let so many files pass."""
        self.fifo.write(b"." * files)

    def passed(self):
        """Whether all that were let pass have been let on; the last may still be on its way."""
        return not select.select([self.fifo], [], [], 0)[0]

    def open(self):
        """Let everything pass from now on."""
        self.fifo.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open()
