"""What the programs of benchmarks/ keep and show, and how they measure a process."""

import json
from importlib import import_module
from pathlib import Path

import numpy as np
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


def test_files_beside_other_tools_hold_what_their_laws_say(module, tmp_path):
    files = module("beside.files")
    for name, law in files.FILES.items():
        drawn = files.drawn(name, 60)
        judged = ~np.isnan(drawn.correct)
        assert drawn.kept.shape == drawn.correct.shape == drawn.prompt.shape
        if name != "halves":  # whose judged are no random sample
            assert np.nanmean(drawn.correct) == pytest.approx(law.truth["accuracy"], abs=0.03)
        purity = np.mean(drawn.correct[judged & drawn.kept])
        assert purity == pytest.approx(law.truth["purity"], abs=0.02)
        assert np.isnan(drawn.correct[0]).sum() == {"partly": 1800, "halves": 1800}.get(name, 0)
    first = files.drawn("psi0", 0)
    assert not first.kept[first.correct == 0].any()
    assert np.array_equal(files.drawn("psi0", 3).kept[0], first.kept[0])  # however many follow


def test_our_numbers_beside_other_tools(module, tmp_path):
    beside, files = module("audit_beside"), module("beside.files")
    files.write(tmp_path, 2)
    said = beside.answers("pstar", "", tmp_path)
    assert set(said["found"]) == set(files.FILES)
    rows = [
        beside.row(file, name, "pstar", draws) for file in files.FILES for name, draws in said["found"][file].items()
    ]
    assert {found["quantity"] for found in rows} == set(beside.QUANTITIES)
    assert all(found["low"] <= found["value"] <= found["high"] and found["repetitions"] == 2 for found in rows)
    assert beside.numbers(rows).count("| pstar, audit |") == 30
    assert len({len(line) for line in module("beside.features").FEATURES}) == 1


def test_coverage_beside_other_tools_counts_refusals_apart(module):
    row = module("audit_beside").row
    draws = [[0.7, 0.6, 0.8], [0.7, 0.65, 0.75], [0.8, 0.72, 0.9], "refused: why", [0.5, 0.4, 0.6]]
    found = row("plain", "accuracy: some", "judgy", draws)
    assert (found["repetitions"], found["left_out"]) == (3, 1)
    assert found["coverage"] == pytest.approx(1 / 3)
    assert found["missed_low"] == found["missed_high"] == pytest.approx(1 / 3)
    assert row("plain", "accuracy: some", "judgy", ["refused: why", *draws])["refused"] == "why"


def test_scale_measures_ours_beside_counting(module, tmp_path):
    scale = module("audit_scale")
    scale.prepare(500, tmp_path)
    (ours, theirs) = scale.measured("score", 500, tmp_path, {"now": ROOT}, 1)
    assert (ours["code"], theirs["code"]) == ("now", "pandas")
    assert ours["ratio"] == theirs["cpu"] / ours["cpu"]
