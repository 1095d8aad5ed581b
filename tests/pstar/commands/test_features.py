"""`pstar features`: embeddings in, verdict and curve out; what is refused; and the same from a notebook."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import pstar as ps
from tests.processes import PATIENCE
from tests.pstar.command import ROOT, in_one_process, pstar

RNG = np.random.default_rng(0)
Y = np.where(np.arange(400) % 2, "wrong", "right")
X = np.where(Y == "wrong", 1, -1)[:, None] * np.linspace(0.5, 0, 12) + RNG.normal(size=(400, 12))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", Y)
    np.savez(folder / "few.npz", X=X[:60], y=Y[:60])
    records = pd.DataFrame({"correct": [1] * 70 + [0] * 30, "kept": [1] * 63 + [0] * 7 + [1] * 9 + [0] * 21})
    records.to_csv(folder / "records.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def answers(saved):
    """Command lines in one process, by name."""
    whole = ["features", f"{saved}/X.npy", f"{saved}/y.npy"]
    rates = ["--p", "0.3", "--phi", "0.9", "--psi", "0.3"]
    lines = {
        "clean": whole,
        "noisy": [*whole, *rates, "--check", "--repetitions", "20", "--out", f"{saved}/out"],
        "json": [*whole, *rates, "--json"],
        "audit": ["audit", f"{saved}/records.csv", "--correct", "correct", "--kept", "kept", "--out", f"{saved}/audit"],
        "audited": [*whole, "--audit", f"{saved}/audit/audit.json", "--json", "--loss", "logistic", "--n", "50", "200"],
        "early": [*whole, "--p", "0.7", "--n", "20", "50", "200"],
        "every": [*whole, "--p", "0.45", "--phi", "1", "--psi", "0.1", "--n", "50", "200"],
        "no p": [*whole, "--phi", "0.9", "--psi", "0.3"],
        "no phi": [*whole, "--p", "0.3", "--psi", "0.3"],
        "no file": [*whole, "--audit", f"{saved}/nope.json"],
        "no repetitions": [*whole, "--check", "--repetitions", "0"],
        "nothing to measure": [*whole, *rates, "--check", "--n", "390", "1000"],
        "hopeless": [*whole, "--p", "0.5", "--n", "50", "100"],
        "few": ["features", f"{saved}/few.npz", "--n", "100", "--ridge", "0.5"],
        "both": [*whole, *rates, "--audit", f"{saved}/audit/audit.json"],
        "absent": ["features", f"{saved}/nothing.npy"],
        "no labels": ["features", f"{saved}/X.npy"],
        "p": [*whole, "--p", "1.5"],
        "n": [*whole, "--n", "1"],
        "ridge": [*whole, "--ridge", "0"],
    }
    return dict(zip(lines, in_one_process(list(lines.values())), strict=True))


def test_the_verdict_comes_first(answers):
    code, out, err = answers["noisy"]
    assert (code, err) == (0, "")
    first, second, *rest = out.splitlines()
    assert first == "Does a probe trained on what the verifier keeps beat the generator (70.0% correct)?"
    assert second.startswith("  Yes: predicted from about n = ")
    assert "with 95% confidence from n = " in second
    assert any(line.split()[:3] == ["n", "kept", "predicted"] for line in rest)
    assert "measured" in out
    assert "p* = 0.750" in out


def test_without_rates_it_is_a_learning_curve(answers):
    code, out, err = answers["clean"]
    assert (code, err) == (0, "")
    assert out.startswith("How accurate is a probe trained on n labels?  Best predicted: ")
    assert "beats" not in out
    lines = [line.split() for line in out.splitlines() if line.strip()[:1].isdigit()]
    assert [line[0] for line in lines] == ["20", "50", "100", "200", "400"]


def test_json_is_the_whole_curve(answers):
    found = json.loads(answers["json"][1])
    assert found["generator_accuracy"] == pytest.approx(0.7)
    assert found["verdict"]["answer"] == "yes"
    assert found["penalty"] == pytest.approx(0.1 * ps.features.estimate(X, Y).mean_variance)
    assert [line["n"] for line in found["curve"]] == [20, 50, 100, 200, 400]
    assert all(line["low"] < line["accuracy"] < line["high"] for line in found["curve"])
    assert found["curve"][-1]["scattered"] is None


def test_artefacts(answers, saved):
    assert answers["noisy"][0] == 0
    names = {path.relative_to(saved / "out").as_posix() for path in (saved / "out").rglob("*") if path.is_file()}
    figures = {"figures/learning_curve.png", "figures/learning_curve.pdf"}
    assert names == {"report.txt", "features.json", "curve.csv", "certificates/features.json", *figures}
    assert answers["noisy"][1].startswith((saved / "out" / "report.txt").read_text().rstrip("\n"))
    table = pd.read_csv(saved / "out" / "curve.csv")
    assert table["measured"].notna().sum() == 4


def test_rates_come_from_an_audit(answers):
    assert answers["audit"][0] == 0
    found = json.loads(answers["audited"][1])
    assert found["rates"] == {"p": 0.3, "phi": 0.9, "psi": 0.3}
    assert found["loss"] == "logistic"


def test_what_cannot_win_and_what_is_an_extrapolation(answers):
    assert "  No, at none of these n" in answers["hopeless"][1] or "Not predicted" in answers["hopeless"][1]
    assert "100*" in answers["few"][1]
    assert "* more samples than the 60 points" in answers["few"][1]
    assert "- measured: there is nothing to measure. 20 points must be left" in answers["nothing to measure"][1]
    assert "ask for an n of 380 or less" in " ".join(answers["nothing to measure"][1].split())


def test_the_verdict_agrees_with_the_table(answers):
    """Labels that are mostly wrong win by chance at small n; and the smallest n asked for is no crossing."""
    _, out, err = answers["early"]
    assert err == ""
    first, second, third, *_ = out.splitlines()
    assert first == "Does a probe trained on n of its labels beat the generator (30.0% correct)?"
    assert second.startswith("  Only at small n: predicted at n = 20")
    assert "not at n = 200" in second
    assert "None of them is above chance (50%)" in third
    assert "  Yes: predicted at every n asked for (n = 50 and more), with 95% confidence" in answers["every"][1]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("both", "--audit goes without --p, --phi and --psi"),
        ("absent", "nothing.npy is not there"),
        ("no labels", "does not say which are the labels"),
        ("no repetitions", "--repetitions = 0 must be at least 2"),
        ("no p", "--p missing: a verifier needs all of --p, --phi and --psi"),
        ("no phi", "--phi missing: a verifier needs"),
        ("no file", "nope.json is not there; make an audit: pstar audit"),
        ("p", "p = 1.5 is outside [0, 1]"),
        ("n", "n = [1] must be whole numbers of 2 or more"),
        ("ridge", "ridge = 0 is outside (0, inf)"),
    ],
)
def test_refusals(answers, name, said):
    code, out, err = answers[name]
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err
    assert len(err.splitlines()) == 1


def test_help():
    done = pstar("features", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(word in done.stdout for word in ("--audit", "--ridge", "{squared,logistic}", "--check"))


# --- from a notebook ---


def test_from_a_notebook():
    curve = ps.features.learning_curve(X, Y, ps.Rates(0.3, 0.9, 0.3), n=[50, 200])
    assert curve.table["n"].tolist() == [50, 200]
    assert repr(curve).startswith(
        "Does a probe trained on what the verifier keeps beat the generator (70.0% correct)?\n"
    )
    assert [line.split()[0] for line in repr(curve).splitlines()[-2:]] == ["50", "200"]
    assert repr(ps.features.estimate(X, Y)).splitlines()[:3] == [
        "Estimated",
        "  points         400",
        "  dimension      12",
    ]
    assert set(dir(ps.features)) == {"estimate", "learning_curve", "Curve"}
    with pytest.raises(AttributeError, match="has no attribute 'fit'"):
        ps.features.fit  # noqa: B018


def test_a_prediction_needs_no_jax():
    code = (
        "import sys, numpy as np, pstar as ps\n"
        "x = np.random.default_rng(0).normal(size=(60, 3)); y = x.sum(1) + x[::-1, 0] > 0\n"
        "ps.features.learning_curve(x, y, n=[20], loss='logistic')\n"
        "assert 'jax' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
