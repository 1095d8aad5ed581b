"""What a report leaves."""

import json

import pandas as pd

from empirical.reports import write_report


def test_tables_are_there_for_programs_twice_and_the_text_ends_a_line(tmp_path):
    table = pd.DataFrame({"name": ["a", "b"], "value": [0.1 + 0.2, float("nan")]})
    write_report(tmp_path, {"rows": table}, {"profile": {"name": "mine"}}, "words")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "tables" / "rows.csv"), table)
    body = json.loads((tmp_path / "report.json").read_bytes())
    assert body["rows"] == [{"name": "a", "value": 0.3}, {"name": "b", "value": None}]
    assert body["profile"] == {"name": "mine"}
    assert (tmp_path / "report.txt").read_text() == "words\n"
