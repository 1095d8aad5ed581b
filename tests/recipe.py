"""A copy of the project that a recipe of CONTRIBUTING.md is tried on, and its command line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("theory", "sims", "figures", "pstar", "empirical")


def copy(root):
    """The packages below ``root``."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def insert(path, before, text):
    """Put ``text`` before the first ``before`` of a file."""
    content = path.read_text()
    assert before in content, (path, before)
    path.write_text(content.replace(before, text + before, 1))


def pstar(tree, *words):
    """What the command of the copy prints."""
    line = [sys.executable, "-m", "pstar", *map(str, words)]
    done = subprocess.run(line, cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
