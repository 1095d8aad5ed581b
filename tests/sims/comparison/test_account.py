"""What a comparison says of cells that decide nothing: ties, undecided ones, and theory beside itself."""

import numpy as np
import pandas as pd
import pytest

from sims.comparison.account import closing, counted
from sims.comparison.compare import judge, summarise_comparison
from sims.comparison.report import _disagreements, _glyphs


def judged(purity, low, high, method="simulation"):
    """Cells of a generator that is right in .6, by the purity of what is kept and the interval of the accuracy."""
    cells = pd.DataFrame({"purity": purity, "low": low, "high": high}).astype(float)
    middle = (cells["low"] + cells["high"]) / 2
    cells = cells.assign(failed=0, generator_accuracy=0.6, exact_accuracy=middle, method=method, seeds=4)
    return judge(cells.assign(z=np.nan, exact_converged=True, exact_status="ok"))


def account(cells):
    return closing(summarise_comparison(cells, pd.DataFrame()))


def test_a_tie_is_neither_right_nor_wrong():
    cells = judged([0.5, 0.5 + 1e-14, 0.7, 0.3], [0.65, 0.5, 0.65, 0.5], [0.7, 0.55, 0.7, 0.55])
    assert cells["rule"].tolist() == [None, None, "gain", "loss"]
    assert cells["rule_right"].isna().tolist() == [True, True, False, False]
    assert "".join(_glyphs(cells)) == "==+-"
    assert "2 of 2 decided cells" in account(cells)
    assert "p = p*, of which the rule says nothing: 2 decided cells" in account(cells)
    assert _disagreements(cells) == "The p* rule is right in 2 decided cells, all there are."


def test_a_rule_that_is_wrong_is_said_to_be():
    cells = judged([0.7, 0.3], [0.5, 0.5], [0.55, 0.55])
    assert cells["rule_right"].tolist() == [False, True]
    assert "1 of 2 decided cells (50.0%)" in account(cells)


def test_no_decided_cell_is_no_success():
    cells = judged([0.7, 0.5], [0.5, 0.5], [0.7, 0.7])
    assert _disagreements(cells).startswith("The p* rule was not tested: no cell is decided")
    assert account(cells).count("no decided cells") == 2
    assert "undecided cells: 2" in account(cells)


def test_theory_is_not_compared_with_itself():
    cells = judged([0.7, 0.3], [0.65, 0.5], [0.65, 0.5], method="theory")
    assert cells["exact_right"].isna().all()
    assert "not compared, as these rows are the exact theory themselves" in account(cells)
    assert "predicts it: 2 of 2" not in account(cells)


@pytest.mark.parametrize(("count", "said"), [(0, "0 cells"), (1, "1 cell"), (1200, "1,200 cells")])
def test_plurals(count, said):
    assert counted(count, "cell") == said
