"""The command line as a whole: help, refusals, misuse, bugs and readers that leave."""

import os
import shlex
import subprocess
import sys

import pytest

from pstar import cli
from tests.processes import PATIENCE
from tests.pstar.command import PREDICT, PSTAR, ROOT, pstar, snapshot
from theory.errors import Error, InputError, KindError, RunError

HEAVY = {"jax", "numpy", "pandas", "pyarrow", "matplotlib", "scipy", "torch"}


# --- help ---


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['pstar', '--help']\n"
        "from pstar.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert all(command in done.stdout for command in cli.COMMANDS)
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


# --- refusals ---

REFUSED = [
    # words, exit code, what standard error must say
    (("predict", "--p", "1.5", "--phi", ".8", "--psi", ".2"), 2, ["p = 1.5", "[0, 1]"]),
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
    ((), [*cli.COMMANDS]),
]


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


# --- what is explained, and what is a bug ---


def in_this_process(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["pstar", *words])
    cli.main()


def a_wrong_zip(*_):
    return list(zip([1], [], strict=True))


def a_wrong_value(*_):
    raise ValueError("boom")


def a_full_disk(*_):
    raise OSError(28, "No space left on device", "somewhere")


@pytest.mark.parametrize(
    ("fault", "kind"), [(a_wrong_value, ValueError), (a_wrong_zip, ValueError), (a_full_disk, OSError)]
)
def test_a_bug_in_a_package_of_ours_is_not_explained_away(monkeypatch, capsys, fault, kind):
    """Every plain exception passes through main, however deep in our code it was raised."""
    monkeypatch.setattr("theory.describe.predict_table", fault)
    with pytest.raises(kind):
        in_this_process(monkeypatch, *PREDICT)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("init", "it was not finished; the same command begins again"),
        ("sweep", "what was finished is kept, the same command continues"),
    ],
)
def test_who_is_interrupted_says_what_is_kept(monkeypatch, capsys, verb, said):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.COMMANDS, verb, interrupted)
    with pytest.raises(SystemExit) as end:
        in_this_process(monkeypatch, verb)
    assert (end.value.code, capsys.readouterr().err) == (130, f"interrupted; {said}\n")


def test_a_bug_shows_its_traceback(tmp_path):
    (tmp_path / "broken.py").write_text(
        "import theory.describe as package, pstar.cli\n"
        "def fault(*_): return list(zip([1], [], strict=True))\n"
        "package.predict_table = fault\n"
        "pstar.cli.main()\n"
    )
    line = [sys.executable, tmp_path / "broken.py", *PREDICT]
    path = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, env=os.environ | path, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Traceback")
    assert "zip()" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(("kind", "code"), [(InputError, 2), (KindError, 2), (RunError, 1), (Error, 1)])
def test_an_error_of_ours_is_one_line(monkeypatch, capsys, kind, code):
    def refuse(*_):
        raise kind("what is wrong; what to do")

    monkeypatch.setattr("theory.describe.predict_table", refuse)
    with pytest.raises(SystemExit) as end:
        in_this_process(monkeypatch, *PREDICT)
    assert end.value.code == code
    assert capsys.readouterr().err == "error: what is wrong; what to do\n"


def test_what_the_system_says_of_a_path_is_one_line(tmp_path):
    (tmp_path / "tables").mkdir()
    for name in ("cells", "crossings", "lines", "maps"):
        (tmp_path / "tables" / f"{name}.csv").write_text("")
    done = pstar("figures", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {tmp_path}/tables/cells.csv: it has no certificate")
    table = tmp_path / "t.csv"
    table.write_text("p,phi,psi\n.1,.9,.2\n")
    done = pstar("predict", "--table", table, "--out", tmp_path / "no" / "o.csv")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"{tmp_path}/no/" in done.stderr


# --- pipes ---


@pytest.mark.parametrize("words", [("--help",), ("figures", "out", "--list"), PREDICT], ids=lambda words: words[0])
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_reader_that_leaves_is_no_error(words, unbuffered):
    driver = subprocess.Popen(
        [*PSTAR, *words],
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
    line = f"{shlex.join(PSTAR)} figures out --list | head -1"
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")
