"""The command line as a user meets it: in a process of its own, or many lines in one."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.processes import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
PSTAR = (sys.executable, "-m", "pstar")
RATES = ("--p", "0.3", "--phi", "0.8", "--psi", "0.2")
PREDICT = ("predict", *RATES)

SWEEP = """
[problem]
d = 4
alpha = 4
[generator]
p = [0.1, 0.3]
[verifier]
phi = 0.8
psi = 0.2
[training]
loss = "squared"
ridge = 0.1
[run]
seeds = 3
"""


def pstar(*words, **environment):
    return subprocess.run(
        [*PSTAR, *map(str, words)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def in_one_process(lines):
    """Many command lines, one import of JAX: [exit code, standard output, standard error] of each."""
    code = """
import contextlib, io, json, sys
from pstar.cli import main
answers = []
for words in json.load(sys.stdin):
    sys.argv = ["pstar", *words]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main()
        except SystemExit as end:
            code = end.code
        except BaseException as error:
            code = repr(error)
    answers.append([code or 0, out.getvalue(), err.getvalue()])
json.dump(answers, sys.stdout)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
