"""promptfoo: `promptfoo eval --output results.json`, or `.jsonl` with one result a line.

Shape of promptfoo/promptfoo, src/types/index.ts at commit 03c4cf29 (results version 3): results
{version, timestamp, prompts, results, stats} with results of promptIdx, testIdx, testCase, provider {id, label}, prompt
{raw, label}, vars, response {output}, success, score, failureReason, namedScores, gradingResult {pass, score, reason,
componentResults [{pass, score, reason, assertion {type, value, metric}}]}.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from empirical.records.logs.log import Document, Log, Row, Suggestion, first, listed, named, scalars, split

GOLD = ("human", "equals", "exact", "contains", "regex", "is_json", "is_sql", "javascript", "python", "starts_with")
"""Types of assertions that people or programs decide; human is the judgement of promptfoo's own viewer."""
JUDGING = ("llm_rubric", "model_graded", "g_eval", "factuality", "closedqa", "select_best", "similar", "classifier")
"""Types that another model decides."""
OF_THE_PROGRAM = 2
"""failureReason where the program failed, which says nothing of the output."""


def recognises(document: Document) -> bool:
    """Whether results have a grading, and a prompt or provider."""
    entry = first(_results(document))
    return "success" in entry and "gradingResult" in entry and ("provider" in entry or "prompt" in entry)


def rows(document: Document) -> Iterator[Row]:
    """A row per output: a test, of one prompt and one provider; assertions of one type are numbered from the second."""
    for entry in _results(document):
        failed = entry.get("failureReason") == OF_THE_PROGRAM
        row: Row = {"prompt": entry.get("testIdx", _key(entry.get("vars"))), "model": _name(entry.get("provider"))}
        row |= {"template": _name(entry.get("prompt"))} | scalars("vars", entry.get("vars"))
        row |= scalars("metadata", (entry.get("testCase") or {}).get("metadata"))
        row |= {"passed.all": None, "score.all": None} if failed else _all(entry)
        if not failed:
            row |= _components((entry.get("gradingResult") or {}).get("componentResults") or [])
        yield row


def suggest(names: Collection[str]) -> Suggestion:
    """Assertions of programs and people are gold, those of models judge; all of them together are neither."""
    judging = named(names, JUDGING)
    gold = tuple(name for name in named(names, GOLD) if name.startswith("passed.") and name not in judging)
    return replace(
        split(names, gold, judging),
        why="assertions that people or programs decide are the truth, those that a model decides judge; "
        "passed.all is both at once",
    )


def _results(document: Document) -> list[Any]:
    """The results of a file, or those of lines."""
    if isinstance(document, dict) and isinstance(document.get("results"), dict):
        document = document["results"]
    return [entry for entry in listed(document, "results") if isinstance(entry, dict)]


def _all(entry: Row) -> Row:
    return {"passed.all": entry.get("success"), "score.all": entry.get("score")}


def _components(parts: list[Any]) -> Row:
    row: Row = {}
    for part in parts:
        assertion = part.get("assertion") or {}
        name = base = str(assertion.get("metric") or assertion.get("type") or "assertion")
        number = 1
        while f"passed.{name}" in row:
            number += 1
            name = f"{base}.{number}"
        row |= {f"passed.{name}": part.get("pass"), f"score.{name}": part.get("score")}
    return row


def _name(value: Any) -> Any:
    """The name of a provider or a prompt, which old versions have as text."""
    if not isinstance(value, dict):
        return value
    return next((value[key] for key in ("label", "id", "raw") if value.get(key)), None)


def _key(values: Any) -> str:
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


LOG = Log(name="promptfoo", recognises=recognises, rows=rows, suggest=suggest)
