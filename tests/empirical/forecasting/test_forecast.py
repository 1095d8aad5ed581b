"""Verdicts, what must not be trusted, and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest

import pstar as ps
from empirical.forecasting import report
from empirical.forecasting.trust import (
    BELOW,
    EXTRAPOLATED,
    NO,
    NOT_GIVEN,
    OK,
    TOO_FAR,
    UNDECIDED,
    WORTHLESS,
    YES,
    status,
    verdict,
)
from tests.empirical.forecasting.truths import CURVES, RATES, drawn_audit
from theory.errors import InputError, KindError

SIZES = (100, 400, 1600)


def runs(curve="theory", sd=0.002, sizes=SIZES, **more):
    rng = np.random.default_rng(1)
    n = np.repeat(sizes, 4)
    return {"n": n, "accuracy": CURVES[curve](n) + sd * rng.normal(size=n.size)} | more


def lines(found):
    return found.table.set_index("n")


def test_status_and_verdict():
    worths = (0, 50, 100, 1600, 1601, 6400, 6401)
    assert [status(worth, 100, 1600) for worth in worths] == [
        *(WORTHLESS, BELOW, OK, OK, EXTRAPOLATED, EXTRAPOLATED, TOO_FAR)
    ]
    assert [verdict(*ends, OK) for ends in ((0.1, 0.2), (-0.1, 0.1), (-0.2, 0.0))] == [YES, UNDECIDED, NO]
    assert verdict(0.1, 0.2, TOO_FAR) == NOT_GIVEN


def test_errors_that_are_spread():
    """At known rates and with a good pilot the forecast is the law, read off the curve."""
    found = ps.forecast(runs(), RATES, (500, 3000, 100_000), errors="spread")
    table = lines(found)
    for n in (500, 3000):
        row, worth = table.loc[n], n * ps.worth(RATES)
        assert row["worth_least"] == pytest.approx(worth)
        assert row["student_least"] == row["student_most"] == pytest.approx(CURVES["theory"](worth), abs=5e-3)
        assert row["student_low"] < CURVES["theory"](worth) < row["student_high"]
        alone = n * ps.worth(ps.Rates(RATES.p, 1, 1))
        assert row["unverified_least"] == pytest.approx(CURVES["theory"](alone), abs=5e-3)
    assert table["beats"].tolist() == [YES, YES, NOT_GIVEN]
    assert table["status"].tolist() == [OK, OK, TOO_FAR]
    assert "no verdict at n = 100,000" in repr(found)


def test_a_generator_that_cannot_be_beaten():
    """Its own accuracy is that of more clean samples than 500 generated ones can be worth."""
    good = ps.Rates(0.13, 0.9, 0.3)
    found = ps.forecast(runs("power"), good, (500,), errors="spread")
    assert lines(found)["beats"].tolist() == [NO]
    assert "  No at n = 500 (95% confidence)." in repr(found)
    learned = ps.forecast(runs("power"), good, (500,))
    assert lines(learned)["beats"].tolist() == [NO]


def test_worthless():
    found = ps.forecast(runs(), ps.Rates(0.45, 0.5, 0.9), (500,), errors="spread")
    row = lines(found).iloc[0]
    assert (row["status"], row["worth_most"], row["student_most"]) == (WORTHLESS, 0, 0.5)
    assert "At no n is it predicted to win" in repr(found)


def test_learned_errors_are_undecided_until_a_student_tells():
    """Between generator and law; one unverified student that beats the generator by far decides."""
    alone = ps.forecast(runs(), RATES, (3000,))
    row = lines(alone).iloc[0]
    assert row["beats"] == UNDECIDED
    assert (row["student_least"], row["student_low"]) == (pytest.approx(0.7), pytest.approx(0.7))
    assert "never if it learns its generator's errors" in repr(alone)
    told = ps.forecast(runs(), RATES, (3000,), unverified=(3000, 0.9))
    assert lines(told).iloc[0]["beats"] == YES
    assert lines(told).iloc[0]["student_least"] == pytest.approx(0.9, abs=0.01)
    assert 0 < told.run_share.low < told.run_share.high < 1
    copied = ps.forecast(runs(), RATES, (3000,), unverified=(3000, 0.7))
    assert lines(copied).iloc[0]["beats"] == UNDECIDED


def test_an_interpolating_learner():
    """From a^14 to a^2, unless noisy runs tell the exponent."""
    wide = ps.forecast(runs(), RATES, (3000,), errors="spread", learner="interpolating")
    row = lines(wide).iloc[0]
    assert row["worth_least"] < 0.2 * row["worth_most"]
    assert row["worth_most"] == pytest.approx(3000 * ps.worth(RATES))
    noisy = runs()
    n, c = np.full(4, 1600), 6
    accuracy = CURVES["theory"](1600 * (1 - 2 * 0.1) ** c) + 0.001 * np.arange(-2, 2)
    noisy = {"n": np.append(noisy["n"], n), "accuracy": np.append(noisy["accuracy"], accuracy)}
    fitted = ps.forecast(noisy | {"p": np.repeat([0, 0.1], [12, 4])}, RATES, (3000,), errors="spread")
    assert fitted.exponent.low < c < fitted.exponent.high
    assert lines(fitted).iloc[0]["worth_most"] < 0.6 * row["worth_most"]
    assert "fitted to the noisy runs of the pilot (n = 1,600, p = 0.1)" in " ".join(report.notes(fitted))


def test_noisy_runs_without_a_clean_equivalent_are_flagged():
    strange = {"n": [*runs()["n"], 1600], "accuracy": [*runs()["accuracy"], 0.9999], "p": [0] * 12 + [0.2]}
    found = ps.forecast(strange, RATES, (3000,), errors="spread")
    assert found.exponent is None
    assert found.exponent_failed
    assert "they have no clean equivalent" in " ".join(report.notes(found))


def test_an_audit_widens_what_known_rates_leave():
    given = runs("power", sd=0.001, sizes=(100, 200, 400, 800))
    audited = ps.forecast(given, drawn_audit(np.random.default_rng(0), RATES, 100), (500,), errors="spread")
    known = ps.forecast(given, audited.rates, (500,), errors="spread")
    first, second = ((found.table["student_high"] - found.table["student_low"]).iloc[0] for found in (audited, known))
    assert first > 2 * second
    assert "taken as known" in " ".join(report.notes(known))


def test_what_is_said_of_a_pilot():
    falling = {"n": np.repeat(SIZES, 2), "accuracy": [0.9, 0.9, 0.8, 0.8, 0.85, 0.86]}
    said = " ".join(report.notes(ps.forecast(falling, RATES, (500,), errors="spread")))
    assert "accuracy falls from n = 100 to 400" in said
    assert "Two runs of a size" in said
    assert "miss" in said
    single = {"n": SIZES, "accuracy": [0.8, 0.9, 0.95], "tested": [1000] * 3}
    assert "One run of every size" in " ".join(report.notes(ps.forecast(single, RATES, (500,), errors="spread")))


def test_ten_classes():
    rates = ps.Rates(0.65, 0.8, 0.6)
    found = ps.forecast(runs("ten classes"), rates, (5000,), errors="spread", classes=10)
    row = lines(found).iloc[0]
    assert row["worth_least"] == pytest.approx(5000 * ps.worth(rates, 10))
    assert row["student_least"] == pytest.approx(CURVES["ten classes"](row["worth_least"]), abs=0.02)
    assert "ties at p*_10" in repr(found)


def test_json_has_all_of_it():
    found = ps.forecast(runs(), RATES, (500, 3000), unverified=(3000, 0.9))
    values = json.loads(json.dumps(report.as_json(found), allow_nan=False))
    assert values["rates"] == {"p": 0.3, "phi": 0.9, "psi": 0.3}
    assert values["unverified"] == [3000, 0.9]
    assert [size["n"] for size in values["pilot"]["clean"]] == [100, 400, 1600]
    assert [row["n"] for row in values["table"]] == [500, 3000]
    assert values["table"][0]["tie_p_least"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"generated": (0.5,)}, "generated = (0.5,) must be whole numbers"),
        ({"generated": ()}, "generated = () must be"),
        ({"errors": "some"}, "errors = 'some' is not one of learned, spread"),
        ({"learner": "some"}, "learner = 'some' is not one of tuned, interpolating"),
        ({"unverified": (100, 90)}, "unverified = (100, 90) must be N, ACCURACY"),
        ({"unverified": (100, 0.9), "errors": "spread"}, "goes with errors = learned"),
        ({"level": 2}, "level = 2 is outside (0, "),
        ({"classes": 1}, "n_classes = 1 must be"),
        ({"audit": ps.Rates(0.6, 1.0, 0.1), "unverified": (100, 0.6)}, "leaves an unverified run nothing to tell"),
        ({"audit": ps.Rates((0.1, 0.2), 1.0, 0.1)}, "rates by class have no one worth"),
        ({"audit": ps.audit([1, 1], [1, 0])}, "psi is undefined in the audit"),
        ({"audit": "nothing.json"}, "nothing.json is not there; make an audit"),
        ({"pilot": runs(p=[0] * 12) | {"p": [0] * 11 + [0.5]}}, "teaches nothing; take less"),
        ({"pilot": {"n": SIZES * 2, "accuracy": [0.4] * 6}}, "no better than a guess among 2 classes"),
    ],
)
def test_refusals(options, said):
    with pytest.raises(InputError) as refused:
        ps.forecast(**({"pilot": runs(), "audit": RATES} | options))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_other_objects():
    with pytest.raises(KindError, match="audit is of kind float"):
        ps.forecast(runs(), 0.3)
    assert isinstance(ps.forecast(pd.DataFrame(runs()), RATES, (500,)), ps.Forecast)
