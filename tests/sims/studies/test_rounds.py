"""The figures of the two studies of the linear setting, drawn from tiny tables through CSV."""

import numpy as np
import pandas as pd
import pytest

from figures import rounds as rounds_figure
from figures import trust as trust_figure
from sims.studies import NAMES, rounds, trust


def through_csv(tables, folder):
    """As the command line does."""
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return {name: pd.read_csv(folder / f"{name}.csv") for name in tables}


@pytest.fixture
def rounds_tables(monkeypatch, tmp_path):
    monkeypatch.setattr(rounds, "D", 10)
    monkeypatch.setattr(rounds, "BRANCHES", np.array([0.0, 0.1]))
    monkeypatch.setattr(rounds, "CASES", tuple(case._replace(rounds=2) for case in rounds.CASES[2:]))
    return through_csv(rounds.tables(3), tmp_path)


def small_trust(monkeypatch):
    monkeypatch.setattr(trust, "GRID", np.linspace(-0.9, 0.9, 6))
    monkeypatch.setattr(trust, "SIZES", {4.0: 6, 1000.0: 3})
    monkeypatch.setattr(trust, "SIMULATED", np.array([-0.5, 0.5]))
    monkeypatch.setattr(trust, "OPPOSED_ALPHAS", (64.0,))
    monkeypatch.setattr(trust, "OPPOSED_D", 4)
    return trust.tables(3)


def invented_trust():
    """Tables of the right columns and any numbers."""
    g, v, t = (axis.ravel() for axis in np.meshgrid([-0.5, 0.0, 0.5], [-0.5, 0.0, 0.5], [0.0, 0.8]))
    maps = pd.DataFrame({"cos_generator": g, "cos_verifier": v, "partial": t, "signal": 1.5, "ridge": 0.1})
    maps = maps.assign(loss="squared", rule=0.5 + g / 2, exact_4=0.5 + v / 3, exact_1000=0.5 + g * v)
    maps["generator_accuracy"] = 0.5 + g / 4
    slices = maps[maps["cos_verifier"] == 0.5]
    parts = [slices.assign(alpha=alpha, accuracy=0.6, low=0.5, high=0.7) for alpha in (4.0, 1000.0)]
    opposed = pd.DataFrame({"alpha": [1.0, 10.0], "exact": [0.4, 0.7], "independent": [0.4, 0.2]})
    opposed = opposed.assign(infinite=0.8, rule=0.1, p=0.02, p_star=0.01, signal=2.5, ridge=0.1, low=0.3, high=0.5)
    opposed = opposed.assign(cos_generator=0.9, cos_verifier=-0.9, cos_between=-0.9, accuracy=[np.nan, 0.4])
    verifiers = pd.DataFrame({"level": [0.2, 0.2, np.nan, np.nan], "verifier_accuracy": [0.6, 0.7, 0.8, 0.9]})
    verifiers = verifiers.assign(p_star=[0.6, 0.7, 0.75, 0.6], cos_between=0.2, p=0.15, cos_generator=0.7)
    return {"maps": maps, "slices": slices, "cells": pd.concat(parts), "opposed": opposed, "verifiers": verifiers}


def drawn(ax):
    return {tuple(np.round(np.asarray(line.get_ydata(), float), 12)) for line in ax.get_lines()}


def test_rounds(rounds_tables, tmp_path):
    figure = rounds_figure.draw(rounds_tables)
    lines = rounds_tables["lines"]
    for case, part in lines[lines["verified"]].groupby("case"):
        assert any(tuple(np.round(part["accuracy"], 12)) in drawn(ax) for ax in figure.axes), case
    figure.savefig(tmp_path / "rounds.png")


def test_rounds_with_a_failed_cell(rounds_tables, tmp_path):
    rounds_tables["cells"].loc[[0, 1], ["accuracy", "low", "high"]] = np.nan
    rounds_figure.draw(rounds_tables).savefig(tmp_path / "gaps.png")


def test_trust(tmp_path):
    tables = through_csv(invented_trust(), tmp_path)
    figure = trust_figure.draw(tables)
    assert tuple(tables["opposed"]["exact"]) in drawn(figure.axes[4])
    figure.savefig(tmp_path / "trust.png")


@pytest.mark.slow
def test_trust_study(monkeypatch, tmp_path):
    """The study computed small, drawn, and its two claims: better verifiers, lower p*; training that loses below p*."""
    tables = through_csv(small_trust(monkeypatch), tmp_path)
    trust_figure.draw(tables).savefig(tmp_path / "trust.png")
    path = tables["verifiers"].query("level.isna()")
    assert np.all(np.diff(path["verifier_accuracy"]) > 0)
    assert np.all(np.diff(path["p_star"]) < 0)
    assert np.all(tables["summary"]["below"] == 1)
    assert np.all(tables["summary"]["worse_infinite"] > 0)


def test_registered_and_captioned():
    assert {"rounds", "trust"} <= set(NAMES)
    assert all(len(module.__doc__.splitlines()[0]) > 30 for module in (rounds_figure, trust_figure))
