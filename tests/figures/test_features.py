"""The figures of features, drawn from tiny tables through CSV, with gaps."""

from io import StringIO

import numpy as np
import pandas as pd

import figures
from figures import features, learning_curve


def through_csv(table):
    return pd.read_csv(StringIO(table.to_csv(index=False)))


def curve(**more):
    accuracy = np.array([0.6, 0.7, np.nan, 0.8])
    columns = {"n": [20, 50, 100, 400], "accuracy": accuracy, "low": accuracy - 0.05, "high": accuracy + 0.03}
    columns |= {"scattered": [0.61, np.nan, np.nan, np.nan], "beyond": [False, False, False, True]}
    about = {"generator_accuracy": 0.7, "level": 0.95, "points": 100, "dimension": 8, "loss": "squared", "ridge": 0.1}
    return through_csv(pd.DataFrame(columns | about | {"rates": "p = 0.3, phi = 0.9, psi = 0.3: p* = 0.750"} | more))


def labels(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_learning_curve(tmp_path):
    measured = {"measured": [0.62, 0.69, np.nan, np.nan], "measured_low": 0.6, "measured_high": 0.7}
    figure = learning_curve.draw({"curve": curve(**measured)})
    assert labels(figure) == [
        *("predicted, 95 % interval", "more samples than points", "with own scores", "generator", "measured"),
    ]
    assert "φ = 0.9" in figure.axes[0].get_title()
    assert len(figures.draw("learning_curve", {"curve": curve(**measured)}, tmp_path)) == 2


def test_learning_curve_of_clean_labels_within_the_points():
    figure = learning_curve.draw({"curve": curve(generator_accuracy=1.0, beyond=False, scattered=np.nan)})
    assert labels(figure) == ["predicted, 95 % interval"]


def test_nothing_to_draw(tmp_path):
    assert figures.draw("learning_curve", {"curve": curve(accuracy=np.nan)}, tmp_path) == []


def study():
    lines = [
        {"data": name, "total": 100, "dimension": 4, "loss": loss, "ridge": ridge, "p": p, "phi": 1.0, "psi": 1.0}
        | {"n": n, "measured": 0.7, "measured_low": 0.65, "measured_high": 0.75, "averaged": 0.71}
        | {"scattered": 0.72 if n < 50 else np.nan}
        for name in ("one", "two")
        for loss in ("squared", "logistic")
        for ridge in (0.1, 1.0)
        for p in (0.0, 0.2)
        for n in (20, 40, 80)
    ]
    return through_csv(pd.DataFrame(lines))


def test_study(tmp_path):
    figure = features.draw({"points": study()})
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title() for ax in shown] == ["one (N = 100, d = 4)", "two (N = 100, d = 4)"]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["p = 0, φ = 1, ψ = 1", "p = 0.2, φ = 1, ψ = 1", "with own scores, n ≤ N/2"]
    assert len(figures.draw("features", {"points": study()}, tmp_path)) == 2
