"""lm-evaluation-harness: `samples_TASK_DATE.jsonl`, one object per document and filter.

Shape of EleutherAI/lm-evaluation-harness, lm_eval/evaluator.py with --log_samples (a file of January 2026,
african_nlp_benchmarks/samples_masakhaner_luo_prompt_1_... at commit 35c718c0): doc_id, doc, target, arguments, resps,
filtered_resps, filter, metrics, doc_hash, prompt_hash, target_hash, and each metric by its name. Older versions write
doc_id, doc, target, arguments, resps, filtered_resps and the metrics. What `evaluate` returns has the same objects in
lists by task, under "samples". Files have every number in resps and filtered_resps as text.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from empirical.records.logs.log import Document, Log, Row, Suggestion, first, named, scalars, split, verdict

KEYS = ("doc_id", "resps", "filtered_resps")
FRAME = {
    *("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"),
    *("doc_hash", "prompt_hash", "target_hash", "schema_version", "token_counts", "input"),
}
"""Keys that are no metrics."""
GOLD = ("flexible_extract", "exact_match", "acc", "pass_1", "prompt_level_strict_acc", "contains", "mc1")
"""Metrics that compare with the target, correct or wrong."""
MARGIN = "score.margin"


def recognises(document: Document) -> bool:
    """Whether documents have responses before and after a filter."""
    return all(key in first(_samples(document)) for key in KEYS)


def rows(document: Document) -> Iterator[Row]:
    """A row per document, in which the metrics of several filters stand beside each other."""
    samples = [entry for entry in _samples(document) if isinstance(entry, dict)]
    filters = {str(entry.get("filter", "none")) for entry in samples}
    made: dict[tuple[str, int], Row] = {}
    seen: Counter[tuple[str, str, str]] = Counter()
    for entry in samples:
        prompt, used = str(entry.get("doc_id")), str(entry.get("filter", "none"))
        task = str(entry.get("task", ""))
        again = seen[task, prompt, used]  # the same document under the same filter is a second sample
        seen[task, prompt, used] += 1
        row = made.setdefault((f"{task} {prompt}", again), _head(entry, again))
        row |= _metrics(entry, f".{used}" if len(filters) > 1 else "")
    yield from made.values()


def suggest(names: Collection[str]) -> Suggestion:
    """Metrics compare with the target; what judges is the model's own margin, where answers were chosen by it."""
    found = split(names, named(names, GOLD), tuple(name for name in names if name == MARGIN))
    return replace(
        found,
        why="metrics compare with the target; score.margin is by how much the model prefers its own answer to the next",
    )


def _samples(document: Document) -> list[Any]:
    if isinstance(document, dict) and isinstance(document.get("samples"), dict):
        tasks = ((task, part) for task, part in document["samples"].items() if isinstance(part, list))
        return [entry | {"task": task} for task, part in tasks for entry in part if isinstance(entry, dict)]
    return document if isinstance(document, list) else []


def _head(entry: Row, again: int) -> Row:
    row: Row = {"task": entry["task"]} if "task" in entry else {}
    row |= {"prompt": entry.get("doc_id"), "sample": again} | scalars("doc", entry.get("doc"))
    return row if isinstance(entry.get("target"), (list, dict)) else row | {"target": entry.get("target")}


def _metrics(entry: Row, suffix: str) -> Row:
    """Metrics that are numbers; some tasks log what a metric was computed from, which is no score."""
    names = entry.get("metrics")
    listed = names if isinstance(names, list) else [key for key in entry if key not in FRAME and key != "task"]
    row: Row = {}
    for name in listed:
        row |= verdict(f"{name}{suffix}", entry.get(name))
    margin = _margin(entry["filtered_resps"])
    return row if margin is None else row | {MARGIN: margin}


def _margin(responses: Any) -> float | None:
    """By how much the best of several log-likelihoods, [log-likelihood, whether greedy] each, beats the next."""
    if not isinstance(responses, list) or len(responses) < 2:
        return None
    if not all(isinstance(part, (list, tuple)) and len(part) == 2 for part in responses):
        return None
    try:
        values = [float(part[0]) for part in responses]
    except (TypeError, ValueError):  # pairs of something else
        return None
    best, second = sorted(values)[:-3:-1]
    return best - second


LOG = Log(name="lm-evaluation-harness", recognises=recognises, rows=rows, suggest=suggest)
