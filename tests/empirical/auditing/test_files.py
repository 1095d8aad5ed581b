"""Files of records: three formats read alike and strictly, and `pstar audit` as a user meets it."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import figures
from empirical import audit, threshold_curve
from empirical.auditing.files import Names, audit_file, tables, write
from empirical.auditing.records import RecordsError
from empirical.auditing.report import as_json, text

ROOT = Path(__file__).resolve().parents[3]
PSTAR = (sys.executable, "-m", "pstar")
BOTH = Names(correct="correct", kept="kept")
COLUMNS = {"correct": "correct", "kept": "kept", "score": "score", "classes": "topic", "quality": "rouge"}


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    correct = rng.random(150) < 0.7
    score = rng.normal(1.5 * correct, 1)
    quality = np.clip(rng.normal(0.3 + 0.4 * correct, 0.15), 0, 1)
    columns = {"topic": rng.choice(["a", "b"], 150), "correct": correct, "kept": score > 0.7}
    return pd.DataFrame(columns | {"score": score, "rouge": quality})


@pytest.fixture(scope="module")
def files(frame, tmp_path_factory):
    """The same records in three formats, flags spelt in three ways."""
    folder = tmp_path_factory.mktemp("records")
    words = frame.assign(
        correct=np.where(frame["correct"], " Yes", "no"), kept=np.where(frame["kept"], "TRUE", "False")
    )
    words.to_csv(folder / "r.csv", index=False)
    frame.assign(kept=frame["kept"].astype(int)).to_json(
        folder / "r.jsonl", orient="records", lines=True, double_precision=15
    )
    frame.assign(correct=frame["correct"].astype(float)).to_parquet(folder / "r.parquet")
    return folder


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_formats_are_read_alike(files, frame, kind):
    found = audit_file(files / f"r.{kind}", Names(**COLUMNS), n_classes=2)
    assert found.records == 150
    assert found.binary == audit(frame["correct"], frame["kept"], frame["topic"], n_classes=2)
    np.testing.assert_allclose(found.curve.threshold, threshold_curve(frame["correct"], frame["score"]).threshold)
    assert found.soft.p.value == pytest.approx(1 - frame["rouge"].mean())
    assert found.graded.counts.total[0] == 150


def test_a_utf8_mark_blank_lines_and_quotes_are_no_obstacle(tmp_path):
    (tmp_path / "r.csv").write_bytes(b'\xef\xbb\xbfcorrect,kept,note\r\n\r\n1,0,"a, ""b""\nc"\r\n0,yes,d\r\n\r\n')
    assert audit_file(tmp_path / "r.csv", BOTH).binary.counts == (0, 1, 1, 0)


CSV_FAULTS = [
    ("", "is empty; its first line names the columns"),
    ("correct,kept\n", "holds no records"),
    ("correct,verdict\n1,1\n", "has no column 'kept'; it has 'correct', 'verdict'"),
    ("correct,kept,kept\n1,1,1\n", "has 2 columns 'kept'"),
    ("correct,kept\n1,0\n1,2\n", "column 'kept', row 2 is '2', neither 0/1, true/false nor yes/no"),
    ("correct,kept\n1,0\n1,1.0\n", "column 'kept', row 2 is '1.0'"),
    ("correct,kept\n1,0\n\nmaybe,1\n", "column 'correct', row 2 is 'maybe'"),
    ("correct,kept\n1,0\n , 1\n", "column 'correct', row 2 is missing"),
    ("correct,kept\n1,0\n1\n", "row 2 has 1 fields for 2 columns"),
    ("correct,kept\n1,0\n1,0,1\n", "row 2 has 3 fields for 2 columns"),
    ('correct,kept\n1,"0\n', "is not CSV"),
    (b"correct,kept\n\xff,1\n", "is not UTF-8"),
]


@pytest.mark.parametrize(("content", "words"), CSV_FAULTS)
def test_faults_of_a_csv_name_the_column_and_the_row(tmp_path, content, words):
    (tmp_path / "r.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RecordsError, match=words):
        audit_file(tmp_path / "r.csv", BOTH)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"correct": 1, "kept": 0}\n{"correct": 1}\n', "column 'kept', row 2 is missing"),
        ('{"correct": 1, "kept": null}\n', "column 'kept', row 1 is missing"),
        ('{"correct": 1}\n', "has no column 'kept'; it has 'correct'"),
        ('{"correct": 1, "kept": NaN}\n', "column 'kept', row 1 is missing"),
        ('{"correct": 1, "kept": 0.5}\n', "column 'kept', row 1 is 0.5"),
        ('{"correct": 1, "kept": [1]}\n', r"column 'kept', row 1 is \[1\]"),
        ("[1, 0]\n", "row 1 is not a JSON object"),
        ('{"correct": 1,\n', "row 1 is not JSON"),
        ("", "holds no records"),
    ],
)
def test_faults_of_json_lines(tmp_path, content, words):
    (tmp_path / "r.jsonl").write_text(content)
    with pytest.raises(RecordsError, match=words):
        audit_file(tmp_path / "r.jsonl", BOTH)


def test_faults_of_parquet(tmp_path, files):
    path = tmp_path / "r.parquet"
    pd.DataFrame({"correct": [1.0, 0.0, np.nan], "kept": [True, False, True]}).to_parquet(path)
    with pytest.raises(RecordsError, match="column 'correct', row 3 is missing"):
        audit_file(path, BOTH)
    with pytest.raises(RecordsError, match="has no column 'verdict'"):
        audit_file(path, Names(correct="correct", kept="verdict"))
    path.write_bytes((files / "r.parquet").read_bytes()[:-20])
    with pytest.raises(RecordsError, match="no readable Parquet file"):
        audit_file(path, BOTH)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (Names(kept="kept"), "--correct"),
        (Names(correct="correct"), "--kept"),
        (Names(quality="rouge", score="score"), "--quality needs --kept"),
        (Names(quality="rouge", kept="kept", score="score"), "--score needs --correct"),
        (Names(quality="rouge", kept="kept", classes="topic"), "--class and --classes need both"),
        (Names(correct="kept", kept="kept"), "column 'kept' is given as correct and as kept"),
        (Names(correct="correct", score="topic"), "column 'topic', row 1 is '.', not a finite number"),
        (Names(quality="score", kept="kept"), r"not a number in \[0, 1\]; divide per cents by 100"),
    ],
)
def test_columns_that_do_not_go_together(files, names, words):
    with pytest.raises(ValueError, match=words):
        audit_file(files / "r.csv", names)


def test_paths_that_hold_no_records(tmp_path):
    for path, words in (
        ("r.xlsx", "ends in '.xlsx', not in one of .csv, .jsonl, .parquet"),
        ("r", "ends in ''"),
        ("r.csv", "not a file"),
    ):
        with pytest.raises(RecordsError, match=words):
            audit_file(tmp_path / path, BOTH)


def test_artefacts_hold_what_was_found(files, tmp_path):
    found = audit_file(files / "r.csv", Names(**COLUMNS), n_classes=2)
    report, summary = text(found), as_json(found)
    paths = write(found, report, summary, tmp_path / "new" / "out")
    assert [path.name for path in paths] == [
        "report.txt",
        "audit.json",
        "threshold_curve.csv",
        "quality_thresholds.csv",
    ]
    assert not list((tmp_path / "new" / "out").glob(".*"))
    assert json.loads(paths[1].read_text()) == summary
    assert summary["audit"]["p_star"]["value"] == found.binary.p_star.value
    with open(paths[2], newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == found.curve.threshold.size
    assert [line["best"] for line in lines].index("True") == found.curve.best
    assert float(lines[3]["psi_high"]) == found.curve.rates.psi.high[3]
    assert figures.draw("threshold_curve", {}, tmp_path) == []


def test_a_folder_that_cannot_be_made_is_refused(files):
    found = audit_file(files / "r.csv", BOTH)
    with pytest.raises(RuntimeError, match="cannot make the output folder .*; choose another"):
        write(found, "", {}, files / "r.csv")


def test_the_function_needs_neither_extra_nor_pandas():
    """Another interpreter: what was imported here before does not count."""
    code = "import sys; from empirical import audit; audit([1, 0], [1, 0]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert {"numpy", "scipy"} <= loaded
    assert loaded & {"torch", "transformers", "jax", "pandas", "pyarrow", "matplotlib"} == set()


def test_the_figure_shows_the_table(files):
    table = tables(audit_file(files / "r.csv", Names(**COLUMNS)))["threshold_curve"]
    left, right = figures.import_module("figures.threshold_curve").draw({"threshold_curve": table}).axes
    drawn = {line.get_label(): np.asarray(line.get_ydata(), float) for line in (*left.get_lines(), *right.get_lines())}
    np.testing.assert_array_equal(drawn["p*"], table["p_star"])
    np.testing.assert_array_equal(drawn["kept rate"], table["kept_rate"])
    np.testing.assert_array_equal(drawn["p*, guarded low end"], table["p_star_guarded_low"])
    assert drawn["surest: highest guarded low end"] == table["p_star_guarded_low"].max()


# --- the command ---


def pstar(*words):
    return subprocess.run([*PSTAR, "audit", *map(str, words)], capture_output=True, text=True)


def test_command_prints_the_answer_first(files, tmp_path):
    words = ("--correct", "correct", "--kept", "kept", "--class", "topic", "--classes", 2, "--score", "score")
    done = pstar(files / "r.csv", *words, "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Is the verifier good enough?  Yes, p < p*, at 95% confidence (p-value ")
    assert max(map(len, lines[:-5])) <= 120
    assert lines[-1] == f"written: {tmp_path / 'out' / 'figures' / 'threshold_curve.pdf'}"
    assert all(Path(line.removeprefix("written: ")).stat().st_size for line in lines[-5:])


def test_command_as_json_has_null_where_nothing_is_known(tmp_path):
    (tmp_path / "r.csv").write_text("correct,kept\n1,1\n1,1\n")
    done = pstar(tmp_path / "r.csv", "--correct", "correct", "--kept", "kept", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)["audit"]
    assert found["p_star"]["value"] is None
    assert found["psi"] == {"value": None, "low": 0.0, "high": 1.0}
    assert found["decision"]["verdict"] == "undecided"
    assert "no record is wrong" in found["notes"][0]


def test_command_fails_in_one_line(files, tmp_path):
    for words, message in (
        ((tmp_path / "none.csv", "--correct", "a", "--kept", "b"), "is not a file"),
        ((files / "r.csv", "--correct", "correct"), "--kept"),
    ):
        done = pstar(*words)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
        assert message in done.stderr


def test_reports_of_every_verdict(tmp_path):
    for rows, answer in (
        ("1,1\n" * 9 + "0,0\n", "Yes, p < p*, at 95% confidence"),
        ("0,1\n" * 9 + "1,0\n", "No, p > p*, at 95% confidence"),
        ("0,1\n1,1\n1,1\n1,0\n", "Undecided whether p < p*, at 95% confidence"),
        ("0,0\n1,0\n", "Undecided whether p < p*"),
    ):
        (tmp_path / "r.csv").write_text(f"correct,kept\n{rows}")
        report = text(audit_file(tmp_path / "r.csv", BOTH))
        assert f"Is the verifier good enough?  {answer}" in report.splitlines()[0] + "\n" + report.splitlines()[1]
        assert ("fresh records" in report or "cannot be said" in report) == ("Undecided" in answer)
        assert "nan" not in report
