"""The studies that are sweeps, sharpening and roc, computed tiny and drawn; and what `studies.run` refuses."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest

import figures
from sims import studies
from sims.comparison.tables import as_files
from sims.studies import roc, sharpening


@pytest.fixture
def small_sharpening(monkeypatch):
    monkeypatch.setattr(sharpening, "ALPHAS", (2.0, 8.0))
    monkeypatch.setattr(sharpening, "SIMULATED", (2.0,))
    monkeypatch.setattr(sharpening, "LOSSES", ("squared",))
    monkeypatch.setattr(sharpening, "D", 10)
    monkeypatch.setattr(sharpening, "LINE", np.linspace(0, 1, 11))
    monkeypatch.setattr(sharpening, "ERRORS", np.linspace(0.1, 0.9, 5))


@pytest.fixture
def small_roc(monkeypatch):
    monkeypatch.setattr(roc, "LOSS", "squared")
    monkeypatch.setattr(roc, "SIZES", {2.0: 10, 8.0: 10})
    monkeypatch.setattr(roc, "POINTS", 9)
    monkeypatch.setattr(roc, "THRESHOLDS", np.linspace(-3, 3, 13))
    monkeypatch.setattr(roc, "SIMULATED", np.linspace(-1, 1, 3))


def drawn(ax):
    return {tuple(np.round(np.asarray(line.get_ydata(), float), 12)) for line in ax.get_lines()}


@pytest.mark.usefixtures("small_sharpening")
def test_sharpening(tmp_path, capsys):
    tables = studies.run("sharpening", 3)
    assert "theory: 2/2 curves" in capsys.readouterr().err
    pd.testing.assert_frame_equal(pd.read_csv(BytesIO(as_files(tables)["tables/lines.csv"])), tables["lines"])
    assert len(tables["lines"]) == 22
    assert list(tables["cells"]["n"].unique()) == [20]
    crossing = tables["lines"].query("p == 0.8")  # = p*
    np.testing.assert_allclose(crossing["accuracy"], 0.5, atol=1e-12)
    best = tables["lines"].query("p == 0").set_index("alpha")["accuracy"]
    assert best[2.0] < best[8.0] < tables["lines"]["bayes_accuracy"].iloc[0]
    ax = figures.import_module("figures.sharpening").draw(tables).axes[0]
    for _, line in tables["lines"].groupby("alpha"):
        assert tuple(np.round(line["accuracy"], 12)) in drawn(ax)
    assert tuple(np.round(tables["cells"]["accuracy"], 12)) in drawn(ax)
    assert len(figures.draw("sharpening", tables, tmp_path)) == 2


@pytest.mark.usefixtures("small_roc")
def test_roc(tmp_path, capsys):
    tables = studies.run("roc", 3)
    written = capsys.readouterr().err
    assert "simulation at n/d = 8: 9/9 trials" in written
    assert {name: len(table) for name, table in tables.items()} == {"maps": 162, "curve": 26, "cells": 6}
    assert tables["curve"].groupby("alpha")["threshold"].apply(lambda t: t.is_monotonic_increasing).all()
    strictest = tables["curve"].groupby("alpha").head(1)
    assert strictest["p_star"].min() > tables["curve"]["p_star"].quantile(0.9)
    np.testing.assert_allclose(tables["cells"]["threshold"], [-1, 0, 1] * 2)
    ax = figures.import_module("figures.roc").draw(tables).axes[2]
    for _, line in tables["curve"].groupby("alpha"):
        assert tuple(np.round(line["accuracy"], 12)) in drawn(ax)
    assert len(figures.draw("roc", tables, tmp_path)) == 2


@pytest.mark.parametrize(
    ("name", "seeds", "message"),
    [("sharpen", 4, "'sharpen' does not exist; choose from sharpening"), ("roc", 1, "seeds = 1 must be at least 2")],
)
def test_refusals(name, seeds, message):
    with pytest.raises(ValueError, match=message):
        studies.run(name, seeds)
