"""The whole experiment, small: every stage, what it leaves behind, and how it resumes."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import figures
from empirical.eigenvalues import steps, times
from empirical.eigenvalues.plan import architecture, stages
from empirical.eigenvalues.profile import SHIPPED, load, parse
from empirical.eigenvalues.run import FIGURES, outlook, run
from empirical.eigenvalues.steps import DATA, DISTANCES, LABELS, LOSSES, build
from empirical.stages.schedule import execute, survey
from empirical.tensors import read_arrays
from sims.running.toml import ConfigError
from tests.empirical.eigenvalues.helpers import SMOKE, changed
from tests.empirical.experiments import kill_three_times, main, snapshot, toml

PSTAR = (sys.executable, "-m", "pstar")
AGAIN = "pstar eigenvalues run --out {folder}"


said: list[str] = []
"""What the finished run told of its times."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run, with what its stages left: (folder, {stage: folder})."""
    out = tmp_path_factory.mktemp("smoke")
    profile = parse(SMOKE)
    run(outlook(profile, out, "run", workers=1), out, AGAIN, say=said.append)
    return out, {name: artefact.folder for name, artefact in survey(stages(profile), out)[0].items()}


def test_every_stage_leaves_its_files_in_their_shapes(finished):
    _, folders = finished
    assert set(folders) == {stage.name for stage in stages(parse(SMOKE))}
    data = read_arrays(folders["seed0/data"] / DATA)
    assert {name: array.shape for name, array in data.items()} == {
        "generator.inputs": (600, 3), "generator.labels": (600, 2), "synthetic.inputs": (500, 3),
        "synthetic.labels": (500, 2), "test.inputs": (300, 3), "test.labels": (300, 2),
    }  # fmt: skip
    assert read_arrays(folders["seed0/generator"] / LOSSES)["losses"].shape == (60,)
    beams = read_arrays(folders["seed0/synthesize-beam3"] / "answers" / "00000.safetensors")
    assert (beams["tokens"].shape, beams["scores"].shape) == ((500, 3, 2), (500, 3))
    assert read_arrays(folders["seed0/verify-none"] / LABELS)["labels"].shape == (500, 2)
    for name, folder in folders.items():
        if "evaluate" in name:
            assert read_arrays(folder / DISTANCES, "top")["top"].shape == (300,)


def test_oracle_accuracy_rises_with_the_beam_and_a_beam_of_everything_is_always_right(finished):
    """Beams of two tokens whose top is greedy's best: 1, 3 and all 121 answers."""
    _, folders = finished
    best = {
        width: read_arrays(folders[f"seed0/evaluate-generator-beam{width}"] / DISTANCES, "best")["best"]
        for width in (1, 3, 121)
    }
    hits = {width: (away < 0.02).mean() for width, away in best.items()}
    assert hits[1] <= hits[3] <= hits[121] == 1.0
    assert (best[121] == 0).all()


def test_the_top_of_a_beam_is_at_least_as_likely_as_the_greedy_answer(finished):
    """One answer, here known by its distance, has in beams of other widths the same score but for rounding."""
    _, folders = finished
    greedy, wide, all_of_them = (
        read_arrays(folders[f"seed0/evaluate-generator-beam{width}"] / DISTANCES) for width in (1, 3, 121)
    )
    for narrow, wider in ((greedy, wide), (greedy, all_of_them), (wide, all_of_them)):
        assert (wider["score"] > narrow["score"])[wider["top"] != narrow["top"]].all()
    assert (wide["top"] != greedy["top"]).any()


def test_what_verifiers_keep_is_what_they_say(finished):
    _, folders = finished
    true = read_arrays(folders["seed0/data"] / DATA, "synthetic.labels")["synthetic.labels"]
    found = {
        name.removeprefix("seed0/verify-"): read_arrays(folder / LABELS)
        for name, folder in folders.items()
        if "/verify-" in name
    }
    assert np.array_equal(found["data"]["kept"], found["none"]["correct"])
    assert found["none"]["kept"].all()
    half = found["noisy-1-0.5"]
    assert half["kept"][half["correct"] == 1].all()
    assert 0.3 < half["kept"][half["correct"] == 0].mean() < 0.7
    assert np.array_equal(found["true"]["labels"], true)
    assert found["label-beam3"]["correct"].mean() > found["none"]["correct"].mean()
    exact = (found["none"]["labels"] == true).all(1)
    assert (found["none"]["correct"][exact] == 1).all()


def test_the_report_has_every_row_with_its_numbers(finished):
    out, folders = finished
    rows = pd.read_csv(out / "tables" / "rows.csv")
    assert len(rows) == 4 * 10
    assert set(rows["steps"]) == {60}
    assert rows.set_index("row").loc["trained_data_selection", "examples"].iloc[0] < 500
    away = read_arrays(folders["seed0/evaluate-retrain-none-beam1"] / DISTANCES, "top")["top"]
    line = rows[(rows["row"] == "trained_no_selection") & (rows["tolerance_percent"] == 5)].iloc[0]
    assert line["accuracy"] == pytest.approx(100 * (away < 0.05).mean())
    assert line["low"] <= line["accuracy"] <= line["high"]
    published = rows[(rows["row"] == "trained_label_selection") & (rows["tolerance_percent"] == 2)].iloc[0]
    assert (published["published"], published["published_beam"]) == (79.9, 50)
    points = pd.read_csv(out / "tables" / "p_star.csv")
    assert list(points["student"]) == ["noisy-0.4-1", "none", "noisy-1-0.5", "data"]
    assert points["p_star_hat"].tolist() == pytest.approx([0.29, 0.5, 0.67, 1.0], abs=0.1)
    body = json.loads((out / "report.json").read_bytes())
    assert body["profile"]["training"]["steps"] == 60
    text = (out / "report.txt").read_text()
    words = ("retrained, closest of beam 3", "(79.9)", "p < p*", "Collapse", "Limits", "(d)")
    words += ("by Muon (0.05) for matrices and AdamW (0.01)", "by worth and the clean", "by learned errors")
    assert all(word in " ".join(text.split()) for word in words)
    collapse = pd.read_csv(out / "tables" / "collapse.csv")
    assert collapse["by"].unique().tolist() == ["main", "steps", "labels"]
    assert collapse[collapse["by"] == "steps"]["steps"].unique().tolist() == [30, 90]
    assert collapse[collapse["by"] == "labels"]["labels"].unique().tolist() == [250]
    for name in ("table", "p_star", "collapse", "beams"):
        assert (out / "figures" / f"eigenvalues_{name}.png").stat().st_size > 10_000


def test_times_of_stages_are_told_before_and_after(finished):
    """Seeds together; those below a second are counted."""
    text = "\n".join(said)
    ahead, _, made = text.partition("stages made")
    plan = stages(parse(SMOKE))
    assert f"estimated, {sum(stage.seconds for stage in plan):,.0f} s in all" in ahead
    assert re.search(r"  report +1 x +2 s\n", ahead)
    total = float(re.search(r"of one worker's time: ([\d,]+) s", made)[1].replace(",", ""))
    took = [json.loads(path.read_bytes())["made"]["seconds"] for path in finished[0].glob("stages/**/manifest.json")]
    assert len(took) == len(plan)
    assert total == round(sum(took))


def test_a_stage_without_a_manifest_has_no_time(tmp_path):
    assert times.measured(tmp_path, stages(parse(SMOKE))[0]) is None
    assert times.after(stages(parse(SMOKE)), {}) == []
    assert times.before([]) == []


def test_a_second_run_writes_nothing(finished):
    out, _ = finished
    before = snapshot(out)
    ahead = outlook(parse(SMOKE), out, "run", workers=1)
    assert ahead.missing == []
    run(ahead, out, AGAIN)
    assert snapshot(out) == before


def test_another_verifier_costs_its_own_student_only(finished):
    out, _ = finished
    more = changed(selection__noisy=[[1.0, 0.5], [0.4, 1.0], [1.0, 0.25]])
    names = [stage.name for stage in outlook(parse(more), out, "run", workers=1).missing]
    new = "noisy-1-0.25"
    assert names == [f"seed0/verify-{new}", f"seed0/retrain-{new}", f"seed0/evaluate-retrain-{new}-beam1", "report"]


def test_a_sub_command_makes_its_stages_and_what_they_need(tmp_path):
    ahead = outlook(parse(SMOKE), tmp_path, "synthesize", workers=1)
    assert {stage.name.split("/")[1] for stage in ahead.stages} == {
        "data", "generator", "synthesize-beam1", "synthesize-beam2", "synthesize-beam3", "contrast30-generator",
        "contrast30-synthesize-beam1", "contrast90-generator", "contrast90-synthesize-beam1",
    }  # fmt: skip


def test_a_student_without_examples_is_a_line_without_a_number(tmp_path):
    profile = parse(changed(training__steps=2, selection__noisy=[[0.0, 1e-12]], contrast__generator_pairs=0))
    run(outlook(profile, tmp_path, "run", workers=1), tmp_path, AGAIN)
    points = pd.read_csv(tmp_path / "tables" / "p_star.csv").set_index("student")
    line = points.loc["noisy-0-1e-12"]
    assert line["failure"] == "no examples: the verifier kept none"
    assert line["verdict"] == "failed"
    assert np.isnan(line[["accuracy", "low", "high", "difference", "p_star_hat"]].astype(float)).all()
    assert points.loc["none", "verdict"] != "failed"
    assert "NaN" in (tmp_path / "report.txt").read_text()


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profiles_load_and_plan(name):
    """As long as they are meant to take: on two cores, or on one GPU. The cost model is good to a factor of two."""
    profile = load(name)
    plan = stages(profile, "cuda" if name in ("gpu", "paper") else "cpu")
    made = {stage.name for stage in plan}
    assert all(set(stage.inputs.values()) <= made for stage in plan)
    along = 2 + sum(phi == 1 for phi, _ in profile.selection.noisy)
    assert along >= {"quick": 4, "long": 4, "gpu": 4}.get(name, 7)
    crew = 1 if name in ("gpu", "paper") else 2
    hours = {"quick": 0.25, "tiny": 0.25, "crossing": 1.0, "long": 2.5, "gpu": 0.15, "paper": 3.0}[name]
    assert sum(stage.seconds for stage in plan) / crew < 3600 * hours
    assert max(stage.seconds for stage in plan) < (600 if name != "long" else 900)
    settings = next(stage.settings for stage in plan if stage.name == "seed0/generator")
    assert (
        (profile.optimizer.muon is None)
        == (name in ("tiny", "crossing", "paper"))
        == ("muon" not in settings["schedule"])
    )
    if name == "paper":
        assert architecture(profile)[:4] == (1328, 1328, 77, 17)
    if name == "tiny":
        assert sum(p.numel() for p in build(settings, 0).parameters()) == 139_080


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training__stepz": 3}, r"training\.stepz: unknown key; did you mean 'steps'\?"),
        ({"training__steps": 0}, r"training\.steps = 0: outside an integer in \[1"),
        ({"training__learning_rate": float("nan")}, r"training\.learning_rate = nan: outside"),
        ({"model__heads": 3}, r"model\.width = 16: must be a multiple of model\.heads = 3"),
        ({"problem__entries": "gaussian"}, r"problem\.entries = 'gaussian': entries on a grid are uniform"),
        ({"problem__input": "P100"}, r"problem\.input = 'P100': unknown value; did you mean 'P1000'\?"),
        (
            {"selection__noisy": [[1.0, 1.5]]},
            r"selection\.noisy\[0\] = \(1\.0, 1\.5\): both must be numbers in \[0, 1\]",
        ),
        ({"selection__noisy": [[{}, 0]]}, r"selection\.noisy\[0\] = \(\{\}, 0\): both must be numbers"),
        ({"selection__noisy": [[0, 0]]}, r"selection\.noisy\[0\] = \(0, 0\): nothing would be kept"),
        ({"contrast__generator_pairs": 601}, r"contrast\.generator_pairs = 601: more than"),
        ({"curve__true": [100, 501]}, r"curve\.true = 501: more than selection\.matrices = 500"),
        ({"optimizer__matrices": "sgd"}, r"optimizer\.matrices = 'sgd': unknown value; .*adamw, muon"),
        ({"optimizer__momentum": 1}, r"optimizer\.momentum = 1: outside"),
        ({"selection__matrices": 4000}, r"4900 different matrices, but at most 4630 are taken from this grid"),
        (
            {"problem__output_step": 1e-3},
            r"output_step = 0\.001: the grid would have 40002 tokens, at most 32767",
        ),
        ({"modell__width": 3}, r"modell: unknown table; did you mean 'model'\?"),
    ],
)
def test_faults_of_a_profile_are_named(change, message):
    with pytest.raises(ConfigError, match=message):
        parse(changed(**change))


def test_the_paper_on_a_cpu_is_refused_politely(tmp_path):
    with pytest.raises(ValueError, match=r"profile paper would take about \d+ days .* --profile quick, or insist"):
        outlook(load("paper"), tmp_path, "run")


def command(*words):
    return subprocess.run([*PSTAR, *map(str, words)], capture_output=True, text=True)


def test_the_command_line_says_what_it_would_do(monkeypatch, capsys, tmp_path):
    assert main(monkeypatch, "eigenvalues", "run", "--profile", "quick", "--out", tmp_path / "new", "--dry-run") == 0
    text = capsys.readouterr().out
    assert "0 there already" in text
    assert "seed0/" in text
    assert not (tmp_path / "new").exists()
    words = ("retrain", "--profile", "quick", "--out", tmp_path, "--dry-run", "--json", "--workers", "2")
    assert main(monkeypatch, "eigenvalues", *words) == 0
    about = json.loads(capsys.readouterr().out)
    assert (about["workers"], about["device"], about["missing"]) == (2, "cpu", about["stages"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--profile", "quikc"), "no such file, and no profile (quick, tiny, crossing, long, gpu, paper)"),
        (("--profile", "quick", "--workers", "0"), "workers = 0 must be at least 1"),
        (("--profile", "paper"), "insist with --device cpu"),
        (("--profile", "quick", "--device", "cuda"), "device = cuda: PyTorch finds none here"),
    ],
)
def test_faults_of_a_command_are_one_line(monkeypatch, capsys, tmp_path, words, message):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main(monkeypatch, "eigenvalues", "run", "--out", tmp_path / "out", *words) == 2
    assert message in capsys.readouterr().err.split("error: ")[1]
    assert not (tmp_path / "out").exists()


def test_figures_draw_with_gaps(finished, tmp_path):
    """Failed models, no crossing, no beams: a gap, or no figure, and no exception."""
    tables = {path.stem: pd.read_csv(path) for path in (finished[0] / "tables").glob("*.csv")}
    tables["rows"].loc[::3, ["accuracy", "low", "high", "seed_low", "seed_high"]] = np.nan
    tables["p_star"].loc[1, ["accuracy", "low", "high", "difference", "difference_low", "difference_high"]] = np.nan
    tables["crossing"][["x", "low", "high"]] = np.nan
    tables["predictions"]["gain"] = np.nan
    tables["collapse"].loc[1:, ["theory", "theory_low", "theory_high"]] = np.nan
    for name in FIGURES:
        assert len(figures.draw(name, tables, tmp_path)) == 2
    tables["collapse"] = tables["collapse"][tables["collapse"]["by"] == "main"]
    assert figures.draw("eigenvalues_collapse", tables, tmp_path) == []
    tables["rows"] = tables["rows"][tables["rows"]["beam"].isna()]
    assert figures.draw("eigenvalues_beams", tables, tmp_path) == []


@pytest.mark.slow
def test_the_command_line_killed_three_times_ends_with_the_same_tables(finished, tmp_path, fresh_seed):
    """SIGKILL of driver and, with it, its two workers, anywhere, drawn afresh; same tables as in one process."""
    (tmp_path / "smoke.toml").write_text(toml(SMOKE))
    words = ["eigenvalues", "run", "--profile", tmp_path / "smoke.toml", "--out", tmp_path / "out", "--workers", "2"]
    kill_three_times([*PSTAR, *words], tmp_path / "out", len(stages(parse(SMOKE))), fresh_seed)
    done = command(*words)
    assert done.returncode == 0, done.stderr
    assert "Limits" in done.stdout
    for name in ("rows", "seeds", "p_star", "predictions", "collapse"):
        assert (tmp_path / "out" / "tables" / f"{name}.csv").read_bytes() == (
            finished[0] / "tables" / f"{name}.csv"
        ).read_bytes()
    again = command(*words, "--json")
    assert json.loads(again.stdout)["missing"] == 0
    assert execute(stages(parse(SMOKE))[:1], tmp_path / "out", {})


@pytest.mark.slow
def test_the_paper_at_full_size_takes_one_step_of_every_stage(tmp_path):
    """Model, vocabulary, beam 50 and bfloat16 as published; few matrices, on a CPU."""
    document = tomllib.loads((Path(steps.__file__).parent / "profiles" / "paper.toml").read_text())
    document["training"] |= {"generator_pairs": 64, "steps": 1, "batch": 64, "warm_up": 1}
    document["selection"] |= {"matrices": 64, "noisy": [[1.0, 0.5]], "label_beams": [50]}
    document["evaluation"] |= {"matrices": 16, "beams": [5, 50]}
    profile = parse(document, "paper")
    ahead = outlook(profile, tmp_path, "run", workers=1, device="cpu")
    run(ahead, tmp_path, AGAIN, lambda stage: print(stage.name))
    done = survey(stages(profile), tmp_path)[0]
    losses = read_arrays(done["seed0/generator"].folder / LOSSES)["losses"]
    assert losses == pytest.approx(np.log(1328), rel=0.35)  # near a uniform guess
    beams = read_arrays(done["seed0/synthesize-beam50"].folder / "answers" / "00000.safetensors")
    assert (beams["tokens"].shape, beams["scores"].shape) == ((64, 50, 17), (64, 50))
    for artefact in done.values():
        made = json.loads((artefact.folder / "manifest.json").read_bytes())
        print(f"{made['stage']}: {made['made']['seconds']} s")
    assert "failed" in (tmp_path / "report.txt").read_text()  # data selection keeps nothing of an untrained generator
