import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import figures
from figures import classes as figure
from sims import studies
from sims.studies import classes as study
from theory import threshold
from theory.classes import threshold as multiclass
from theory.classes.prediction import predict
from theory.types import ClassesProblem, Rates

mpl.use("Agg")


@pytest.fixture(scope="module")
def tables():
    """A small study: two numbers of classes, one curve, five error rates, one of them the threshold of K = 3."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "CLASSES", (2, 3))
        patch.setattr(study, "CURVES", (study.Curve("squared", 20),))
        patch.setattr(study, "ERRORS", np.array([0.4, 0.6, 0.8, 0.9, 1.0]))
        yield study.tables(24)


def test_thresholds_and_limits_are_those_of_theory(tables):
    for _, row in tables["cells"].iterrows():
        rates = Rates(row["p"], row["phi"], row["psi"])
        assert row["p_star"] == pytest.approx(float(threshold.p_star(rates)))
        assert row["p_star_classes"] == pytest.approx(float(multiclass.p_star_classes(rates, row["classes"])))
        limit = float(multiclass.infinite_data(row["signal"], rates, row["classes"]))
        assert row["infinite_data"] == pytest.approx(limit, abs=1e-12)
    for classes, line in tables["lines"].groupby("classes"):
        best, worst = (float(f(study.SIGNAL, classes)) for f in (multiclass.bayes_accuracy, multiclass.worst_accuracy))
        np.testing.assert_allclose(line["accuracy"], [best, best, 1 / classes, worst, worst], rtol=1e-9)
        assert line["p"].is_monotonic_increasing


def test_points_are_plain_statistics_of_the_trials(tables):
    cells = tables["cells"]
    found = study._simulate(3, "squared", 20 * study.D, 24)
    part = cells[cells["classes"] == 3]
    np.testing.assert_allclose(part["accuracy"], found.accuracy.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(part["error"], found.accuracy.std(axis=1, ddof=1) / np.sqrt(24), rtol=1e-9)
    np.testing.assert_allclose((part["high"] - part["accuracy"]) / part["error"], 2.0686576, rtol=1e-6)  # 23 degrees
    np.testing.assert_array_equal(part["kept"], found.m.sum(axis=1) / (20 * study.D * 24))
    assert np.all(cells["failed"] == 0)
    assert np.all(cells["measurement_error"] < 1e-3)


def test_exact_curves_run_through_the_points(tables):
    """At every error rate the curve has what its cell predicts; |bias| is O(1/d), here below .05 (fixed keys)."""
    cells, curves = tables["cells"], tables["curves"]
    assert len(curves) == 2 * len(cells) - cells["classes"].nunique()
    both = cells.merge(curves, on=["classes", "loss", "alpha", "p"], suffixes=("", "_exact"))
    assert len(both) == len(cells)
    np.testing.assert_array_equal(both["predicted"], both["accuracy_exact"])
    assert np.all(abs(cells["accuracy"] - cells["predicted"]) < 4 * cells["error"] + 0.05)
    for _, row in cells.iterrows():
        problem = ClassesProblem(row["signal"], Rates(row["p"], row["phi"], row["psi"]), row["ridge"])
        exact = predict(problem, row["alpha"], row["loss"], classes=int(row["classes"])).accuracy
        assert row["predicted"] == pytest.approx(float(exact), abs=1e-6)


def test_a_trial_does_not_depend_on_how_many_are_asked(tables):
    few, many = (study._simulate(3, "squared", 20 * study.D, seeds).accuracy for seeds in (3, 24))
    np.testing.assert_array_equal(few, many[:, :3])


def test_drawn_are_the_points_the_step_and_both_thresholds(tables, tmp_path):
    made = figure.draw(tables)
    assert len(made.axes) == 2
    for ax, (classes, part) in zip(made.axes, tables["cells"].groupby("classes"), strict=True):
        drawn = {tuple(np.round(np.asarray(line.get_ydata(), float), 12)) for line in ax.get_lines()}
        limit = tables["lines"].query(f"classes == {classes}")["accuracy"]
        assert tuple(np.round(part["accuracy"], 12)) in drawn
        assert tuple(np.round(limit, 12)) in drawn
        exact = tables["curves"].query(f"classes == {classes}")["accuracy"]
        assert tuple(np.round(exact, 12)) in drawn
        upright = {float(line.get_xdata()[0]) for line in ax.get_lines() if list(line.get_ydata()) == [0, 1]}
        assert {part["p_star"].iloc[0], part["p_star_classes"].iloc[0]} <= upright
    made.savefig(tmp_path / "classes.png")
    assert (tmp_path / "classes.png").stat().st_size > 5_000


def test_a_failed_cell_leaves_a_gap(tables):
    broken = {name: table.copy() for name, table in tables.items()}
    broken["cells"].loc[2, ["accuracy", "error", "low", "high"]] = np.nan
    assert figure.draw(broken) is not None


def test_through_csv_and_back(tables, tmp_path):
    for name, table in tables.items():
        table.to_csv(tmp_path / name, index=False)
        pd.testing.assert_frame_equal(pd.read_csv(tmp_path / name), table)


def test_study_is_listed_and_captioned():
    assert "classes" in studies.NAMES
    caption = figures.import_module("figures.classes").__doc__.splitlines()[0]
    assert len(caption) > 30
    assert caption.endswith(".")


def test_accuracy_at_the_threshold_of_three_classes_is_one_third(tables):
    """p = .8 = p*_3 (fixed keys): 1/3 within six standard errors, and nowhere near the value at its neighbours."""
    cells = tables["cells"].query("classes == 3").set_index("p")
    assert abs(cells["accuracy"][0.8] - 1 / 3) < 6 * cells["error"][0.8]
    for p, sign in ((0.6, 1), (0.9, -1)):
        assert sign * (cells["accuracy"][p] - 1 / 3) > 6 * cells["error"][p]
