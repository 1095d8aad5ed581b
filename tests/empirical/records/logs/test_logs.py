"""Evaluation logs by their shape; the files beside this are small and have the shapes that the modules cite."""

import json
import zipfile
from pathlib import Path

import pytest

from empirical.records import logs
from empirical.records.logs import inspect_ai, lm_eval
from theory.errors import InputError

HERE = Path(__file__).parent
NAMES = {
    "lm_eval_choice.jsonl": "lm-evaluation-harness",
    "lm_eval_filters.jsonl": "lm-evaluation-harness",
    "inspect.json": "Inspect",
    "promptfoo.json": "promptfoo",
    "deepeval.json": "DeepEval",
    "distilabel.jsonl": "distilabel",
    "distilabel_checks.jsonl": "distilabel",
}


def document(name):
    text = (HERE / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()] if name.endswith("l") else json.loads(text)


def flat(name):
    """The rows, and what is suggested of their columns."""
    found = document(name)
    log = logs.recognise(found)
    rows = logs.flatten(log, found)
    return rows, log.suggest(list(rows[0]))


def column(rows, name):
    return [row[name] for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_recognised_by_one(name):
    found = document(name)
    assert [log.name for log in logs.LOGS if log.recognises(found)] == [NAMES[name]]
    assert logs.recognise(found).name == NAMES[name]


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_flat_and_alike(name):
    rows, suggested = flat(name)
    assert len({tuple(row) for row in rows}) == 1
    assert not any(isinstance(value, (dict, list)) for row in rows for value in row.values())
    for role in ("correct", "kept", "score", "group"):
        assert set(getattr(suggested, role)) <= set(rows[0])


@pytest.mark.parametrize(
    "found",
    [
        [],
        {},
        [1, 2],
        {"samples": []},
        {"results": {"a": 1}},
        [{"correct": 1, "kept": 0}],
        [{"prompt": "a", "score": 1, "label": "x", "provider": "y"}],
        {"eval": "x", "version": 1},
        [{"doc_id": 1, "correct": 0}],
    ],
)
def test_other_documents_are_none(found):
    assert logs.recognise(found) is None


def test_choices_have_the_margin_of_the_model_as_a_score():
    rows, suggested = flat("lm_eval_choice.jsonl")
    assert column(rows, "score.margin")[:3] == [2.5, 4.25, 0.125]
    assert column(rows, "score.acc") == [1, 1, 0, 1, 1, 0, 1, 1, 1, 0]
    assert suggested.correct[0] == "score.acc"
    assert suggested.score == ("score.margin",)


def test_filters_of_one_document_are_one_row():
    """Two rows would count every response twice."""
    rows, suggested = flat("lm_eval_filters.jsonl")
    assert len(rows) == 8
    assert sum(column(rows, "score.exact_match.strict-match")) == 3
    assert sum(column(rows, "score.exact_match.flexible-extract")) == 5
    assert suggested.correct[0] == "score.exact_match.flexible-extract"
    assert suggested.kept == ()


def test_a_document_that_comes_again_is_another_sample():
    found = document("lm_eval_choice.jsonl")
    rows = logs.flatten(lm_eval.LOG, [*found, *found])
    assert column(rows, "sample") == [0] * 10 + [1] * 10


def test_samples_by_task():
    """What `evaluate` returns."""
    found = {
        "results": {},
        "samples": {"one": document("lm_eval_choice.jsonl"), "two": document("lm_eval_choice.jsonl")},
    }
    rows = logs.flatten(logs.recognise(found), found)
    assert column(rows, "task") == ["one"] * 10 + ["two"] * 10


def test_metrics_that_are_no_numbers_are_left_out():
    """As f1 of a task that logs references and predictions."""
    entry = document("lm_eval_filters.jsonl")[0] | {"f1": ["DATE: now", ["x"]], "metrics": ["exact_match", "f1"]}
    assert set(logs.flatten(lm_eval.LOG, [entry])[0]) >= {"score.exact_match"}
    assert "score.f1" not in logs.flatten(lm_eval.LOG, [entry])[0]


def test_inspect_letters():
    """C is correct, I and N are not."""
    rows, suggested = flat("inspect.json")
    letters = [entry["scores"]["model_graded_qa"]["value"] for entry in document("inspect.json")["samples"]]
    assert column(rows, "passed.model_graded_qa") == [letter == "C" for letter in letters]
    assert "N" in letters
    assert (suggested.correct, suggested.kept) == (("passed.includes",), ("passed.model_graded_qa",))
    assert suggested.group == ("prompt",)
    assert column(rows, "sample") == [1, 2, 3] * 4
    assert column(rows, "metadata.subject")[3] == "arithmetic"


def test_inspect_partly_correct_is_a_number():
    found = document("inspect.json")
    found["samples"][0]["scores"]["model_graded_qa"]["value"] = "P"
    rows = logs.flatten(inspect_ai.LOG, found)
    assert column(rows, "score.model_graded_qa")[:2] == [0.5, 1.0]
    assert "passed.model_graded_qa" not in rows[0]


def test_inspect_values_of_other_kinds():
    found = document("inspect.json")
    values = {"f": 0.25, "b": True, "t": "0.5", "d": {"x": 1, "y": 0.5}, "g": "grade A", "u": float("nan")}
    found["samples"][0]["scores"] = {name: {"value": value} for name, value in values.items()}
    row = logs.flatten(inspect_ai.LOG, found)[0]
    expected = {
        "score.f": 0.25,
        "passed.b": True,
        "score.t": 0.5,
        "score.d.x": 1,
        "score.d.y": 0.5,
        "label.g": "grade A",
    }
    assert {name: row[name] for name in expected} == expected
    assert row["score.u"] is None


def test_inspect_without_samples():
    with pytest.raises(InputError, match="no samples"):
        logs.flatten(inspect_ai.LOG, {"version": 2, "eval": {"model": "m"}})


def test_inspect_zip(tmp_path):
    found = document("inspect.json")
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps({name: found[name] for name in ("version", "eval", "results")}))
        archive.writestr("summaries.json", "[]")
        for entry in found["samples"]:
            archive.writestr(f"samples/{entry['id']}_epoch_{entry['epoch']}.json", json.dumps(entry))
    assert logs.flatten(inspect_ai.LOG, inspect_ai.unzip(path)) == logs.flatten(inspect_ai.LOG, found)


def test_inspect_zip_refused(tmp_path):
    path = tmp_path / "log.eval"
    path.write_text("no zip")
    with pytest.raises(InputError, match="no readable Inspect log"):
        inspect_ai.unzip(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.json", "{}")
    with pytest.raises(InputError, match="but no Inspect log"):
        inspect_ai.unzip(path)


def test_promptfoo_leaves_out_what_failed():
    """Where the provider failed nothing was generated; success is false there all the same."""
    found = document("promptfoo.json")
    rows, suggested = flat("promptfoo.json")
    assert (len(found["results"]["results"]), len(rows)) == (10, 9)
    assert logs.left_out(logs.recognise(found), found) == 1
    assert column(rows, "passed.equals") == [True, False, True, True, False, True, False, True, True]
    assert column(rows, "score.llm-rubric")[0] == 0.9
    assert (suggested.correct, suggested.kept) == (("passed.equals",), ("passed.llm-rubric",))
    assert suggested.score == ("score.llm-rubric",)


def test_promptfoo_lines_and_equal_assertions():
    """--output results.jsonl; a second assertion of one type has a number."""
    lines = document("promptfoo.json")["results"]["results"][:2]
    parts = lines[0]["gradingResult"]["componentResults"]
    parts.append(parts[1] | {"pass": False})
    row = logs.flatten(logs.recognise(lines), lines)[0]
    assert (row["passed.llm-rubric"], row["passed.llm-rubric.2"]) == (True, False)


def test_deepeval_metric_that_failed_says_nothing():
    rows, suggested = flat("deepeval.json")
    assert rows[7]["passed.Answer Relevancy"] is None
    assert rows[7]["passed.Exact Match"] is True
    assert suggested.correct == ("metadata.human_ok", "passed.Exact Match")
    assert (suggested.kept, suggested.score) == (("passed.Answer Relevancy",), ("score.Answer Relevancy",))


def test_deepeval_as_python_returns_it():
    """`EvaluationResult.model_dump()` has the same with other names."""
    found = document("deepeval.json")
    cases = [{"name": case["name"], "success": case["success"], "input": case["input"]} for case in found["testCases"]]
    for case, old in zip(cases, found["testCases"], strict=True):
        case["metrics_data"] = old["metricsData"]
    again = {"test_results": cases, "confident_link": None}
    rows = logs.flatten(logs.recognise(again), again)
    assert column(rows, "score.Answer Relevancy") == column(flat("deepeval.json")[0], "score.Answer Relevancy")


def test_distilabel_lists_become_rows():
    rows, suggested = flat("distilabel.jsonl")
    assert len(rows) == 18
    assert column(rows, "rating")[:3] == [2, 5, 2]
    assert rows[1]["generation"] == "It is carbon dioxide."
    assert (suggested.score, suggested.group) == (("rating",), ("instruction",))


def test_distilabel_checks():
    rows, suggested = flat("distilabel_checks.jsonl")
    assert (suggested.correct, suggested.kept) == (
        ("keep_row_after_execution_check",),
        ("keep_row_after_semantic_check",),
    )
    assert rows[7]["keep_row_after_semantic_check"] is None


@pytest.mark.parametrize("name", NAMES)
def test_loaded_by_its_path(name):
    log, found = logs.load(HERE / name)
    assert (log.name, logs.flatten(log, found)) == (NAMES[name], flat(name)[0])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "doc_id,resps,filtered_resps\n1,2,3\n"),
        ("a.jsonl", '{"correct": 1, "kept": 0}\nno json\n'),
        ("a.json", '[{"correct": 1}'),
        ("a.json", "[" * 100_000),
        ("a.jsonl", ""),
    ],
)
def test_no_log_is_loaded(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert logs.load(tmp_path / name) is None


def test_eval_is_loaded(tmp_path):
    found = document("inspect.json")
    with zipfile.ZipFile(tmp_path / "log.eval", "w") as archive:
        archive.writestr("start.json", json.dumps({"version": 2, "eval": found["eval"]}))
        archive.writestr("samples/1_epoch_1.json", json.dumps(found["samples"][0]))
    log, read = logs.load(tmp_path / "log.eval")
    assert logs.flatten(log, read) == logs.flatten(log, found | {"samples": found["samples"][:1]})
