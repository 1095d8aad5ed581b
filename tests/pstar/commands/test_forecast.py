"""`pstar forecast`: a pilot and an audit in, the answer first; what is refused; JSON and files."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.pstar.command import in_one_process, pstar


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecast")
    n = np.repeat([100, 400, 1600], 4)
    noise = 0.002 * np.resize([1, -1, 2, -2], n.size)
    pd.DataFrame({"n": n, "accuracy": 0.95 - 0.2 * (n / 100) ** -0.5 + noise}).to_csv(folder / "pilot.csv", index=False)
    records = pd.DataFrame({"correct": [1] * 210 + [0] * 90, "kept": [1] * 189 + [0] * 21 + [1] * 27 + [0] * 63})
    records.to_csv(folder / "records.csv", index=False)
    (folder / "audit.json").write_text('{"audit": {"p": 0.3}}')
    return folder


@pytest.fixture(scope="module")
def answers(saved):
    """Command lines in one process, by name."""
    whole = ["forecast", "--pilot", f"{saved}/pilot.csv"]
    rates, sizes = ["--p", "0.3", "--phi", "0.9", "--psi", "0.3"], ["--generated", "500,3000"]
    made = ["--audit", f"{saved}/audit/audit.json"]
    lines = {
        "audit": ["audit", f"{saved}/records.csv", "--correct", "correct", "--kept", "kept", "--out", f"{saved}/audit"],
        "audited": [*whole, *made, *sizes, "--errors", "spread", "--out", f"{saved}/out"],
        "json": [*whole, *rates, *sizes, "--unverified", "3000,0.85", "--json"],
        "learned": [*whole, *rates, *sizes],
        "both": [*whole, *rates, *made],
        "neither": [*whole, "--p", "0.3"],
        "old": [*whole, "--audit", f"{saved}/audit.json"],
        "sizes": [*whole, *rates, "--generated", "many"],
        "run": [*whole, *rates, "--unverified", "3000"],
        "words": [*whole, *rates, "--unverified", "3000;0.8"],
        "absent": ["forecast", "--pilot", f"{saved}/nothing.csv", *rates],
    }
    return dict(zip(lines, in_one_process(list(lines.values())), strict=True))


def test_the_answer_comes_first(answers):
    assert answers["audit"][0] == 0
    code, out, err = answers["audited"]
    assert (code, err) == (0, "")
    first, second, third, fourth, fifth, *_ = out.splitlines()
    assert first.startswith("Does a student trained on what the verifier keeps beat its generator (70.0% [")
    assert second == "  Yes at n = 500 and 3,000 (95% confidence)."
    assert third.startswith("  Of 3,000 generated samples it is ")
    assert "correct, with no verifier" in third
    assert "are kept, and train like" in fourth
    assert fifth.startswith("  It wins from about n = ")


def test_learned_is_the_default(answers):
    code, out, err = answers["learned"]
    assert (code, err) == (0, "")
    assert out.splitlines()[1] == "  Undecided at n = 500 and 3,000 (95% confidence)."
    assert "--unverified N,ACCURACY" in out


def test_json_echoes_what_was_given(answers, saved):
    found = json.loads(answers["json"][1])
    assert found["rates"] == {"p": 0.3, "phi": 0.9, "psi": 0.3}
    assert (found["errors"], found["learner"], found["level"]) == ("learned", "tuned", 0.95)
    assert found["unverified"] == [3000, 0.85]
    assert found["pilot_file"] == f"{saved}/pilot.csv"
    assert len(found["pilot"]["clean"]) == 3


def test_artefacts(answers, saved):
    folder = saved / "out"
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    figures = {"figures/forecast.png", "figures/forecast.pdf"}
    assert names == {"report.txt", "forecast.json", "forecast.csv", "curve.csv", "certificates/forecast.json", *figures}
    assert answers["audited"][1].startswith((folder / "report.txt").read_text().rstrip("\n"))
    assert pd.read_csv(folder / "forecast.csv")["n"].tolist() == [500, 3000]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("both", "--audit goes without --p, --phi and --psi"),
        ("neither", "--phi and --psi missing: give --audit JSON"),
        ("old", "is no audit with p, phi, psi and their draws"),
        ("sizes", "--generated many is no list of numbers"),
        ("run", "must be N, ACCURACY"),
        ("words", "--unverified 3000;0.8 is no list of numbers"),
        ("absent", "nothing.csv is not a file"),
    ],
)
def test_refusals(answers, name, said):
    code, out, err = answers[name]
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err
    assert len(err.splitlines()) == 1


def test_help():
    done = pstar("forecast", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    words = ("--pilot", "--audit", "--unverified", "{learned,spread}", "{tuned,interpolating}")
    assert all(word in done.stdout for word in words)
