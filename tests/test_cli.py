"""The command line as a user meets it: real processes, their exit codes and what they print."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PSTAR = Path(sys.executable).with_name("pstar")
"""The console script that `make run` calls."""
COMMANDS = ("sweep", "compare", "figures", "study", "predict", "audit", "eigenvalues")
HEAVY = {"jax", "pandas", "pyarrow", "matplotlib", "scipy"}
RATES = ("--p", "0.3", "--phi", "0.8", "--psi", "0.2")
ESCAPE = "\x1b"

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
        [str(PSTAR), *map(str, words)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("file") / "sweep.toml"
    path.write_text(SWEEP)
    return path


@pytest.fixture(scope="module")
def swept(file, tmp_path_factory):
    """A finished sweep, and what the command said; colours are asked for where there is no terminal."""
    out = tmp_path_factory.mktemp("swept") / "out"
    return out, pstar("sweep", file, "--out", out, "--workers", "1", FORCE_COLOR="1")


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- help ---


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['pstar', '--help']\n"
        "import pstar\n"
        "try:\n    pstar.main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert all(command in done.stdout for command in COMMANDS)
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert "tyro" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sweep", ["FILE.toml", "--out", "--workers", "--dry-run", "--json"]),
        ("compare", ["DIR", "--cells", "--json"]),
        ("figures", ["DIR", "--list", "--json"]),
        (
            "predict",
            ["--p ", "--phi", "--psi", "--signal", "--alpha", "--ridge", "--loss", "{squared,logistic,hinge}"],
        ),
    ],
)
def test_every_command_has_help(command, words):
    done = pstar(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert [word for word in words if word not in done.stdout] == []


# --- predict ---


def test_predict_prints_the_names_of_theory():
    done = pstar("predict", *RATES)
    assert (done.returncode, done.stderr) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if line[0] != " ")
    assert lines["p_star"].startswith("0.800000")
    assert lines["kept_rate"].startswith("0.620000")
    assert lines["purity"].startswith("0.903226")
    assert lines["generator_accuracy"].startswith("0.700000")
    assert lines["accuracy"].startswith("0.936514")
    assert "p = 0.3 < p* = 0.8" in lines["verdict"]


def test_predict_as_json():
    done = pstar("predict", *RATES, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["p_star"] == pytest.approx(0.8, rel=1e-14)
    assert found["kept_rate"] == pytest.approx(0.7 * 0.8 + 0.3 * 0.2, rel=1e-14)
    assert found["purity"] == pytest.approx(0.56 / 0.62, rel=1e-14)
    assert (found["p"], found["phi"], found["psi"]) == (0.3, 0.8, 0.2)
    assert (found["converged"], found["below_threshold"], found["beats_generator"]) == (True, True, True)
    assert 0.7 < found["accuracy"] < 0.978


def test_predict_where_nothing_is_kept_says_so():
    words = ("predict", "--p", "1", "--phi", "0.8", "--psi", "0")
    done, as_json = pstar(*words), pstar(*words, "--json")
    assert (done.returncode, as_json.returncode) == (0, 0)
    assert "\naccuracy            none: " in done.stdout
    found = json.loads(as_json.stdout)
    assert (found["accuracy"], found["converged"], found["beats_generator"]) == (None, False, None)


# --- refusals ---

PREDICT = ("predict", *RATES)
OUTSIDE = [
    # options, what the one line on standard error must say
    (("--p", "1.5"), ["p = 1.5", "[0, 1]", "error rate"]),
    (("--p", "-0.1"), ["p = -0.1", "[0, 1]"]),
    (("--p", "nan"), ["p = nan", "[0, 1]"]),
    (("--phi", "inf"), ["phi = inf", "[0, 1]"]),
    (("--psi", "2"), ["psi = 2", "[0, 1]"]),
    (("--phi", "0", "--psi", "0"), ["phi = psi = 0", "keeps nothing"]),
    (("--signal", "0"), ["signal = 0", "(0, inf)"]),
    (("--signal", "-inf"), ["signal = -inf", "(0, inf)"]),
    (("--alpha", "0"), ["alpha = 0", "(0, inf)"]),
    (("--alpha", "nan"), ["alpha = nan", "(0, inf)"]),
    (("--ridge", "-1"), ["ridge = -1", "[0, inf)"]),
]
REFUSED = [
    # words, exit code, what standard error must say
    ((*PREDICT, "--p", "1.5"), 2, ["p = 1.5", "[0, 1]"]),
    (("sweep", "nowhere.toml", "--out", "{tmp}/x"), 2, ["error: nowhere.toml", "no such file"]),
    (("sweep", "{file}", "--out", "{tmp}/x", "--workers", "0"), 2, ["workers = 0", "at least 1"]),
    (("sweep", "{file}", "--out", "{file}"), 1, ["{file} is a file", "--out"]),
    (("sweep", "{file}", "--out", "{file}/x"), 1, ["cannot make the output folder {file}/x", "choose another"]),
    (("sweep", "{file}", "--out", "{tmp}"), 1, ["{tmp} is not empty and not a result folder"]),
    (("compare", "{tmp}/nowhere"), 1, ["{tmp}/nowhere/rows.parquet does not exist", "pstar sweep"]),
    (("figures", "{tmp}/nowhere"), 1, ["{tmp}/nowhere/tables", "pstar compare"]),
    (("figures", "{tmp}/nowhere", "pie_chart"), 2, ["figure 'pie_chart' does not exist", "phase_diagram"]),
]
MISUSED = [
    (("predict", "--p", "x", "--phi", "1", "--psi", "0"), ["--p", "'x'"]),
    ((*PREDICT, "--loss", "absolute"), ["'absolute'", "squared", "logistic", "hinge"]),
    ((*PREDICT, "--alpa", "3"), ["--alpa", "Perhaps you meant", "--alpha"]),
    (("sweep", "a.toml", "--out", "b", "--worker", "2"), ["--worker", "Perhaps you meant", "--workers"]),
    (("sweep", "a.toml"), ["--out"]),
    (("swep",), ["swep", "sweep"]),
    ((), [*COMMANDS]),
]


def in_one_process(lines):
    """Many command lines, one import of JAX: [exit code, standard output, standard error] of each."""
    code = """
import contextlib, io, json, sys, pstar
answers = []
for words in json.load(sys.stdin):
    sys.argv = ["pstar", *words]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = pstar.main()
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
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_numbers_outside_their_range_are_refused_in_one_line():
    answers = in_one_process([[*PREDICT, *options] for options, _ in OUTSIDE])
    for (options, expected), (code, out, error) in zip(OUTSIDE, answers, strict=True):
        assert (code, out) == (2, ""), options
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        assert [text for text in expected if text not in error] == [], error


def test_any_numbers_give_a_prediction_or_one_line(fresh_seed):
    rng = random.Random(fresh_seed)
    odd = ["0", "1", "-0.0", "nan", "inf", "-inf", "1e308", "-1e308", "5e-324", "1e-300", "0.5", "2", "1e6"]
    options = ("--p", "--phi", "--psi", "--signal", "--alpha", "--ridge")
    usual = {"--p": "0.3", "--phi": "0.8", "--psi": "0.2"}
    lines = []
    for _ in range(60):
        given = usual | {option: rng.choice(odd) for option in rng.sample(options, rng.randint(1, 3))}
        lines.append(["predict", "--json", *(f"{option}={value}" for option, value in given.items())])
    for words, (code, out, error) in zip(lines, in_one_process(lines), strict=True):
        if code == 2:
            assert (out, error[:7], error.count("\n")) == ("", "error: ", 1), words
            continue
        assert (code, error) == (0, ""), words
        found = json.loads(out, parse_constant=lambda name, words=words: pytest.fail(f"{words}: {name} is not JSON"))
        assert found["converged"] == (found["accuracy"] is not None), words
        assert found["accuracy"] is None or 0 <= found["accuracy"] <= 1, words


@pytest.mark.parametrize(("words", "code", "expected"), REFUSED, ids=[" ".join(row[0]) for row in REFUSED])
def test_refusal_is_one_clear_message(words, code, expected, file, tmp_path):
    (tmp_path / "other").write_text("")

    def fill(text):
        return text.replace("{tmp}", str(tmp_path)).replace("{file}", str(file))

    before = snapshot(tmp_path)
    done = pstar(*map(fill, words))
    assert (done.returncode, done.stdout) == (code, "")
    assert "Traceback" not in done.stderr
    assert [text for text in map(fill, expected) if text not in done.stderr] == []
    assert len([line for line in done.stderr.splitlines() if line.startswith("error: ")]) == 1
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(("words", "expected"), MISUSED, ids=[" ".join(row[0]) for row in MISUSED])
def test_misuse_is_answered_with_what_is_possible(words, expected):
    done = pstar(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert [text for text in expected if text not in done.stderr] == []


def test_all_faults_of_a_sweep_file_are_shown(tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text(SWEEP.replace("p = [0.1, 0.3]", "p = 1.3").replace("ridge = 0.1", "ridge = -1\nrigde = 0"))
    done = pstar("sweep", file, "--out", tmp_path / "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == f"error: {file}: 3 faults, nothing was run"
    assert [line.split()[1].rstrip(":") for line in done.stderr.splitlines()[1:]] == [
        "generator.p",
        "training.rigde",
        "training.ridge",
    ]
    assert not (tmp_path / "out").exists()


# --- sweep, compare ---


def test_progress_without_terminal_has_no_control_codes(swept):
    out, done = swept
    assert done.returncode == 0
    assert ESCAPE not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    assert "simulating: 6/6 trials" in done.stderr
    assert f"written: {out}/rows.parquet" in done.stdout


def test_dry_run_computes_and_creates_nothing(file, tmp_path):
    done = pstar("sweep", file, "--out", tmp_path / "out", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 cells, 6 trials" in done.stdout
    assert "nothing was run" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_dry_run_counts_what_is_there_and_leaves_it_alone(file, swept, tmp_path):
    grown = tmp_path / "grown.toml"
    grown.write_text(SWEEP.replace("seeds = 3", "seeds = 5"))
    before = snapshot(swept[0])
    done = pstar("sweep", grown, "--out", swept[0], "--dry-run", "--json")
    found = json.loads(done.stdout)
    assert {key: found[key] for key in ("cells", "trials", "present", "missing", "chunks")} == {
        "cells": 2,
        "trials": 10,
        "present": 6,
        "missing": 4,
        "chunks": 1,
    }
    assert snapshot(swept[0]) == before


def test_compare_reports_and_writes_tables(swept):
    out, _ = swept
    done = pstar("compare", out, "--json")
    assert done.returncode == 0
    assert all(line.startswith("comparing: ") for line in done.stderr.splitlines())
    json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert {path.name for path in (out / "tables").iterdir()} >= {
        "cells.csv",
        "crossings.csv",
        "lines.csv",
        "maps.csv",
    }


@pytest.mark.parametrize("name", ["rows.parquet", "rows.sha256"])
def test_compare_refuses_damaged_rows(swept, tmp_path, name):
    for path in ("rows.parquet", "rows.sha256"):
        (tmp_path / path).write_bytes((swept[0] / path).read_bytes())
    data = bytearray((tmp_path / name).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / name).write_bytes(data)
    done = pstar("compare", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {tmp_path}/rows.parquet is damaged")
    assert "Traceback" not in done.stderr


def test_compare_that_cannot_write_says_where(swept, tmp_path):
    for path in ("rows.parquet", "rows.sha256"):
        (tmp_path / path).write_bytes((swept[0] / path).read_bytes())
    (tmp_path / "tables").write_text("")
    done = pstar("compare", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert f"{tmp_path}/tables" in done.stderr
    assert "Traceback" not in done.stderr


# --- pipes ---


@pytest.mark.parametrize("words", [("--help",), ("figures", "out", "--list"), PREDICT], ids=lambda words: words[0])
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_reader_that_leaves_is_no_error(words, unbuffered):
    driver = subprocess.Popen(
        [str(PSTAR), *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with driver:
        driver.stdout.close()
        said = driver.stderr.read()
    assert (driver.wait(), said) == (141, "")


def test_head_takes_the_first_line():
    line = f"{PSTAR} figures out --list | head -1"
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")
