"""What counts as right, and which corpora are a fair test."""

import json

import numpy as np
import pandas as pd
import pytest

from empirical.summarization import gates, stories
from empirical.summarization.report.gates import gates as report
from empirical.summarization.stories import SLOTS, WORDINGS, reference
from tests.empirical.summarization.helpers import within


def told(rows, wording=0):
    """What a perfect model says."""
    outputs = [reference(row, WORDINGS[wording]) for row in rows.to_dict("records")]
    return pd.DataFrame({"id": rows["id"], "generated": outputs})


@pytest.mark.parametrize("wording", range(3))
def test_perfect_outputs_are_right_in_every_slot_they_tell(made, wording):
    right = gates.slot_accuracy(told(made, wording), made)
    calls = {slot: f"{{{slot}}}" in WORDINGS[wording] or slot == "event" for slot in SLOTS}
    assert [slot for slot in SLOTS if np.isnan(right[slot])] == [slot for slot in SLOTS if not calls[slot]]
    assert all(right[slot] == 1 for slot in SLOTS if calls[slot])


def test_outputs_of_other_stories_are_right_by_chance_only(made):
    outputs = told(made, 1)
    right = gates.slot_accuracy(outputs.assign(generated=np.roll(outputs["generated"], 1)), made)
    assert all(right[slot] < 0.04 for slot in ("person", "place", "number", "event"))
    assert within(right["day"], 1 / 7, len(made))


def test_what_counts_as_right():
    row = {"person": "barson", "place": "marton", "number": "12", "organisation": "salcorp", "day": "monday"}
    rows = pd.DataFrame([row | {"id": str(i), "event": "sold ships"} for i in range(4)])
    outputs = ["barson unloads 12 vessels in marton", "barson calson unloads", "unloads vessels", "watch tonight"]
    generated = pd.DataFrame({"id": ["0", "1", "2", "3"], "generated": outputs})
    right = gates.slot_accuracy(generated, rows)
    assert [right[slot] for slot in ("person", "place", "number", "event")] == [1 / 2, 1, 1, 2 / 3]
    with pytest.raises(ValueError, match="1 outputs have no story, such as id '3'; give their stories"):
        gates.slot_accuracy(generated, rows[:3])


def test_constant_and_distinct_outputs():
    assert gates.constant_baseline(["a b", "c d"], ["x y z", "a c", "a b", "a d"], False) == pytest.approx(0.5)
    assert gates.distinct_share(pd.DataFrame({"generated": ["a", "b", "a", "a"]})) == 0.5


def test_gates_pass_what_copies_in_part_only(made):
    test, train = made[:300], made[300:1000]
    half = told(test)
    half.loc[::2, "generated"] = np.roll(half["generated"], 1)[::2]
    found = gates.gates(half, test, train, True)
    assert json.loads(json.dumps(found)) == found
    assert {gate["gate"]: gate["passed"] for gate in found} == {
        "distinct outputs": False,
        "who is right": True,
        "where is right": True,
        "how many is right": True,
        "ROUGE-1 of the best constant output": False,
        "ROUGE-1 of perfect content": None,
        "articles that do not begin with the lead": True,
    }
    points = {gate["gate"]: gate["value"] for gate in found}
    assert 8 < points["ROUGE-1 of the best constant output"] < 20  # in points, not a share
    assert 60 < points["ROUGE-1 of perfect content"] < 80
    assert next(gate["wanted"] for gate in found if "constant" in gate["gate"]) == "25 to 35"
    assert [gate["passed"] for gate in gates.gates(told(test), test, train, True)][:4] == [True, False, False, False]


def test_gates_of_outputs_that_tell_nothing(made):
    silent = told(made[:50]).assign(generated=stories.TEASERS[0])
    found = gates.gates(silent, made[:50], made[:50], True)
    assert [(gate["value"], gate["passed"]) for gate in found[1:4]] == [(None, False)] * 3
    assert not found[0]["passed"]


@pytest.mark.parametrize(("seeds", "shown"), [(3, "0.91, 0.92, 0.93"), (4, "0.91 to 0.94")])
def test_values_of_many_seeds_are_told_as_a_range(seeds, shown):
    found = pd.DataFrame({"gate": "who is right", "value": 0.91 + 0.01 * np.arange(seeds), "wanted": "0.3 to 0.8"})
    rows = pd.DataFrame({"verifier": [], "rouge1": []})
    lines = list(report({"gates": found.assign(passed=False), "rows": rows}))
    assert f" {shown}  " in lines[1]
