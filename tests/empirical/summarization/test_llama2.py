"""The preset for Llama 2 from end to end, offline: tiny random models in folders, rows in XL-Sum's schema.

Nothing but weights and data separates this from the published experiment: the preset is shipped's own, its models and
its source are replaced by folders, and its sizes are small.
"""

import json

import pandas as pd
import pytest

from empirical.stages.schedule import survey
from empirical.summarization.plan import stages
from empirical.summarization.profile import load
from empirical.summarization.run import outlook, run
from tests.empirical.summarization.tokenizers import byte_level, llama, llama2_file, sentences

SAMPLING = {"do_sample": True, "temperature": 0.6, "top_p": 0.9, "transformers_version": "4.31.0"}
"""What Llama 2's own generation_config.json asks for."""


def models(folder):
    """Folders as the hub's repositories would be downloaded."""
    for name, tokenizer, size in (("llama2", llama2_file(), 32), ("llama3", byte_level(), 48)):
        llama(tokenizer, positions=4096, hidden_size=size, spread=0.05).save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
        (folder / name / "generation_config.json").write_text(json.dumps(SAMPLING))


def rows(folder):
    """English XL-Sum has id, url, title, summary, text; the hub's conversion has a folder for each split."""
    for split, count, seed in (("train", 160, 1), ("validation", 8, 2), ("test", 16, 3)):
        texts, summaries = sentences(count, seed, 20, 60), sentences(count, seed + 10, 3, 8)
        table = pd.DataFrame({"id": [f"uk-{split}-{index}" for index in range(count)]})
        table = table.assign(url="https://example.org", title="A title", summary=summaries, text=texts)
        (folder / split).mkdir(parents=True)
        table.to_parquet(folder / split / "0000.parquet", index=False)


AGAIN = "pstar summarization run --out {folder}"
BOTH = ("seed0/generator", "seed0/verifier-stronger")
CONFIG = """
[data]
source = "{here}/xlsum"
[base]
name = "{here}/llama2"
licence = "Llama 2 Community License"
[stronger]
name = "{here}/llama3"
[format]
block = 80
summary_tokens = 12
[training]
lora_rank = {rank}
micro_batch = 8
checkpoint_steps = 2
[generation]
parts = 3
batch = 16
precision = "{precision}"
[selection]
rates = [0.25, 0.5]
"""


@pytest.mark.parametrize(("rank", "precision"), [(0, "bfloat16"), pytest.param(4, "float32", marks=pytest.mark.slow)])
def test_the_whole_chain_runs_with_everything_but_weights_and_data(tmp_path, rank, precision):
    models(tmp_path)
    rows(tmp_path / "xlsum")
    (tmp_path / "own.toml").write_text(CONFIG.format(here=tmp_path, rank=rank, precision=precision))
    profile, out = load("llama2", str(tmp_path / "own.toml")), tmp_path / "out"
    assert (profile.training.batch, profile.training.precision) == (32, "bfloat16")
    run(outlook(profile, out, "run", workers=1, device="cpu"), profile, out, AGAIN)
    folders = {name: artefact.folder for name, artefact in survey(stages(profile), out)[0].items()}
    about = json.loads((folders["seed0/generator"] / "about.json").read_bytes())
    assert (about["batch"], about["steps"], about["examples"], about["failure"]) == (32, 2, 40, "")
    assert (folders["seed0/generator"] / "adapter_model.safetensors").exists() == (rank > 0)
    generated = pd.read_parquet(folders["seed0/generate"] / "rows.parquet")
    assert len(generated) == 120
    assert generated["tokens"].max() <= 12
    scores = {
        name: pd.read_parquet(folders[f"seed0/score-{name}"] / "scores.parquet")["score"]
        for name in ("self", "stronger")
    }
    for score in scores.values():
        assert score[~generated["empty"]].notna().all()
        assert (score.dropna() < 0).all()
    assert abs(scores["self"].corr(scores["stronger"])) < 0.999
    if not rank:  # another family reads its own tokens
        configs = [json.loads((folders[name] / "config.json").read_bytes()) for name in BOTH]
        assert configs[0]["vocab_size"] != configs[1]["vocab_size"]
    read = pd.read_csv(out / "tables" / "rows.csv")
    assert set(read["verifier"].dropna()) == {"random", "self", "stronger", "oracle"}
    assert "full-epoch" in set(read["arm"])
    assert read["rouge1"].notna().all()
    card = (folders["seed0/retrain-oracle-0.5"] / "README.md").read_text()
    assert "Llama 2 Community License" in card
    assert "xlsum" in card
    assert not list(out.rglob("*.bin")) + list(out.rglob("*.pt")) + list(out.rglob("*.pth"))


def test_a_folder_whose_content_changes_is_another_model(tmp_path):
    models(tmp_path)
    rows(tmp_path / "xlsum")
    (tmp_path / "own.toml").write_text(CONFIG.format(here=tmp_path, rank=0, precision="float32"))
    profile = load("llama2", str(tmp_path / "own.toml"))
    read = lambda: {stage.name: stage.settings for stage in stages(profile) if stage.name in ("base", "source")}
    before = read()
    assert read() == before
    (tmp_path / "llama2" / "config.json").write_text("{}")
    (tmp_path / "xlsum" / "test" / "0000.parquet").write_bytes(b"other")
    after = read()
    assert after["base"] != before["base"]
    assert after["source"] != before["source"]


def test_what_is_not_needed_is_not_asked_for(tmp_path, monkeypatch):
    """Data can be prepared, and a batch looked at, where models could not be trained."""
    models(tmp_path)
    rows(tmp_path / "xlsum")
    (tmp_path / "own.toml").write_text(CONFIG.format(here=tmp_path, rank=0, precision="float32"))
    profile, out = load("llama2", str(tmp_path / "own.toml")), tmp_path / "out"
    monkeypatch.setattr("empirical.summarization.accelerators.free_memory", lambda: 1000)
    run(outlook(profile, out, "prepare", workers=1, device="cpu"), profile, out, AGAIN)
    ahead = outlook(profile, out, "train-generator", workers=1, device="cpu")
    with pytest.raises(ValueError, match=r"to train it takes about .* GB per process"):
        run(ahead, profile, out, AGAIN)


def test_without_hub_models_or_rows_it_is_refused_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    rows(tmp_path / "xlsum")
    (tmp_path / "own.toml").write_text(f'[data]\nsource = "{tmp_path}/xlsum"\n')
    profile, out = load("llama2", str(tmp_path / "own.toml")), tmp_path / "out"
    ahead = outlook(profile, out, "run", workers=1, device="cpu")
    with pytest.raises(
        ValueError, match=r"(?s)Llama-2-7b-hf is neither .* give its folder .*Meta-Llama-3-8B is neither"
    ):
        run(ahead, profile, out, AGAIN)
    profile = load("llama2")
    with pytest.raises(RuntimeError, match="give their folder as the source"):
        run(outlook(profile, out, "run", workers=1, device="cpu"), profile, out, AGAIN)
    assert not out.exists()
