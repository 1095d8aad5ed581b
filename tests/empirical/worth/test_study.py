"""The study of worth on digits: computed tiny and drawn; the forecast, the rules, and what the wrong K would say."""

import json
import sys
from io import BytesIO

import numpy as np
import pandas as pd
import pytest

import figures
from empirical.worth import cells as of_cells
from empirical.worth import corruptions, study, trials, worker
from empirical.worth.cells import cells, forecast
from empirical.worth.curve import Curve, curves
from empirical.worth.hits import hit_rates
from sims import studies
from sims.comparison.tables import as_files
from theory.errors import RunError

pytest.importorskip("sklearn")

SIZES, ACCURACY = (10, 100, 1000, 10_000), np.array([0.5, 0.8, 0.79, 0.95])


def test_the_forecast_of_clean_data_is_the_curve():
    curve = Curve(np.array(SIZES), ACCURACY)
    np.testing.assert_allclose(curve.at(np.array(SIZES)), ACCURACY)
    np.testing.assert_allclose(curve.at(np.array([0.0, 5.0, np.sqrt(1000)])), [0.1, 0.3, 0.65])
    assert np.isnan(curve.at(np.array(10_001.0)))
    clean = pd.DataFrame({"errors": "spread", "learner": "kNN", "n": SIZES, "p": 0.0, "phi": 1.0, "psi": 1.0})
    found = forecast(clean.assign(generator=0.75, student=ACCURACY), {"kNN": curve})
    np.testing.assert_allclose(found["worth"], 1)
    np.testing.assert_allclose(found["forecast"], ACCURACY)
    np.testing.assert_allclose(found["ratio"].iloc[[0, 1, 3]], 1, rtol=1e-2)
    assert found["wins"].tolist() == [False, True, True, True]


def test_a_curve_read_backwards():
    curve = Curve(np.array(SIZES), ACCURACY)
    found = curve.back(np.array([0.05, 0.3, 0.5, 0.65, 0.95, 0.96, np.nan]))
    np.testing.assert_allclose(found[:5], [0, 5, 10, np.sqrt(1000), 10_000], rtol=0.01)
    assert found[5] == np.inf
    assert np.isnan(found[6])


def row(seed, student, **more):
    about = {"errors": "spread", "learner": "kNN", "n": 300, "p": 0.3, "phi": 1.0, "psi": 1.0, "seed": seed}
    return about | {"kept": 300, "generator": 0.7, "student": student, "variance": 0.0001, "first": np.nan} | more


def test_a_gain_counts_beyond_two_standard_errors():
    """Variances: of seeds .0002/2 and .0008/2 in two cells, pooled .00025; of test digits .0001."""
    rows = [row(0, 0.73), row(1, 0.75), row(0, 0.70, psi=0.5), row(1, 0.74, psi=0.5)]
    rows += [row(0, np.nan, psi=0.4, n=400), row(1, 0.9, psi=0.4, n=400)]
    found = cells(pd.DataFrame(rows), {"kNN": Curve(np.array(SIZES), ACCURACY)})
    np.testing.assert_allclose(found["noise"][:2], np.sqrt(0.00025 + 0.0001))
    np.testing.assert_allclose(found["gain"][:2], [0.04, 0.02])
    assert found["decided"].tolist() == [True, False, False]
    assert np.isnan(found["student"].iloc[2])
    line = hit_rates(found).iloc[0]
    assert (line["cells"], line["decided"], line["settings"], line["failed"]) == (3, 1, 1, 1)
    assert line["wins"] == line["yes"] == 1
    assert line["wins_low"] == pytest.approx(0.025)  # one of one


def test_learners_in_one_setting_are_not_independent():
    rows = [row(seed, 0.9, learner=learner, n=n) for seed in (0, 1) for learner in ("kNN", "LDA") for n in (300, 600)]
    found = cells(pd.DataFrame(rows), dict.fromkeys(("kNN", "LDA"), Curve(np.array(SIZES), ACCURACY)))
    lines = hit_rates(found).set_index("learner")
    assert lines.loc["all tuned", ["decided", "settings"]].tolist() == [4, 2]
    assert lines.loc["all tuned", "wins_low"] == lines.loc["kNN", "wins_low"] == pytest.approx(0.1581, abs=1e-4)


def test_the_wrong_number_of_classes_loses(monkeypatch):
    """Errors in pairs, measured on ridge: the right margin says who wins, that of errors spread evenly does not.

    Streams of random numbers are fixed.
    """
    verifiers = [(1.0, 1.0), (0.5, 0.5), (0.9, 0.7), (0.6, 0.8), (1.0, 0.0)]
    rows = [trials.verified(seed, "pair", 1200, p, ["ridge"], verifiers) for seed in (0, 1) for p in (0.3, 0.6, 0.8)]
    clean = [trials.clean(repeat, n, ["ridge"]) for repeat in range(2) for n in (10, 40, 150, 600, 1200)]
    _, found = curves(pd.DataFrame(sum(clean, [])))
    measured = pd.DataFrame(sum(rows, [])).assign(first=np.nan)
    right = cells(measured, found)
    assert right["decided"].sum() > 10
    share = lambda table: (table["wins"] == table["won"])[table["decided"]].mean()
    assert share(right) > 0.9
    monkeypatch.setattr(of_cells, "value", lambda rates, errors: corruptions.value(rates, "spread"))
    assert share(cells(measured, found)) < share(right) - 0.3


@pytest.fixture
def small(monkeypatch):
    for name, value in {
        "SIZES": (150,),
        "P": (0.2, 0.7),
        "LEARNED": 200,
        "FIRST": (40,),
        "CLEAN": (10, 150, 200),
    }.items():
        monkeypatch.setattr(study, name, value)
    monkeypatch.setattr(study, "VERIFIERS", ((1.0, 1.0), (0.8, 0.2)))
    monkeypatch.setattr(study, "LEARNERS", dict.fromkeys(("ridge", "kNN", "1-NN")))
    monkeypatch.setattr(study, "TAUGHT", ("ridge", "kNN"))


@pytest.mark.usefixtures("small")
def test_tiny(tmp_path, monkeypatch):
    found = studies.run("worth", 2, {"worth": "empirical.worth.study"})
    sizes = {name: len(table) for name, table in found.items()}
    assert sizes == {"findings": 4, "hit_rates": 2 * (3 + 2) + 2 + 1, "cells": 2 * 2 * 2 * 3 + 2 * 2, "curves": 3 * 3}
    table, hits = found["cells"], found["hit_rates"]
    assert np.isfinite(table[["student", "gain", "noise", "forecast", "p_star"]].to_numpy()).all()
    learned = table[table["errors"] == "learned"]
    assert (learned["generator"] < 0.9).all()
    assert (abs(learned["generator"] - (1 - learned["p"])) < 0.15).all()
    assert (found["curves"]["repeats"] == 4).all()
    np.testing.assert_allclose(
        hits["only_forecast"] - hits["only_p_star"], ((hits["wins"] - hits["below"]) * hits["decided"]).fillna(0)
    )
    read = {name: pd.read_csv(BytesIO(as_files(found)[f"tables/{name}.csv"])) for name in found}
    assert len(figures.draw("worth", read, tmp_path)) == 2
    monkeypatch.setattr(worker, "cores", lambda: 1)
    again = study.tables(2)
    pd.testing.assert_frame_equal(again["cells"], table)  # whatever the number of processes


def test_a_trial_that_fails_ends_the_study():
    with pytest.raises(RunError, match=r"'clean'.*failed: KeyError: 'no such learner'"):
        worker.measure([("clean", [0, 10, ["no such learner"]])], "trials")


def test_rows_are_json():
    answer = worker.reply(json.dumps(["clean", [0, 10, ["ridge"]]]))
    assert json.loads(json.dumps(answer))["rows"][0].keys() == {"learner", "n", "accuracy"}


def test_without_scikit_learn_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(RunError, match=r"needs the extra: pip install -e '\.\[features\]'"):
        study.tables(2)
