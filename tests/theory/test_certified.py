"""One predicate of ok: what it refuses, that extremes pass it or are named, and that nothing is ok without it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from sims import exact_law, newton
from tests.small_sweep import simulate
from theory import certified, status
from theory.classes import prediction as classes
from theory.classes import symmetric
from theory.describe import describe
from theory.equations import TOLERANCE
from theory.prediction import predict
from theory.rounds import trajectory
from theory.table import predict_table
from theory.types import STATUSES, ClassesProblem, ClassRates, Cosines, Problem, Rates, Spectrum

GOOD = certified.Row(3, 1e-12, 1e-9, (0.5, 2.0), ((-0.5, 2.0),), ((0.7, 0.2, 0.8), (1.0, 0.0, 1.0)))


def reason(**changed):
    return STATUSES[int(certified.refused(GOOD._replace(**changed)))]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, "ok"),
        ({"kept": 0}, "nothing kept"),
        ({"kept": np.nan}, "nothing kept"),
        ({"kept": 5e-324}, "nothing kept"),
        ({"numbers": (0.5, np.inf)}, "not finite"),
        ({"numbers": (np.nan,)}, "not finite"),
        ({"lengths": ((0.0, 0.0),)}, "not finite"),
        ({"residual": 2e-9}, "not converged"),
        ({"residual": np.inf}, "not converged"),
        ({"residual": np.nan}, "not converged"),
        ({"lengths": ((-2.1, 2.0),)}, "out of bounds"),
        ({"lengths": ((np.nextafter(2.0, 3.0), 2.0),)}, "ok"),
        ({"shares": ((0.81, 0.2, 0.8),)}, "out of bounds"),
        ({"shares": ((0.19, 0.2, 0.8),)}, "out of bounds"),
        ({"shares": ((-1e-12, 0.0, 1.0),)}, "out of bounds"),
        ({"shares": ((np.nan, 0.0, 1.0),)}, "out of bounds"),
    ],
)
def test_each_refusal_has_its_name(changed, why):
    assert reason(**changed) == why


def test_the_first_reason_is_given_row_by_row():
    row = GOOD._replace(
        kept=np.array([0, 3, 3]), residual=np.array([1.0, 1.0, 0.0]), numbers=(np.array([np.nan, 1, 1]),)
    )
    assert [STATUSES[code] for code in certified.refused(row)] == ["nothing kept", "not converged", "ok"]
    assert certified.judged(np.array([2, 0, 0]), row).tolist() == [2, status.NOT_CONVERGED, 0]


def test_many_classes_may_do_worse_than_two_ever_can():
    """At p*_K accuracy is 1/K, which is less than 1 - Bayes."""
    found = classes.predict(ClassesProblem(1.5, Rates(0.8, 0.7, 0.7), 0.1), 4.0, "squared", classes=5)
    assert bool(found.converged)
    np.testing.assert_allclose(found.accuracy, 0.2, atol=1e-9)


def test_promises_are_those_of_the_solvers():
    assert certified.PROMISED == {
        "simulation": newton.TOLERANCE,
        "exact-law": exact_law.TRUNCATION,
        "theory": TOLERANCE,
    }
    assert symmetric.TOLERANCE == TOLERANCE


EDGES = [0.0, 5e-324, 1e-300, 1e-16, 0.5, 1 - 2**-53, 1.0]
SIZES = [5e-324, 1e-300, 1e-12, 1e-3, 1.0, 1e3, 1e12, 1e300]
rate = st.sampled_from(EDGES) | st.floats(0, 1)
size = st.sampled_from(SIZES) | st.floats(1e-3, 1e3)
KNOWN = ("accuracy", "balanced_accuracy", "accuracy_minus", "accuracy_plus", "best_offset_accuracy", "bayes_accuracy")


def check(found, signal):
    """What anyone may ask of a prediction that is ok, without the predicate; and that others have no numbers."""
    for name in (*KNOWN, "mean_score", "offset", "score_sd", "theta"):
        assert np.isfinite(found[name]) == found["converged"], name
    assert found["converged"] == (found["status"] == "ok")
    if found["converged"]:
        assert found["kept_rate"] > 0
        assert 0 <= found["purity"] <= 1
        assert found["residual"] <= 1e-9
        assert all(0 <= found[name] <= 1 for name in KNOWN)
        assert found["accuracy"] <= found["bayes_accuracy"] + 2e-9
        assert abs(found["mean_score"]) <= signal * found["score_sd"] * (1 + 1e-8) + 1e-300


@settings(max_examples=150, deadline=None)
@given(
    signal=size, alpha=size, ridge=st.just(0.0) | size, p=rate, phi=rate, psi=rate, prior=rate, kind=st.integers(0, 3)
)
def test_extremes_are_ok_or_named(signal, alpha, ridge, p, phi, psi, prior, kind):
    columns = {"signal": signal, "alpha": alpha, "ridge": ridge, "p": p, "phi": phi, "psi": psi, "loss": "squared"}
    columns |= {"intercept": 1.0} if kind & 1 else {}
    columns |= {"prior": prior} if kind & 2 else {}
    try:
        found = predict_table(columns)
    except ValueError:
        return  # refused, which is as good
    check({name: values[0] for name, values in found.items()}, signal)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"ridge": 1e-300}, "ok"),
        ({"ridge": 1e-300, "alpha": 0.1}, "ok"),
        ({"signal": 1e-300}, "ok"),
        ({"signal": 1e300}, "not finite"),
        ({"p": 5e-324, "phi": 0.0}, "nothing kept"),
        ({"phi": 5e-324, "psi": 0.0}, "nothing kept"),
        ({"phi": 1e-310, "psi": 1e-310}, "nothing kept"),
        ({"p": 0.0, "signal": 1e6, "alpha": 1e6, "ridge": 0.0, "intercept": 1.0, "psi": 0.0}, "out of bounds"),
    ],
)
def test_predictions_at_the_edges(changed, why):
    found = describe(
        {"signal": 2.0, "alpha": 10.0, "ridge": 0.1, "p": 0.1, "phi": 0.9, "psi": 0.2, "loss": "squared"} | changed
    )
    assert found["status"] == why
    check(found, changed.get("signal", 2.0))


def theory(**more):
    document = {
        "problem": {"d": 10, "alpha": 4, "signal": 2.0},
        "generator": {"p": [[0.0, 5e-324], [0.2, 0.2]]},
        "verifier": {"phi": 0.0, "psi": 0.5},
        "training": {"ridge": [1e-300, 0.1], "loss": "squared"},
        "run": {"method": "theory"},
    }
    return simulate({table: values | more.get(table, {}) for table, values in document.items()})


@pytest.mark.parametrize("prior", [0.0, 5e-324, 0.5, 1.0])
def test_rows_of_theory_with_nothing_kept_are_flagged(prior):
    rows = theory(problem={"prior": prior})
    none = rows["m"] == 0
    assert none.any()
    assert not none.all()
    assert (rows["status"] == "nothing kept").equals(none)
    assert rows.loc[none, "accuracy"].isna().all()
    assert np.isfinite(rows.loc[~none, ["accuracy", "norm", "overlap", "gradient_norm"]]).all(axis=None)


def test_an_expected_count_that_rounds_to_zero_is_nothing_kept():
    rows = theory(problem={"d": 1, "alpha": 1}, verifier={"phi": 0.3, "psi": 0.3}, generator={"p": 0.2})
    assert set(rows["m"]) == {0}
    assert set(rows["status"]) == {"nothing kept"}


@pytest.mark.parametrize("signal", [5e-324, 1e-300, 1.0, 1e6])
def test_in_one_dimension_the_overlap_is_the_norm(signal):
    rows = simulate(
        {
            "problem": {"d": 1, "alpha": 3, "signal": signal},
            "generator": {"p": 0.2},
            "verifier": {"phi": 0.9, "psi": 0.5},
            "training": {"ridge": [1e-300, 0.1], "loss": "squared"},
            "run": {"seeds": 4},
        }
    )
    ok = rows[rows["status"] == "ok"]
    np.testing.assert_allclose(abs(ok["overlap"]), ok["norm"], rtol=1e-9)
    assert (ok["gradient_norm"] <= 1e-10).all()
    np.testing.assert_allclose(ok["accuracy"], ndtr(signal * np.sign(ok["overlap"])), atol=1e-9)


def test_hinge_where_nothing_bends_has_a_norm():
    """nu = E[M''] = 0: every kept sample pulls alike, as in averaging, and the norm is that of the mean pull."""
    white = Spectrum(np.array([1.0]), np.array([1.0]), np.array([1.0]))
    plain = predict(Problem(1.0, Rates(0.2, 1.0, 0.5), 1e6), 4.0, "hinge")
    found = predict(Problem(white, Rates(0.2, 1.0, 0.5), 1e6), 4.0, "hinge")
    assert bool(found.converged)
    np.testing.assert_allclose([found.score_sd, found.accuracy], [plain.score_sd, plain.accuracy], rtol=1e-6)


def everything_that_says_ok():
    """Statuses, in words or as flags, of every way to a row."""
    rates, cosines = Rates(0.1, 0.9, 0.2), Cosines(0.5, 0.6, 0.1)
    spectrum = Spectrum(np.array([2.0, 0.5]), np.array([0.5, 0.5]), np.array([1.0, 1.0]))
    unequal = ClassRates(np.array([0.1, 0.2]), np.array([0.9, 0.8]), np.array([0.2, 0.3]), np.array([0.4, 0.6]))
    for loss in ("squared", "logistic", "hinge"):
        for signal, curation, intercept in (
            (1.0, rates, None),
            (1.0, cosines, None),
            (spectrum, rates, None),
            (1.0, unequal, loss != "hinge"),
        ):
            yield predict(Problem(signal, curation, 0.1, intercept), 4.0, loss).converged
    for loss in classes.LOSSES:
        for k in (2, 3):
            yield classes.predict(ClassesProblem(1.5, rates, 0.1), 4.0, loss, classes=k).converged
    yield trajectory(Problem(1.0, cosines, 0.1), 4.0, 1).converged[1]
    table = {"signal": 1.0, "alpha": 4.0, "ridge": 0.1, "p": 0.1, "phi": 0.9, "psi": 0.2, "loss": "squared"}
    yield describe(table)["status"] == "ok"
    small = {
        "problem": {"d": 4, "alpha": 5, "signal": 1.0},
        "generator": {"p": 0.1},
        "verifier": {"phi": 0.9, "psi": 0.2},
        "training": {"ridge": 0.1, "loss": "squared"},
    }
    for method in ("simulation", "exact-law", "theory"):
        run = {"method": method} | ({} if method == "theory" else {"seeds": 1})
        rows: pd.DataFrame = simulate(small | {"run": run})
        yield (rows["status"] == "ok").all()
        yield rows["converged"].all()
        yield rows[["overlap", "norm", "accuracy"]].notna().all(axis=None)


def test_all_of_these_are_ok():
    assert all(map(bool, everything_that_says_ok()))


def test_nothing_is_ok_without_the_predicate(monkeypatch):
    """A predicate that refuses everything leaves no row of any method ok, and no number of a classifier."""
    monkeypatch.setattr(
        certified, "refused", lambda row: np.asarray(status.OUT_OF_BOUNDS) + 0 * np.asarray(row.kept, int)
    )
    assert not any(map(bool, everything_that_says_ok()))
