"""The figures of an audit, drawn from tiny tables through CSV, with gaps."""

import re
import warnings
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import figures
from figures import marks, threshold_curve, verifier


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def through_csv(table):
    return pd.read_csv(StringIO(table.to_csv(index=False)))


def curve(**more):
    """Four thresholds; at the strictest nothing is kept, and p* and purity are unknown."""
    columns = {"threshold": [0.0, 1.0, 2.0, 3.0], "correct_kept": 5, "correct_dropped": 5, "wrong_kept": 1}
    columns |= {"wrong_dropped": 9, "phi": [1.0, 0.9, 0.5, 0.0], "psi": [1.0, 0.5, 0.1, 0.0]}
    columns |= {"p": 0.5, "kept_rate": 0.4, "purity": [0.5, 0.6, 0.8, np.nan], "p_star": [0.5, 0.6, 0.8, np.nan]}
    columns |= {"worth": [0.1, 0.3, 0.2, 0.0]}
    table = pd.DataFrame(columns)
    for rate in ("p", "phi", "psi", "kept_rate", "purity", "p_star", "worth"):
        table[f"{rate}_low"], table[f"{rate}_high"] = table[rate] - 0.1, table[rate] + 0.1
    table["p_star_guarded_low"], table["worth_guarded_low"] = [0.3, 0.4, 0.5, 0.0], [0.0, 0.2, 0.1, 0.0]
    best = {"best": [False, False, True, False], "best_worth": [False, True, False, False]}
    return through_csv(table.assign(**best, unverified=0.1, low_is_good=False, level=0.95).assign(**more))


def lines(**more):
    parts = [("p_star", [(0, 0), (1, 0.4)], [(0, 0), (1, 0.3), (1, 0.5)])]
    parts += [("worth", [(0, 0.2), (0.5, 0.6), (1, 1)], [(0, 0.1), (1, 1), (0, 0.3)])]
    rows = [
        {"line": name, "part": part, "psi": psi, "phi": phi, "classes": 2, "p": 0.3}
        for name, line, band in parts
        for part, points in (("line", line), ("band", band))
        for psi, phi in points
    ]
    return through_csv(pd.DataFrame(rows).assign(**more))


def verifiers(*names, **more):
    columns = {"verifier": list(names), "given": True, "answers": False, "psi": 0.2, "phi": 0.8, "level": 0.95}
    region = pd.DataFrame({"verifier": np.repeat(list(names), 3), "psi": [0.1, 0.3, 0.2] * len(names), "phi": 0.8})
    return {"verifier": through_csv(pd.DataFrame(columns | more)), "verifier_region": through_csv(region)}


def labels(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_threshold_curve(tmp_path):
    table = curve()
    worth, star, rates = threshold_curve.draw({"threshold_curve": table}).axes
    drawn = {line.get_label(): line for ax in (worth, star, rates) for line in ax.get_lines()}
    np.testing.assert_array_equal(drawn["p*"].get_ydata(), table["p_star"])
    np.testing.assert_array_equal(drawn["worth of a generated sample"].get_ydata(), table["worth"])
    np.testing.assert_array_equal(drawn["kept rate"].get_ydata(), table["kept_rate"])
    assert list(drawn["of keeping all"].get_ydata()) == [0.1, 0.1]
    for name, place in (("best threshold for worth", (1.0, 0.2)), ("surest threshold for p*", (2.0, 0.5))):
        assert (*drawn[name].get_xdata(), *drawn[name].get_ydata()) == place
    assert rates.get_xlabel() == "threshold: kept where score ≥ threshold"
    assert len(figures.draw("threshold_curve", {"threshold_curve": table}, tmp_path)) == 2


def test_threshold_curve_of_a_score_that_is_worth_nothing():
    figure = threshold_curve.draw({"threshold_curve": curve(best_worth=False, low_is_good=True)})
    assert "best threshold for worth" not in {line.get_label() for line in figure.axes[0].get_lines()}
    assert figure.axes[2].get_xlabel() == "threshold: kept where score ≤ threshold"


def test_verifier_alone(tmp_path):
    tables = {"verifier_lines": lines()} | verifiers("kept")
    figure = verifier.draw(tables)
    assert labels(figure) == ["p = p*", "worth of keeping all", "verifier kept"]
    assert "p = 0.3, regions at 95%" in figure.get_suptitle()
    [ax] = figure.axes
    point = ax.get_lines()[-1]
    assert (*point.get_xdata(), *point.get_ydata()) == (0.2, 0.8)
    assert not list(ax.texts)
    assert len(figures.draw("verifier", tables, tmp_path)) == 2


def test_several_verifiers_with_a_score():
    several = verifiers("a", "b", "all of them", given=[True, True, False], answers=[False, True, False])
    several["verifier"].loc[0, "psi"] = np.nan  # no wrong record
    figure = verifier.draw({"verifier_lines": lines(classes=3), "threshold_curve": curve()} | several)
    assert labels(figure)[2:] == [
        *("thresholds on the score", "best threshold for worth", "surest threshold for p*"),
        *("1  a", "2  b (answers)", "3  all of them"),
    ]
    assert [text.get_text() for text in figure.axes[0].texts] == ["1", "2", "3"]


def test_a_score_without_a_verifier_and_nothing_at_all(tmp_path):
    figure = verifier.draw({"verifier_lines": lines(), "threshold_curve": curve()})
    assert "thresholds on the score" in labels(figure)
    assert figure.get_suptitle().endswith("p = 0.3")
    assert figures.draw("verifier", {}, tmp_path) == figures.draw("threshold_curve", {}, tmp_path) == []
    assert figures.svg("verifier", {}) is None


def test_names_that_users_give():
    assert marks.plain("$\\frac$") == "\\$\\frac\\$"
    assert marks.plain("a\nb\x07") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"
    assert marks.plain("n" * 50) == "n" * 35 + "…"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("_hidden", "$\\frac$", "検証器", "<script>"):
            page = figures.svg("verifier", {"verifier_lines": lines()} | verifiers(name, "b"))
            shown = re.sub("&lt;", "<", re.sub("&gt;", ">", page))
            assert f">1  {name}</text>" in shown


def test_svg_is_the_same_each_time_and_undated():
    tables = {"verifier_lines": lines()} | verifiers("kept")
    page = figures.svg("verifier", tables)
    assert page == figures.svg("verifier", tables)
    assert "<metadata" not in page
    assert "verifier kept</text>" in page


def test_captions():
    for name in ("verifier", "threshold_curve"):
        assert figures.caption(name).endswith(".")
        assert len(figures.legend(name)) > 100
        assert "\n" not in figures.legend(name)
