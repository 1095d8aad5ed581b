"""`make gpu` to its last line on a CPU at toy size, without the packages that the bare machine lacks."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ABSENT = ("tyro", "rouge_score", "datasets", "distributed")
CARRIED = ("rouge_score",)
"""What the part debian needs as a wheel."""
BLOCKER = """
from importlib.machinery import PathFinder
found = PathFinder.find_spec
PathFinder.find_spec = staticmethod(
    lambda name, *more: None if name.partition(".")[0] in ABSENT else found(name, *more)
)
"""


@pytest.fixture
def program():
    spec = importlib.util.spec_from_file_location("gpu", ROOT / "benchmarks" / "gpu.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def call(out, tmp_path, *words, carried=()):
    absent = [name for name in ABSENT if name not in carried]
    (tmp_path / "sitecustomize.py").write_text(f"ABSENT = {absent!r}{BLOCKER}")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, ROOT / "benchmarks" / "gpu.py", "--toy", "--out", out, *words]
    return subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_simulation_agrees_with_itself_at_toy_size(tmp_path):
    """JAX compiles for most of a minute."""
    done = call(tmp_path / "out", tmp_path, "--part", "simulation", "--minutes", "60")
    assert done.returncode == 0, done.stderr[-3000:]
    rows = json.loads((tmp_path / "out" / "gpu.json").read_text())["simulation"]["rows"]
    names = [row["name"].partition(",")[0] for row in rows]
    assert names == ["exact theory", "exact law", "direct trials"]
    assert all(row["apart"] < 1e-8 and row["ratio"] > 0 for row in rows)
    assert rows[0]["apart_from_numpy"] < 1e-8


def test_models_run_at_toy_size_to_the_last_line_and_a_second_call_continues(tmp_path):
    done = call(tmp_path / "out", tmp_path, "--part", "models,llama,eigenvalues", "--minutes", "60")
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((tmp_path / "out" / "gpu.json").read_text())
    assert list(found) == ["models", "llama", "eigenvalues"]
    assert [entry["error"] for entry in found.values()] == [""] * 3
    assert [row["name"] for row in found["llama"]["rows"]][1:] == [
        "training, one step", "generation, one batch", "scoring, one batch",
    ]  # fmt: skip
    rows = found["eigenvalues"]["rows"]
    assert (rows[-1]["name"], rows[-1]["stages"]) == ("left", 0)
    assert "seed0/evaluate-retrain-label-beam5-beam1" in [row["name"] for row in rows]
    assert (tmp_path / "out" / "eigenvalues" / "report.txt").exists()
    page = (tmp_path / "out" / "gpu.txt").read_text()
    assert "updates as they stand" in page
    assert "failed" not in page
    again = call(tmp_path / "out", tmp_path, "--part", "eigenvalues", "--minutes", "60")
    assert "ahead: stages 0" in again.stdout


@pytest.mark.slow
def test_debian_runs_at_toy_size_and_of_what_is_whole_when_time_is_over_there_is_a_report(tmp_path, monkeypatch):
    done = call(tmp_path / "out", tmp_path, "--part", "debian", "--minutes", "60", carried=CARRIED)
    assert done.returncode == 0, done.stderr[-3000:]
    row = json.loads((tmp_path / "out" / "gpu.json").read_text())["debian"]["rows"][-1]
    assert (row["stages"], row["over"], row["seeds"]) == (0, "no", 2)
    assert "In detail" in row["report"]
    for lost in ("report-*", "seed1/evaluate-full-*", "seed1/evaluate-generator-*"):
        for folder in (tmp_path / "out" / "debian" / "stages").glob(lost):
            shutil.rmtree(folder)
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    job = importlib.import_module("gpu_jobs").Job(tmp_path / "rows.json", tmp_path / "out", 0.0, "", toy=True)
    job.all(importlib.import_module("gpu_models").summaries)
    assert job.rows[-1]["stages"] > 1
    assert job.rows[-1]["seeds"] == 1
    assert "(a) One seed: " in job.rows[-1]["report"]


def test_a_job_that_fails_or_has_no_time_costs_its_own_results_only(tmp_path, program, monkeypatch, capsys):
    """The preset of debian without its corpus fails; nothing that was found before is lost, and the exit says so."""
    monkeypatch.setattr(program, "run", lambda job, options, seconds: {"rows": [], "seconds": 1.0, "error": job})
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--part", "checks", "--out", str(tmp_path)])
    assert program.main() == 1
    assert list(json.loads((tmp_path / "gpu.json").read_text())) == ["simulation", "models", "llama"]
    assert "failed: llama" in capsys.readouterr().out


def test_time_that_is_over_is_said(tmp_path, program):
    options = type("Options", (), {"out": tmp_path, "corpus": "", "toy": True})
    assert program.run("models", options, 1.0)["error"] == "not begun: time was over"
    assert "its time was over" in program.run("models", options, 2.0)["error"]


@pytest.mark.parametrize("words", [["--part", "checkz"], ["--minutes", "0"], ["--minutes", "nan"]])
def test_wrong_calls_are_refused(program, monkeypatch, capsys, tmp_path, words):
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--out", str(tmp_path / "no"), *words])
    assert program.main() == 2
    assert capsys.readouterr().out.startswith("error: ")
    assert not (tmp_path / "no").exists()
