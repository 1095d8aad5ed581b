import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t

from sims.comparison.cells import summarise
from sims.comparison.compare import compare
from sims.comparison.curves import predict_table
from sims.comparison.pairs import chance_bound
from sims.comparison.report import as_json, interval, text
from tests.sims.helpers import REMOVED, changed
from tests.small_sweep import INDEPENDENT, LINEAR, independent_rows, simulate
from theory import table as theory_table
from theory.columns import SIDES
from theory.prediction import predict
from theory.types import Problem, Rates


@pytest.fixture(scope="module")
def rows():
    return independent_rows()


@pytest.fixture(scope="module")
def comparison(rows):
    return compare(rows)


def test_summary_is_plain_statistics(rows):
    cells = summarise(rows)
    assert len(cells) == 2 * 3 * 10
    one = rows[rows["cell"] == cells["cell"][7]]
    assert cells["accuracy"][7] == pytest.approx(one["accuracy"].mean(), rel=1e-14)
    assert cells["error"][7] == pytest.approx(one["accuracy"].std(ddof=1) / np.sqrt(24), rel=1e-12)
    assert cells["kept"][7] == pytest.approx(one["m"].sum() / (24 * 80))
    assert cells["kept_purity"][7] == pytest.approx(1 - one["kept_wrong"].sum() / one["m"].sum())


def test_a_failed_trial_leaves_no_mean(rows):
    """One bad trial of 24: the cell is flagged and numberless, its neighbours are untouched."""
    broken = rows.copy()
    broken.loc[5, ["accuracy", "converged", "status"]] = [np.nan, False, "not converged"]
    found = compare(broken)
    cell = found.cells.iloc[0]
    assert cell["outcome"] == "failed"
    assert cell["status"] == "not converged in 1 of 24"
    assert np.isnan(cell["accuracy"])
    assert found.summary["failed_trials"] == found.summary["failed_cells"] == 1
    assert "not converged in 1 of 24" in text(found, all_cells=True)
    pd.testing.assert_series_equal(found.cells["accuracy"][1:], compare(rows).cells["accuracy"][1:])


def test_predictions_are_those_of_theory_line_by_line(comparison):
    cell = comparison.cells.iloc[33]
    alone = predict(Problem(2.0, Rates(cell["p"], cell["phi"], cell["psi"]), 0.1), 4.0, cell["loss"])
    assert cell["exact_accuracy"] == pytest.approx(float(alone.accuracy), abs=1e-9)
    assert cell["p_star"] == pytest.approx(float(alone.p_star), rel=1e-14)
    assert cell["z"] == pytest.approx(
        norm.isf(t.sf((cell["accuracy"] - cell["exact_accuracy"]) / cell["error"], 23)),
        rel=1e-9,
    )


def test_prediction_does_not_depend_on_the_table(comparison):
    """Any subset, in any order, gives the same numbers as the whole."""
    cells = comparison.cells
    some = cells.iloc[[40, 3, 17]]
    found = predict_table(some)
    assert list(found.index) == [40, 3, 17]
    np.testing.assert_allclose(found["accuracy"], some["exact_accuracy"], atol=1e-10)


def test_verdicts_per_cell(comparison):
    cells = comparison.cells
    gain = cells["low"] > cells["generator_accuracy"]
    assert set(cells.loc[gain, "outcome"]) == {"gain"}
    assert (cells["rule"] == "gain").equals(cells["p"] < cells["p_star"] - 1e-9)
    decided = cells["outcome"].isin(["gain", "loss"])
    assert cells["rule_right"].notna().equals(decided)
    right = cells.loc[decided, "rule"] == cells.loc[decided, "outcome"]
    assert comparison.summary["rule_right"] == int(right.sum())
    assert comparison.summary["decided_cells"] == int(decided.sum())


def test_every_curve_has_its_p_half(comparison):
    half = comparison.crossings.query("target == 'p_half'")
    assert sorted(half["curve"]) == list(range(6))
    np.testing.assert_allclose(half["predicted"], half["phi"] / (half["phi"] + half["psi"]), rtol=1e-12)
    np.testing.assert_allclose(half["exact"], half["rule"], atol=1e-9)  # the equations know nothing of p*
    assert (half["low"] < half["measured"]).all()
    assert (half["measured"] < half["high"]).all()
    assert half["z"].abs().max() < 6


def test_a_wrong_threshold_is_noticed(rows):
    """Rows labelled with a psi they were not made with: p_half must differ."""
    wrong = rows.copy()
    columns = ["psi", "psi_negative", "psi_positive"]
    wrong[columns] = wrong[columns].replace({0.4: 0.8, 0.8: 0.4})
    half = compare(wrong).crossings.query("target == 'p_half' and psi != 0.1")
    assert set(half["verdict"]) == {"differs"}


def test_p_gain_is_solved(comparison):
    """At every predicted p_gain the exact accuracy is the generator's."""
    for line in comparison.crossings.query("target == 'p_gain'").dropna(subset="exact").itertuples():
        problem = Problem(2.0, Rates(line.exact, line.phi, line.psi), 0.1)
        assert float(predict(problem, 4.0, line.loss).accuracy) == pytest.approx(1 - line.exact, abs=1e-9)


def test_maps_and_lines_are_theory(comparison):
    for table, columns in ((comparison.maps, 4), (comparison.lines, 6)):
        assert len(table) > 100 * columns
        line = table.iloc[len(table) // 3]
        problem = Problem(2.0, Rates(line["p"], line["phi"], line["psi"]), 0.1)
        assert line["accuracy"] == pytest.approx(float(predict(problem, 4.0, line["loss"]).accuracy), abs=1e-9)


def test_linear_setting():
    """Rates follow from the geometry; p* varies along the curve; measured rates agree with it."""
    rows = simulate(LINEAR)
    found = compare(rows)
    assert found.maps.empty
    cells = found.cells
    assert cells["p_star"].nunique() == len(cells)
    kept = rows.groupby("cell", sort=False)["m"].sum().to_numpy()
    trials = 16 * 80
    error = np.sqrt(cells["kept_rate"] * (1 - cells["kept_rate"]) / trials)
    assert (np.abs(kept / trials - cells["kept_rate"]) < 6 * error).all()
    assert "cos(v,mu)" in text(found)
    half = found.crossings.query("target == 'p_half'").dropna(subset=["exact", "rule"])
    np.testing.assert_allclose(half["exact"], half["rule"], atol=1e-9)  # p = p* iff cos(g,mu) = -cos(v,mu)


CLASSES = {
    "problem": {"d": 15, "alpha": 20, "signal": 2.0},
    "generator": {"p": [[round(0.9 * t, 3), round(0.3 * t, 3)] for t in (0.0, 0.5, 0.7, 0.8, 0.9, 1.0)]},
    "verifier": {"pairs": [[[0.5, 0.9], [0.9, 0.2]]]},
    "training": {"loss": "squared", "ridge": 0.1},
    "run": {"seeds": 64},
}


def test_class_dependent_rates():
    """Rates over both classes, one curve although the p_k differ, p* where purity is 1/2, and measured there."""
    cells = compare(simulate(CLASSES)).cells
    assert cells["curve"].nunique() == 1
    np.testing.assert_allclose(cells["p"], cells["p_negative"] / 2 + cells["p_positive"] / 2)
    np.testing.assert_allclose(cells["kept_rate"], (1 - cells["p"]) * cells["phi"] + cells["p"] * cells["psi"])
    assert ((cells["purity"] > 0.5) == (cells["p"] < cells["p_star"])).all()
    found = compare(simulate(CLASSES)).crossings.query("target == 'p_half'").iloc[0]
    assert found["predicted"] == pytest.approx(0.6 * 0.7 / (0.5 * (0.9 * 1.4 + 0.3 * 1.1)), rel=1e-12)
    assert found["exact"] == pytest.approx(found["predicted"], abs=1e-9)
    assert found["verdict"] == "agrees"


def test_theory_in_the_place_of_trials():
    """method = "theory": the same table, one row a cell, the accuracies of the exact theory and no error."""
    rows = simulate(INDEPENDENT | {"run": {"method": "theory"}})
    found = compare(rows)
    assert list(rows.columns) == list(independent_rows().columns)
    assert len(rows) == len(found.cells)
    np.testing.assert_allclose(found.cells["accuracy"], found.cells["exact_accuracy"], atol=1e-9)
    np.testing.assert_allclose(found.cells["low"], found.cells["accuracy"])
    assert (found.cells["outcome"] == found.cells["exact"]).all()
    np.testing.assert_allclose(rows["accuracy"], norm.cdf(rows["signal"] * rows["overlap"] / rows["norm"]), atol=1e-12)
    linear = simulate(LINEAR | {"run": {"method": "theory"}})
    expected = norm.cdf(linear["signal"] * linear["overlap"] / linear["norm"])
    np.testing.assert_allclose(linear["accuracy"], expected, atol=1e-12)
    assert "differs" not in text(found)


@pytest.mark.parametrize(
    "change",
    [
        {"generator": {"p": [0.2, 0.4]}},  # too few points for a crossing
        {"run": {"seeds": 1}},  # no interval
        {"verifier": {"pairs": [[[0.9, 0.5], [0.1, 0.4]]]}, "problem": {"d": 20, "alpha": 4, "prior": 0.3}},
        {
            "generator": {"p": [0.0, 0.3, 0.6, 0.9, 1.0]},
            "verifier": {"pairs": [[0.5, 0.0]]},
        },  # nothing kept at p = 1
    ],
)
def test_odd_sweeps_are_reported_without_complaint(change):
    found = compare(simulate(INDEPENDENT | change))
    assert text(found, all_cells=True)
    json.dumps(as_json(found), allow_nan=False)


def test_chance_bound_is_the_quantile_of_the_largest():
    z = np.abs(np.random.default_rng(0).normal(size=(20_000, 24))).max(1)
    assert np.mean(z < chance_bound(24)) == pytest.approx(0.95, abs=0.01)
    assert np.mean(z < chance_bound(24, 0.5)) == pytest.approx(0.5, abs=0.02)


def test_an_open_interval_has_an_end_without_a_number():
    assert interval(np.nan, 0.25) == "[  .. , 0.250]"


# --- an intercept, coloured features ---

FITTED = changed(
    INDEPENDENT,
    {
        "generator.p": {"start": 0.1, "stop": 0.9, "num": 5},
        "verifier.psi": [[0.1, 0.6]],
        "training.loss": "squared",
        "training.intercept": [False, True],
        "problem.prior": 0.7,
    },
)
SPECTRA = changed(
    FITTED,
    {
        "problem.prior": REMOVED,
        "training.intercept": REMOVED,
        "problem.signal": REMOVED,
        "problem.spectrum": [{"decay": 1, "signal": 1, "levels": 5}, {"eigenvalues": [1], "signals_sq": [4]}],
    },
)


def test_cells_with_an_intercept_meet_their_own_theory():
    """Also offset, scores and Bayes of unequal classes; p* is that without intercept, and no crossing is put there."""
    found = compare(simulate(FITTED))
    cells = found.cells
    assert cells["curve"].nunique() == 2
    assert cells.groupby("curve")["intercept"].nunique().eq(1).all()
    assert cells["z"].abs().max() < 6
    for name in ("offset", "score_sd"):
        assert (cells[name] - cells[f"exact_{name}"]).abs().max() < 0.15
    assert cells.loc[cells["intercept"] == 0, "exact_offset"].eq(0).all()
    assert cells.loc[cells["intercept"] == 1, "exact_offset"].abs().max() > 0.1
    fitted = cells[cells["intercept"] == 1].iloc[0]
    rates = {f"{rate}_{side}": fitted[f"{rate}_{side}"] for rate in ("p", "phi", "psi") for side in SIDES}
    shared = {name: fitted[name] for name in ("signal", "alpha", "ridge", "prior", "loss", "intercept")}
    alone = theory_table.predict_table(rates | shared)
    assert fitted["exact_accuracy"] == pytest.approx(alone["accuracy"][0], abs=1e-12)
    assert fitted["bayes_accuracy"] == pytest.approx(alone["bayes_accuracy"][0], abs=1e-12)
    half = found.crossings[found.crossings["target"] == "p_half"].set_index("intercept")
    assert half.loc[0, "predicted"] == half.loc[0, "rule"]
    assert half.loc[1, "predicted"] == half.loc[1, "exact"] != half.loc[1, "rule"]
    report = text(found, all_cells=True)
    assert "intercept" in report
    assert "(theory: exact, d -> infinity)" in report
    assert found.lines.groupby("curve")["intercept"].first().tolist() == [0, 1]


def test_cells_of_spectra_meet_their_own_theory():
    found = compare(simulate(SPECTRA))
    cells = found.cells
    assert cells["curve"].nunique() == 2
    assert cells["z"].abs().max() < 6
    white = cells[cells["eigenvalues"] == "1.0"]
    assert white["bayes_accuracy"].iloc[0] == pytest.approx(norm.cdf(2), abs=1e-12)
    report = text(found)
    assert "1.64;0.818;0.546;" not in report
    assert "2.19;1.09;0.73;..;0.438" in report
    assert "0.2;0.2;0.2;..;0.2" in report


def test_theory_in_the_place_of_trials_agrees_with_itself():
    for document in (FITTED, SPECTRA):
        cells = compare(simulate(changed(document, {"run.method": "theory"}))).cells
        np.testing.assert_allclose(cells["accuracy"], cells["exact_accuracy"], atol=1e-9)
        np.testing.assert_allclose(cells["balanced_accuracy"], cells["exact_balanced_accuracy"], atol=1e-9)
