from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest

from theory.crossings import along, curves, differentiable_p_gain, predicted_crossings
from theory.describe import describe
from theory.errors import InputError
from theory.prediction import predict
from theory.table import predict_table
from theory.types import ClassRates, Cosines, Problem, Rates

REFERENCE = Path(__file__).parents[1] / "reference"
LINE = {"signal": 2.0, "alpha": 4.0, "ridge": 0.1, "loss": "squared", "p": 0.3, "phi": 0.9, "psi": 0.2}


@pytest.mark.parametrize(("name", "accuracy"), [("independent", 1e-8), ("independent_hard", 1e-6), ("linear", 1e-8)])
def test_reference_tables(name, accuracy):
    """Every row of the reference files, both losses and both settings, in one call each."""
    table = pd.read_csv(REFERENCE / f"theory_{name}.csv")
    columns = {column: table[column].to_numpy() for column in table} | ({} if "loss" in table else {"loss": "squared"})
    found = predict_table(columns)
    assert found["converged"].all()
    for column in ("accuracy", "kept_rate", "purity"):
        np.testing.assert_allclose(found[column], table[column], atol=accuracy, rtol=0)
    if name == "linear":
        for column in ("p", "phi", "psi", "p_star"):
            np.testing.assert_allclose(found[column], table[column], atol=1e-8, rtol=0)


def test_line_by_line_and_mixed_losses():
    lines = {"loss": np.array(["logistic", "squared", "logistic"], object), "p": np.array([0.1, 0.3, 0.7])}
    found = predict_table(LINE | lines)
    for i in range(3):
        alone = predict(Problem(2.0, Rates(lines["p"][i], 0.9, 0.2), 0.1), 4.0, lines["loss"][i])
        assert found["accuracy"][i] == pytest.approx(float(alone.accuracy), abs=1e-9)


def test_longer_than_a_block():
    p = np.linspace(0.01, 0.99, 2500)
    found = predict_table(LINE | {"p": p})
    assert len(found["accuracy"]) == 2500
    np.testing.assert_allclose(found["accuracy"][::499], predict_table(LINE | {"p": p[::499]})["accuracy"], atol=1e-12)


def test_classes_and_cosines():
    sides = {"p": (0.1, 0.4), "phi": (0.9, 0.6), "psi": (0.3, 0.2)}
    columns = {f"{k}_{s}": v for k, pair in sides.items() for s, v in zip(("negative", "positive"), pair, strict=True)}
    shared = {name: LINE[name] for name in ("signal", "alpha", "ridge", "loss")}
    found = predict_table(shared | columns | {"prior": 0.7})
    rates = ClassRates(*(np.array(pair) for pair in sides.values()), np.array([0.3, 0.7]))
    assert found["accuracy"][0] == pytest.approx(float(predict(Problem(2.0, rates, 0.1), 4.0).accuracy), rel=1e-12)
    cosines = {"cos_generator": 0.5, "cos_verifier": 0.6, "cos_between": 0.2}
    linear = predict(Problem(2.0, Cosines(0.5, 0.6, 0.2), 0.1), 4.0)
    assert predict_table(shared | cosines)["accuracy"][0] == pytest.approx(float(linear.accuracy), rel=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"p": np.array([0.1, 0.2, 1.5])}, ["line 3", "p = 1.5", "[0, 1]"]),
        ({"p": np.array([0.1, np.nan])}, ["line 2", "p = nan"]),
        ({"phi": np.array([0.5, "x"], object)}, ["line 2", "column phi", "'x'"]),
        ({"psi": np.array([0.2, 0.0]), "phi": np.array([0.2, 0.0])}, ["line 2", "keeps nothing"]),
        ({"loss": np.array(["squared", "hing"], object)}, ["line 2", "'hing'", "hinge"]),
        ({"ridge": -1.0}, ["ridge = -1", "[0, inf)"]),
        ({"alpha": np.array([1.0, 0.0])}, ["line 2", "alpha = 0", "(0, inf)"]),
    ],
)
def test_refusals_name_line_and_column(change, words):
    with pytest.raises(ValueError, match=r"line|ridge") as refusal:
        predict_table(LINE | change)
    for word in words:
        assert word in str(refusal.value)


def test_missing_column():
    with pytest.raises(ValueError, match="psi is missing"):
        predict_table({name: value for name, value in LINE.items() if name != "psi"})


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"weight": [1.0]}, "column signal is missing"),
        (LINE | {"p": np.array([0.1, 0.2]), "phi": np.array([0.5] * 3)}, "p has 2 lines and column phi 3"),
        (LINE | {"setting": np.array(["independent", None], object)}, "line 2, column setting: None is not a name"),
        (LINE | {"loss": 3}, "line 1, column loss: 3 is not a name"),
    ],
)
def test_what_is_no_table_is_refused(columns, words):
    with pytest.raises(InputError, match=words):
        predict_table(columns)


def test_the_line_of_a_fault_is_that_of_the_whole_table():
    """Also where its setting has that line alone."""
    cosines = {"cos_generator": 0.4, "cos_verifier": 0.6, "cos_between": 0.2, "margin": np.array([0.5, 0.5, -1.0])}
    names = np.array(["independent", "independent", "keep-hard"], object)
    with pytest.raises(InputError, match="line 3: margin = -1"):
        predict_table(LINE | cosines | {"setting": names})


def test_impossible_cosines_name_the_line():
    shared = {name: LINE[name] for name in ("signal", "alpha", "ridge", "loss")}
    with pytest.raises(ValueError, match=r"line 2: cos_generator = 0.9.*cos_between lies in \[0.62, 1\]"):
        predict_table(shared | {"cos_generator": 0.9, "cos_verifier": 0.9, "cos_between": np.array([0.8, -0.2])})


def test_axis_of_a_curve():
    """From end to end: p in [0, 1], or every cosine that the verifier's two allow, p increasing."""
    share = np.array([0.0, 0.5, 1.0])
    assert list(along(LINE, share)["p"]) == [0, 0.5, 1]
    linear = along({"cos_generator": 0.0, "cos_verifier": 0.6, "cos_between": 0.8}, share)["cos_generator"]
    np.testing.assert_allclose(linear, [0.96, 0.48, 0.0], atol=1e-8)
    moved = along({"p_negative": np.full(3, 0.1), "p_positive": np.full(3, 0.4)}, share)
    np.testing.assert_allclose(moved["p_positive"], share)
    np.testing.assert_allclose(moved["p_negative"], share / 4)


def test_every_p_gain_of_theory_and_of_the_rule():
    columns = {
        name: np.array([value, value], dtype=object if name == "loss" else float) for name, value in LINE.items()
    }
    columns |= {"alpha": np.array([8.0, 0.5]), "phi": np.array([0.8, 1.0]), "psi": np.array([0.6, 1.0])}
    exact = predicted_crossings(columns, "p_gain")
    for x, curve in zip(exact.x, exact.curve, strict=True):
        problem = Problem(2.0, Rates(x, columns["phi"][curve], columns["psi"][curve]), 0.1)
        assert float(predict(problem, columns["alpha"][curve]).accuracy) == pytest.approx(1 - x, abs=1e-10)
    assert list(exact.rising[exact.curve == 0]) == [True, False, True]
    rule = curves(columns).rule_crossings()
    np.testing.assert_allclose(rule.x[rule.curve == 0], [0.02275013, 0.8 / 1.4, 0.97724987], atol=1e-8)


NAMES = ["phi", "psi", "signal", "alpha", "ridge"]


@pytest.mark.parametrize(("loss", "name"), [("logistic", "ridge"), *(("squared", name) for name in NAMES)])
def test_gradient_of_p_gain(loss, name):
    """Implicit differentiation against finite differences of solved crossings."""
    at = LINE | {"alpha": 8.0, "psi": 0.7, "phi": 0.8, "loss": loss}

    def solved(value):
        columns = {k: np.array([v], dtype=object if k == "loss" else float) for k, v in (at | {name: value}).items()}
        found = predicted_crossings(columns, "p_gain")
        return found.x[~found.rising][0]

    near = solved(at[name])

    def attached(value):
        x = at | {name: value}
        rates = Rates(0.0, x["phi"], x["psi"])
        return differentiable_p_gain(Problem(x["signal"], rates, x["ridge"]), x["alpha"], loss, near)

    step = 1e-3 * at[name]
    difference = (solved(at[name] + step) - solved(at[name] - step)) / (2 * step)
    assert float(attached(at[name])) == pytest.approx(solved(at[name]), rel=1e-12)
    assert float(jax.jit(jax.grad(attached))(at[name])) == pytest.approx(difference, rel=1e-4)


def test_description_of_one_problem():
    found = describe(LINE | {"alpha": 8.0, "psi": 0.8, "phi": 0.8})
    assert [line["then"] for line in found["p_gain"]] == ["gain", "loss", "gain"]
    assert found["p_half"] == [{"p": pytest.approx(0.5, abs=1e-10), "then": "below 1/2"}]
    assert found["below_threshold"] is True
    assert found["beats_generator"] is True
    nothing = describe(LINE | {"p": 1.0, "psi": 0.0})
    assert nothing["converged"] is False
    assert nothing["beats_generator"] is None
    assert "p_gain_infinite_data" not in describe(
        {k: v for k, v in LINE.items() if k not in ("p", "phi", "psi")}
        | {"cos_generator": 0.5, "cos_verifier": 0.6, "cos_between": 0.2}
    )
