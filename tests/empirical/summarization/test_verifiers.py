"""One table of verifiers, from which plan, stages and report read."""

from dataclasses import replace

import pandas as pd

from empirical.summarization import plan, shared, verifiers
from empirical.summarization.profile import KINDS, parse
from empirical.summarization.sections import VerifierTable
from empirical.summarization.steps import score
from tests.empirical.summarization.helpers import SMOKE


def test_models_of_their_own_are_those_that_the_profile_has_tables_of():
    assert verifiers.OWN == tuple(name for name, kind in KINDS.items() if issubclass(kind, VerifierTable))


def test_draws_are_reported_as_one():
    groups = {"random": ("random1", "random2"), "self": ("self",), "oracle": ("oracle",)}
    assert verifiers.grouped(["random1", "random2", "self", "oracle"]) == groups
    assert verifiers.of("random12").drawn
    assert not verifiers.of("self").own


def test_a_new_verifier_is_an_entry(monkeypatch, tmp_path):
    """It is planned, scores by its own function, and is named in the report."""

    def length(generated, settings):
        rows = pd.read_parquet(generated / "rows.parquet")
        return rows[["id"]].assign(score=rows["generated"].str.len())

    table = (*verifiers.VERIFIERS, replace(verifiers.of("oracle"), name="longest", score=length))
    monkeypatch.setattr(verifiers, "VERIFIERS", table)
    monkeypatch.setattr(shared, "VERIFIERS", table)
    found = {stage.name: stage for stage in plan.stages(parse(SMOKE))}
    assert found["seed1/retrain-longest-0.5"].inputs["selected"] == "seed1/select-longest-0.5"
    stage = found["seed0/score-longest"]
    assert stage.settings == {"verifier": "longest", "kind": "longest"}
    generated = tmp_path / "generate"
    generated.mkdir()
    pd.DataFrame({"id": ["a", "b"], "generated": ["one two", "one"]}).to_parquet(generated / "rows.parquet")
    score(stage.settings, {"generate": generated}, tmp_path, {})
    assert pd.read_parquet(tmp_path / "scores.parquet")["score"].tolist() == [7, 3]
