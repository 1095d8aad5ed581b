"""Any table, written in any format, is read as it was."""

import csv
import gzip
import io
import json
from collections import Counter

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical import records

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
names = st.lists(texts.filter(lambda t: t.strip("\n \ufeff")), min_size=2, max_size=4, unique=True)


@st.composite
def tables(draw):
    header = draw(names)
    rows = draw(st.integers(1, 12))
    column = lambda kind: draw(st.lists(kind, min_size=rows, max_size=rows))
    return {name: column(numbers if place == 0 else texts) for place, name in enumerate(header)}


def as_csv(table, **options):
    sink = io.StringIO()
    writer = csv.writer(sink, **options)
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return sink.getvalue().encode()


def as_rows(table):
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def as_ipc(table, write):
    sink = io.BytesIO()
    with write(sink, pa.table(table).schema) as writer:
        writer.write_table(pa.table(table))
    return sink.getvalue()


def as_parquet(table):
    sink = io.BytesIO()
    pq.write_table(pa.table(table), sink)
    return sink.getvalue()


WRITERS = {
    "r.csv": as_csv,
    "quoted.csv": lambda table: as_csv(table, quoting=csv.QUOTE_ALL, lineterminator="\n"),
    "r.tsv": lambda table: as_csv(table, delimiter="\t"),
    "semicolon.csv": lambda table: as_csv(table, delimiter=";"),
    "utf16.csv": lambda table: as_csv(table).decode().encode("utf-16"),
    "r.csv.gz": lambda table: gzip.compress(as_csv(table)),
    "r.jsonl": lambda table: "".join(json.dumps(row) + "\n" for row in as_rows(table)).encode(),
    "raw.jsonl": lambda table: "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in as_rows(table)).encode(),
    "r.json": lambda table: json.dumps(as_rows(table), indent=1).encode(),
    "r.parquet": as_parquet,
    "r.arrow": lambda table: as_ipc(table, ipc.new_file),
    "stream.arrow": lambda table: as_ipc(table, ipc.new_stream),
}


@pytest.mark.parametrize("name", WRITERS)
@given(table=tables())
@settings(max_examples=60)
def test_round_trip(tmp_path_factory, name, table):
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(WRITERS[name](table))
    found = records.read(path, table)
    first, *rest = table
    assert found.rows == len(table[first])
    assert records.as_numbers(found[first]).tolist() == table[first]
    for column in rest:
        assert found[column].values.to_pylist() == table[column]


marks = st.text(st.sampled_from('",\n\r;ab \t1'), max_size=60)


@given(body=marks)
@settings(max_examples=500)
def test_quotes_anyhow_are_read_as_by_the_csv_module_or_refused(tmp_path_factory, body):
    path = tmp_path_factory.getbasetemp() / "quotes.csv"
    path.write_bytes(b"a,b\n" + body.encode())
    with open(path, newline="") as file:
        try:
            rows = [row for row in csv.reader(file, strict=True) if len(row) > 1 or "".join(row).strip()][1:]
        except csv.Error:
            rows = None
    try:
        found = records.read(path, ["a", "b"])
        ours = [[str(value) for value in found[name].values.to_pylist()] for name in found]
        clean = not found["a"].pending
    except records.RecordsError:
        assert not rows or Counter(map(len, rows)).keys() != {2}
        return
    assert clean == (rows is not None and set(map(len, rows)) == {2})
    if clean:
        assert list(map(list, zip(*ours, strict=True))) == rows
