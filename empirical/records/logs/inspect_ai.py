"""Inspect: an eval log as `.json`, or as `.eval`, a zip of one JSON file per sample.

Shape of UKGovernmentBEIS/inspect_ai, log version 2 (tests/log/test_eval_log/log_read_sample.json at commit 62d91db8):
version, status, eval (model, task, scorers), plan, results, stats, and samples with id, epoch, input, target, messages,
output, scores {scorer: {value, answer, explanation}}, metadata. Values of scores: src/inspect_ai/scorer/_metric.py at
commit 03ed3dda. The zip: src/inspect_ai/log/_recorders/eval.py at commit 00e215b6, samples/ID_epoch_EPOCH.json.
"""

import json
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from empirical.records.logs.log import Document, Log, Row, Suggestion, named, scalars, split, verdict
from sims.running.unpacked import check_zip
from theory.errors import InputError

GOLD = ("exact", "match", "includes", "choice", "answer", "pattern", "math", "verify", "check", "human")
"""In names of scorers that compare with the target."""
PASSED = {"C": True, "I": False, "N": False}
"""Correct, incorrect, no answer (which Inspect counts as 0)."""
PARTS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
"""The same where some are correct in part."""

HEADERS = ("header.json", "_journal/start.json", "start.json")
"""In a .eval file: what the log is of; the first that is there, as an interrupted evaluation has not all."""


def recognises(document: Document) -> bool:
    """Whether it is the object of one evaluation with its samples."""
    return isinstance(document, dict) and isinstance(document.get("eval"), dict) and "version" in document


def rows(document: Document) -> Iterator[Row]:
    """A row per sample and epoch."""
    assert isinstance(document, dict)
    samples = document.get("samples") or []
    if not samples:
        raise InputError("this Inspect log holds no samples; read the whole log, written with samples")
    partly = _partly(samples)
    for entry in samples:
        prompt = entry.get("input")
        row: Row = {"prompt": entry.get("id"), "sample": entry.get("epoch"), "model": document["eval"].get("model")}
        row |= {"input": prompt} if isinstance(prompt, str) else {}
        row |= scalars("metadata", entry.get("metadata"))
        for name, score in (entry.get("scores") or {}).items():
            row |= _score(name, score.get("value"), partly)
        yield row


def suggest(names: Collection[str]) -> Suggestion:
    """By the names of Inspect's own scorers, which those of tasks resemble."""
    judging = tuple(name for name in names if name.startswith(("passed.", "score.")))
    compared = tuple(name for name in named(names, GOLD) if "graded" not in name and "judge" not in name)
    return replace(
        split(names, compared, judging),
        why="scorers such as match, includes, choice compare with the target; model_graded_* and others judge",
    )


def unzip(path: Path) -> dict[str, Any]:
    """The document of a .eval file. Raises InputError where it is none, or compressed in a way Python cannot read."""
    try:
        check_zip(path)
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            header = next((name for name in HEADERS if name in names), None)
            if header is None:
                raise InputError(f"{path} is a zip file, but no Inspect log; give the log that Inspect wrote")
            document: dict[str, Any] = json.loads(archive.read(header))
            inside = [name for name in names if name.startswith("samples/") and name.endswith(".json")]
            return document | {"samples": [json.loads(archive.read(name)) for name in inside]}
    except NotImplementedError:
        remedy = "convert it with: inspect log convert --to json --output-dir DIR FILE"
        raise InputError(f"{path} is compressed in a way that Python's zipfile cannot read; {remedy}") from None
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is no readable Inspect log ({error}); give the log that Inspect wrote") from None


def _partly(samples: list[Row]) -> set[str]:
    """Scorers that call some samples correct in part: theirs are numbers."""
    scores = (pair for entry in samples for pair in (entry.get("scores") or {}).items())
    return {name for name, score in scores if score.get("value") == "P"}


def _score(name: str, value: Any, partly: Collection[str]) -> Row:
    if not isinstance(value, str):
        return verdict(name, value)
    if name in partly:
        return {f"score.{name}": PARTS.get(value)}
    if value in PASSED:
        return {f"passed.{name}": PASSED[value]}
    try:
        return verdict(name, float(value))
    except ValueError:
        return {f"label.{name}": value}


LOG = Log(name="Inspect", recognises=recognises, rows=rows, suggest=suggest)
