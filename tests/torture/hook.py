"""A process that kills or stops itself at a chosen step of writing a file, the first time that it comes there.

In the environment of a `trap` every Python process that starts counts its calls of `os.fsync` and `os.replace`; the one
whose role and step were chosen sends a signal to itself, before or after the call, and nobody does so a second time.
"""

import os
import signal

HOOK = """
import os

role, name, step, when, number, folder = os.environ["PSTAR_TORTURE"].split("|")
with open("/proc/self/cmdline", "rb") as file:
    words = file.read()
worker = b"sims.sweeps.worker" in words or b"empirical.stages.worker" in words or b"spawn_main" in words
if worker == (role == "worker"):
    inner, seen = getattr(os, name), [0]

    def trapped(*args, **kwargs):
        seen[0] += 1
        mine = seen[0] == int(step)
        if mine:
            try:
                os.close(os.open(os.path.join(folder, "sprung"), os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                mine = False
        if mine and when == "before":
            os.kill(os.getpid(), int(number))
        result = inner(*args, **kwargs)
        if mine and when == "after":
            os.kill(os.getpid(), int(number))
        return result

    setattr(os, name, trapped)
"""


def trap(folder, role, name, step, when, number=signal.SIGKILL):
    """The environment of a trap; ``folder`` is made for it. ``folder``/sprung is there once it has sprung."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HOOK)
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {"PYTHONPATH": path, "PSTAR_TORTURE": f"{role}|{name}|{step}|{when}|{int(number)}|{folder}"}
