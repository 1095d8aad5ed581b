"""What data say is shown, and nothing of it is obeyed: no escape, carriage return or mark of direction is written."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import unicodedata

import pandas as pd
import pytest

from sims.running.progress import progress
from sims.running.terminal import Guarded, guarded, unguarded
from sims.running.text import markdown, plain
from tests.processes import PATIENCE
from tests.pstar.command import PSTAR, ROOT, in_one_process

NASTY = "a\x1b[31mb\x1b]0;t\x07\rc\x9b2Jd\u202ee\u2066f\u200bg\x7fh\ufeffi"
"""Colours, a window's title, a line written over, C1, turned letters, letters without a width."""
LETTERS = "naïve कमल 日本 😀"


def obeyed(words):
    """What a terminal would not show as a letter."""
    return {letter for letter in words if letter not in "\n\t" and unicodedata.category(letter)[0] in "C"}


def test_text_is_escaped_and_letters_stay():
    assert obeyed(NASTY)
    assert obeyed(plain(NASTY)) == set()
    assert plain(f"{LETTERS}\n\t") == f"{LETTERS}\n\t"


def test_streams_are_guarded_while_a_command_runs_and_after_a_bug(monkeypatch):
    streams = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    with guarded():
        print(NASTY)
        print(NASTY, file=sys.stderr)
        sys.stderr.writelines([NASTY])
    assert (sys.stdout, sys.stderr) == streams
    with pytest.raises(SystemExit), guarded():
        raise SystemExit(2)
    assert (sys.stdout, sys.stderr) == streams
    with pytest.raises(ZeroDivisionError), guarded():
        raise ZeroDivisionError
    sys.stderr.write(NASTY)  # as its traceback
    assert [obeyed(stream.getvalue()) for stream in streams] == [set(), set()]
    assert streams[1].getvalue().count("\\x1b[31m") == 3


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_beside_a_bar_too(monkeypatch):
    """The bar itself moves the cursor, by codes of its own."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", Guarded(terminal))
    monkeypatch.setattr(sys, "stderr", Guarded(terminal))
    monkeypatch.setenv("TERM", "xterm")
    with progress(f"[bold]{NASTY}", 2, "steps") as advance:
        advance(1)
        print(NASTY)
        print(NASTY, file=sys.stderr)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "\x1b[31m" not in terminal.getvalue()
    assert obeyed(shown) <= {"\r"}
    assert "c\r" not in shown
    assert "\rc" not in shown
    assert shown.count("\\x1b[31m") >= 2
    assert unguarded(sys.stderr) is terminal


@pytest.fixture(scope="module")
def nasty(tmp_path_factory):
    """Files whose names, columns and values are nasty."""
    folder = tmp_path_factory.mktemp("nasty")
    records = pd.DataFrame(
        {
            "correct": [1, 0] * 40,
            "kept": [1, 1, 0, 0] * 20,
            "class": [NASTY, "b"] * 40,
            NASTY: ["x", NASTY] * 40,
        }
    )
    names = {
        "records": folder / f"{NASTY}.csv",
        "lines": folder / f"{NASTY}.jsonl",
        "parquet": folder / f"{NASTY}.parquet",
        "table": folder / f"table{NASTY}.csv",
        "sweep": folder / f"{NASTY}.toml",
        "out": folder / f"out{NASTY}",
    }
    records.to_csv(names["records"], index=False, quoting=csv.QUOTE_ALL)
    records.to_json(names["lines"], orient="records", lines=True)
    records.to_parquet(names["parquet"])
    pd.DataFrame({"p": [0.3], "phi": [0.8], "psi": [0.2], NASTY: [NASTY]}).to_csv(
        names["table"], index=False, quoting=csv.QUOTE_ALL
    )
    names["sweep"].write_text(
        f"[training]\nloss = {json.dumps(NASTY)}\n{json.dumps(NASTY)} = 1\n[{json.dumps(NASTY)}]\n"
    )
    return {name: str(path) for name, path in names.items()}


def lines_of(nasty):
    """Command lines of every verb."""
    records = [nasty["records"], nasty["lines"], nasty["parquet"]]
    for path in records:
        yield ["audit", path]
        yield ["audit", path, "--correct", "correct", "--kept", "kept", "--class", "class"]
        yield ["audit", path, "--correct", NASTY, "--kept", "kept"]
        yield ["audit", path, "--correct", "correct", "--kept", f"kept{NASTY}"]
        yield ["features", path, "--p", "0.3", "--phi", "0.8", "--psi", "0.2", "--label", NASTY]
        yield ["forecast", path, "--p", "0.3", "--phi", "0.8", "--psi", "0.2"]
    out = nasty["out"]
    yield ["audit", records[0], "--correct", "correct", "--kept", "kept", "--class", "class", "--out", out]
    yield ["verify", out]
    yield ["explore", "--out", f"{out}.html", "--audit", out]
    yield ["explore", "--out", out]
    yield ["predict", "--table", nasty["table"], "--out", f"{nasty['table']}.out"]
    yield ["predict", "--p", NASTY]
    yield ["predict", "--p", "0.3", "--phi", "0.8", "--psi", "0.2", "--loss", NASTY]
    yield ["sweep", nasty["sweep"], "--out", f"{out}2"]
    yield ["compare", out]
    yield ["figures", out]
    yield ["study", NASTY]
    yield ["eigenvalues", NASTY]
    yield ["eigenvalues", "run", "--profile", nasty["sweep"], "--dry-run"]
    yield ["summarization", NASTY]
    yield ["summarization", "run", "--config", nasty["sweep"], "--dry-run"]
    yield ["init", nasty["sweep"]]
    yield ["completion", NASTY]
    yield [NASTY]
    yield [f"--{NASTY}"]


def test_no_verb_passes_on_what_a_terminal_would_obey(nasty):
    lines = [line + more for line in lines_of(nasty) for more in ([], ["--json"])]
    verbs, shown = set(), 0
    for words, (code, out, error) in zip(lines, in_one_process(lines), strict=True):
        assert obeyed(out) == set(), words
        assert obeyed(error) == set(), words
        assert "Traceback" not in error, (words, error)
        verbs.add(words[0])
        shown += "\\x1b" in out + error or "\\u001b" in out + error
        if words[-1] == "--json" and code == 0:
            json.loads(out)
    assert shown > len(lines) / 3  # data do get there
    from pstar.cli import COMMANDS

    assert verbs >= set(COMMANDS)


def test_a_name_of_two_lines_breaks_no_error(tmp_path):
    name = "first\nsecond"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "records.csv").write_text("correct,kept\n1,maybe\n2,\n")
    (folder / "sweep.toml").write_text("[problem]\n")
    place, away = str(folder), f"{tmp_path}/no{name}/x"
    rates = ["--p", "0.3", "--phi", "0.8", "--psi", "0.2"]
    lines = [
        *([verb, away] for verb in ("audit", "compare", "figures", "verify", "features")),
        *([verb, place] for verb in ("audit", "compare", "figures", "verify", "features")),
        ["audit", f"{place}/records.csv", "--correct", "correct", "--kept", "kept"],
        ["forecast", "--pilot", away, *rates],
        ["predict", "--table", away, "--out", f"{tmp_path}/x.csv"],
        ["predict", *rates, f"--table={place}/records.csv", f"--out={away}.csv"],
        ["sweep", f"{place}/sweep.toml", f"--out={tmp_path}/out"],
        ["eigenvalues", "run", "--profile", away, "--out", away],
        ["init", f"{place}/sweep.toml/x"],
        ["audit", "\n/\n"],
    ]
    for words, (code, _, error) in zip(lines, in_one_process(lines), strict=True):
        assert code, words
        told = [line for line in error.splitlines() if not line.startswith("still at work")]
        assert told[0].startswith("error: "), words
        assert all(line.startswith("  - ") for line in told[1:]), (words, error)  # one line per fault of a file
        assert "\\n" in told[0], (words, error)


def test_a_process_of_its_own_passes_nothing_on_either(nasty):
    done = subprocess.run(
        [*PSTAR, "audit", nasty["records"], "--correct", "correct", "--kept", "kept", "--class", "class"],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        timeout=PATIENCE,
    )
    assert obeyed(done.stdout.decode() + done.stderr.decode()) == set()
    assert "\\x1b[31m" in done.stdout.decode()


def test_reports_on_disk_are_plain_too(nasty):
    from pathlib import Path

    folder = Path(nasty["out"])
    for name in ("report.txt", "report.md", "report.html", "classes.csv"):
        words = (folder / name).read_text()
        assert obeyed(words) == set(), name
        assert "b" in words


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "[x](javascript:alert(1))", "a|b`c`*d*_e_", "![](http://x)"]
)
def test_names_are_no_markup(tmp_path, name):
    path, out = tmp_path / "records.csv", tmp_path / "out"
    pd.DataFrame({"correct": [1, 0] * 40, "kept": [1, 1, 0, 0] * 20, "class": [name, "b"] * 40}).to_csv(
        path, index=False
    )
    line = ["audit", str(path), "--correct", "correct", "--kept", "kept", "--class", "class", "--out", str(out)]
    [[code, _, error]] = in_one_process([line])
    assert code == 0, error
    page, written = (out / "report.html").read_text(), (out / "report.md").read_text()
    assert "<script" not in page
    assert not re.search(r"""(href|src)\s*=\s*["']?\s*(javascript|http)""", page)
    assert name not in written
    assert markdown(name) in written
    rows = [line for line in written.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows if markdown(name) in row} == {
        len(re.findall(r"(?<!\\)\|", row)) for row in rows if row.startswith("| b ")
    }
