"""distilabel: rows of a distiset, in which a list of generations is rated by a list.

Shape of argilla-io/distilabel, src/distilabel/steps/tasks: instruction; generation, or generations with
generation_models; ratings and rationales (ultrafeedback.py at commit 048e2425), scores (quality_scorer.py), feedback
and result (prometheus_eval.py at commit 01b2b238), keep_row_after_execution_check and keep_row_after_semantic_check
(apigen/semantic_checker.py at commit 0fdde412); model_name and distilabel_metadata.
"""

from collections.abc import Collection, Iterator
from typing import Any

from empirical.records.logs.log import Document, Log, Row, Suggestion, first, scalars

MANY = ("generations", "responses", "solutions")
"""Lists of what was generated for one instruction."""
SINGLE = {
    name: name[:-1]
    for name in (
        *MANY,
        "generation_models",
        "ratings",
        "rationales",
        "rationales-for-ratings",
        "scores",
        "types",
        "labels",
    )
}
"""What an entry of a list is called."""
PROMPTS = ("instruction", "prompt", "query", "question")
GOLD = ("correct", "is_correct", "label", "keep_row_after_execution_check")
KEPT = ("kept", "keep", "keep_row_after_semantic_check")
SCORES = ("rating", "score", "result", "quality_score")


def recognises(document: Document) -> bool:
    """Whether rows carry distilabel's metadata, or lists of generations and of what was said of them."""
    entry = first(document)
    if "distilabel_metadata" in entry:
        return True
    return any(isinstance(entry.get(name), list) for name in MANY) and any(
        isinstance(entry.get(name), list) for name in ("ratings", "scores", "labels", "generation_models")
    )


def rows(document: Document) -> Iterator[Row]:
    """A row per generation; without the metadata, which has raw requests."""
    for entry in document:
        if not isinstance(entry, dict):
            continue
        many = next((entry[name] for name in MANY if isinstance(entry.get(name), list)), None)
        lists = {name: part for name, part in entry.items() if many is not None and _along(part, len(many))}
        same = {name: part for name, part in entry.items() if name not in lists and name != "distilabel_metadata"}
        for sample in range(1 if many is None else len(many)):
            row = _plain(same) | ({} if many is None else {"sample": sample})
            yield row | {SINGLE.get(name, name): part[sample] for name, part in lists.items()}


def suggest(names: Collection[str]) -> Suggestion:
    """By distilabel's own names of columns."""
    return Suggestion(
        correct=tuple(name for name in GOLD if name in names),
        kept=tuple(name for name in KEPT if name in names),
        score=tuple(name for name in SCORES if name in names),
        group=tuple(name for name in PROMPTS if name in names)[:1],
        why="ratings and semantic checks are those of a model; an execution check is a program's; labels of people "
        "are not in it unless they were added",
    )


def _along(value: Any, size: int) -> bool:
    return isinstance(value, list) and len(value) == size


def _plain(entry: Row) -> Row:
    """Values, objects by their keys; lists are left out."""
    row: Row = {}
    for name, value in entry.items():
        if isinstance(value, dict):
            row |= scalars(name, value)
        elif not isinstance(value, list):
            row[name] = value
    return row


LOG = Log(name="distilabel", recognises=recognises, rows=rows, suggest=suggest)
