"""Predictions that stand beside the noisy verifier's students."""

import numpy as np
import pandas as pd
import pytest

from empirical.eigenvalues.beside import predictions
from empirical.eigenvalues.measured import Measured
from empirical.eigenvalues.predictions import RIDGES, SIGNALS, by_worth, learned, tie
from empirical.eigenvalues.text_beside import _crossing
from figures.eigenvalues_p_star import _answer
from theory.types import Rates
from theory.worth import worth

STARS = np.linspace(0.5, 1, 101)


def test_learned_errors_meet_what_they_are_fitted_to_and_cross_later_the_less_is_known():
    """The poster's generator and its student without verification, as THEORY §11 has them."""
    found = learned(0.669, -0.064)
    assert len(found.fits) == len(SIGNALS) * len(RIDGES)
    gains = found.gains(0.669, 1 / STARS - 1)
    assert gains[:, 0] == pytest.approx(-0.064, abs=1e-9)
    strong = found.fits["signal"] == 3.0
    assert [tie(STARS, line).x for line in gains[strong]] == pytest.approx([0.69] * 3, abs=0.005)
    assert gains[strong, -1] == pytest.approx([0.063] * 3, abs=0.001)
    more = found.gains(0.669, 1.0, times=4.0)[:, 0]
    assert (more > -0.064).all()  # collapse vanishes with samples


def test_a_generator_that_nothing_explains_has_no_prediction():
    for generator, unverified in ((0.4, -0.1), (0.669, 0.3)):
        found = learned(generator, unverified)
        assert found.gains(generator, 1 / STARS - 1).shape == (0, len(STARS))
    assert np.isnan(learned(0.85, -0.1).gains(0.95, 1.0)[:3]).all()  # above Bayes at signal 1


def test_worth_is_that_of_very_many_classes_and_reads_the_clean_curve():
    sizes, accuracy = np.array([1000.0, 10_000.0]), np.array([0.4, 0.8])
    for psi in (0.0, 0.5, 1.0):
        clean = 8000 * worth(Rates(0.3, 1.0, psi), classes=1_000_000_000)
        expected = 0.4 + 0.4 * np.log10(clean / 1000)
        assert by_worth(0.3, psi, 8000, sizes, accuracy) == pytest.approx(expected, rel=1e-6)
    assert np.isnan(by_worth(0.3, 0.0, 100, sizes, accuracy))
    assert np.isnan(by_worth(0.3, 0.0, 100_000, sizes, accuracy))


def test_the_range_of_learned_errors_has_the_interval_of_what_they_are_fitted_to():
    """By hand from `learned`; without an interval it is the range over signals and penalties alone."""
    profile = {"curve": {"true": []}, "selection": {"tolerance": 0.02, "matrices": 1000}}
    line = {"student": "none", "p_hat": 0.331, "generator_accuracy": 66.9, "difference": -6.4}
    read = lambda name: Measured(np.zeros((2, 5)), 10, 10.0, "")
    ends = {"difference_low": -8.0, "difference_high": -5.0}
    wide, alone = (
        predictions(profile, pd.DataFrame([line | more]), read).set_index("kind").loc["learned"]
        for more in (ends, dict.fromkeys(ends, np.nan))
    )
    assert wide["gain"].to_numpy() == pytest.approx(alone["gain"].to_numpy())
    assert wide.iloc[0][["gain", "low", "high"]].tolist() == pytest.approx([-6.4, -8.0, -5.0])
    assert alone.iloc[0][["low", "high"]].tolist() == pytest.approx([-6.4, -6.4])
    found = [learned(0.669, gain).gains(0.669, 1 / STARS - 1) for gain in (-0.064, -0.08, -0.05)]
    assert wide["high"].to_numpy() == pytest.approx(100 * np.concatenate(found).max(0))
    assert alone["high"].to_numpy() == pytest.approx(100 * found[0].max(0))


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ([-1.0, 1.0, 3.0], (0.25, "")),
        ([-1.0, 1.0, -1.0, 1.0], (2.5 / 3, "")),
        ([-3.0, -2.0, -1.0], (np.nan, "never")),
        ([1.0, 2.0, 3.0], (np.nan, "gains without verification")),
        ([np.nan, 1.0, 3.0], (np.nan, "gains where it is known")),
        ([np.nan, -1.0, 1.0], (0.75, "")),
        ([np.nan] * 3, (np.nan, "no prediction")),
    ],
)
def test_ties_of_predicted_gains(gains, expected):
    found = tie(np.linspace(0, 1, len(gains)), np.array(gains))
    assert found.x == pytest.approx(expected[0], nan_ok=True)
    assert found.words == expected[1]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.6, 0.8, "students cross their generator at p* = 0.70 [0.60, 0.80]"),
        (np.nan, 0.8, "students cross their generator at p* = 0.70 [open, 0.80]"),
        (np.nan, np.nan, "no crossing is shown: means cross the generator at p* = 0.70 [open, open]"),
    ],
)
def test_a_crossing_whose_interval_is_open_at_both_ends_is_not_shown(low, high, said):
    crossing = {"x": [0.7, 0.6], "low": [low, np.nan], "high": [high, np.nan], "curve": "line", "published": 0.65}
    table = pd.DataFrame(crossing)
    assert _answer(table.iloc[0], False).lower() == said
    assert said.replace("their", "the") in _crossing(table)
    assert "1 of 1 seeds cross by themselves" in _crossing(table)


def test_a_crossing_of_one_seed_has_no_interval():
    table = pd.DataFrame({"x": [0.7], "low": [np.nan], "high": [np.nan], "curve": ["line"], "published": [0.65]})
    assert _answer(table.iloc[0], True) == "Students cross their generator at p* = 0.70; one seed has no interval"
    assert "students cross the generator at p* = 0.70 (read off the line; one seed has no interval)" in _crossing(table)
