"""What is refused says where it stands, what it is, what is allowed and what to do; all of it at once."""

import gzip
import json
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from empirical import records
from empirical.records import RecordsError
from theory.errors import InputError

KINDS = {"c": records.as_flags, "k": records.as_flags, "s": records.as_numbers, "q": records.as_quality}
KINDS["label"] = records.as_labels


def converted(path, names):
    found = records.read(path, names)
    return records.together({name: lambda name=name: KINDS[name](found[name]) for name in names})


def refused(path, *names):
    """What is said of columns, each made what its name says."""
    with pytest.raises(RecordsError) as caught:
        converted(path, names)
    assert isinstance(caught.value, InputError)
    said = str(caught.value)
    assert str(path) in said
    assert all(ord(character) >= 32 for character in said.replace("\n", ""))
    assert max(map(len, said.splitlines())) < 400
    return said


CSV = [
    (b"", "is empty; give a line with the names of the columns"),
    (b"\xef\xbb\xbf", "holds no records"),
    (b"\n\n", "holds no records"),
    (b"c,k\n", "holds no records; give at least one"),
    (b"c,verdict\n1,1\n", ": has no column 'k'; it has 'c', 'verdict'"),
    (b"c,k,k \n1,1,1\n", ": has 2 columns 'k'; rename all but one"),
    (b"C,k\n1,1\n", ": has no column 'c'; did you mean 'C'?"),
    (b"c,k,k\n1,1,1\n", ": has 2 columns 'k'; rename all but one"),
    (b"c,k\n1,0\n1,2\n", ", line 3: column 'k' is '2', which is neither yes nor no; recode it, or name it with --true"),
    (b"c,k\n1,0\n\nmaybe,1\n", ", line 4: column 'c' is 'maybe'"),
    (b'c,k,t\n1,0,"a\nb\nc"\r\n\r\nmaybe,1,d\n', ", line 6: column 'c' is 'maybe'"),
    (b"\n\nc,k\n1,maybe\n", ", line 4: column 'k' is 'maybe'"),
    (b"c,k\r1,0\r1,maybe\r", ", line 3: column 'k' is 'maybe'"),
    ("c,k\n1,0\n1,maybe\n".encode("utf-16"), ", line 3: column 'k' is 'maybe'"),
    (b"c,k\n1,0\n , 1\n", ", line 3: column 'c' has no value; fill it in"),
    (b"c,k\n1,0\nn/a,-\n", "2 faults, nothing was computed\n  - line 3: column 'c' has no value"),
    (b"c,k\n1,0\n1\n", ", line 3: 1 field for 2 columns; mend the line"),
    (b"c,k\n1,0\n1,0,1\n", ", line 3: 3 fields for 2 columns"),
    (b"c,k\r1,0\n1,1\n", ", line 1: a carriage return stands in the line of names, after 'k', and lines end otherwise"),
    (b"c,not\re,k\n1,1,0\n", "after 'not', and lines end otherwise; take it out, or end all lines alike"),
    (b"c,k,t\n1,0,a\rb\n", ", line 3: 1 field for 3 columns; mend the line"),
    (b"c,k,t\n1,0\r,b\n", "line 2: 2 fields for 3 columns; it ends at a carriage return: take it out, or end all"),
    (b'c,k\n1,"0\n', ", line 2: is not CSV: a quote that opens here is never closed; close it"),
    (b'c,k\n1,0\n1,"0" \n', ", line 3: is not CSV: ',' expected after '\"'; mend the line"),
    (b"c,k\n1,0\n\xff,1\n", "is not UTF-8 text: line 3 has the byte 0xFF; convert it, as by iconv"),
    (b"c,k\n1,0\n1,\xe2\x82", "is not UTF-8 text: line 3"),
    (b"\xff\xfec\x00,\x00k\x00\n\x001\x00,\x000", "is no UTF-16 text; save it as UTF-8"),
    (b"c,k\nA,1\nB,1\n", ", line 2: column 'c' holds 'A' and 'B'; say which means yes: --true 'A', or --true 'B'"),
    (b"c,k\n0,1\n1,1\n-1,0\n", ": column 'c' holds both 0 and -1; say which mean no, as with --false 0,-1"),
    (b"c,k\n1,\x1b[31m\x07\n", r", line 2: column 'k' is '\x1b[31m\x07'"),
    (b"c,k\n1," + b"z" * 200_000 + b"\n", "column 'k' is '" + "z" * 60 + "'... (200,000 characters), which"),
]


@pytest.mark.parametrize(("content", "words"), CSV)
def test_csv(tmp_path, content, words):
    (tmp_path / "r.csv").write_bytes(content)
    assert words in refused(tmp_path / "r.csv", "c", "k")


JSON = [
    ('{"c": 1, "k": 0}\n{"c": 1}\n', ", line 2: column 'k' has no value"),
    ('\n{"c": 1, "k": null}\n', ", line 2: column 'k' has no value"),
    ('{"c": 1}\n{"c": 0}\n', ": has no column 'k'; it has 'c'"),
    ('{"c": 1, "K": 0}\n', ": has no column 'k'; did you mean 'K'?"),
    ('{"c": 1, "k": NaN}\n', ", line 1: column 'k' has no value"),
    ('{"c": 1, "k": 0.5}\n', ", line 1: column 'k' is 0.5, which is neither yes nor no"),
    ('{"c": 1, "k": [1]}\n', ", line 1: column 'k' holds a list of 1; name what is in it, as 'k.0'"),
    ('{"c": 1, "k": {"a": 1}}\n', ", line 1: column 'k' holds an object of 1; name what is in it, as 'k.a'"),
    ('{"c": 1, "k": []}\n', ", line 1: column 'k' holds a list of 0; give a plain value"),
    ('{"c": 1, "k": 0, "k": 1}\n', ", line 1: has 2 keys 'k'; rename all but one"),
    ('{"c": 1, "k": 0}\n[1, 0]\n', ", line 2: is a list of 2, not a JSON object; give one object per record"),
    ('{"c": 1, "k": 0}\n"x"\n', ", line 2: is 'x', not a JSON object"),
    ('{"c": 1,\n', ", line 1: is not JSON: "),
    ('{"c": 1, "k": 1}{"c": 1, "k": 1}\n', ", line 1: is not JSON: Extra data at character 17"),
    ('{"c": 1, "k": 1}\n{"c": 1, "k": 01}\n', ", line 2: is not JSON"),
    ('{"c": 1, "k": ' + "[" * 100_000 + "]" * 100_000 + "}\n", ", line 1: is not JSON: it is nested too deeply"),
    ('{"c": 1, "k": ' + "9" * 310 + "}\n", ", line 1: column 'k' is '" + "9" * 60 + "'... (310 characters)"),
    ('{"c": 1, "k": ' + "9" * 9999 + "}\n", ", line 1: column 'k' is '" + "9" * 60 + "'... (9,999 characters)"),
    ("\n\n", "holds no records"),
]


@pytest.mark.parametrize(("content", "words"), JSON)
def test_json_lines(tmp_path, content, words):
    (tmp_path / "r.jsonl").write_text(content)
    assert words in refused(tmp_path / "r.jsonl", "c", "k")


ARRAYS = [
    ("[]", "holds no records"),
    ('[{"c": 1, "k": 0},]', ", row 2: is not JSON: Expecting value"),
    ('[{"c": 1, "k": 0}', ", row 2: is not JSON: it ends before the list does"),
    ('[{"c": 1, "k": 0}] {}', ", row 2: is not JSON: there is more"),
    ('[{"c": 1, "k": 0} {"c": 1, "k": 0}]', ", row 2: is not JSON: there is more"),
    ('[{"c": 1, "k": 0}, 5]', ", row 2: is 5, not a JSON object"),
    ('[{"c": 1, "k": 0}, {"c": 2, "k": 0}]', ", row 2: column 'c' is 2, which is neither yes nor no"),
    ('[{"c": 1, "k": 0, "k": 1}]', ", row 1: has 2 keys 'k'"),
    ('[{"c": 1, "k": ' + "[" * 100_000, ", row 1: is not JSON: it is nested too deeply"),
    ('{"c": {"0": 1}, "k": {"0": 1}}', "holds one object, not a list of records; give [{...}, ...]"),
    ('{\n "c": 1,\n "k": 1\n}\n', "holds one object, not a list of records"),
]


@pytest.mark.parametrize(("content", "words"), ARRAYS)
def test_json_arrays(tmp_path, content, words):
    (tmp_path / "r.json").write_text(content)
    assert words in refused(tmp_path / "r.json", "c", "k")


def table(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet(tmp_path):
    path = tmp_path / "r.parquet"
    assert ", row 3: column 'c' has no value" in refused(table(path, c=[1.0, 0.0, None]), "c")
    assert ", row 2: column 'c' has no value" in refused(table(path, c=[1.0, np.nan]), "c")
    assert "has no column 'k'; it has 'c'" in refused(table(path, c=[1]), "k")
    assert "column 'c' holds objects; name what is in them, as 'c.x'" in refused(table(path, c=[{"x": 1}]), "c")
    assert "column 'c' holds lists; name what is in them, as 'c.0'" in refused(table(path, c=[[1]]), "c")
    assert "is of type timestamp" in refused(table(path, c=pa.array([1], pa.timestamp("s"))), "c")
    assert "row 2: column 's' is inf, not a finite number" in refused(table(path, s=[1, np.inf]), "s")
    assert "column 's' holds true and false, not numbers" in refused(table(path, s=[True]), "s")
    assert "is no readable Parquet file" in refused(table(path, c=pa.array([b"\xff"])), "c")
    pq.write_table(pa.table([[1], [1], [0]], names=["c", "k", "k"]), path)
    assert "has 2 columns 'k'; rename all but one" in refused(path, "c", "k")
    records.read(path, ["c"])
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert "is no readable Parquet file" in refused(path, "c")
    path.write_bytes(b"c,k\n1,1\n")
    assert "is no readable Parquet file: it does not begin as one" in refused(path, "c")


def test_a_damaged_arrow_file_ends_in_a_message(tmp_path):
    """Every byte of a small file turned once: read as it was, or refused, and never anything else."""
    import pyarrow.feather as feather

    feather.write_feather(pa.table({"c": ["yes", "no"], "k": [1, 0]}), tmp_path / "r.arrow", compression="uncompressed")
    whole = (tmp_path / "r.arrow").read_bytes()
    refusals = 0
    for place in range(0, len(whole), 3):
        (tmp_path / "d.arrow").write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        try:
            converted(tmp_path / "d.arrow", ["c", "k"])
        except RecordsError:
            refusals += 1
    assert refusals > 10


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x", "not a finite number; recode it"),
        ("inf", "not a finite number"),
        ("-Infinity", "not a finite number"),
        ("1_000", "not a finite number"),
        ("0x10", "not a finite number"),
        ("\u0661", "not a finite number"),
        ("1e999", "not a finite number"),
        ("0,5", "not a finite number; write the comma as a point"),
        ("85%", "not a finite number; write per cents as shares"),
        ("9" * 310, "characters), not a finite number"),
    ],
)
def test_numbers(tmp_path, text, why):
    (tmp_path / "r.csv").write_text(f'a;s\n1;0.5\n1;"{text}"\n')
    said = refused(tmp_path / "r.csv", "s")
    assert ", line 3: column 's' is '" in said
    assert why in said
    (tmp_path / "r.jsonl").write_text(f'{{"s": 1}}\n{{"s": {json.dumps(text)}}}\n')
    assert why in refused(tmp_path / "r.jsonl", "s")


def test_quality_and_labels(tmp_path):
    (tmp_path / "r.csv").write_text("q,label\n0,a\n1,b\n1.01,\n85,c\n,d\n-0.1,e\n")
    assert refused(tmp_path / "r.csv", "q", "label").splitlines()[1:] == [
        "  - line 4: column 'q' is '1.01', not a number in [0, 1]; divide per cents by 100",
        f"  - line 4: column 'label' {GAP}",
        "  - line 5: column 'q' is '85', not a number in [0, 1]; divide per cents by 100",
        f"  - line 6: column 'q' {GAP}",
        "  - line 7: column 'q' is '-0.1', not a number in [0, 1]; divide per cents by 100",
    ]


GAP = (
    "has no value; fill it in, or take the record out if what is missing is missing by chance (records that were hard "
    "to judge are not)"
)


def test_all_faults_at_once(tmp_path):
    """Those of lines and those of values, in the order of the file, alike ones once, ten at most."""
    (tmp_path / "r.csv").write_text("c,k,s\n1,0\n2,0,x\n1,,1\n1,0,1,1\n2,1,1\n2,0,y\n")
    assert refused(tmp_path / "r.csv", "c", "k", "s").splitlines() == [
        f"{tmp_path / 'r.csv'}: 8 faults, nothing was computed",
        "  - line 2: 2 fields for 3 columns; mend the line",
        "  - line 3: column 'c' is '2', which is neither yes nor no; recode it, or name it with --true or --false"
        " (and 2 more like it)",
        "  - line 3: column 's' is 'x', not a finite number; recode it",
        f"  - line 4: column 'k' {GAP}",
        "  - line 5: 4 fields for 3 columns; mend the line",
        "  - line 7: column 's' is 'y', not a finite number; recode it",
    ]
    (tmp_path / "r.csv").write_text("c,k\n" + "".join(f"{i},1\n" for i in range(5000)))
    lines = refused(tmp_path / "r.csv", "c").splitlines()
    assert lines[0].endswith("4,998 faults, nothing was computed")
    assert lines[1].startswith("  - line 4: column 'c' is '2'")
    assert (len(lines), lines[-1]) == (12, "  and 4,988 more")
    (tmp_path / "r.jsonl").write_text('{"c": 1}\n{bad\n{"c": 3}\n[]\n')
    assert [line[:12] for line in refused(tmp_path / "r.jsonl", "c").splitlines()[1:]] == [
        "  - line 2: ",
        "  - line 3: ",
        "  - line 4: ",
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("r.xlsx", b"PK\x03\x04...", "is a zip archive or an Excel sheet; save it as CSV"),
        ("r.csv", b"PK\x03\x04...", "is a zip archive or an Excel sheet"),
        ("r.csv", pickle.dumps([1]), "is a Python pickle, which is never opened"),
        ("r.csv.gz", gzip.compress(b"c\n" + bytes(range(48, 58)) * 99, mtime=0)[:-9], "is damaged or cut short"),
        ("r.csv.zst", pa.compress(b"c\n" * 999, "zstd", asbytes=True)[:-3], "is damaged or cut short"),
        ("r.csv.gz", gzip.compress(b"PAR1...", mtime=0), "is Parquet, packed by gzip; give the Parquet file itself"),
        ("r.dat", b"c,k\n1,\x00\x01", "holds no text"),
    ],
)
def test_files_that_are_no_tables(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    assert words in refused(tmp_path / name, "c")


def test_files_that_are_not_there(tmp_path):
    (tmp_path / "records.csv").write_text("c\n1\n")
    assert "record.csv is not a file; did you mean 'records.csv'? give the file" in refused(
        tmp_path / "record.csv", "c"
    )
    assert "is not a file; give the file that holds the records" in refused(tmp_path / "x" / "r.csv", "c")


def test_bounds_of_memory(tmp_path, monkeypatch):
    """A row without an end and a file that unpacks to more than there is room for are refused on the way."""
    for module in ("blocks", "delimited", "json_array"):
        monkeypatch.setattr(f"empirical.records.{module}.LONGEST", 1 << 21)
    monkeypatch.setattr("empirical.records.blocks.SIZE", 1 << 20)
    (tmp_path / "r.csv.gz").write_bytes(gzip.compress(b'c,k\n1,"' + b"0" * (1 << 25)))
    assert ", line 2: the record that begins here is longer than 2 MiB; close the quote" in refused(
        tmp_path / "r.csv.gz", "c"
    )
    (tmp_path / "r.jsonl.gz").write_bytes(gzip.compress(b"0" * (1 << 25)))
    assert ", line 1: the record that begins here is longer than 2 MiB" in refused(tmp_path / "r.jsonl.gz", "c")
    monkeypatch.setattr("empirical.records.gathering.free_memory", lambda: 1 << 22)
    (tmp_path / "r.csv.gz").write_bytes(gzip.compress(b"c\n" + b"1\n" * (1 << 22)))
    assert "takes more than 0.0 GiB after " in refused(tmp_path / "r.csv.gz", "c")


def test_faults_of_other_blocks_have_their_lines(tmp_path, monkeypatch):
    monkeypatch.setattr("empirical.records.blocks.SIZE", 1 << 12)
    monkeypatch.setattr("empirical.records.encodings.CHUNK", 1 << 12)
    rows = ["1,0,plain", '0,1,"two\nlines"', ""] * 2000
    rows[4800] = "maybe,1,z"
    text = "c,k,t\n" + "\n".join(rows)
    place = text[: text.index("maybe")].count("\n") + 1
    (tmp_path / "r.csv").write_text(text)
    assert f", line {place}: column 'c' is 'maybe'" in refused(tmp_path / "r.csv", "c")
    (tmp_path / "r.csv").write_bytes(text.replace("maybe", "1").replace("z", "\xff").encode("latin-1"))
    assert f"line {place} has the byte 0xFF" in refused(tmp_path / "r.csv", "c")


def test_json_lines_whose_first_line_is_no_record(tmp_path):
    """Found by tests/torture/fuzz.py: no column is known then."""
    path = tmp_path / "x.jsonl"
    path.write_text('"PASS", "kept": "FAIL"}\n{"correct": "FAIL", "kept": "FAIL"}\n')
    with pytest.raises(RecordsError, match="line 1: is not JSON"):
        records.columns(path)


@pytest.mark.parametrize(
    "content", [b"nulla5e-324\x00b", b'{"a": 1}\nnull\n', b'{"a": 1}\nnullx{"a": 2}\n', b"null\nnull\n"]
)
def test_lines_that_end_the_process_in_pyarrow_are_refused(tmp_path, content):
    """Found by tests/torture/fuzz.py."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(RecordsError, match="line"):
        records.as_numbers(records.read(path, ["a"])["a"])


def test_text_of_parquet_that_is_no_text_is_refused(tmp_path):
    """Found by tests/torture/fuzz.py: pyarrow reads bytes that are no UTF-8 as text."""
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": ["good", "badx"]}), path, use_dictionary=False, compression="none")
    path.write_bytes(path.read_bytes().replace(b"badx", b"ba\xff\xfe"))
    with pytest.raises(RecordsError, match="x.parquet"):
        records.as_labels(records.read(path, ["a"])["a"])
