"""The figure of a forecast, drawn from tiny tables through CSV, with gaps."""

from io import StringIO

import pandas as pd

import figures
from figures import forecast


def through_csv(table):
    return pd.read_csv(StringIO(table.to_csv(index=False)))


def tables(**more):
    told = {"n": [100, 10_000], "worth_most": [40.0, 4000.0], "student_least": [0.7, 0.9], "student_most": [0.7, 0.93]}
    told |= {"student_low": [0.5, 0.88], "student_high": [0.8, 0.95], "status": ["below the pilot", "ok"]}
    told |= {
        "generator": 0.75,
        "generator_low": 0.7,
        "generator_high": 0.8,
        "level": 0.95,
        "from_n": 300.0,
        "from_most": float("inf"),
    }
    told |= {"rates": "p = 0.25, phi = 0.9, psi = 0.3", "errors": "learned"}
    curve = {"n": [25, 100, 1600, 6400], "accuracy": [0.6, 0.8, 0.92, 0.94], "low": 0.5, "high": 0.97}
    pilot = {"n": [100, 400, 1600], "accuracy": [0.8, 0.89, 0.92], "error": [0.01, 0.01, 0.002]}
    made = {"forecast": pd.DataFrame(told | more), "curve": pd.DataFrame(curve), "pilot": pd.DataFrame(pilot)}
    return {name: through_csv(table) for name, table in made.items()}


def labels(figure):
    return sorted(text.get_text() for text in figure.legends[0].get_texts())


def test_learned(tmp_path):
    figure = forecast.draw(tables())
    assert labels(figure) == sorted(
        ["beyond the pilot", "clean samples, 95 % interval", "generator", "pilot"]
        + ["student of n generated", "the same, if errors are learned"]
    )
    assert (
        figure.axes[0].get_title() == "p = 0.25, φ = 0.9, ψ = 0.3; errors learned: wins from n = 300 on at the earliest"
    )
    assert [text.get_text() for text in figure.axes[0].texts] == ["n = 100\n(below the pilot)", "n = 10,000"]
    assert len(figures.draw("forecast", tables(), tmp_path)) == 2


def test_nothing_is_won():
    figure = forecast.draw(tables(from_n=float("inf"), student_least=[0.7, 0.93], worth_most=[0.0, 4000.0]))
    assert "wins at no n seen" in figure.axes[0].get_title()
    assert [text.get_text() for text in figure.axes[0].texts] == ["n = 10,000"]
    assert "the same, if errors are learned" not in labels(figure)
