"""Senseless and extreme inputs to every verb: an answer that is certified, or one line that explains; nothing else.

    python -m tests.torture.fuzz --count 200000 --seed 7 --json fuzz.json

Each case is one call of the command line's own function, in a process that has everything imported and is replaced
when it dies. It must end, within LIMIT seconds of its own work, with exit 0, and then what it prints as JSON has no
number that is not finite beside a status of ok, and rates and accuracies in [0, 1]; or with exit 1 or 2 and a message
that starts with "error:" and shows no traceback. No control character may reach a stream.
"""

import contextlib
import io
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

from tests.torture import words
from tests.torture.record import ROOT, Record, arguments, rng_of

LIMIT = 20
"""Seconds of CPU that a case may take."""
KINDS = {"words": 0.44, "rates": 0.01, "table": 0.2, "records": 0.2, "sweep": 0.08, "pilot": 0.05, "points": 0.02}
COMPUTED = 0.02
"""Share of the sweep files, small ones that are accepted, whose rows are computed and looked at: they cost a second."""
BOUNDED = ("accuracy", "p_star", "purity", "kept_rate", "generator_accuracy", "bayes_accuracy")
GOOD_ENDS = (0, 1, 2, 3)


class Slow(BaseException):
    """A case that takes too long; no handler of errors catches it."""


def call(*argv):
    """(exit code, stdout, stderr) of a command in this process."""
    from pstar import cli

    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["pstar", *map(str, argv)]
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as end:
            code = 0 if end.code is None else end.code
        except Slow:
            code = "slow"
        except BaseException:
            code = traceback.format_exc()
    return code, out.getvalue(), err.getvalue()


def command(rng, folder):
    """A case: the words of a command, after its files have been written."""
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    if kind == "words":
        line = words.line(rng, words.pick(rng, list(words.OPTIONS)))
        away = lambda word: word if "\x00" not in word else word.replace("\x00", "")  # no shell can type one
        return kind, [away(word).replace("\ud800", "?") for word in line]
    if kind == "rates":
        return kind, words.rates(rng)
    place = folder / "input"
    if kind == "table":
        place = place.with_suffix(".csv")
        place.write_bytes(words.table(rng))
        (folder / "predicted.csv").unlink(missing_ok=True)
        return kind, ["predict", "--table", str(place), "--out", str(folder / "predicted.csv"), "--json"]
    if kind == "records":
        data, ending = words.records(rng)
        place = place.with_suffix(ending)
        place.write_bytes(data)
        roles = [[], ["--correct", "correct", "--kept", "kept"], ["--correct", "correct", "--score", "score"]]
        return kind, ["audit", str(place), *words.pick(rng, roles), *words.pick(rng, [[], ["--json"]])]
    if kind == "sweep":
        place = place.with_suffix(".toml")
        place.write_bytes(words.sweep(rng))
        return kind, ["sweep", str(place), "--out", "", "--dry-run"]
    if kind == "pilot":
        place = place.with_suffix(".csv")
        place.write_bytes(words.pilot(rng))
        return kind, ["forecast", "--pilot", str(place), "--p", ".3", "--phi", ".9", "--psi", ".2", "--json"]
    place = place.with_suffix(".csv")
    place.write_bytes(words.points(rng))
    return kind, ["features", str(place), "--json"]


def rows_of(path):
    """What a sweep file gives, computed here and not stored: (rows, what was refused)."""
    from sims.sweeps.config import load
    from sims.sweeps.grid import cells
    from sims.sweeps.memory import compute

    config = load(path)
    if len(cells(config)) * config.trials > 16 or config.problem.d[0] > 50:
        return []
    with contextlib.redirect_stderr(io.StringIO()):
        return compute(config, "fuzz").to_pylist()


def judge(kind, code, out, err):
    """What is wrong with an ending; empty where nothing is."""
    if code == "slow":
        return f"no answer after {LIMIT} s of CPU"
    if not isinstance(code, int):
        return f"traceback: {code[-1500:]}"
    if code not in GOOD_ENDS:
        return f"exit {code}"
    strange = [
        char
        for char in out + err
        if (ord(char) < 32 and char not in "\n\t") or 127 <= ord(char) < 160 or char in "\u202e"
    ]
    if strange:
        return f"control character {strange[0]!r} on a stream"
    if code and not any(line.startswith("error: ") for line in err.splitlines()):
        return f"exit {code} without a line that starts with error: {err[-300:]!r}"
    if code and "Traceback" in err:
        return f"traceback on standard error: {err[-500:]}"
    if not code and out[:1] == "{":
        return certified(json.loads(out))
    return ""


def controls(char):
    """Whether a character does something to a terminal, or to how a line reads."""
    return (ord(char) < 32 and char not in "\n\t") or 127 <= ord(char) < 160 or char == "\u202e"


def certified(result):
    """What is wrong with an answer that was printed as JSON, or a row."""
    status = result.get("status")
    for name in BOUNDED:
        found = result.get(name)
        if isinstance(found, float) and math.isfinite(found) and not -1e-12 <= found <= 1 + 1e-12:
            return f"{name} = {found}"
    if status == "ok" or result.get("converged") is True:
        for name in ("accuracy", "overlap", "norm", "gradient_norm", "residual"):
            found = result.get(name, 0.0)
            if name in ("gradient_norm", "residual") and found is None:
                continue
            if found is None or not math.isfinite(found):
                return f"ok, and {name} = {found}"
        if abs(result.get("overlap", 0.0)) > result.get("norm", math.inf) * (1 + 1e-9):
            return f"ok, and overlap = {result['overlap']}, norm = {result['norm']}"
        if result.get("m") == 0:
            return "ok, and nothing was kept"
    return ""


def run_case(seed, case, folder):
    """{"kind", "wrong", "end"} of one case."""
    rng = rng_of(seed, case)
    kind, argv = command(rng, folder)
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
    wrong = ""
    try:
        if kind == "sweep":
            argv[3] = str(folder / "none")
        code, out, err = call(*argv)
        wrong = judge(kind, code, out, err)
        if kind == "sweep" and code == 0 and not wrong and rng.random() < COMPUTED:
            wrong = next(filter(None, map(certified, rows_of(Path(argv[1])))), "")
    except Slow:
        code, wrong = "slow", f"no answer after {LIMIT} s of CPU"
    except Exception:
        code, wrong = "error", traceback.format_exc()[-1500:]
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    shown = [word if len(word) < 60 else word[:57] + "..." for word in argv]
    return {"case": case, "kind": kind, "wrong": wrong, "end": str(code)[:5], "argv": shown}


def _too_slow(*_):
    raise Slow


def worker(seed):
    """Answer each number on standard input by the outcome of that case."""
    import jax

    jax.config.update("jax_enable_x64", True)
    signal.signal(signal.SIGVTALRM, _too_slow)
    answers, cases = os.fdopen(os.dup(1), "w", buffering=1), os.fdopen(os.dup(0))
    os.dup2(2, 1)
    sys.stdin = open(os.devnull)  # what a command reads is nothing
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        os.chdir(folder)
        for line in cases:
            done = run_case(seed, int(line), Path(folder))
            for left in Path(folder).iterdir():
                if left.is_file():
                    left.unlink()
            answers.write(json.dumps(done) + "\n")


def start(seed):
    """A worker process."""
    line = [sys.executable, "-m", "tests.torture.fuzz", "--worker", "1", "--seed", str(seed)]
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(line, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}, text=True, **pipes)


def main():
    """The program."""
    given = arguments(__doc__.splitlines()[0], worker=0)
    if given.worker:
        return worker(given.seed)
    record = Record("inputs", given.count, given.seed)
    process = start(given.seed)
    for case in range(given.first, given.first + given.count):
        process.stdin.write(f"{case}\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            record.fault(case, f"the process died (exit {process.wait()})")
            process = start(given.seed)
            continue
        done = json.loads(answer)
        if done["wrong"]:
            record.fault(case, done["wrong"], kind=done["kind"], argv=done["argv"])
        else:
            record.outcome(f"{done['kind']} {'answered' if done['end'] == '0' else 'refused'}")
    process.stdin.close()
    process.wait()
    return record.end(given.json)


if __name__ == "__main__":
    sys.exit(main())
