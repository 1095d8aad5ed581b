"""`debian` in seconds: package descriptions, a tiny GGUF as its base, adapters, and a verifier from scratch."""

import json

import pandas as pd
import pytest

from empirical.stages.schedule import survey
from empirical.summarization.descriptions import build
from empirical.summarization.plan import stages
from empirical.summarization.profile import load
from empirical.summarization.run import outlook, run
from tests.empirical.experiments import toml
from tests.empirical.summarization import gguf_files
from tests.empirical.summarization.test_descriptions import COMMAND, many, written

pytest.importorskip("gguf", reason="of the group dev")
ROLE = {"steps": 2, "warm_up": 1}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """(profile, folder of the run, {stage: folder}) of one seed."""
    here = tmp_path_factory.mktemp("real")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("empirical.summarization.descriptions.packages", lambda files: many(60, 2))
        build(here / "corpus", [written(here / "lists", Packages="")], COMMAND)
    gguf_files.write(here / "tiny.gguf", "Q4_1")
    changes = {
        "data": {"labelled": 40, "test": 8},
        "base": {"name": str(here / "tiny.gguf"), "licence": "of the tests"},
        "made": {"width": 16, "layers": 1, "heads": 2, "steps": 2, "batch": 2},
        "training": {"batch": 4, "micro_batch": 2, "lora_rank": 2},
        "generator": {"share": 0.5} | ROLE,
        "retraining": ROLE,
        "stronger": {"fresh": 10} | ROLE,
        "foreign": {"fresh": 20, "vocabulary": 300, "steps": 2, "warm_up": 1},
        "selection": {"rates": [0.5]},
        "generation": {"batch": 8, "scoring_batch": 8, "parts": 1},
        "format": {"block": 96, "summary_tokens": 24},
    }
    (here / "own.toml").write_text(toml(changes))
    profile = load("debian", str(here / "own.toml"), str(here / "corpus"))
    run(
        outlook(profile, here / "out", "run", workers=1),
        profile,
        here / "out",
        "pstar summarization run --out {folder}",
    )
    return (
        profile,
        here / "out",
        {name: found.folder for name, found in survey(stages(profile), here / "out")[0].items()},
    )


def test_every_stage_is_there_and_says_what_it_is_made_from(finished):
    profile, out, folders = finished
    assert set(folders) == {stage.name for stage in stages(profile)}
    about = json.loads((folders["seed0/retrain-oracle-0.5"] / "provenance.json").read_bytes())
    assert "not to be passed on" in about["data"][0]["licence"]
    assert about["models"][0]["licence"] == "of the tests"
    assert "dequantised" in json.loads((folders["base"] / "provenance.json").read_bytes())["facts"]["weights"]
    assert pd.read_csv(out / "tables" / "beside.csv")["verifier"].tolist() == [
        "random",
        "self",
        "stronger",
        "foreign",
        "oracle",
    ]


def test_students_and_the_stronger_model_are_adapters_of_the_base_and_the_foreign_one_is_whole(finished):
    _, _, folders = finished
    adapted = lambda name: (folders[name] / "adapter_config.json").exists()
    assert adapted("seed0/generator")
    assert adapted("seed0/verifier-stronger")
    assert adapted("seed0/retrain-self-0.5")
    assert not adapted("seed0/verifier-foreign")
    about = json.loads((folders["seed0/verifier-stronger"] / "about.json").read_bytes())
    assert about["examples"] == 10


def test_parts_have_no_article_and_no_family_of_the_test_in_common(finished):
    _, _, folders = finished
    here = folders["seed0/prepare"]
    parts = {name: pd.read_parquet(here / f"{name}.parquet") for name in ("generator", "pool", "fresh", "test")}
    assert [len(rows) for rows in parts.values()] == [20, 20, 20, 8]
    assert pd.concat([rows["id"] for rows in parts.values()]).is_unique
    trained = set(pd.concat([parts[name]["family"] for name in ("generator", "pool", "fresh")]))
    assert not trained & set(parts["test"]["family"])
