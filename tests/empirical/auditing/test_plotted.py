"""What the explorer is told of an audit: rates, the region of them, the curve of thresholds; what is refused."""

import json

import numpy as np
import pandas as pd
import pytest

from empirical.auditing.report.plotted import plotted
from tests.pstar.command import in_one_process
from theory.errors import InputError

KINDS = (((1, 1), 60), ((1, 0), 10), ((0, 1), 8), ((0, 0), 22))
"""(correct, kept) and how many records."""


def records():
    """Two verifiers, the second of which keeps a third of what the first drops; and a score that the first cuts."""
    lines = ["correct,kept,lenient,score"]
    for (correct, kept), count in KINDS:
        lines += [f"{correct},{kept},{int(kept or i % 3 == 0)},{kept + i / 100}" for i in range(count)]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def audits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audits")
    (folder / "r.csv").write_text(records())
    asked = {
        "one": ["--kept", "kept"],
        "two": ["--kept", "kept", "lenient"],
        "score": ["--score", "score"],
    }
    whole = ["audit", f"{folder}/r.csv", "--correct", "correct"]
    answers = in_one_process([[*whole, *words, "--out", f"{folder}/{name}"] for name, words in asked.items()])
    assert [code for code, _, _ in answers] == [0, 0, 0], answers
    return folder


def area(corners):
    x, y = np.asarray(corners).T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def test_one_verifier_with_its_region(audits):
    found = plotted(audits / "one" / "audit.json")
    [verifier] = found["verifiers"]
    audit = json.loads((audits / "one" / "audit.json").read_text())["audit"]
    assert verifier["name"] == "kept"
    assert verifier["phi"] == audit["phi"]
    assert found["start"] == {"p": 0.3, "phi": 60 / 70, "psi": 8 / 30}
    assert found["curve"] is None
    drawn = pd.read_csv(audits / "one" / "verifier_region.csv")
    assert area(verifier["region"]) == pytest.approx(area(drawn[["psi", "phi"]]), rel=0.15)
    assert np.mean(verifier["region"], axis=0) == pytest.approx([8 / 30, 60 / 70], abs=0.05)


def test_several_verifiers_start_with_the_one_of_the_answers(audits):
    found = plotted(audits / "two" / "audit.json")
    assert [each["name"] for each in found["verifiers"]] == ["kept", "lenient"]
    best = json.loads((audits / "two" / "audit.json").read_text())["verifiers"]["best_given"]
    assert found["start"]["phi"] == next(each for each in found["verifiers"] if each["name"] == best)["phi"]["value"]


def test_a_score_has_a_curve(audits):
    found = plotted(audits / "score" / "audit.json")
    curve = pd.read_csv(audits / "score" / "threshold_curve.csv")
    assert found["curve"] == curve[["psi", "phi"]].to_numpy().tolist()
    assert [each["name"] for each in found["verifiers"]] == ["score"]


@pytest.mark.parametrize("content", ["", "[]", "3", "{}", '{"audit": 3}', "\udc80"])
def test_what_is_no_audit_is_refused(tmp_path, content):
    path = tmp_path / "audit.json"
    path.write_text(content, errors="surrogateescape")
    with pytest.raises(InputError, match="is no audit of a verifier; make one"):
        plotted(path)


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="is not there"):
        plotted(tmp_path / "none.json")


def test_rates_that_are_undefined_are_refused(audits, tmp_path):
    whole = json.loads((audits / "one" / "audit.json").read_text())
    whole["audit"]["psi"] = {"value": None, "low": None, "high": None}
    (tmp_path / "audit.json").write_text(json.dumps(whole))
    with pytest.raises(InputError, match="leaves p, phi or psi undefined"):
        plotted(tmp_path / "audit.json")


def test_names_have_no_marks_that_turn_letters(audits, tmp_path):
    whole = (audits / "one" / "audit.json").read_text().replace('"kept"\n', '"a\\u202eb"\n')
    (tmp_path / "audit.json").write_text(whole)
    assert plotted(tmp_path / "audit.json")["verifiers"][0]["name"] == "a\N{REPLACEMENT CHARACTER}b"
