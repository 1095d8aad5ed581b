"""`pstar predict`: what it prints, and numbers outside their range."""

import csv
import json
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pstar.commands.output import SWAPPED
from tests.pstar.command import PREDICT, RATES, in_one_process, pstar


def test_predict_prints_the_names_of_theory():
    done = pstar("predict", *RATES)
    assert (done.returncode, done.stderr) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if line[0] != " ")
    assert lines["p_star"].startswith("0.800000")
    assert lines["kept_rate"].startswith("0.620000")
    assert lines["purity"].startswith("0.903226")
    assert lines["generator_accuracy"].startswith("0.700000")
    assert lines["accuracy"].startswith("0.936514")
    assert "p = 0.3 < p* = 0.8" in lines["verdict"]


def test_predict_as_json():
    done = pstar("predict", *RATES, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["p_star"] == pytest.approx(0.8, rel=1e-14)
    assert found["kept_rate"] == pytest.approx(0.7 * 0.8 + 0.3 * 0.2, rel=1e-14)
    assert found["purity"] == pytest.approx(0.56 / 0.62, rel=1e-14)
    assert (found["p"], found["phi"], found["psi"]) == (0.3, 0.8, 0.2)
    assert (found["converged"], found["below_threshold"], found["beats_generator"]) == (True, True, True)
    assert 0.7 < found["accuracy"] < 0.978


def test_predict_where_nothing_is_kept_says_so():
    words = ("predict", "--p", "1", "--phi", "0.8", "--psi", "0")
    done, as_json = pstar(*words), pstar(*words, "--json")
    assert (done.returncode, as_json.returncode) == (0, 0)
    assert "\naccuracy            none: " in done.stdout
    found = json.loads(as_json.stdout)
    assert (found["accuracy"], found["converged"], found["beats_generator"]) == (None, False, None)


def called(options):
    """The usual call, with other numbers in the place of some: an option that is given twice is refused."""
    usual = {"--p": "0.3", "--phi": "0.8", "--psi": "0.2"} | dict(zip(options[::2], options[1::2], strict=True))
    return ["predict", *(word for pair in usual.items() for word in pair)]


OUTSIDE = [
    # options, what the one line on standard error must say
    (("--p", "1.5"), ["p = 1.5", "[0, 1]", "error rate"]),
    (("--p", "-0.1"), ["p = -0.1", "[0, 1]"]),
    (("--p", "nan"), ["p = nan", "[0, 1]"]),
    (("--phi", "inf"), ["phi = inf", "[0, 1]"]),
    (("--psi", "2"), ["psi = 2", "[0, 1]"]),
    (("--phi", "0", "--psi", "0"), ["phi = psi = 0", "keeps nothing"]),
    (("--signal", "0"), ["signal = 0", "(0, inf)"]),
    (("--signal", "-inf"), ["signal = -inf", "(0, inf)"]),
    (("--alpha", "0"), ["alpha = 0", "(0, inf)"]),
    (("--alpha", "nan"), ["alpha = nan", "(0, inf)"]),
    (("--ridge", "-1"), ["ridge = -1", "[0, inf)"]),
]


def test_numbers_outside_their_range_are_refused_in_one_line():
    answers = in_one_process([called(options) for options, _ in OUTSIDE])
    for (options, expected), (code, out, error) in zip(OUTSIDE, answers, strict=True):
        assert (code, out) == (2, ""), options
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        assert [text for text in expected if text not in error] == [], error


def test_any_numbers_give_a_prediction_or_one_line(fresh_seed):
    rng = random.Random(fresh_seed)
    odd = ["0", "1", "-0.0", "nan", "inf", "-inf", "1e308", "-1e308", "5e-324", "1e-300", "0.5", "2", "1e6"]
    options = ("--p", "--phi", "--psi", "--signal", "--alpha", "--ridge")
    usual = {"--p": "0.3", "--phi": "0.8", "--psi": "0.2"}
    lines = []
    for _ in range(60):
        given = usual | {option: rng.choice(odd) for option in rng.sample(options, rng.randint(1, 3))}
        lines.append(["predict", "--json", *(f"{option}={value}" for option, value in given.items())])
    for words, (code, out, error) in zip(lines, in_one_process(lines), strict=True):
        if code == 2:
            assert (out, error[:7], error.count("\n")) == ("", "error: ", 1), words
            continue
        assert (code, error.removeprefix(f"{SWAPPED}\n")) == (0, ""), words
        found = json.loads(out, parse_constant=lambda name, words=words: pytest.fail(f"{words}: {name} is not JSON"))
        assert found["converged"] == (found["accuracy"] is not None), words
        assert found["accuracy"] is None or 0 <= found["accuracy"] <= 1, words


def test_words_for_what_is_worse_than_chance_and_for_curves_without_a_crossing():
    """A student that beats a generator below 1/2 may be below 1/2 itself; a gain at every p has no crossing."""
    poor = pstar("predict", "--setting", "learned", "--cos-generator", "-.26", "--phi", ".9", "--psi", ".2").stdout
    assert "beats its generator, and both are worse than chance" in poor
    linear = ("--setting", "linear", "--cos-generator", ".5", "--cos-verifier", ".6", "--cos-between", ".2")
    words = pstar("predict", *linear).stdout
    assert "p_gain              none: gain at every p\n" in words
    assert "as cos_generator falls, and all else stays" in words


def test_a_table_says_which_p_it_speaks_of(tmp_path):
    """A linear line has its p from the cosines, whatever stands in the column of that name."""
    table, out = tmp_path / "in.csv", tmp_path / "out.csv"
    table.write_text(
        "setting,p,phi,psi,cos_generator,cos_verifier,cos_between\nindependent,.3,.9,.2,,,\nlinear,.3,.9,.2,.4,.6,.2\n"
    )
    assert pstar("predict", "--table", str(table), "--out", str(out)).returncode == 0
    first, second = csv.DictReader(out.read_text().splitlines())
    assert float(first["p"]) == float(first["given_p"]) == float(second["given_p"]) == 0.3
    assert float(second["p"]) == pytest.approx(1 - float(second["generator_accuracy"]), abs=1e-12) != 0.3
    gone = pstar("predict", "--table", str(table), "--out", str(tmp_path / "no" / "out.csv"))
    assert gone.returncode == 2
    assert "there is no folder" in gone.stderr


REFERENCE = Path(__file__).parents[2] / "reference"


@pytest.mark.parametrize(
    ("name", "setting"),
    [("theory_intercept", "independent"), ("theory_anisotropic", "independent"), ("theory_learned_errors", "learned")],
)
def test_reference_tables_as_they_are(tmp_path, name, setting):
    """Their result columns are computed anew, and what they had is kept beside: accuracies to 1e-10."""
    out = tmp_path / "out.csv"
    done = pstar("predict", "--setting", setting, "--table", str(REFERENCE / f"{name}.csv"), "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "computed anew" in done.stdout
    found, given = pd.read_csv(out), pd.read_csv(REFERENCE / f"{name}.csv")
    np.testing.assert_allclose(found["accuracy"], given["accuracy"], rtol=0, atol=1e-10)
    np.testing.assert_array_equal(found["given_accuracy"], given["accuracy"])
    assert (found["accuracy"] != given["accuracy"]).any()  # it is not a copy
    assert ("an intercept was fitted" in done.stdout) == (name == "theory_intercept")


PLAIN = ["--p", ".1", "--phi", ".9", "--psi", ".2"]
UNLIKE = [
    *("--p-negative", ".05", "--p-positive", ".75", "--phi-negative", ".9", "--phi-positive", ".9"),
    *("--psi-negative", ".4", "--psi-positive", ".8", "--prior", ".7", "--intercept", "--loss", "logistic"),
]


def test_the_three_thresholds_are_named_for_their_classifiers():
    words = pstar("predict", *UNLIKE).stdout
    held = {line[2:22].strip(): line[22:27].strip() for line in words.splitlines()[2:5]}
    assert held == {"purity > 1/2": "no", "odds multiplied > 1": "yes", "odds of each > 1": "no"}
    assert "the direction that is learned is right, and infinite data lose one class;" in words
    alike = pstar("predict", "--p", ".3", "--phi", ".9", "--psi", ".2", "--intercept").stdout
    assert "odds multiplied" not in alike  # all three are p*


def test_coloured_features_and_a_small_sample():
    spectrum = ["--eigenvalues", "4;1;.1", "--shares", ".1;.3;.6", "--signals-sq", "2;1;0"]
    found = json.loads(pstar("predict", *UNLIKE, *spectrum, "--d", "50", "--json").stdout)
    assert found["bayes_accuracy"] > found["best_offset_accuracy"] > found["accuracy"]
    assert found["small_sample"]["n"] == 500
    assert found["small_sample"]["accuracy"] == pytest.approx(found["accuracy"], abs=0.03)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([*PLAIN, "--d", "30"], "--d averages one prediction"),
        (["--p", ".1", *UNLIKE], "rates by class (--p-negative, --p-positive, ...) stand in the place of --p"),
        (["--p-negative", ".1"], "--p-positive, --phi-negative"),
        ([*PLAIN, "--eigenvalues", "1;2"], "column shares is missing"),
        (
            [*PLAIN, "--eigenvalues", "1;2", "--shares", ".5;.4", "--signals-sq", "1;1"],
            "shares sum to 0.9",
        ),
        (
            ["--setting", "learned", "--cos-generator", ".3", "--phi", "1", "--psi", "0", "--intercept"],
            "--intercept has no meaning in the learned setting",
        ),
    ],
)
def test_options_that_are_no_problem(options, said):
    done = pstar("predict", *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("signal,alpha,ridge,p,phi,psi,prior\n2,4,.1,.2,.9,.3,.9\n", []),
        ("signal,alpha,ridge,p,phi,psi,prior\n2,4,.1,.2,.9,.3,.9\n", ["--intercept"]),
        ("signal,alpha,ridge,cos_generator,cos_verifier,cos_between\n2,4,.1,.4,.6,.2\n", ["--setting", "linear"]),
    ],
)
def test_a_table_that_is_read_again_says_the_same(tmp_path, content, options):
    first, second, third = (tmp_path / f"{i}.csv" for i in range(3))
    first.write_text(content)
    assert pstar("predict", *options, "--table", first, "--out", second).returncode == 0
    again = pstar("predict", *options[:2] if "linear" in options else [], "--table", second, "--out", third)
    assert again.returncode == 0, again.stderr
    before, after = pd.read_csv(second), pd.read_csv(third)
    np.testing.assert_array_equal(before["accuracy"], after["accuracy"])
    assert ("intercept" in before) == ("--intercept" in options)


def test_n_and_d_say_alpha_and_swapped_rates_are_noted():
    swapped = ["predict", "--p", "0.3", "--phi", "0.2", "--psi", "0.8"]
    lines = [[*PREDICT, "--n", "1e3", "--d", "100"], [*PREDICT, "--alpha", "10"], swapped, [*PREDICT, "--n", "1000"]]
    by_size, by_alpha, noted, alone = in_one_process([*lines])
    assert by_size[:2] == by_alpha[:2]
    assert (by_size[2], by_alpha[2]) == ("note: --n 1000 --d 100 is --alpha 10\n", "")
    assert (noted[0], noted[2]) == (0, f"{SWAPPED}\n")
    assert alone == [2, "", alone[2]]
    assert alone[2].startswith("error: --n 1000 needs --d, the dimension")


def test_the_range_of_classes_in_a_help_is_that_of_its_verb():
    """The most is allowed, one more is refused, in each verb that has K."""
    records = ["correct", "kept"]
    predicted = [*PREDICT, "--classes"]
    forecast = ["forecast", "--pilot", "none", *RATES, "--classes"]
    audited = ["audit", "none", "--correct", records[0], "--kept", records[1], "--classes"]
    for line, most in ((predicted, 1000), (forecast, 10**9), (audited, 10**9)):
        shown, inside, outside = in_one_process([[line[0], "--help"], [*line, str(most)], [*line, str(most + 1)]])
        assert f"[2, {most}]" in " ".join(shown[1].split()), line
        assert f"--classes = {most + 1} is outside [2, {most}]" in outside[2]
        assert "--classes" not in inside[2]


def test_more_classes_than_can_be_solved_are_refused():
    (code, out, error), (_, _, longer) = in_one_process([[*PREDICT, "--classes", k] for k in ("5000", "9" * 400)])
    assert (code, out) == (2, "")
    assert (
        error
        == "error: --classes = 5000 is outside [2, 1000]; type one, such as --classes 10; help: pstar predict --help\n"
    )
    assert longer.startswith("error: --classes = 9999")
    assert len(longer) < 200
