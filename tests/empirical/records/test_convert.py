"""Words for yes and no, missing values, numbers and labels."""

import numpy as np
import pytest

from empirical import records
from empirical.records import words


def column(tmp_path, *cells):
    (tmp_path / "r.csv").write_text("c,other\n" + "".join(f'"{cell}",x\n' for cell in cells))
    return records.read(tmp_path / "r.csv", ["c"])["c"]


def test_common_words(tmp_path):
    pairs = "1/0 true/false yes/no y/n t/f pass/fail passed/failed correct/incorrect right/wrong on/off keep/drop "
    pairs += "kept/dropped accept/reject accepted/rejected good/bad 1/-1 1.0/0.0 +1/-1.0 TRUE/False"
    for pair in pairs.split():
        yes, no = pair.split("/")
        found = records.as_flags(column(tmp_path, f" {yes.upper()}", no, no.title(), yes))
        assert found.values.tolist() == [True, False, False, True], pair
    assert not words.YES & words.NO
    assert not (words.YES | words.NO) & words.MISSING


@pytest.mark.parametrize(
    ("cells", "true", "false", "right", "notes"),
    [
        ("A B A", ["A"], [], "101", ("column 'c': 'B' means no",)),
        ("A B tie", ["a "], [], "100", ("column 'c': 'B', 'tie' mean no",)),
        ("A B tie", [], ["B", "tie"], "100", ("column 'c': 'A' means yes",)),
        ("A B", ["A"], ["B"], "10", ()),
        ("0 1 0", ["0"], [], "101", ("column 'c': '1' means no",)),
        ("1 0 1", ["A"], [], "101", ()),
        ("pass fail", ["pass", "A"], [], "10", ()),
        ("A A", ["A", "B"], [], "11", ()),
        ("oui non Ja", [], [], "101", ()),
        ("1 0 -1", ["1"], ["0", "-1"], "100", ()),
        ("3 1 2", ["3.0"], ["1", "2"], "100", ()),
    ],
)
def test_words_of_a_user(tmp_path, cells, true, false, right, notes):
    found = records.as_flags(column(tmp_path, *cells.split()), true, false)
    assert "".join("01"[int(value)] for value in found.values) == right
    assert found.notes == notes


@pytest.mark.parametrize(
    ("cells", "true", "false", "said"),
    [
        ("A B tie", ["A"], ["B"], "'tie', which is neither yes nor no"),
        ("A yes no", ["A"], [], "'yes', which is neither yes nor no"),
        ("A B", ["C"], [], "holds 'A' and 'B'; say which means yes"),
        ("A B A", ["A", "B"], [], "holds 'A', 'B', all of them named by --true; name what means yes alone"),
        ("A B C", [], [], "'A', which is neither yes nor no"),
    ],
)
def test_words_that_stay_unclear(tmp_path, cells, true, false, said):
    with pytest.raises(records.RecordsError, match=said):
        records.as_flags(column(tmp_path, *cells.split()), true, false)


def test_missing_is_refused_or_known(tmp_path):
    some = column(tmp_path, "1", "", "NA", "n/a", "null", "None", "nan", "-", "  ", "0")
    for convert in (records.as_flags, records.as_numbers, records.as_quality):
        with pytest.raises(records.RecordsError, match=r"line 3: column 'c' has no value.*7 more like it"):
            convert(some)
    flags = records.as_flags(some, missing=True)
    assert flags.known.tolist() == [True, *[False] * 8, True]
    assert flags.values.tolist() == [True, *[False] * 9]
    np.testing.assert_array_equal(records.as_numbers(some, missing=True), [1, *[np.nan] * 8, 0])
    assert some.missing.tolist() == [False, True, *[False] * 6, True, False]
    assert records.as_flags(some, ["-", "1"], missing=True).known.tolist() == [True, *[False] * 6, True, False, True]


def test_numbers(tmp_path):
    found = records.as_numbers(column(tmp_path, " 0.1", "+1e-3 ", "1.", ".5", "-7", "0.30000000000000004"))
    assert found.tolist() == [0.1, 1e-3, 1.0, 0.5, -7.0, 0.30000000000000004]
    assert found.flags.writeable


def test_labels(tmp_path):
    found = records.as_labels(column(tmp_path, "cat ", "007", "7", "1.0", "NA", "cat", "猫", " cat"))
    assert [found.names[code] for code in found.codes] == ["cat", "007", "7", "1.0", "NA", "cat", "猫", "cat"]
    assert found.names == sorted(found.names)
    assert found.notes == ("column 'c': outer blanks do not count, so that 'cat' is one name",)
    found = records.as_labels(column(tmp_path, "a", " ", "", "b"), missing=True)
    assert (found.codes.tolist(), found.names, found.notes) == ([0, -1, -1, 1], ["a", "b"], ())


def test_labels_of_many_names(tmp_path):
    found = records.as_labels(column(tmp_path, *range(30_000)))
    assert len(found.names) == 30_000
    assert [int(found.names[code]) for code in found.codes] == [*range(30_000)]
