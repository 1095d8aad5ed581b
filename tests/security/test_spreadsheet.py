"""No cell of a CSV of ours is a formula that data have written; numbers stay numbers."""

import ast
import csv as reading
import io

import numpy as np
import pandas as pd
import pytest

from sims.running.spreadsheet import FORMULA, csv
from tests.pstar.command import in_one_process
from tests.security.test_terminal import NASTY, obeyed
from tests.test_architecture import ROOT

FORMULAS = ["=1+1", "+SUM(A1)", "-2+3", "@x", "\t=1", "\r=1", " =1+1", "＝1+1", "=cmd|'/C calc'!A0", "-1e5x", "=\n1"]
HARMLESS = ["-", "--", "+", "a=b", "", "-1", "+1.5", "-1e300", "-inf", "naïve", "a,b", 'a"b', "'x"]


def cells(text):
    return list(reading.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_text(formula):
    table = pd.DataFrame({"x": [formula, "b"], formula: [1, 2], "c": pd.Categorical([formula, "d"])})
    header, row, other = cells(csv(table))
    assert [header[1][0], row[0][0], row[2][0]] == ["'", "'", "'"]
    assert other == ["b", "2", "d"]
    assert list(table) == ["x", formula, "c"]  # the table itself is as it was


@pytest.mark.parametrize("word", HARMLESS)
def test_other_text_stays_as_it_is(word):
    table = pd.DataFrame({"x": [word], "n": [1.0]})
    assert csv(table) == table.to_csv(index=False)


def test_numbers_stay_numbers():
    table = pd.DataFrame(
        {
            "float": [-0.1, np.nan, -np.inf, 1e-300],
            "integer": [-1, 0, 2, 3],
            "flag": [True, False, True, True],
            "mixed": [-1, None, "a", -2.5],
        }
    )
    assert csv(table) == table.to_csv(index=False)
    pd.testing.assert_frame_equal(
        pd.read_csv(io.StringIO(csv(table))), pd.read_csv(io.StringIO(table.to_csv(index=False)))
    )


def test_control_characters_are_escapes():
    assert obeyed(csv(pd.DataFrame({NASTY: [NASTY]}))) == set()


def test_all_of_our_csv_is_written_so():
    """By the syntax tree: `to_csv` is called in one place."""
    callers = []
    for package in ("theory", "sims", "empirical", "figures", "pstar"):
        for path in (ROOT / package).rglob("*.py"):
            calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute))
            callers += [path.relative_to(ROOT).as_posix() for node in calls if node.attr == "to_csv"]
    assert callers == ["sims/running/spreadsheet.py"]


def test_files_of_commands_hold_no_formula(tmp_path):
    nasty = "=HYPERLINK(A1)"
    records = pd.DataFrame({"correct": [1, 0] * 40, "kept": [1, 1, 0, 0] * 20, "class": [nasty, "-1"] * 40})
    records.to_csv(tmp_path / "records.csv", index=False)
    pd.DataFrame({"p": [0.3], "phi": [0.8], "psi": [0.2], "loss": ["squared"]}).to_csv(tmp_path / "t.csv", index=False)
    audit = ["audit", str(tmp_path / "records.csv"), "--correct", "correct", "--kept", "kept", "--class", "class"]
    table = ["predict", "--table", str(tmp_path / "t.csv"), "--out", str(tmp_path / "out" / "t.csv")]
    (tmp_path / "out").mkdir()
    for code, _, error in in_one_process([[*audit, "--out", str(tmp_path / "audit")], table]):
        assert code == 0, error
    written = [*tmp_path.glob("audit/*.csv"), *tmp_path.glob("out/*.csv")]
    found = [cell for path in written for row in cells(path.read_text()) for cell in row]
    assert f"'{nasty}" in found
    assert "-1" in found
    for cell in found:
        try:
            float(cell or 0)
        except ValueError:
            assert cell[0] not in FORMULA, cell
