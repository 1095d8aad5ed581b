"""Finding 1 by the noise of references."""

import json

import numpy as np
import pandas as pd
import pytest

import figures
from empirical.summarization.arms import Arms
from empirical.summarization.collapse import collapse
from empirical.summarization.evaluations import Evaluated, Source
from empirical.summarization.plan import stages
from empirical.summarization.profile import ConfigError, parse
from empirical.summarization.report.collapse import collapse as told
from tests.empirical.summarization.helpers import changed

SEEDS, TESTS = 4, 400
EFFECTS = {0.0: -5.0, 0.4: 6.0}
"""Student minus generator, in points."""


def put(folder, values, ids, failure=""):
    folder.mkdir(parents=True)
    pd.DataFrame({"id": ids, "rouge1": values / 100}).to_parquet(folder / "evaluation.parquet")
    (folder / "about.json").write_text(json.dumps({"failure": failure}))
    return folder


def ran(root, effects, failed=False, rates=(0.25, 0.5)):
    """Folders of generator and student at each share of noise, whose rows are in orders of their own."""
    rng, inputs = np.random.default_rng(4), {}
    for seed in range(SEEDS):
        for noisy, effect in effects.items():
            place = f"seed{seed}/noisy-{noisy:g}"
            hard, ids = rng.normal(50, 5, TESTS), np.array([f"{seed}-{case}" for case in range(TESTS)])
            student = hard + effect + rng.normal(0, 1, TESTS)
            mixed = rng.permutation(TESTS)
            inputs[f"{place}/evaluate-generator"] = put(root / place / "generator", hard, ids)
            why = "the loss is not finite" if failed and seed == 1 else ""
            inputs[f"{place}/evaluate-retrain-random1-1"] = put(
                root / place / "student", student[mixed], ids[mixed], why
            )
        for place in [f"seed{seed}", *(f"seed{seed}/noisy-{noisy:g}" for noisy in effects)]:
            inputs[f"{place}/generate"] = root / place / "generate"
            inputs[f"{place}/generate"].mkdir(parents=True)
            pd.DataFrame({"rouge1": [0.5, 0.7]}).to_parquet(inputs[f"{place}/generate"] / "rouge.parquet")
    profile = {"run": {"seeds": SEEDS}, "selection": {"rates": list(rates)}, "evaluation": {"margin": 1.0}}
    profile |= {"stories": {"noisy": 0.2, "curve": list(effects)}}
    means = np.array([[50.0] * SEEDS, [50.1, 49.9, 50.2, 49.9]])
    arms = Arms(("generator", "retrain-random1-0.25"), means, means.mean(1, keepdims=True) + np.zeros(11))
    return Source(profile, {"random": ("random1",)}, inputs), Evaluated({"rouge1": arms}, {}, TESTS, 25.0)


def test_collapse_is_seen_where_it_was_planted_and_equality_between(tmp_path):
    found = collapse(*ran(tmp_path, EFFECTS)).set_index("noisy")
    assert found["reading"].to_dict() == {0.0: "seen", 0.2: "equivalent", 0.4: "opposite"}
    assert found["difference"].round(0).to_dict() == {0.0: -5.0, 0.2: 0.0, 0.4: 6.0}
    assert found["p"].round(6).to_dict() == dict.fromkeys((0.0, 0.2, 0.4), 0.4)
    text = "\n".join(told({"collapse": found.reset_index()}))
    assert "0 % of the references noisy" in text
    assert max(map(len, text.splitlines())) < 118
    drawn = figures.rendered("summarization_collapse", {"collapse": found.reset_index()})
    assert len(drawn["summarization_collapse.png"]) > 10_000


def test_a_model_that_failed_is_not_called_equal(tmp_path):
    found = collapse(*ran(tmp_path, EFFECTS, failed=True, rates=(0.5,)))
    assert found["reading"].tolist() == ["failed", "failed"]  # the profile's own students had another share
    assert found["difference"].isna().all()


def test_without_a_curve_there_is_nothing(tmp_path):
    found = collapse(*ran(tmp_path, {}))
    assert found.empty
    assert list(told({"collapse": found})) == []


def test_the_stories_are_the_repetition_s_but_for_their_noise():
    plan = {stage.name: stage for stage in stages(parse(changed()))}
    own, other = (plan[name].settings for name in ("seed1/prepare", "seed1/noisy-0.5/prepare"))
    assert own["seed"] == other["seed"]
    assert (own["recipe"]["noisy"], other["recipe"]["noisy"]) == (0.25, 0.5)
    assert round(own["share"] * own["labelled"]) == round(other["share"] * other["labelled"])
    assert plan["seed1/noisy-0.5/generator"].settings == plan["seed1/generator"].settings
    assert plan["seed1/noisy-0.5/generator"].inputs["base"] == "base"


def test_only_stories_are_as_noisy_as_one_wants():
    with pytest.raises(ConfigError, match=r"stories\.curve: only references of stories"):
        parse(changed(data__source="/data/mine"))
