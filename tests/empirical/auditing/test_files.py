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
from empirical.auditing.files import Asked, Names, audit_file
from empirical.auditing.report import as_json, build, text
from empirical.auditing.report.artefacts import check_folder, write
from empirical.records import RecordsError

ROOT = Path(__file__).resolve().parents[3]
PSTAR = (sys.executable, "-m", "pstar")
BOTH = Names(correct="correct", kept=("kept",))
COLUMNS = {"correct": "correct", "kept": ("kept",), "score": "score", "classes": "topic", "quality": "rouge"}


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
    found = audit_file(files / f"r.{kind}", Names(**COLUMNS), Asked(n_classes=2))
    assert found.records == 150
    assert found.binary == audit(frame["correct"], frame["kept"], frame["topic"], n_classes=2)
    np.testing.assert_allclose(found.curve.threshold, threshold_curve(frame["correct"], frame["score"]).threshold)
    assert found.soft.p.value == pytest.approx(1 - frame["rouge"].mean())
    assert found.graded.counts.total[0] == 150


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (Names(kept=("kept",)), "--correct"),
        (Names(correct="correct"), "--kept"),
        (Names(quality="rouge", score="score"), "--quality needs --kept"),
        (Names(quality="rouge", kept=("kept",), score="score"), "--score needs --correct"),
        (Names(quality="rouge", kept=("kept",), classes="topic"), "--class needs --correct"),
        (Names(correct="kept", kept=("kept",)), "column 'kept' is given as kept and as correct"),
        (Names(correct="correct", score="topic"), "column 'topic' is '.', not a finite number"),
        (Names(quality="score", kept=("kept",)), r"not a number in \[0, 1\]; divide per cents by 100"),
    ],
)
def test_columns_that_do_not_go_together(files, names, words):
    with pytest.raises(ValueError, match=words):
        audit_file(files / "r.csv", names)


def test_all_columns_are_refused_at_once(tmp_path):
    (tmp_path / "r.csv").write_text("correct,kept,score\n1,0,x\n2,1,1\n1,,0\n")
    with pytest.raises(
        RecordsError, match=r"(?s)3 faults.*line 2: column 'score'.*line 3: .*'correct'.*line 4: .*'kept'"
    ):
        audit_file(tmp_path / "r.csv", Names(correct="correct", kept=("kept",), score="score"))


def test_words_for_yes(tmp_path):
    (tmp_path / "r.csv").write_text("correct,kept\nA,1\nB,1\nA,0\nB,0\nA,1\n")
    with pytest.raises(RecordsError, match="holds 'A' and 'B'; say which means yes: --true 'A', or --true 'B'"):
        audit_file(tmp_path / "r.csv", BOTH)
    assert audit_file(tmp_path / "r.csv", BOTH, Asked(true=("A",))).binary.counts == (2, 1, 1, 1)
    with pytest.raises(ValueError, match="--true win: no record has such a word in 'kept', 'correct'"):
        audit_file(tmp_path / "r.csv", BOTH, Asked(true=("win",)))
    done = pstar(tmp_path / "r.csv", "--correct", "correct", "--kept", "kept", "--true", "A,win", "--json")
    assert json.loads(done.stdout)["audit"]["counts"]["correct_kept"] == 2


def test_artefacts_hold_what_was_found(files, tmp_path):
    found = audit_file(files / "r.csv", Names(**COLUMNS), Asked(n_classes=2))
    summary, folder = as_json(found), tmp_path / "new" / "out"
    paths = write(found, build(found), summary, "Audit", folder)
    assert {path.name for path in paths if path.parent == folder} == {
        *("report.txt", "report.md", "report.html", "report.explorer.html", "audit.json"),
        *("threshold_curve.csv", "quality_thresholds.csv", "classes.csv"),
        *("verifier.csv", "verifier_region.csv", "verifier_lines.csv"),
    }
    assert all(path.is_file() for path in paths)
    assert not list(folder.glob(".*"))
    assert json.loads((folder / "audit.json").read_text()) == summary
    assert summary["audit"]["p_star"]["value"] == found.binary.p_star.value
    with open(folder / "threshold_curve.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == found.curve.threshold.size
    assert [line["best"] for line in lines].index("True") == found.curve.best
    assert float(lines[3]["psi_high"]) == found.curve.rates.psi.high[3]
    assert figures.draw("threshold_curve", {}, tmp_path) == []


def test_out_overwrites_neither_the_records_nor_what_others_made(tmp_path):
    records = tmp_path / "threshold_curve.csv"
    records.write_text("correct,kept\n1,1\n0,0\n")
    with pytest.raises(ValueError, match="its own input; choose another folder"):
        check_folder(tmp_path, [records])
    other = tmp_path / "sweep"
    other.mkdir()
    check_folder(other, [records])
    (other / "report.txt").write_text("of a sweep")
    with pytest.raises(ValueError, match="holds files already, such as 'report.txt'"):
        check_folder(other, [records])
    (other / "audit.json").write_text("{}")
    check_folder(other, [records])
    check_folder(tmp_path / "new", [records])


def test_a_folder_that_cannot_be_made_is_refused(files):
    found = audit_file(files / "r.csv", BOTH)
    with pytest.raises(RuntimeError, match="cannot make the output folder .*; choose another"):
        write(found, build(found), as_json(found), "Audit", files / "r.csv")


def test_the_function_needs_neither_extra_nor_pandas():
    """Another interpreter: what was imported here before does not count."""
    code = "import sys; from empirical import audit; audit([1, 0], [1, 0]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert {"numpy", "scipy"} <= loaded
    assert loaded & {"torch", "transformers", "jax", "pandas", "pyarrow", "matplotlib"} == set()


def test_labels_that_are_partly_judged_stand_for_all(tmp_path):
    """All kept judged, a tenth of the dropped: rates of the table are those of all, not of the judged."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 6000)
    label = np.where(rng.random(6000) < 0.3, (truth + 1) % 3, truth)
    kept = rng.random(6000) < np.where(label == truth, 0.7, 0.4)
    seen = kept | (rng.random(6000) < 0.1)
    frame = pd.DataFrame({"label": label, "truth": np.where(seen, truth.astype(str), ""), "kept": kept.astype(int)})
    frame.to_csv(tmp_path / "r.csv", index=False)
    found = audit_file(tmp_path / "r.csv", Names(label="label", truth="truth", kept=("kept",)))
    assert found.confusions.kept.sum() / found.confusions.table.sum() == pytest.approx(kept.mean(), abs=1e-9)
    assert found.confusions.margin_unverified.value == pytest.approx(0.4, abs=0.08)
    assert found.binary.n_classes == 3
    assert found.asked.n_classes is None


def test_only_what_is_kept_is_judged(tmp_path):
    """Worth needs kappa and pi alone; p, and a forecast, are unknown and said so."""
    frame = pd.DataFrame({"correct": ["1"] * 45 + ["0"] * 5 + [""] * 50, "kept": [1] * 50 + [0] * 50})
    frame.to_csv(tmp_path / "r.csv", index=False)
    (tmp_path / "pilot.csv").write_text("n,accuracy\n100,.6\n100,.62\n300,.7\n300,.71\n900,.8\n900,.79\n")
    found = audit_file(tmp_path / "r.csv", BOTH, Asked(pilot=tmp_path / "pilot.csv"))
    assert found.binary.worth.verified.value == pytest.approx(0.5 * 0.8**2)
    assert 0 < found.binary.worth.verified.low < 0.32 < found.binary.worth.verified.high < 0.6
    assert np.isnan(found.binary.p.value)
    assert found.forecast is None
    assert any(note.startswith("no forecast") for note in found.notes)


# --- the command ---


def pstar(*words):
    return subprocess.run([*PSTAR, "audit", *map(str, words)], capture_output=True, text=True)


def test_command_prints_the_answer_first(files, tmp_path):
    words = ("--correct", "correct", "--kept", "kept", "--class", "topic", "--classes", 2, "--score", "score")
    done = pstar(files / "r.csv", *words, "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    questions = ("Is most of what it keeps correct?", "Is it better than no", "Is what it keeps worth", "Will a")
    for place, (line, asked) in enumerate(zip(lines, questions, strict=False), 1):
        assert line.startswith(f"{place}. {asked}")
    assert "  Yes: " in lines[0]
    assert max(map(len, lines[4:-5])) <= 120
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
        ("1,1\n" * 9 + "0,0\n", "Yes"),
        ("0,1\n" * 9 + "1,0\n", "No"),
        ("0,1\n1,1\n1,1\n1,0\n", "Undecided"),
        ("0,0\n1,0\n", "Undecided"),
    ):
        (tmp_path / "r.csv").write_text(f"correct,kept\n{rows}")
        report = text(build(audit_file(tmp_path / "r.csv", BOTH)))
        assert f"Is most of what it keeps correct?   {answer}: " in report.splitlines()[0]
        assert ("fresh records" in report or "cannot be said" in report) == (answer == "Undecided")
        assert "nan" not in report
