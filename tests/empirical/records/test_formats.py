"""The same records in every format, encoding and packing give the same columns."""

import gzip
import io
import json
import os
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from empirical import records
from empirical.records import sources

ROOT = Path(__file__).resolve().parents[3]
CORRECT = [1] * 12 + [0] * 8
KEPT = [1] * 8 + [0] * 4 + [1] * 2 + [0] * 6
TEXTS = ['a, "b"', "über\nzwei", "", "x" * 150_000]
LONG = [TEXTS[i % 4] for i in range(20)]
ROWS = [{"correct": c, "kept": k, "text": t} for c, k, t in zip(CORRECT, KEPT, LONG, strict=True)]


def delimited(separator=",", words=("1", "0"), end="\n", quote=True):
    yes, no = words
    lines = [separator.join(["correct", "kept", "text"])]
    for row in ROWS:
        text = '"' + row["text"].replace('"', '""') + '"' if quote else "plain"
        lines.append(separator.join([yes if row["correct"] else no, yes if row["kept"] else no, text]))
    return (end.join(lines) + end).encode()


def arrow(write, table):
    sink = io.BytesIO()
    with write(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=7)
    return sink.getvalue()


def parquet(table):
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=7)
    return sink.getvalue()


TABLE = pa.Table.from_pylist(ROWS)
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
FILES = {
    "comma.csv": delimited(),
    "semicolon.csv": delimited(";"),
    "bars.csv": delimited("|"),
    "tab.tsv": delimited("\t"),
    "tab.txt": delimited("\t"),
    "crlf.csv": delimited(end="\r\n"),
    "returns.csv": delimited(end="\r", quote=False),
    "blank_lines.csv": delimited(end="\n\n"),
    "unended.csv": delimited()[:-1],
    "pass_fail.csv": delimited(words=("PASS", "Fail ")),
    "floats.csv": delimited(words=("1.0", "0.00")),
    "minus.csv": delimited(words=("+1", "-1")),
    "keep.csv": delimited(words=("accepted", "REJECTED")),
    "mark.csv": b"\xef\xbb\xbf" + delimited(),
    "utf16.csv": delimited().decode().encode("utf-16"),
    "utf16be.csv": b"\xfe\xff" + delimited().decode().encode("utf-16-be"),
    "utf16_unmarked.csv": delimited(quote=False).decode().encode("utf-16-le"),
    "utf32.jsonl": LINES.decode().encode("utf-32"),
    "stray_quote.csv": delimited(quote=False).replace(b"plain", b'5" disk'),
    "packed.csv.gz": gzip.compress(delimited()),
    "members.csv.gz": gzip.compress(delimited()[:99]) + gzip.compress(delimited()[99:]),
    "packed.csv": gzip.compress(delimited()),
    "packed.jsonl.zst": pa.compress(LINES, "zstd", asbytes=True),
    "lines.jsonl": LINES,
    "lines.ndjson": LINES.replace(b"\n", b"\r\n\r\n"),
    "lines.json": LINES,
    "flags.jsonl": LINES.replace(b": 1,", b": true,").replace(b": 0,", b": false,"),
    "mixed.jsonl": LINES.replace(b": 1,", b': "yes",', 3).replace(b": 0,", b": 0.0,", 3),
    "list.json": json.dumps(ROWS).encode(),
    "indented.json": json.dumps(ROWS, indent=2).encode() + b"\n\n",
    "list.jsonl": json.dumps(ROWS).encode(),
    "mixed.json": json.dumps([*ROWS[:9], *({**row, "correct": bool(row["correct"])} for row in ROWS[9:])]).encode(),
    "table.parquet": parquet(TABLE),
    "no_suffix": parquet(TABLE),
    "decimal.parquet": parquet(TABLE.set_column(0, "correct", pa.array(map(Decimal, CORRECT), pa.decimal128(5, 2)))),
    "float32.parquet": parquet(TABLE.set_column(0, "correct", pa.array(CORRECT, pa.float32()))),
    "dictionary.parquet": parquet(
        TABLE.set_column(0, "correct", pa.array(["yes" if c else "no" for c in CORRECT]).dictionary_encode())
    ),
    "file.arrow": arrow(ipc.new_file, TABLE),
    "file.feather": arrow(ipc.new_file, TABLE),
    "stream.arrow": arrow(ipc.new_stream, TABLE),
    "views.arrow": arrow(ipc.new_stream, TABLE.set_column(2, "text", TABLE["text"].cast(pa.string_view()))),
}
WITHOUT_TEXT = {"returns.csv", "utf16_unmarked.csv", "stray_quote.csv"}


def check(path, names=("correct", "kept")):
    found = records.read(path, names)
    assert found.rows == 20
    for name, right in zip(names, (CORRECT, KEPT), strict=True):
        flags = records.as_flags(found[name])
        assert flags.known.all()
        assert flags.values.astype(int).tolist() == right
    return found


@pytest.mark.parametrize("name", FILES)
def test_one_table_in_every_format(tmp_path, name):
    (tmp_path / name).write_bytes(FILES[name])
    check(tmp_path / name)
    assert records.columns(tmp_path / name) == ["correct", "kept", "text"]
    if name not in WITHOUT_TEXT:
        assert records.read(tmp_path / name, ["text"])["text"].values.to_pylist() == LONG


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("comma.csv", ()),
        ("tab.tsv", ()),
        ("semicolon.csv", ("fields are separated by semicolons",)),
        ("tab.txt", ("read as CSV", "fields are separated by tabs")),
        ("utf16.csv", ("encoding UTF-16",)),
        ("packed.csv", ("it is packed by gzip",)),
        ("packed.csv.gz", ()),
        ("returns.csv", ("lines end with carriage returns",)),
    ],
)
def test_what_was_sniffed_is_said(tmp_path, name, note):
    (tmp_path / name).write_bytes(FILES[name])
    assert records.read(tmp_path / name, ["kept"]).notes == note


@pytest.mark.parametrize(
    "name", ["semicolon.csv", "lines.jsonl", "list.json", "packed.csv.gz", "table.parquet", "file.arrow"]
)
def test_standard_input_and_pipes(tmp_path, name):
    """Read once, and as often as is asked."""
    (tmp_path / name).write_bytes(FILES[name])
    code = (
        "from pathlib import Path; from empirical import records\n"
        "assert records.columns(Path('-')) == ['correct', 'kept', 'text']\n"
        "found = records.read(Path('-'), ['kept'])\n"
        "print(int(records.as_flags(found['kept']).values.sum()), found['kept'].line(0))"
    )
    with open(tmp_path / name, "rb") as file:
        done = subprocess.run([sys.executable, "-c", code], stdin=file, capture_output=True, text=True, cwd=ROOT)
    place = (
        "row 1"
        if name in ("list.json", "table.parquet", "file.arrow")
        else "line 1"
        if name == "lines.jsonl"
        else "line 2"
    )
    assert (done.stdout, done.stderr) == (f"10 {place}\n", "")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(FILES[name]))
    writer.start()
    check(pipe)
    writer.join()


def save_to_disk(folder, shards, **state):
    """What `datasets.Dataset.save_to_disk` writes."""
    folder.mkdir()
    names = []
    for place, shard in enumerate(shards):
        names.append(f"data-{place:05}-of-{len(shards):05}.arrow")
        (folder / names[-1]).write_bytes(arrow(ipc.new_stream, shard))
    files = {"_data_files": [{"filename": name} for name in names]}
    (folder / "state.json").write_text(json.dumps(files | {"_fingerprint": "f", "_split": None} | state))
    (folder / "dataset_info.json").write_text(json.dumps({"features": {}}))
    return folder


def test_folders_of_datasets(tmp_path):
    found = check(save_to_disk(tmp_path / "d", [TABLE.slice(0, 13), TABLE.slice(13)]))
    assert found.kind == "Hugging Face dataset"
    assert found["kept"].line(19) == "row 20"


def test_folders_as_the_library_itself_writes_them(tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "d", num_shards=3)
    check(tmp_path / "d")
    datasets.DatasetDict(train=datasets.Dataset.from_list(ROWS)).save_to_disk(tmp_path / "splits")
    with pytest.raises(records.RecordsError, match="several splits; give one of them: .*splits/train"):
        records.read(tmp_path / "splits", ["kept"])
    check(tmp_path / "splits" / "train")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"_data_files": [{"filename": "../r.arrow"}]}, "does not name the files of the folder"),
        ({"_data_files": [{"filename": "/etc/passwd"}]}, "does not name the files of the folder"),
        ({"_data_files": []}, "does not name the files of the folder"),
        ({"_data_files": [3]}, "does not name the files of the folder"),
        ({"_indices_data_files": [{"filename": "i.arrow"}]}, "flatten_indices"),
    ],
)
def test_folders_that_are_refused(tmp_path, state, words):
    (tmp_path / "r.arrow").write_bytes(FILES["stream.arrow"])
    with pytest.raises(records.RecordsError, match=words):
        records.read(save_to_disk(tmp_path / "d", [TABLE], **state), ["kept"])
    with pytest.raises(records.RecordsError, match=r"a folder without state\.json"):
        records.read(tmp_path, ["kept"])


NESTED = [
    {"r": {"correct": c, "kept": k, "deep": {"x.y": "t"}}, "filters": [k, {"s": c}][: 1 + c]}
    for c, k in zip(CORRECT, KEPT, strict=True)
]


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet", "arrow"])
def test_nested_fields_by_dotted_path(tmp_path, kind):
    path = tmp_path / f"n.{kind}"
    nested = [{**row, "filters": [row["r"]["kept"], row["r"]["correct"]][: 1 + row["r"]["correct"]]} for row in NESTED]
    table = pa.Table.from_pylist(nested)
    path.write_bytes(
        {
            "jsonl": "".join(json.dumps(row) + "\n" for row in nested).encode(),
            "json": json.dumps(nested).encode(),
            "parquet": parquet(table),
            "arrow": arrow(ipc.new_file, table),
        }[kind]
    )
    check(path, ("r.correct", "r.kept"))
    found = records.read(path, ["filters.0", "filters.1", "r.correct"])
    assert records.as_flags(found["filters.0"]).values.astype(int).tolist() == KEPT
    second = records.as_flags(found["filters.1"], missing=True)
    assert second.known.astype(int).tolist() == second.values.astype(int).tolist() == CORRECT
    assert {"r.correct", "r.kept", "filters.0"} <= set(records.columns(path))
    assert "r.deep.x.y" not in records.columns(path)
    if kind in ("json", "jsonl"):
        with pytest.raises(records.RecordsError, match=r"has no column 'filters\.7'"):
            records.read(path, ["filters.7"])
    else:
        assert records.read(path, ["filters.7"])["filters.7"].missing.all()
    with pytest.raises(records.RecordsError, match=r"column 'r' holds .*, as .*'r\.correct', 'r\.kept'"):
        records.as_flags(records.read(path, ["r"])["r"])
    with pytest.raises(records.RecordsError, match=r"has no column 'r\.corect'; did you mean 'r\.correct'\?"):
        records.read(path, ["r.corect"])


def test_objects_in_lists_and_a_name_with_dots(tmp_path):
    path = tmp_path / "n.jsonl"
    path.write_text('{"f": [{"s": 1}, 2], "a.b": 1, "a": {"b": 0}}\n{"f": [], "a.b": 1}\n')
    found = records.read(path, ["f.0.s", "a.b"])
    assert records.as_numbers(found["f.0.s"], missing=True).tolist()[:1] == [1.0]
    assert records.as_flags(found["a.b"]).values.tolist() == [True, True]


def test_short_floats_are_the_decimals_they_stand_for(tmp_path):
    numbers = [0.9, 0.1, 1 / 3, 3e38, 1e-42]
    for kind, right in ((pa.float32(), np.float32), (pa.float16(), np.float16)):
        some = numbers[:3] if right is np.float16 else numbers
        table = pa.table({"s": pa.array(np.array(some, right), kind)})
        (tmp_path / "r.parquet").write_bytes(parquet(table))
        found = records.as_numbers(records.read(tmp_path / "r.parquet", ["s"])["s"])
        assert found.tolist() == [float(str(right(number))) for number in some]
        assert found[0] == 0.9


def test_a_block_that_is_unlike_the_others(tmp_path, monkeypatch):
    """Types change from block to block, and quotes that stand anyhow come late."""
    monkeypatch.setattr("empirical.records.blocks.SIZE", 1 << 10)
    monkeypatch.setattr("empirical.records.json_array.SIZE", 1 << 10)
    monkeypatch.setattr("empirical.records.encodings.CHUNK", 1 << 10)
    values = [i if i < 700 else i + 0.5 * (i % 2) if i < 1400 else f"{i}" if i < 2000 else True for i in range(2100)]
    right = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps({"a": value}) + "\n\n" for value in values))
    (tmp_path / "r.json").write_text(json.dumps([{"a": value} for value in values]))
    (tmp_path / "r.csv").write_text(
        "t,a\n" + "".join(f"{'x' * (1 + i % 7)}{'' if i < 900 else chr(34)},{v}\n" for i, v in enumerate(right))
    )
    for name, place in (("r.jsonl", "line 4199"), ("r.json", "row 2100"), ("r.csv", "line 2101")):
        found = records.read(tmp_path / name, ["a"])["a"]
        assert found.values.to_pylist() == right
        assert found.line(2099) == place
        assert records.peek(tmp_path / name, 1500).rows == 1500


def test_all_columns_of_the_first_records(tmp_path):
    (tmp_path / "r.csv").write_text("a,b,b,c\n" + "1,2,3,4\n" * 50)
    found = records.peek(tmp_path / "r.csv", 10)
    assert (list(found), found.rows) == (["a", "c"], 10)
    assert found.notes == ("2 columns are called 'b': rename all but one",)
    (tmp_path / "e.csv").write_text("a,b\n")
    assert records.columns(tmp_path / "e.csv") == ["a", "b"]


def test_standard_input_that_is_a_terminal(monkeypatch):
    monkeypatch.setattr(sources.sys, "stdin", None)
    with pytest.raises(records.RecordsError, match="nothing is sent to standard input"):
        records.read(Path("-"), ["a"])
