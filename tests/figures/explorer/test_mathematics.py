"""What the page computes, in Chromium, against `theory`: numbers to 1e-9, words letter by letter."""

import numpy as np
import pytest

from tests.figures.explorer.states import SETTINGS, as_states, given, random_columns
from theory.crossings import curves
from theory.describe import describe, text
from theory.table import predict_table

COUNT = 2_001
"""States in all."""
CURVES = 200
"""States of each setting whose whole curve over p is compared as well."""
NUMBERS = ("p", "phi", "psi", "p_star", "kept_rate", "purity", "generator_accuracy", "accuracy")
CLOSE = 1e-9

PREDICTED = "states => states.map(explorer.predict)"
CROSSED = """states => states.map(state => {
  const { curve_solved, p_half, p_gain, p_gain_infinite_data } = explorer.describe(state);
  const places = found => found && found.map(each => each.p);
  return { curve_solved, p_half: places(p_half), p_gain: places(p_gain), rule: places(p_gain_infinite_data) };
})"""


@pytest.fixture(scope="module")
def page(visits):
    with visits.page() as page:
        yield page


def largest_difference(found, expected):
    """Of numbers, NaN beside NaN being none."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    return float(np.max(np.abs(np.nan_to_num(found) - np.nan_to_num(expected)), initial=0.0))


@pytest.mark.statistical
@pytest.mark.parametrize("setting", SETTINGS)
def test_numbers_agree_with_theory(page, setting, fresh_seed):
    """They do to 1e-11 in 60,000 states: false failure below 1e-6."""
    columns = random_columns(setting, COUNT // len(SETTINGS), np.random.default_rng(fresh_seed))
    found, expected = page.evaluate(PREDICTED, as_states(columns)), predict_table(columns)
    for name in NUMBERS:
        assert largest_difference([each[name] for each in found], expected[name]) <= CLOSE, name
    assert [each["converged"] for each in found] == list(expected["converged"])


@pytest.mark.statistical
@pytest.mark.parametrize("setting", SETTINGS)
def test_crossings_agree_with_theory(page, setting, fresh_seed):
    """False failure: a curve that touches its level with a slope below 1e-6, in fewer than 1e-6 of runs."""
    columns = random_columns(setting, CURVES, np.random.default_rng(fresh_seed))
    found, whole = page.evaluate(CROSSED, as_states(columns)), curves(columns)
    assert largest_difference([each["curve_solved"] for each in found], whole.solved) <= CLOSE
    crossed = {str(target): zeros for target, zeros in whole.crossings().items()}
    if setting == "independent":
        crossed["rule"] = whole.rule_crossings()
    for target, zeros in crossed.items():
        theirs = [np.sort(zeros.x[zeros.curve == i]) for i in range(len(found))]
        assert [len(each[target]) for each in found] == list(map(len, theirs)), target
        ours = np.concatenate([each[target] for each in found])
        assert largest_difference(ours, np.concatenate(theirs)) <= CLOSE, target


def test_another_signal_is_seen(page):
    """The twin: a signal off by 1e-6 is no agreement."""
    columns = random_columns("learned", 100, np.random.default_rng(1))
    found = page.evaluate("states => states.map(state => explorer.predict(state).accuracy)", as_states(columns))
    other = predict_table(columns | {"signal": columns["signal"] + 1e-6})["accuracy"]
    assert largest_difference(found, other) > CLOSE


@pytest.mark.parametrize("setting", SETTINGS)
def test_words_are_those_of_predict(page, setting, fresh_seed):
    """No rounding of a number of six decimals is near enough to a half to be undone by 1e-14: 1e-6 of runs."""
    states = as_states(random_columns(setting, 25, np.random.default_rng(fresh_seed)))
    said = page.evaluate("states => states.map(state => explorer.text(explorer.describe(state)))", states)
    assert said == [text(describe(given(state))) for state in states]


EDGES = [
    {"setting": "independent", "p": 0.0, "phi": 0.0, "psi": 0.5},
    {"setting": "independent", "p": 0.5, "phi": 0.5, "psi": 0.5},
    {"setting": "independent", "p": 0.0078125, "phi": 0.40625, "psi": 0.0},
    {"setting": "independent", "p": 0.00001234567, "phi": 1.0, "psi": 0.000004},
    {"setting": "independent", "p": 0.99996, "phi": 0.99996, "psi": 1.0, "ridge": 0.0, "alpha": 1.3},
    {"setting": "independent", "p": 0.3, "phi": 0.9, "psi": 0.2, "ridge": 0.0, "alpha": 0.5},
    {"setting": "independent", "p": 0.69999999, "phi": 0.7, "psi": 0.3},
    {"setting": "independent", "p": 0.3, "phi": 1e-120, "psi": 1e-122},
    {"setting": "independent", "p": 0.3, "phi": 0.9, "psi": 0.2, "signal": 1e200, "ridge": 1e300, "alpha": 1e-300},
    {"setting": "linear", "cos_generator": 1.0, "cos_verifier": 0.3, "cos_between": 0.3},
    {"setting": "linear", "cos_generator": 0.5, "cos_verifier": 0.5, "cos_between": 1.0},
    {"setting": "linear", "cos_generator": -0.9, "cos_verifier": 0.9, "cos_between": -0.99, "signal": 6.0},
    {"setting": "linear", "cos_generator": 0.0, "cos_verifier": 0.0, "cos_between": 0.0},
    {"setting": "linear", "cos_generator": 1.0, "cos_verifier": -1.0, "cos_between": -1.0, "alpha": 1.0},
    {"setting": "linear", "cos_generator": 0.0, "cos_verifier": 0.0, "cos_between": -1.0, "alpha": 1.0},
    {"setting": "linear", "cos_generator": 0.6, "cos_verifier": -0.6, "cos_between": -1.0, "alpha": 1.0},
    {"setting": "learned", "cos_generator": 0.4, "phi": 1e-300, "psi": 0.0, "alpha": 1.0, "ridge": 1.0},
    {"setting": "learned", "cos_generator": -1.0, "phi": 1.0, "psi": 1.0},
    {"setting": "learned", "cos_generator": 1.0, "phi": 0.0, "psi": 0.3, "ridge": 0.0, "alpha": 0.2},
    {"setting": "linear", "cos_generator": -0.9, "cos_verifier": 0.2, "cos_between": -0.3, "signal": 38.5},
    {"setting": "linear", "cos_generator": 1.0, "cos_verifier": 0.0, "cos_between": 0.0, "signal": 38.5},
    {"setting": "linear", "cos_generator": 0.4, "cos_verifier": 0.6, "cos_between": 0.2, "signal": 1e8, "ridge": 0.0},
    {"setting": "learned", "cos_generator": 0.4, "phi": 0.9, "psi": 0.2, "signal": 1e8, "ridge": 0.0},
    {"setting": "independent", "p": 0.1, "phi": 1e-5, "psi": 0.25, "signal": 38.5},
]


@pytest.mark.parametrize("edge", EDGES, ids=str)
def test_words_at_edges(page, edge):
    state = {"signal": 2.0, "alpha": 10.0, "ridge": 0.1} | edge
    assert page.evaluate("state => explorer.text(explorer.describe(state))", state) == text(describe(given(state)))


@pytest.mark.statistical
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_best_penalty_is_the_best(page, setting, fresh_seed):
    """No penalty of a finer grid is better by 1e-5, which in 7,500 states was 2e-12: false failure below 1e-6."""
    columns = random_columns(setting, 40, np.random.default_rng(fresh_seed))
    best = page.evaluate("states => states.map(explorer.bestRidge)", as_states(columns))
    ridges = np.append(10 ** np.linspace(-4, 4, 321), 1e12)
    wide = {name: np.repeat(column, len(ridges)) for name, column in columns.items()}
    tried = predict_table(wide | {"ridge": np.tile(ridges, len(best))})["accuracy"].reshape(len(best), -1)
    reached = predict_table(columns | {"ridge": np.array(best)})["accuracy"]
    assert np.all(reached >= np.nanmax(tried, axis=1) - 1e-5)


@pytest.mark.statistical
@pytest.mark.parametrize("best_penalty", [False, True])
def test_the_best_point_of_the_verifiers_curve(page, fresh_seed, best_penalty):
    """No threshold of the binormal curve is better by 1e-3; in 4,000 states 4e-12 was: false failure below 1e-6."""
    from scipy.special import ndtr, ndtri

    columns = random_columns("independent", 20, np.random.default_rng(fresh_seed))
    columns["ridge"] = np.maximum(columns["ridge"], 0.01)  # without a penalty accuracy has a cusp where delta = 1
    for state in as_states(columns):
        if best_penalty:  # the one that suits this verifier, along the whole curve
            state["ridge"] = max(page.evaluate("explorer.bestRidge", state), 0.01)
        found = page.evaluate("state => explorer.operating(state, null)", state)
        sharpness = ndtri(state["phi"]) - ndtri(state["psi"])
        assert found["sharpness"] == pytest.approx(sharpness, abs=1e-9)
        z = np.linspace(-4.5, 4.5, 1201) - sharpness / 2
        one = {
            name: np.full(z.size, value, object if isinstance(value, str) else float) for name, value in state.items()
        }
        tried = predict_table(one | {"psi": ndtr(z), "phi": ndtr(z + sharpness)})["accuracy"]
        if found["best"] is None:
            assert np.all(np.isnan(tried))
        else:
            assert found["best"]["accuracy"] >= np.nanmax(tried) - 1e-3
