"""p*, worth and forecast beside what students did."""

import numpy as np
import pandas as pd
import pytest

from empirical.summarization.arms import Arms
from empirical.summarization.beside import beside, clean_curve
from empirical.summarization.evaluations import Evaluated, Source
from empirical.summarization.report.beside import beside as told

SIZES = {"clean-0.25": 250, "generator": 1000, "full": 4000}


def ran(scores, seeds=3):
    """(source, evaluated): arms with these ROUGE-1, in points, in every seed but for .2 to either side."""
    names = tuple(scores)
    means = np.array([[scores[name] + 0.2 * (seed - 1) for seed in range(seeds)] for name in names])
    draws = means.mean(1, keepdims=True) + 0.05 * np.linspace(-1, 1, 11)
    about = {name: [{"examples": SIZES.get(name, 500)}] * seeds for name in names}
    profile = {"run": {"seeds": seeds}, "selection": {"rates": [0.5]}}
    source = Source(profile, {"oracle": ("oracle",), "random": ("random1", "random2")}, {})
    return source, Evaluated({"rouge1": Arms(names, means, draws)}, about, 800, 25.0)


def points():
    line = {"rate": 0.5, "reading": "soft", "p": 0.4}
    return pd.DataFrame(
        [
            line | {"verifier": "oracle", "phi": 0.75, "psi": 0.125, "p_star": 0.857},
            line | {"verifier": "random1", "phi": 0.52, "psi": 0.52, "p_star": 0.5},
            line | {"verifier": "random2", "phi": 0.48, "psi": 0.48, "p_star": 0.5},
        ]
    )


STUDENTS = {"retrain-oracle-0.5": 66.0, "retrain-random1-0.5": 55.0, "retrain-random2-0.5": 57.0}
POOL = [pd.DataFrame({"id": range(3000)})] * 3


def test_worth_is_what_is_kept_times_its_purity_squared():
    source, found = ran({"generator": 60.0} | STUDENTS)
    lines = beside(source, found, points(), POOL).set_index("verifier")
    kept, right = 0.6 * 0.75 + 0.4 * 0.125, 0.6 * 0.75
    assert lines["worth"]["oracle"] == pytest.approx(kept * (right / kept) ** 2, rel=1e-4)
    assert lines["clean"]["oracle"] == pytest.approx(3000 * lines["worth"]["oracle"])
    assert lines["unverified"]["random"] == pytest.approx(3000 * 0.36, rel=1e-4)
    assert (lines["verdict"] == pd.Series({"oracle": "better", "random": "worse"})).all()
    assert set(lines["forecast_beats"]) == {"not run"}  # of one clean size
    assert (lines["taught"] == 1000).all()
    for taught, right in ((1000, 2), (1300, 1)):  # the oracle's 1,215 references against the generator's
        text = " ".join(" ".join(told({"beside": lines.assign(taught=taught).reset_index()})).split())
        said = f"p < p* on 1; worth more references than the generator had on {right}."
        assert f"Of 2 decided lines right about who gains: {said}" in text


def test_a_forecast_reads_the_clean_learning_curve():
    source, found = ran({"clean-0.25": 50.0, "generator": 60.0, "full": 67.0} | STUDENTS)
    pilot = clean_curve(source, found)
    assert pilot.groupby("n")["accuracy"].mean().round(6).to_dict() == {250: 0.5, 1000: 0.6, 4000: 0.67}
    lines = beside(source, found, points(), POOL).set_index("verifier")
    low, high = lines.loc["oracle", ["forecast_low", "forecast_high"]]
    assert low < 61.5 < high  # 1,215 clean examples; learned errors reach down to the generator
    assert lines["forecast_low"]["random"] < lines["forecast_low"]["oracle"] + 1e-9
    assert "to" in "\n".join(told({"beside": lines.reset_index()}))


def test_failed_models_are_left_out_of_the_curve_and_of_what_is_said():
    source, found = ran({"clean-0.25": np.nan, "generator": 60.0, "full": 67.0} | dict.fromkeys(STUDENTS, np.nan))
    assert set(clean_curve(source, found)["arm"]) == {"generator", "full"}
    lines = beside(source, found, points(), POOL)
    assert set(lines["verdict"]) == {"failed"}
    assert "No student is told from the generator" in "\n".join(told({"beside": lines}))
