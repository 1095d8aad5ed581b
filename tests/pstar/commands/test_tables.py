"""One strict reader: the same file, faulty or odd, through every verb that reads a table, says the same."""

import gzip
import json
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.pstar.command import in_one_process

PROBLEMS = {"p": [0.3, 0.1, 0.2, 0.4], "phi": [0.9] * 4, "psi": [0.2] * 4}
RECORDS = {"score": [0.3, 0.1, 0.9, 0.7] * 10, "correct": [1, 0, 1, 1] * 10}
PILOT = {"accuracy": [0.7, 0.8, 0.9, 0.91], "n": [100, 400, 1600, 1600], "tested": [500] * 4}
POINTS = {
    "f": [(index * 37 % 29) / 10 + index % 2 for index in range(24)],
    "g": [index * 11 % 7 for index in range(24)],
    "y": [index % 2 for index in range(24)],
}
TABLES = {"predict": PROBLEMS, "audit": RECORDS, "forecast": PILOT, "features": POINTS}
"""Of each verb a table whose first column holds numbers."""
RATES = ["--p", "0.3", "--phi", "0.9", "--psi", "0.2"]


def words(verb, path, folder):
    """The command line that reads a table."""
    return {
        "predict": ["predict", "--table", path, "--out", folder / "out.csv"],
        "audit": ["audit", path, "--score", "score", "--correct", "correct", "--seed", "1"],
        "forecast": ["forecast", "--pilot", path, *RATES],
        "features": ["features", path],
    }[verb]


def csv(columns, separator=",", names=None):
    lines = [
        separator.join(names or columns),
        *(separator.join(map(str, row)) for row in zip(*columns.values(), strict=True)),
    ]
    return "\n".join(lines) + "\n"


def changed(columns, row, cell):
    first, *_ = columns
    return {name: [cell if name == first and i == row else v for i, v in enumerate(c)] for name, c in columns.items()}


def records(columns):
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def parquet(columns, path, **typed):
    pq.write_table(pa.table(columns | typed), path)


# --- faults: how the file ends, what it holds, and what is said of it, {} for the first column ---


def line(number, text):
    """A table whose line of that number is another."""
    return lambda columns: (
        "\n".join([*(lines := csv(columns).splitlines())[: number - 1], text, *lines[number:]]) + "\n"
    )


FAULTS = {
    "empty": (".csv", lambda columns: "", ["is empty", "give a line with the names"]),
    "names alone": (".csv", lambda columns: csv(columns).splitlines()[0] + "\n", ["holds no records", "give at least"]),
    "long line": (".csv", lambda columns: csv(changed(columns, 1, "0,5")), ["line 3", "fields for", "mend the line"]),
    "short line": (".csv", line(3, "0.5"), ["line 3", "1 field for", "mend the line"]),
    "decimal comma": (".csv", lambda c: csv(changed(c, 1, '"0,5"')), ["line 3", "{}", "write the comma as a point"]),
    "word": (".csv", lambda columns: csv(changed(columns, 1, "high")), ["line 3", "{}", "'high'", "recode it"]),
    "infinite": (".csv", lambda columns: csv(changed(columns, 2, "-inf")), ["line 4", "{}", "not a finite number"]),
    "400 digits": (".csv", lambda c: csv(changed(c, 1, "9" * 400)), ["line 3", "{}", "(400 characters)", "recode"]),
    "after a blank line": (".csv", lambda c: "\n" + csv(changed(c, 1, "x")), ["line 4", "{}", "'x'", "recode it"]),
    "gap": (".csv", lambda columns: csv(changed(columns, 1, " ")), ["line 3", "{}", "has no value; fill it in"]),
    "per cent": (".csv", lambda columns: csv(changed(columns, 1, "30%")), ["line 3", "{}", "per cents as shares"]),
    "control": (".csv", lambda columns: csv(changed(columns, 1, "\x1b[31m")), ["line 3", r"'\x1b[31m'", "recode it"]),
    "open quote": (".csv", lambda columns: csv(changed(columns, 2, '"0.5')), ["line 4", "never closed; close it"]),
    "no text": (".csv", lambda c: csv(c).encode().replace(b"\n0", b"\n\xff", 1), ["0xFF", "convert it"]),
    "deep": (".jsonl", lambda columns: f'{{"{next(iter(columns))}": ' + "[" * 10_000, ["line 1", "nested too deeply"]),
    "deep list": (".json", lambda columns: "[" * 10_000 + "]" * 10_000, ["row 1", "nested too deeply"]),
    "310 digits": (
        ".jsonl",
        lambda c: "".join(json.dumps(record) + "\n" for record in records(changed(c, 1, int("9" * 310)))),
        ["line 2", "{}", "(310 characters)", "recode it"],
    ),
    "nested": (
        ".jsonl",
        lambda c: "".join(json.dumps(record) + "\n" for record in records(changed(c, 1, {"a": 1}))),
        ["line 2", "{}", "an object of 1"],
    ),
    "not there": (None, None, ["is not", "give the file"]),
}
BINARY = {
    "twins": (
        lambda c: pa.table([*c.values(), next(iter(c.values()))], [*c, next(iter(c))]),
        ["2 columns {}", "rename"],
    ),
    "objects": (lambda c: pa.table(c | {next(iter(c)): [{"a": 1.0}] * len(next(iter(c.values())))}), ["{}", "objects"]),
    "flags": (lambda c: pa.table(c | {next(iter(c)): [True] * len(next(iter(c.values())))}), ["{}", "true and false"]),
}


def test_faults_are_told_alike_by_every_verb(tmp_path):
    lines, expected = [], []
    for verb, columns in TABLES.items():
        for name, (end, content, said) in FAULTS.items():
            path = tmp_path / f"{verb} {name}{end or '.csv'}"
            if content is not None:
                made = content(columns)
                path.write_bytes(made if isinstance(made, bytes) else made.encode())
            lines.append(list(map(str, words(verb, path, tmp_path))))
            expected.append((f"{verb}, {name}", path, [word.format(repr(next(iter(columns)))) for word in said]))
        for name, (table, said) in BINARY.items():
            if (verb, name) == ("features", "flags"):  # which are features, 0 and 1
                continue
            path = tmp_path / f"{verb} {name}.parquet"
            pq.write_table(table(columns), path)
            lines.append(list(map(str, words(verb, path, tmp_path))))
            expected.append((f"{verb}, {name}", path, [word.format(repr(next(iter(columns)))) for word in said]))
    for (name, path, said), (code, out, error) in zip(expected, in_one_process(lines), strict=True):
        assert (code, out) == (2, ""), (name, out, error)
        assert error.startswith("error: "), (name, error)
        assert str(path) in error, (name, error)
        assert [word for word in said if word not in error] == [], (name, error)
        assert max(map(len, error.splitlines())) < 500, name
        assert all(ord(character) >= 32 for character in error.replace("\n", "")), name
    assert not (tmp_path / "out.csv").exists()


# --- files that are odd and say the same as a plain one ---


def odd(columns, folder, verb):
    """A plain table first, then others that say the same."""
    text, first = csv(columns), next(iter(columns))
    spread = [f" {name}" if place else f"{name} " for place, name in enumerate(columns)]
    contents = {
        "plain.csv": text,
        "mark.csv": "\ufeff" + text,
        "wide.csv": text.encode("utf-16"),
        "windows.csv": text.replace("\n", "\r\n"),
        "blank lines.csv": text + "\n\n",
        "blanks.csv": csv(columns, names=spread),
        "semicolons.csv": csv(columns, ";"),
        "tabs.tsv": csv(columns, "\t"),
        "quoted.csv": csv({name: [f'"{value}"' for value in values] for name, values in columns.items()}),
        "packed.csv.gz": gzip.compress(text.encode()),
        "list.json": json.dumps(records(columns)),
        "lines.jsonl": "".join(json.dumps(record) + "\n" for record in records(columns)),
        "lines.ndjson": "".join(json.dumps(record) + "\n\n" for record in records(columns)),
    }
    for name, content in contents.items():
        (folder / f"{verb} {name}").write_bytes(content if isinstance(content, bytes) else content.encode())
    numbers = columns[first]
    kinds = {
        "doubles": pa.array(numbers, pa.float64()),
        "floats": pa.array(numbers, pa.float32()),
        "decimals": pa.array([Decimal(repr(number)) for number in numbers]),
        "coded": pa.array(list(map(str, numbers))).dictionary_encode(),
    }
    for name, array in kinds.items():
        parquet(columns, folder / f"{verb} {name}.parquet", **{first: array})
    return [folder / f"{verb} {name}" for name in (*contents, *(f"{name}.parquet" for name in kinds))]


@pytest.mark.parametrize("verb", TABLES)
def test_odd_files_say_what_a_plain_one_says(verb, tmp_path):
    paths = odd(TABLES[verb], tmp_path, verb)
    lines = [list(map(str, words(verb, path, path.with_name(f"{path.name}.out")))) for path in paths]
    for path in paths if verb == "predict" else ():
        path.with_name(f"{path.name}.out").mkdir()
    lines = [[*line, "--json"] for line in lines]
    answers = []
    for path, (code, out, error) in zip(paths, in_one_process(lines), strict=True):
        assert (code, error) == (0, ""), (path.name, error)
        found = json.loads(out)
        if verb == "predict":
            table = pd.read_csv(path.with_name(f"{path.name}.out") / "out.csv")
            found = [list(table), *table[["p", "accuracy"]].to_numpy().tolist()]
        elif verb == "audit":
            found = [found["audit"]["p"], found["threshold_curve"]]
        elif verb == "forecast":
            found = {key: value for key, value in found.items() if key != "pilot_file"}
        answers.append((path.name, found))
    for name, found in answers[1:]:
        assert found == answers[0][1], name


# --- names of columns ---

NAMES = [
    (
        "p,phi,psi,lambda\n.3,.9,.2,.001\n",
        [],
        ["column 'lambda' is not known; did you mean 'ridge'?", "--ignore lambda"],
    ),
    ("p,phi,psi,Ridge\n.3,.9,.2,.001\n", [], ["column 'Ridge'", "did you mean 'ridge'?"]),
    ("p,phi,psi,λ\n.3,.9,.2,.001\n", [], ["column 'λ'", "did you mean 'ridge'?"]),
    ("p,phi,psi,alhpa\n.3,.9,.2,3\n", [], ["column 'alhpa'", "did you mean 'alpha'?"]),
    ("P,phi,psi\n.3,.9,.2\n", [], ["column 'P'", "did you mean 'p'?", "column p is missing"]),
    ("p,phi,psi,ridge,ridge\n.3,.9,.2,1,.1\n", [], ["has 2 columns 'ridge'; rename all but one"]),
    ("p,phi,psi,ridge, ridge\n.3,.9,.2,1,.1\n", [], ["has 2 columns 'ridge'; rename all but one"]),
    ("p,p,phi,psi\n" + "9" * 400 + ",.3,.9,.2\n", [], ["has 2 columns 'p'; rename all but one"]),
    ("p,phi,psi,n,d\n.3,.9,.2,40,10\n", [], ["column 'n' is not read, and there is no alpha = n/d; leave it out"]),
    ("p,phi,psi,,x y\n.3,.9,.2,1,2\n", [], ["column 4 has no name", "carry it along unread: --ignore 'x y'"]),
    ("id,p,phi,psi,note\n1,.3,.9,.2,x\n", [], ["columns 'id', 'note' are not known", "--ignore id note"]),
    ("id,p,phi,psi\n1,.3,.9,.2\n", ["--ignore", "ids"], ["'id'", "has no column 'ids', which --ignore ids names"]),
    ("p,phi,psi,a\x1bb\n.3,.9,.2,1\n", [], [r"column 'a\x1bb' has a control character in its name; rename it"]),
    ("p,phi,psi,accuracy\n0,1,0,5\n", [], ["line 2", "column 'accuracy' is 5", "is there a comma too many?"]),
    ("p,phi,psi,gram\n.3,.9,.2,simplex\n", [], ["column 'gram' is not known"]),
    ("p,phi,psi,prior,prior_plus\n.3,.9,.2,.5,.6\n", [], ["columns prior_plus and prior are the same"]),
    ("p,phi,psi,classes,lambda\n.3,.9,.2,3,1\n", [], ["column 'lambda'", "did you mean 'ridge'?"]),
]


def test_names_that_are_not_read_are_refused_with_the_nearest(tmp_path):
    lines = []
    for place, (content, options, _) in enumerate(NAMES):
        (tmp_path / f"{place}.csv").write_text(content)
        lines.append(list(map(str, [*words("predict", tmp_path / f"{place}.csv", tmp_path), *options])))
    for (content, _, said), (code, out, error) in zip(NAMES, in_one_process(lines), strict=True):
        assert (code, out) == (2, ""), (content, out, error)
        assert [word for word in said if word not in error] == [], (content, error)
        assert "more like it" not in error, content  # each stands in one line
    assert not (tmp_path / "out.csv").exists()


FIELD = "p,phi,psi, ridge, alpha\n0.3,0.9,0.2,1.0,2\n0.3,0.9,0.2,0.001,2\n"


def test_columns_are_used_and_what_is_not_read_is_carried_along(tmp_path):
    """Blanks in a header (FIELD 3): the right values, and a note. Text that is not read is as it was, 007 and all."""
    wide, long = tmp_path / "wide.csv", tmp_path / "long.csv"
    wide.write_text(FIELD)
    long.write_text("id,p,phi,psi,note\n007,0.3,0.9,0.2," + "z" * 140_000 + '\n1e3,0.3,0.9,0.2,"a, b"\n')
    (tmp_path / "long").mkdir()
    plain, carried, stored = in_one_process(
        [
            list(map(str, words("predict", wide, tmp_path))),
            list(map(str, [*words("predict", long, tmp_path / "long"), "--ignore", "id", "note"])),
            ["predict", "--table", str(wide), "--out", str(tmp_path / "out.parquet")],
        ]
    )
    assert [code for code, _, _ in (plain, carried, stored)] == [0, 0, 0], (plain, carried, stored)
    assert "note: outer blanks of names do not count, as of ' ridge', ' alpha'" in plain[1]
    found = pd.read_csv(tmp_path / "out.csv")["accuracy"]
    assert found.tolist() == pytest.approx([0.9202320427, 0.7207966285], abs=1e-10)
    pd.testing.assert_series_equal(pd.read_parquet(tmp_path / "out.parquet")["accuracy"], found)
    again = pd.read_csv(tmp_path / "long" / "out.csv", dtype=str)
    assert again["id"].tolist() == ["007", "1e3"]
    assert again["note"].tolist() == ["z" * 140_000, "a, b"]


def test_all_faults_of_a_table_are_told_at_once_with_the_lines_of_an_editor(tmp_path):
    """Of names, lines, cells, and of what does not hold together; each once."""
    (tmp_path / "in.csv").write_text(
        "p,phi,psi,lambda,loss\n"
        "0.3,0.9,0.2,1,squared\n\n"
        "1.5,0.9,0.2,1,squared\n"
        "0.3,0.9,0.2,1\n"
        "0.3,,x,1,squared\n"
        "0.3,0,0,1,squared\n"
        "0.3,0.9,0.2,1,hing\n"
    )
    [(code, out, error)] = in_one_process([list(map(str, words("predict", tmp_path / "in.csv", tmp_path)))])
    assert (code, out) == (2, "")
    expected = ["column 'lambda' is not known", "line 4: p = 1.5 is outside [0, 1]", "line 5: 4 fields for 5 columns"]
    expected += [
        "line 6: column 'phi' has no value",
        "line 6: column 'psi' is 'x'",
        "line 7: phi = psi = 0 keeps nothing",
    ]
    expected += ["line 8: loss = 'hing' is unknown"]
    for said, words_of in zip(error.splitlines()[1:], expected, strict=True):
        assert said.startswith(f"  - {words_of}"), error
        assert "more like it" not in said
