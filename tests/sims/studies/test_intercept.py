"""The study of the thresholds with and without an intercept, computed tiny and drawn."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest

import figures
from sims import studies
from sims.comparison.tables import as_files
from sims.studies import intercept


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(intercept, "LOSS", "squared")
    monkeypatch.setattr(intercept, "SIZES", {4.0: 10, 50.0: 8})
    monkeypatch.setattr(intercept, "LINE", np.linspace(0, 1, 41))
    monkeypatch.setattr(intercept, "SIMULATED", np.array([0.2, 0.6]))


@pytest.mark.usefixtures("small")
def test_each_classifier_crosses_at_its_own_threshold(tmp_path, capsys):
    tables = studies.run("intercept", 3)
    assert "simulation at n/d = 50: 12/12 trials" in capsys.readouterr().err
    pd.testing.assert_frame_equal(pd.read_csv(BytesIO(as_files(tables)["tables/lines.csv"])), tables["lines"])
    lines, cells = tables["lines"], tables["cells"]
    assert len(cells) == 8
    for (_, fitted), line in lines.groupby(["alpha", "intercept"]):
        inner = line[(line["p"] > 0) & (line["p"] < 1)]
        threshold = inner["p_star_direction" if fitted else "p_star"]
        above = inner["balanced_accuracy"] > 0.5
        assert (above == (inner["p"] < threshold)).all()
    row = lines.iloc[5]
    thresholds = [row["p_star_each_class"], row["p_star"], row["p_star_direction"]]
    np.testing.assert_allclose(thresholds, [0.9 / 1.7, 0.9 / 1.4, 1 / (1 + 0.4 / 0.9)], rtol=1e-12)
    drawn = figures.import_module("figures.intercept").draw(tables).axes[1]
    shown = {tuple(np.round(np.asarray(line.get_ydata(), float), 12)) for line in drawn.get_lines()}
    for fitted in (0, 1):
        line = lines[(lines["alpha"] == 50) & (lines["intercept"] == fitted)]
        assert tuple(np.round(line["balanced_accuracy"], 12)) in shown
    assert len(figures.draw("intercept", tables, tmp_path)) == 2
