"""`pstar predict --classes`: one problem, tables as they are, refusals; and the same function in a notebook."""

import csv
import json

import numpy as np
import pytest

import pstar as ps
from tests.pstar.command import ROOT, in_one_process, pstar

TEN = ("predict", "--classes", "10", "--signal", "4", "--p", ".65", "--phi", ".8", "--psi", ".6", "--alpha", "5")


def test_one_problem_answer_first():
    """K = 10 beyond the binary p* = .571: retraining wins by .58 to .35 (THEORY §12)."""
    done = pstar(*TEN, "--ridge", "1")
    assert (done.returncode, done.stderr) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if line[0] != " ")
    assert list(lines)[:4] == ["p_star_classes", "accuracy", "generator_accuracy", "p_gain"]
    assert lines["p_star_classes"].startswith("0.923077")
    assert lines["accuracy"].startswith("0.578370")
    assert lines["p_gain"].startswith("from p = 0.0388")
    assert lines["bound"].startswith("0.816498")
    assert "beats its generator" in done.stdout
    found = json.loads(pstar(*TEN, "--ridge", "1", "--json").stdout)
    assert (found["classes"], found["beats_generator"], found["below_threshold"]) == (10, True, True)
    assert found["p_gain"] == [{"p": pytest.approx(0.0388, abs=6e-5), "then": "gain"}]


def test_words_for_every_side():
    nothing = pstar("predict", "--classes", "3", "--p", "1", "--phi", ".9", "--psi", "0").stdout
    assert "accuracy            none: nothing kept" in nothing
    beyond = pstar("predict", "--classes", "4", "--p", ".97", "--phi", ".9", "--psi", ".4").stdout
    assert "the verifier is not good enough" in beyond
    assert "the least that any convex loss" in beyond
    assert "worse than chance" in beyond
    assert "verification" not in beyond.split("verdict")[1]


@pytest.mark.parametrize(
    ("name", "lines", "options"),
    [("classes_ridge.csv", 20, ()), ("classes_softmax_general.csv", 2, ("--loss", "logistic"))],
)
def test_reference_tables_as_they_are(tmp_path, name, lines, options):
    """Results stand under their names, what was there is kept as given_NAME."""
    table, out = tmp_path / name, tmp_path / "out.csv"
    head = (ROOT / "tests" / "reference" / name).read_text().splitlines()[: lines + 1]
    table.write_text("\n".join(head) + "\n")
    done = pstar("predict", "--classes", *options, "--table", table, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{lines} lines, 0 without solution" in done.stdout
    for line in csv.DictReader(out.read_text().splitlines()):
        allowed = 5 * float(line["given_accuracy_error"]) + 6e-10
        assert abs(float(line["accuracy"]) - float(line["given_accuracy"])) < allowed
        assert line["status"] == "ok"
        assert len(line["class_accuracy"].split(";")) == int(line["classes"])


REFUSED = [
    (("--classes",), ["--classes needs K"]),
    (("--classes", "1"), ["classes = 1", "outside [2, 1000]"]),
    (("--classes", "3", "4"), ["one K at a time"]),
    (("--classes", "3", "--phi", "1.9"), ["phi = 1.9", "[0, 1]"]),
    (("--classes", "3", "--loss", "hinge"), ["'hinge'", "squared, logistic"]),
    (("--classes", "3", "--prior", ".3"), ["--prior has no meaning with --classes"]),
    (("--classes", "3", "--cos-generator", ".3"), ["--cos-generator has no meaning"]),
    (("--classes", "3", "--ridge", "-1"), ["ridge = -1", "[0, inf)"]),
    (("--classes", "3", "--alpha", "0"), ["alpha = 0", "(0, inf)"]),
]


def test_refusals_in_one_line():
    rates = ("predict", "--p", ".3", "--phi", ".9", "--psi", ".4")
    answers = in_one_process([[*rates, *options] for options, _ in REFUSED])
    for (options, expected), (code, out, error) in zip(REFUSED, answers, strict=True):
        assert (code, out, error.count("\n")) == (2, "", 1), options
        assert [text for text in expected if text not in error] == [], error


def test_in_a_notebook():
    problem = ps.ClassesProblem(4.0, ps.Rates(0.65, 0.8, 0.6), 1.0)
    found = ps.predict_classes(problem, 5, classes=10)
    assert (type(found.accuracy), found.status) == (float, "ok")
    assert found.accuracy == pytest.approx(0.578370, abs=1e-6)
    assert "accuracy" in repr(found)
    table = ps.Confusion([[0.8, 0.2], [0.1, 0.9]], [[1, 0.5], [0.5, 1]])
    two = ps.predict_classes(ps.ClassesProblem(2.0, table, [0.1, 1.0], prior=[0.3, 0.7]), 3, intercept=True)
    assert two.class_accuracy.shape == (2, 2)
    assert np.isnan(two.p_star).all()
    with pytest.raises(ps.KindError, match="no ClassesProblem"):
        ps.predict_classes(ps.Problem(2.0, ps.Rates(0.1, 0.9, 0.2), 0.1), 3)
    with pytest.raises(ps.KindError, match="Rates or Confusion"):
        ps.predict_classes(ps.ClassesProblem(2.0, ps.Cosines(0.1, 0.2, 0.3), 0.1), 3, classes=2)
    with pytest.raises(ps.InputError, match="classes is missing"):
        ps.predict_classes(problem, 3)


def test_what_takes_minutes_is_not_searched_for_and_says_so():
    words = ("predict", "--classes", "251", "--p", "0.3", "--phi", "0.8", "--psi", "0.2")
    answers = in_one_process([[*words], [*words, "--json"]])
    assert [code for code, _, _ in answers] == [0, 0]
    assert "p_gain              not searched for above 250 classes" in answers[0][1]
    found = json.loads(answers[1][1])
    assert (found["p_gain"], found["status"]) == (None, "ok")
