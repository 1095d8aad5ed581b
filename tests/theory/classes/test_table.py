"""Tables of problems with K classes: what is read, what comes back, and what is refused."""

import numpy as np
import pytest

from tests.theory.classes.cells import even, reference
from theory.classes.prediction import predict
from theory.classes.table import predict_table

ONE = {"classes": 3, "signal": 2.0, "p": 0.4, "phi": 0.9, "psi": 0.3, "alpha": 2.0, "ridge": 0.1}
TWO = {"classes": [3, 4], **{name: value for name, value in ONE.items() if name != "classes"}}


def test_a_line_is_a_prediction():
    found, expected = predict_table(ONE), predict(even(), 2.0, classes=3)
    for name in ("accuracy", "purity", "kept_rate", "delta", "p", "p_star", "generator_accuracy", "gap"):
        assert found[name].tolist() == [pytest.approx(float(getattr(expected, name)), rel=1e-14)]
    assert found["status"].tolist() == ["ok"]
    scores = np.array(found["mean_scores"][0].split(";"), float).reshape(3, 3)
    np.testing.assert_allclose(scores, expected.mean_scores, rtol=1e-11)


def test_lines_of_all_kinds_keep_their_order():
    """Numbers of classes, losses, shapes and ways to say the labels, in one table."""
    table = {
        "classes": [3, 2, 3, 4, 3],
        "loss": ["logistic", "squared", "averaging", "squared", "squared"],
        "intercept": [0, 1, 0, "true", 0.0],
        "signal": [2.0, 1.0, 1.5, 3.0, np.nan],
        "gram": ["simplex", "orthogonal", "", "simplex", ";".join(map(str, np.diag([1.0, 2, 3]).ravel()))],
        "p": [0.3, 0.2, 0.1, 0.95, ""],
        "phi": [0.9, 0.8, 0.7, 0.6, ""],
        "psi": [0.1, 0.2, 0.3, 0.4, ""],
        "label": ["", "", "", "", "1;0;0;.5;.5;0;0;0;1"],
        "keep": ["", "", "", "", ";".join(["1"] * 9)],
        "alpha": [2, 3, "", 5, 6],
        "delta": [np.nan, "", 4, "", 100],
        "ridge": [0.1, 0.2, 0, 0.4, 0.5],
        "comment": ["left", "aside", "", "", ""],
    }
    found = predict_table(table)
    assert list(found["status"]) == ["ok"] * 5
    for i in range(5):
        alone = predict_table({name: values[i] for name, values in table.items()})
        assert found["accuracy"][i] == pytest.approx(float(alone["accuracy"][0]), rel=1e-12)
    assert found["delta"][2] == 4.0
    assert found["delta"][4] != 100  # alpha speaks first
    assert np.isnan(found["p_star"][4])


def test_kept_samples_in_place_of_generated_ones():
    by_alpha = predict_table(ONE)
    by_delta = predict_table({name: v for name, v in ONE.items() if name != "alpha"} | {"delta": by_alpha["delta"][0]})
    assert by_delta["accuracy"] == pytest.approx(by_alpha["accuracy"], rel=1e-13)


def test_results_of_a_reference_file_are_read_over():
    """Columns that are results change nothing."""
    columns = {name: values[:3] for name, values in reference("classes_ridge.csv").items()}
    spoiled = columns | {name: ["no"] * 3 for name in ("accuracy", "eta", "mean_scores", "purity")}
    np.testing.assert_array_equal(predict_table(columns)["accuracy"], predict_table(spoiled)["accuracy"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": [3, 1]}, ["line 2", "classes = 1"]),
        ({"classes": [3, 2.5]}, ["line 2", "classes = 2.5"]),
        ({"classes": [3, "many"]}, ["line 2", "classes", "'many'", "not a number"]),
        ({"ridge": [0.1, -1]}, ["line 2", "ridge = -1", "[0, inf)"]),
        ({"ridge": [0.1, ""]}, ["line 2", "ridge is missing"]),
        ({"loss": ["squared", "hinge"]}, ["line 2", "'hinge'", "squared, logistic"]),
        ({"intercept": [1, "perhaps"]}, ["line 2", "intercept = 'perhaps'"]),
        ({"p": [0.1, 1.5]}, ["line 2", "p = 1.5", "[0, 1]"]),
        ({"psi": [0.1, ""]}, ["line 2", "psi is missing", "label and keep"]),
        ({"signal": ["", 2.0]}, ["line 1", "signal is missing"]),
        ({"gram": ["orthogonal", "1;2;3"]}, ["line 2", "gram has 3 numbers", "K x K = 16"]),
        ({"gram": ["orthogonal", "cubic"]}, ["line 2", "gram", "'cubic'", "orthogonal or simplex"]),
        ({"prior": [".2;.3;.5", ".2;.3;.5"]}, ["line 2", "prior has 3 numbers", "K = 4"]),
        ({"prior": [".2;.3;.6", ""]}, ["line 1", "prior sums to 1.1"]),
        ({"label": ["", ";".join("0" * 16)]}, ["line 2", "label and keep go together"]),
        ({"alpha": [1, "inf"]}, ["line 2", "alpha = inf"]),
        ({"alpha": ["", 1]}, ["line 1", "alpha is missing", "delta"]),
        ({"alpha": [1, ""], "delta": [1, -3]}, ["line 2", "delta = -3", "(0, inf)"]),
        ({"alpha": [1, ""], "delta": 2, "p": 1, "psi": 0}, ["line 2", "nothing is kept"]),
        ({"p": [0.1, 0.2, 0.3]}, ["different lengths", "classes 2", "p 3"]),
    ],
)
def test_refusals_name_line_column_and_remedy(change, words):
    with pytest.raises(ValueError, match=r".") as refusal:
        predict_table(TWO | change)
    assert [word for word in words if word not in str(refusal.value)] == [], refusal.value


def test_a_missing_column_is_named():
    for name in ("classes", "ridge", "phi", "signal", "alpha"):
        with pytest.raises(ValueError, match=name):
            predict_table({key: value for key, value in ONE.items() if key != name})
