"""The recipe of CONTRIBUTING.md: a setting is an entry of the vocabulary and one file on each road."""

import json

import pandas as pd
import pytest

from tests import recipe
from tests.recipe import pstar

COLUMN = '    Column("lost", "lost", "share of the samples that is lost", 0, 1, False, "verifier"),\n'
ENTRY = '        Setting("thinned", "as independent, and some are lost", "Thinned", "p", ("phi", "psi"), ("lost",)),\n'
PREDICTED = '''"""As independent, and a share of the samples is lost, whatever they are."""

from theory._check import check_rates, in_range
from theory.laws import Independent
from theory.settings.base import Setting
from theory.threshold import kept_rate, p_star, purity
from theory.types import Rates


class _Thinned(Setting):
    name = "thinned"
    half_at_threshold = True

    def check(self, curation):
        check_rates(Rates(*curation[:3]))
        in_range("lost", curation.lost, 0, 1)

    def law(self, signal, curation):
        return Independent(signal, purity(Rates(*curation[:3]))), kept_rate(self.rates(signal, curation))

    def rates(self, signal, curation):
        left = 1 - curation.lost
        return Rates(curation.p, left * curation.phi, left * curation.psi)

    def along(self, table, share):
        return {**table, "p": share}

    def threshold(self, table):
        return p_star(Rates(table["p"], table["phi"], table["psi"]))


SETTING = _Thinned()
'''
SIMULATED = '''"""As independent, and a share of the samples is lost, whatever they are."""

import jax

from sims.settings.base import Setting
from sims.settings.independent import SETTING as INDEPENDENT
from theory.types import Rates


class _Thinned(Setting):
    def label(self, key, problem, x, y):
        return INDEPENDENT.label(key, _rates(problem), x, y)

    def keep(self, key, problem, sample):
        first, second = jax.random.split(key)
        there = jax.random.uniform(first, sample.y.shape) >= problem.curation.lost
        return there & INDEPENDENT.keep(second, _rates(problem), sample)


def _rates(problem):
    return problem._replace(curation=Rates(*problem.curation[:3]))


SETTING = _Thinned()
'''
SWEEP = """
[problem]
setting = "thinned"
d = 20
alpha = 4
[generator]
p = [0.1, 0.3, 0.5, 0.7, 0.9]
[verifier]
phi = 0.9
psi = 0.3
lost = [0.0, 0.5]
[training]
loss = "squared"
ridge = 0.1
[run]
seeds = 8
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the project with one more setting."""
    root = recipe.copy(tmp_path_factory.mktemp("tree"))
    vocabulary = root / "theory" / "columns.py"
    text = vocabulary.read_text()
    columns, settings = text.split("SETTINGS: Mapping", 1)
    columns = columns.replace("\n)\n", f"\n{COLUMN})\n", 1)
    settings = settings.replace("    for setting in (\n", f"    for setting in (\n{ENTRY}", 1)
    vocabulary.write_text(f"{columns}SETTINGS: Mapping{settings}")
    (root / "theory" / "settings" / "thinned.py").write_text(PREDICTED)
    (root / "sims" / "settings" / "thinned.py").write_text(SIMULATED)
    (root / "sweep.toml").write_text(SWEEP)
    return root


def test_it_is_predicted(tree):
    """Half of the samples lost is half of n/d; the table, the options and the help know the new column."""
    shared = ["--p", ".3", "--phi", ".9", "--psi", ".3", "--json"]
    thinned = json.loads(pstar(tree, "predict", "--setting", "thinned", "--lost", ".5", "--alpha", "8", *shared))
    plain = json.loads(pstar(tree, "predict", "--alpha", "4", *shared))
    assert thinned["accuracy"] == pytest.approx(plain["accuracy"], abs=1e-12)
    assert thinned["p_gain"] == [pytest.approx(line, abs=1e-9) for line in plain["p_gain"]]
    help_text = " ".join(pstar(tree, "predict", "--help").split()).lower()
    assert "share of the samples that is lost, in [0, 1]; thinned" in help_text


def test_it_is_simulated_compared_and_drawn(tree):
    pstar(tree, "sweep", "sweep.toml", "--out", "out", "--workers", "1")
    report = pstar(tree, "compare", "out")
    assert "thinned setting" in report
    cells = (tree / "out" / "tables" / "cells.csv").read_text().splitlines()
    assert "lost" in cells[0].split(",")
    assert len(cells) == 11
    table = pd.read_csv(tree / "out" / "tables" / "cells.csv")
    lost = table.groupby("lost")["kept"].mean()
    assert 0.4 < lost[0.5] / lost[0.0] < 0.6  # of 640 samples a cell
    assert table["z"].abs().max() < 6
    assert "accuracy_against_p.png" in pstar(tree, "figures", "out", "accuracy_against_p")
