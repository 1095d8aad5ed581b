"""What a person reads of results: all results of ours, plain, long and traced."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pstar as ps
from theory.display import record, short

PROBLEM = ps.Problem(2.0, ps.Rates(0.3, 0.9, 0.2), 0.1)


def test_a_line_per_field():
    shown = repr(ps.predict(PROBLEM, 4)).splitlines()
    assert shown[0] == "Prediction"
    names = [line.split()[0] for line in shown[1:]]
    assert names == [name for name in ps.Prediction._fields if name in names]
    assert "p_star_direction" not in names  # which is p* here, as both classes are alike
    assert ["p_star", "0.818182"] in [line.split() for line in shown]


def test_what_an_intercept_adds_is_said_where_it_differs():
    unlike = ps.Problem(2.0, ps.ClassRates([0.1, 0.3], [1, 0.9], [0.2, 0.4], [0.3, 0.7]), 0.1, intercept=True)
    shown = [line.split()[0] for line in repr(ps.predict(unlike, 4)).splitlines()[1:]]
    assert shown == list(ps.Prediction._fields)


def test_long_arrays_are_said_by_shape_and_range():
    many = PROBLEM._replace(curation=ps.Rates(np.linspace(0, 1, 40), 0.9, 0.0))
    shown = repr(ps.predict(many, 4))
    assert max(map(len, shown.splitlines())) < 80
    assert "array (40,), 0 .. 1" in shown
    assert "1 NaN" in shown
    assert "39 True" in shown
    assert "array (40,), 39 ok, 1 nothing kept" in shown


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1 / 3, "0.333333"),
        (np.float64("nan"), "nan"),
        (np.array([0.5, 2.0]), "[0.5, 2]"),
        (jnp.arange(3), "[0, 1, 2]"),
        (np.full(9, np.nan), "array (9,), no number, 9 NaN"),
        (np.zeros((2, 2)), "array (2, 2), 0 .. 0"),
        (np.array(["nothing kept", *["ok"] * 8], object), "array (9,), 8 ok, 1 nothing kept"),
        ((), "()"),
        (tuple("abcdefg"), "7 entries, a .. g"),
        ({"a": 1, "b": 2}, "2 entries: a, b"),
    ],
)
def test_values(value, said):
    assert short(value) == said


@pytest.mark.parametrize("of", [ps.Solution, ps.Prediction, ps.Measurement])
def test_tracers_have_a_repr(of):
    said = []

    def traced(number):
        said.append(repr(of(*[number] * len(of._fields))))
        return number

    jax.jit(traced)(1.0)
    assert said[0].count("\n") == len(of._fields)


def test_audits_and_estimates():
    correct, kept = np.arange(40) % 10 != 0, np.arange(40) % 3 != 0
    found = ps.audit(correct, kept, classes=np.arange(40) % 2)
    assert repr(found.p) == "0.1 [0.02793, 0.2366]"
    assert repr(found.counts) == "Counts(correct_kept=24, correct_dropped=12, wrong_kept=2, wrong_dropped=2)"
    assert "  by_class   2 entries: 0, 1" in repr(found).splitlines()
    assert "n_classes" not in repr(found)
    assert "note: nothing is kept" in repr(ps.audit(correct, np.zeros(40)))
    curve = repr(ps.threshold_curve(correct, np.linspace(0, 1, 40)))
    assert "(and low, high)" in curve
    assert max(map(len, curve.splitlines())) < 190


def test_a_record_shows_no_field_that_holds_nothing():
    class Found:
        def __init__(self):
            self.a, self.b, self.c = 1, None, {}

    assert record(Found()) == "Found\n  a  1"
