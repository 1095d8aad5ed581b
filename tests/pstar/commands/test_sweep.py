"""`pstar sweep`: progress, dry runs, faults of a file."""

import json

from tests.pstar.command import SWEEP, pstar, snapshot

ESCAPE = "\x1b"


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
