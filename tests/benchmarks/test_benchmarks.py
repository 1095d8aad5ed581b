"""What the programs of benchmarks/ keep and show, and how they measure a process."""

import json
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def module(monkeypatch):
    """A module of benchmarks/, found as its programs find each other."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return import_module


def test_runs_of_a_day_are_kept_in_one_file(module, tmp_path):
    record = module("record").record
    paths = {record("speed", [{"name": "a", "ratio": ratio, "against": "b"}], tmp_path) for ratio in (2.0, 3.0)}
    assert len(paths) == 1  # unless midnight passes
    runs = json.loads(paths.pop().read_text())
    assert [run["rows"][0]["ratio"] for run in runs] == [2.0, 3.0]
    assert set(runs[0]["machine"]) == {"cpu", "cores", "python", "numpy", "scipy", "jax"}
    assert str(ROOT) not in json.dumps(runs)


def test_history_of_ratios(module, tmp_path):
    record, history = module("record").record, module("history")
    record("speed", [{"name": "a", "ratio": 2.0, "against": "b"}, {"name": "no ratio"}], tmp_path)
    record("speed", [{"name": "a", "ratio": 5.0, "against": "b"}], tmp_path)
    found = history.ratios(tmp_path)
    assert [ratio.value for ratio in found] == [2.0, 5.0]
    (line,) = history.text(found).splitlines()[1:]
    assert line.split()[:8] == ["speed", "a", "b", "2", "2", "5", "2", "5"]
    history.draw(found, tmp_path / "new" / "history.png")
    assert (tmp_path / "new" / "history.png").stat().st_size


def test_a_process_is_measured_whole(module, tmp_path):
    fresh = module("fresh")
    code = "import time; x = bytearray(300_000_000); e = time.process_time() + .3\nwhile time.process_time() < e: pass"
    cost = fresh.run(["-c", code + "\nprint('done')"], folder=tmp_path)
    assert cost.printed == "done\n"
    assert cost.cpu >= 0.3
    assert cost.wall >= 0.3
    assert cost.rss >= 300_000_000 / 2**20
    with pytest.raises(RuntimeError, match="no such thing"):
        fresh.run(["-c", "raise SystemExit('no such thing')"])


def test_growth_measures_each_row(module, tmp_path):
    growth = module("growth")
    assert growth.slope([{"size": 10, "work": 1.0}, {"size": 1000, "work": 100.0}]) == pytest.approx(1.0)
    assert growth.slope([{"size": 10, "work": 1.0}]) is None
    for cells in (100, 10_000):
        (tmp_path / "sweep.toml").write_text(growth.sweep_file(cells))
        config = module("sims.sweeps.config").load(tmp_path / "sweep.toml")
        assert len(module("sims.sweeps.grid").cells(config)) == cells
    for row in ("planning", "audit by score"):
        cost = growth.measured(row, 1000, ROOT, "now")
        assert cost["work"] <= cost["cpu"]


def test_every_command_of_latency_is_one(module):
    latency = module("latency")
    cli = module("pstar.cli")
    assert set(latency.VERBS) == set(cli.COMMANDS)
    assert set(latency.STUDIES) == set(module("sims.studies").NAMES)
    named = {words[2] for steps in latency.COMMANDS.values() for words in steps if words[:2] == ["-m", "pstar"]}
    assert named <= {"--help", *cli.COMMANDS}
