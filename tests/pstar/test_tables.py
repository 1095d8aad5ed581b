"""Which columns a table of problems may have, in a notebook and in a file."""

import numpy as np
import pandas as pd
import pytest

import pstar as ps
from pstar import tables
from sims.sweeps.rows import schema
from tests.pstar.test_door import SMALL

LINES = pd.DataFrame(
    {"p": [0.1, 0.3], "phi": 0.9, "psi": 0.2, "signal": 2.0, "alpha": 4, "ridge": 0.1, "loss": "squared"}
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lambda": 1.0}, "column 'lambda' is not known; leave it out, or carry it along unread: ignore=['lambda']"),
        ({"id": 1, "note": "x"}, r"columns 'id', 'note' are not known; .*ignore=\['id', 'note'\]"),
        ({"n": 40, "d": 10}, None),
        ({"p_star": 0.5, "given_accuracy": 1.0, "accuracy_low": 0.1, "exact_accuracy": 0.2}, None),
        ({" p": 0.2}, "has 2 columns 'p'; rename all but one"),
        ({"p": [True, False]}, "column p: it holds true and false, not numbers"),
        ({"p": [0.1, 1.5], "phi": [2, 0.9]}, r"2 faults in a table of 2 lines\n  - line 1: phi = 2 is outside"),
    ],
)
def test_a_frame_of_lines(change, said):
    if said is None:
        assert len(ps.predict_table(LINES.assign(**change))) == 2
        return
    with pytest.raises(ps.InputError, match=said.replace("[", r"\[") if "\\" not in said else said):
        ps.predict_table(LINES.assign(**change))


def test_a_misspelt_column_is_refused_in_a_mapping():
    given = {name: LINES[name].to_numpy() for name in LINES} | {"ridge": 0.1}
    del given["ridge"]
    with pytest.raises(ps.InputError, match="column 'ridges' is not known; did you mean 'ridge'"):
        ps.predict_table(given | {"ridges": 0.1})


def test_columns_that_are_not_read():
    found = ps.predict_table(LINES.assign(id=[1, 2]), ignore=["id"])
    pd.testing.assert_frame_equal(found, ps.predict_table(LINES))
    twice = pd.concat([LINES, LINES[["p"]]], axis=1)
    with pytest.raises(ps.InputError, match="has 2 columns 'p'; rename all but one"):
        ps.predict_table(twice)


def test_results_of_predictions_sweeps_and_comparisons_may_stand_beside():
    """All that our own tables have, so that they can be predicted again."""
    rows = ps.sweep(SMALL)
    compared = ps.compare(rows)
    names = {*rows, *schema("independent", True, True).names, *schema("keep-easy").names}
    names |= {*compared.cells, *compared.crossings, *compared.lines, *compared.maps}
    names |= {f"given_{name}" for name in tables.results()}
    assert tables.unknown([*names, "alpha"], False, (), lambda names: "") == []
    assert len(ps.predict_table(compared.cells)) == len(compared.cells)
    assert not tables.is_result("lambda")
    assert np.all([not tables.is_result(name) for name in tables.SYMBOLS if name not in ("p",)])
