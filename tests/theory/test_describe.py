"""What is said of one problem where a number of it is not known: a dash."""

import pytest

from theory.describe import describe, text

NOTHING_KEPT = [(1.0, -1.0, -1.0), (0.0, 0.0, -1.0), (0.6, -0.6, -1.0)]
"""Cosines of generator, verifier, and between both: each sample is dropped."""
GIVEN = {"signal": 2.0, "alpha": 1.0, "ridge": 1.0, "loss": "squared"}


@pytest.mark.parametrize("cosines", NOTHING_KEPT, ids=str)
def test_what_is_not_known_is_a_dash(cosines):
    names = ("cos_generator", "cos_verifier", "cos_between")
    lines = text(describe(GIVEN | {"setting": "linear"} | dict(zip(names, cosines, strict=True)))).splitlines()
    assert [line.split()[:2] for line in (lines[0], lines[2])] == [["p_star", "-"], ["purity", "-"]]
    assert lines[-1].startswith("accuracy            none: nothing kept")


def test_a_gain_of_exactly_zero_at_the_best_generator_is_no_crossing():
    """At this signal rule and generator are both 1 in float64 at p = 0; the rule fails from p* = phi/(phi + psi) on."""
    rates = {"setting": "independent", "p": 0.1, "phi": 1e-5, "psi": 0.25, "signal": 38.5}
    first, *_ = describe(GIVEN | rates)["p_gain_infinite_data"]
    assert first["p"] == pytest.approx(1e-5 / (1e-5 + 0.25), rel=1e-6)
    assert first["then"] == "loss"


@pytest.mark.parametrize("phi", [1.0, 1e-300, 5e-324])
def test_a_threshold_of_rates_is_known(phi):
    """However few are kept."""
    found = text(describe(GIVEN | {"setting": "learned", "cos_generator": 0.4, "phi": phi, "psi": 0.0}))
    assert found.startswith("p_star              1.000000   ")
    assert "asked of the kept labels" not in found
