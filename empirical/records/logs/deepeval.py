"""DeepEval: a test run as saved (DEEPEVAL_RESULTS_FOLDER), or `EvaluationResult.model_dump()`.

Shape of confident-ai/deepeval, deepeval/test_run/api.py at commit 08080fcf (testCases, conversationalTestCases:
name, input, actualOutput, expectedOutput, success, metricsData, metadata) and deepeval/evaluate/types.py at commit
01962805 (test_results: the same with _ in place of capitals); metrics as in deepeval/tracing/api.py at commit
000ee952: name, threshold, success, score, reason, strictMode, evaluationModel, error.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from empirical.records.logs.log import Document, Log, Row, Suggestion, first, listed, named, scalars, split

LISTS = ("testCases", "test_results", "testResults", "test_cases")
GOLD = ("exact_match", "exact", "human", "pattern_match", "correctness", "json_correctness", "tool_correctness")
"""In names of metrics that compare with what was expected; "correctness" is often a G-Eval, and comes after them."""


def recognises(document: Document) -> bool:
    """Whether test cases have data of metrics."""
    return any(_metrics(entry) is not None for entry in [first(document, *LISTS), *_talks(document)[:1]])


def rows(document: Document) -> Iterator[Row]:
    """A row per test case; a metric that met an error has no verdict."""
    for entry in [*listed(document, *LISTS), *_talks(document)]:
        row: Row = {"prompt": _either(entry, "input", "scenario"), "name": entry.get("name")}
        row |= scalars("metadata", _either(entry, "metadata", "additionalMetadata", "additional_metadata"))
        row |= {"passed.all": entry.get("success")}
        for metric in _metrics(entry) or []:
            name, failed = metric.get("name"), metric.get("error") is not None
            row |= {f"passed.{name}": None if failed else metric.get("success")}
            row |= {f"score.{name}": None if failed else metric.get("score")}
        yield row


def suggest(names: Collection[str]) -> Suggestion:
    """By names; metrics of DeepEval are judged by a model unless they say otherwise."""
    people = tuple(name for name in names if name.startswith("metadata.") and "human" in name.lower())
    gold = people + tuple(name for name in named(names, GOLD) if name.startswith("passed."))
    alike = {name.partition(".")[2] for name in gold} | {"all"}
    judging = (name for name in names if name.startswith(("passed.", "score.")))
    return replace(
        split(names, gold, tuple(name for name in judging if name.partition(".")[2] not in alike)),
        why="metrics named exact match, human or correctness compare with what was expected; a model judges the others",
    )


def _metrics(entry: Row) -> list[Row] | None:
    found = _either(entry, "metricsData", "metrics_data")
    return found if isinstance(found, list) else None


def _talks(document: Document) -> list[Any]:
    return listed(document, "conversationalTestCases") if isinstance(document, dict) else []


def _either(entry: Row, *keys: str) -> Any:
    return next((entry[key] for key in keys if entry.get(key) is not None), None)


LOG = Log(name="DeepEval", recognises=recognises, rows=rows, suggest=suggest)
