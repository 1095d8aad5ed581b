"""The whole experiment, small: every stage, what it leaves behind, how it resumes, and how it is spread."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from empirical.stages.schedule import survey
from empirical.summarization.plan import shard, stages, verifiers
from empirical.summarization.profile import PRESETS, load, parse
from empirical.summarization.run import outlook, run
from sims.running.toml import ConfigError
from tests.empirical.experiments import kill_three_times, main, snapshot, toml
from tests.empirical.summarization.helpers import SMOKE, changed

PSTAR = (sys.executable, "-m", "pstar")
AGAIN = "pstar summarization run --out {folder}"
TABLES = ("rows", "seeds", "p_star", "threshold", "contrasts", "findings")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run, with what its stages left: (folder, {stage: folder})."""
    out = tmp_path_factory.mktemp("smoke")
    profile = parse(SMOKE)
    run(outlook(profile, out, "run", workers=1), profile, out, AGAIN)
    return out, {name: artefact.folder for name, artefact in survey(stages(profile), out)[0].items()}


def test_every_stage_is_there_and_says_where_it_comes_from(finished):
    out, folders = finished
    assert set(folders) == {stage.name for stage in stages(parse(SMOKE))}
    for name, folder in folders.items():
        assert "nothing was uploaded" in (folder / "README.md").read_text(), name
        body = json.loads((folder / "provenance.json").read_text())
        assert body["data"] or name.startswith("base"), name
    card = (folders["seed1/retrain-self-0.5"] / "README.md").read_text()
    for words in ("| verifier | self |", "| rate | 0.5 |", "| steps | 12 |", "hash of the settings", "Licence:"):
        assert words in card
    for name in ("base", "base-foreign"):
        assert "| beginnings loss, last |" in (folders[name] / "README.md").read_text()
    assert "Licence" in (out / "README.md").read_text()


def test_nothing_but_safetensors_holds_weights_and_nothing_is_pickled(finished):
    names = {path.suffix for path in finished[0].rglob("*") if path.is_file()}
    assert names <= {".safetensors", ".json", ".parquet", ".md", ".csv", ".txt", ".png", ".pdf", ".jinja", ""}


def test_the_generator_learns_its_share_and_summarizes_the_rest(finished):
    _, folders = finished
    here = folders["seed0/prepare"]
    parts = {name: pd.read_parquet(here / f"{name}.parquet") for name in ("generator", "pool", "test", "fresh")}
    assert {name: len(rows) for name, rows in parts.items()} == {"generator": 30, "pool": 90, "test": 24, "fresh": 60}
    ids = pd.concat([rows["id"] for rows in parts.values()])
    assert ids.is_unique
    generated = pd.read_parquet(folders["seed0/generate"] / "rows.parquet")
    assert generated["id"].tolist() == parts["pool"]["id"].tolist()


def test_selections_are_nested_and_of_one_size_for_all_verifiers(finished):
    _, folders = finished
    for verifier in verifiers(parse(SMOKE)):
        small, large = (
            pd.read_parquet(folders[f"seed0/select-{verifier}-{rate}"] / "selection.parquet")["kept"].to_numpy()
            for rate in ("0.125", "0.5")
        )
        assert (small.sum(), large.sum()) == (11, 45)
        assert not (small & ~large).any()


def test_the_oracle_keeps_the_best_and_self_is_the_generator(finished):
    _, folders = finished
    quality = pd.read_parquet(folders["seed0/generate"] / "rouge.parquet")["rouge1"].to_numpy()
    flags = pd.read_parquet(folders["seed0/select-oracle-0.5"] / "selection.parquet")["kept"].to_numpy()
    assert quality[flags].min() >= quality[~flags].max()
    facts = {
        name: json.loads((folders[f"seed0/select-{name}-0.5"] / "facts.json").read_bytes())["overlap_with_oracle"]
        for name in verifiers(parse(SMOKE))
    }
    best = facts.pop("oracle")  # 1, but for empty summaries
    assert best > max(facts.values())
    made = json.loads((folders["seed0/score-self-part0"] / "manifest.json").read_bytes())
    assert made["inputs"]["model"] == folders["seed0/generator"].name


def test_random_draws_differ_and_students_differ_by_their_data_alone(finished):
    _, folders = finished
    read = lambda name: pd.read_parquet(folders[f"seed0/select-{name}-0.5"] / "selection.parquet")["kept"].to_numpy()
    assert (read("random1") != read("random2")).any()
    seeds = {stage.settings["seed"] for stage in stages(parse(SMOKE)) if stage.name.startswith("seed0/retrain-")}
    assert len(seeds) == 1


def test_all_students_take_equal_steps_and_the_report_says_so(finished):
    out, _ = finished
    rows = pd.read_csv(out / "tables" / "rows.csv")
    assert set(rows.loc[rows["arm"] != "full-epoch", "steps"]) == {12}
    assert rows.loc[rows["arm"] == "full-epoch", "steps"].item() == 15
    text = (out / "report.txt").read_text()
    assert max(map(len, text.splitlines())) <= 118
    for name in ("random", "self", "stronger", "foreign", "oracle"):
        assert name in text
    for figure in ("summarization_rouge", "summarization_p_star"):
        assert (out / "figures" / f"{figure}.png").stat().st_size > 10_000


def test_a_second_run_writes_nothing(finished):
    out, _ = finished
    before = snapshot(out)
    profile = parse(SMOKE)
    ahead = outlook(profile, out, "run", workers=1)
    assert ahead.missing == []
    run(ahead, profile, out, AGAIN)
    assert snapshot(out) == before


def test_another_rate_costs_its_own_students_only(finished):
    out, _ = finished
    more = parse(changed(selection__rates=[0.125, 0.25, 0.5]))
    missing = {stage.name for stage in outlook(more, out, "run", workers=1).missing}
    assert missing == {"report"} | {
        f"seed{seed}/{verb}-{name}-0.25"
        for seed in range(2)
        for verb in ("select", "retrain", "evaluate-retrain")
        for name in verifiers(more)
    }


def test_another_batch_is_another_generation(finished):
    """bfloat16 summaries move with the batch size, so that it is part of what a stage is."""
    out, _ = finished
    missing = {stage.name for stage in outlook(parse(changed(generation__batch=8)), out, "run", workers=1).missing}
    assert "seed0/generate-part0" in missing
    assert not {"seed0/generator", "seed0/verifier-stronger", "seed0/full"} & missing


def test_what_fits_a_training_into_a_machine_is_no_part_of_the_model(finished):
    out, _ = finished
    other = parse(changed(training__micro_batch=4, training__checkpoint_steps=5))
    assert [stage.name for stage in outlook(other, out, "run", 1).missing] == ["report"]


def test_a_shard_makes_its_pieces_and_shards_together_make_all():
    plan = stages(parse(changed(generation__parts=5)))
    for verb in ("generate", "score"):
        pieces = [name for index in (1, 2, 3) for name in shard(plan, verb, index, 3)]
        assert sorted(pieces) == sorted(stage.name for stage in plan if stage.function.endswith(f":{verb}_part"))
        assert len(set(pieces)) == len(pieces)
    with pytest.raises(ValueError, match="retrain has no pieces"):
        shard(plan, "retrain", 1, 2)
    with pytest.raises(ValueError, match=r"must be i/n with 1 <= i <= n"):
        shard(plan, "score", 3, 2)
    with pytest.raises(ValueError, match=r"only 14 pieces; raise generation\.parts"):  # four of them of the noise
        shard(plan, "generate", 1, 15)


def test_a_shard_asks_for_what_it_reads(tmp_path):
    with pytest.raises(ValueError, match=r"such as source; run train-generator first"):
        outlook(parse(SMOKE), tmp_path, "generate", part=(1, 2))


def test_shards_made_apart_are_the_same_rows(finished, tmp_path):
    """The second before the first, on top of models that are there."""
    _, folders = finished
    profile = parse(changed(run__seeds=1, selection__random_draws=3))
    run(outlook(profile, tmp_path, "train-generator", workers=1), profile, tmp_path, AGAIN)
    for verb in ("generate", "score"):
        for index in (2, 1):
            run(outlook(profile, tmp_path, verb, 1, part=(index, 2)), profile, tmp_path, AGAIN, shared=True)
    ahead = outlook(profile, tmp_path, "score", workers=1)
    assert "part" not in "".join(stage.name for stage in ahead.missing)
    run(ahead, profile, tmp_path, AGAIN)
    done = survey(ahead.stages, tmp_path)[0]
    for stage, table in (("generate", "rows"), ("score-self", "scores"), ("score-foreign", "scores")):
        ours, theirs = done[f"seed0/{stage}"].folder, folders[f"seed0/{stage}"]
        assert (ours / f"{table}.parquet").read_bytes() == (theirs / f"{table}.parquet").read_bytes()


@pytest.mark.parametrize("name", PRESETS)
def test_presets_load_and_plan(name):
    profile = load(name)
    on_cpu = name in ("small", "scarce", "debian-made", "debian")
    plan = stages(profile, "cpu" if on_cpu else "cuda")
    made = {stage.name for stage in plan}
    assert all(set(stage.inputs.values()) <= made for stage in plan)
    bases = [stage.settings for stage in plan if stage.name.startswith("base") and "warm_up" in stage.settings]
    assert {settings.get("beginnings") for settings in bases} <= {400 if name == "debian-made" else None}
    draws = [verifier for verifier in verifiers(profile) if verifier.startswith("random")]
    assert len(draws) * profile.run.seeds >= 3
    rates = {"debian-made": (0.25,), "debian": (0.125,), "debian-gpu": (0.25,)}
    assert profile.selection.rates == rates.get(name, (0.125, 0.25, 0.5))
    rows = profile.data.labelled
    taught = {"small": 3000, "scarce": 3000, "smollm": 5000, "debian-made": 3000, "debian": 500, "debian-gpu": 4_000}
    assert round(rows * profile.generator.share) == taught.get(name, 76630)
    steps = profile.schedule(profile.generator).updates(round(rows * profile.generator.share))
    assert profile.retraining.steps in (0, steps)  # as many as the generator takes, or an epoch
    if name.startswith("debian"):
        assert rows + profile.foreign.fresh <= 37_000  # of bookworm
        assert sum(stage.seconds for stage in plan) / (2 if on_cpu else 1) < 2.5 * 3600
    if name == "small":
        assert sum(stage.seconds for stage in plan) / 2 < 15 * 60
    if name == "llama2":
        assert (profile.training.batch, profile.format.block) == (32, 1024)
        assert (profile.generator.learning_rate, profile.generator.scheduler) == (5e-5, "cosine")
        assert (profile.retraining.learning_rate, profile.retraining.scheduler) == (2e-5, "constant")
        assert sum(stage.seconds for stage in plan) / 3600 < 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"retraining__stepz": 3}, r"retraining\.stepz: unknown key; did you mean 'steps'\?"),
        ({"training__micro_batch": 3}, r"training\.micro_batch = 3: training\.batch = 8 must be a multiple of it"),
        ({"format__summary_tokens": 128}, r"format\.summary_tokens = 128: must be below format\.block = 128"),
        ({"made__heads": 3}, r"made\.width = 32: must be an even multiple of made\.heads = 3"),
        ({"run__seeds": 1}, r"fewer than 3 random selections to compare with; raise one of the two"),
        ({"base__name": "/x"}, r"stronger\.name = 'made': beside base\.name = '/x'; name a model, or 'base'"),
        ({"evaluation__stemmer": 1}, r"evaluation\.stemmer = 1: must be true or false"),
        ({"base__name": 3}, r"base\.name = 3: must be text; it is a folder, a GGUF file or package, or a name"),
        ({"generator__curve": [0.5, 0.50000001]}, r"generator\.curve: shares must differ in their first six digits"),
        ({"selection__rates": [0.5, 2.0]}, r"selection\.rates\[1\] = 2\.0: outside \(0, 1\]"),
    ],
)
def test_faults_of_a_profile_are_named(change, message):
    with pytest.raises(ConfigError, match=message):
        parse(changed(**change))


def test_a_file_changes_a_preset_and_nothing_else(tmp_path):
    (tmp_path / "mine.toml").write_text('[base]\nname = "/models/mine"\n[training]\nlora_rank = 16\n')
    mine, preset = load("llama2", str(tmp_path / "mine.toml")), load("llama2")
    assert (mine.base.name, mine.training.lora_rank) == ("/models/mine", 16)
    assert (mine.base.revision, mine.base.licence) == ("", "")  # the preset's were of another model
    assert mine.base.parameters == preset.base.parameters  # for estimates
    assert mine.training.batch == preset.training.batch == 32
    assert mine.stronger == preset.stronger


def test_own_data_need_no_word_about_fresh_stories(tmp_path):
    (tmp_path / "mine.toml").write_text('[data]\nsource = "/data/mine"\n')
    mine = load("small", str(tmp_path / "mine.toml"))
    assert (mine.stronger.fresh, mine.foreign.fresh) == (0, 0)
    assert load("small").stronger.fresh == 12_000


def test_a_dry_run_is_never_refused(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main(monkeypatch, "summarization", "run", "--preset", "llama2", "--out", tmp_path / "out", "--dry-run") == 0
    assert "days" in capsys.readouterr().out


def test_the_command_line_says_what_it_would_do(monkeypatch, capsys, tmp_path):
    assert main(monkeypatch, "summarization", "run", "--preset", "small", "--out", tmp_path / "new", "--dry-run") == 0
    text = capsys.readouterr().out
    assert "0 there already" in text
    assert not (tmp_path / "new").exists()


def test_show_batch_shows_what_carries_loss(monkeypatch, capsys, tmp_path):
    (tmp_path / "tiny.toml").write_text(
        "[data]\nlabelled = 40\n[made]\nwidth = 16\nlayers = 1\nheads = 2\nsteps = 2\nbatch = 2\n"
    )
    words = ("--preset", "small", "--config", tmp_path / "tiny.toml", "--out", tmp_path / "out", "--workers", "1")
    assert main(monkeypatch, "summarization", "show-batch", *words) == 0
    text = capsys.readouterr().out
    assert "[</s>]" in text
    assert "all with loss" in text
    assert "TL;DR [" not in text.replace("\n", " ").split("[")[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "--preset", "small", "--config", "none.toml"), "none.toml: 1 fault"),
        (("run", "--preset", "small", "--workers", "0"), "workers = 0 must be at least 1"),
        (("run", "--preset", "small", "--device", "cuda"), "device = cuda: PyTorch finds none here"),
        (("generate", "--preset", "small", "--shard", "1-2"), "--shard 1-2: must be I/N"),
        (("retrain", "--preset", "small", "--shard", "1/2"), "retrain has no pieces"),
        (("run", "--preset", "llama2"), "there is no GPU; run --preset small, or insist with --device cpu"),
    ],
)
def test_faults_of_a_command_are_named_before_anything_is_made(monkeypatch, capsys, tmp_path, words, message):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main(monkeypatch, "summarization", *words, "--out", tmp_path / "out") == 2
    assert message in capsys.readouterr().err.split("error: ")[1]
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_command_line_killed_three_times_ends_with_the_same_tables(tmp_path, fresh_seed):
    """SIGKILL of driver and, with it, its two workers, anywhere, drawn afresh; same tables as in one process."""
    (tmp_path / "smoke.toml").write_text(toml(SMOKE))
    profile, whole = load("small", str(tmp_path / "smoke.toml")), tmp_path / "whole"
    run(outlook(profile, whole, "run", workers=1), profile, whole, AGAIN)
    words = [*PSTAR, "summarization", "run", "--preset", "small", "--config", tmp_path / "smoke.toml"]
    words += ["--out", tmp_path / "out", "--workers", "2"]
    kill_three_times(words, tmp_path / "out", len(stages(profile)), fresh_seed)
    done = subprocess.run([*map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in TABLES:
        ours, theirs = (pd.read_csv(out / "tables" / f"{name}.csv") for out in (tmp_path / "out", whole))
        pd.testing.assert_frame_equal(ours, theirs)
