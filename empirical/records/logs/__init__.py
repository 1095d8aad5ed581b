"""Evaluation logs of other programs, recognised by their shape and read as flat rows.

log.py          what a kind of log is
lm_eval.py inspect_ai.py promptfoo.py deepeval.py distilabel.py     one program each
"""

import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TextIO

from empirical.records.logs import deepeval, distilabel, inspect_ai, lm_eval, promptfoo
from empirical.records.logs.log import Document, Log, Row, Suggestion

LOGS = (lm_eval.LOG, inspect_ai.LOG, promptfoo.LOG, deepeval.LOG, distilabel.LOG)
"""In the order in which they are tried; no document is two of them."""

SUFFIXES = (".json", ".jsonl", ".ndjson")

__all__ = ["LOGS", "Document", "Log", "Row", "Suggestion", "flatten", "left_out", "load", "recognise"]


def recognise(document: Document) -> Log | None:
    """Which program's log it is: a JSON value, or the objects of JSON lines, of which the first few are enough."""
    return next((log for log in LOGS if log.recognises(document)), None)


def load(path: Path) -> tuple[Log, Document] | None:
    """A file that is a log, and which; None for any other file, also for one that is not readable as JSON."""
    if not path.is_file():
        return None
    if path.suffix.lower() == ".eval":
        return inspect_ai.LOG, inspect_ai.unzip(path)
    if path.suffix.lower() not in SUFFIXES:
        return None
    try:
        with open(path, encoding="utf-8-sig") as file:
            if path.suffix.lower() == ".json":
                first = _first(file)
                if first is not None and recognise([first]) is None:
                    return None
                file.seek(0)
                document: Document = json.load(file)
                log = recognise(document)
            else:
                lines = filter(str.strip, file)
                document = [json.loads(line) for line in islice(lines, 1)]
                log = recognise(document)
                document += [json.loads(line) for line in lines] if log is not None else []
    except (ValueError, RecursionError):  # what is wrong with it is said by whoever reads records
        return None
    return None if log is None else (log, document)


def _first(file: TextIO) -> object:
    """The first entry of a list, where it is within a megabyte; None for anything else."""
    start = file.read(2**20).lstrip()
    if not start.startswith("["):
        return None
    try:
        return json.JSONDecoder().raw_decode(start[1:].lstrip())[0]
    except ValueError:
        return None


def flatten(log: Log, document: Document) -> list[Row]:
    """Rows with the same columns each, None where a row lacks one. Raises InputError for a log without samples.

    Rows of which no scorer said anything are left out, `left_out` many: nothing was generated, or the program failed.
    """
    rows = list(log.rows(document))
    names = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in names} for row in rows if _is_scored(row, names)]


def left_out(log: Log, document: Document) -> int:
    """How many rows `flatten` leaves out."""
    return sum(1 for _ in log.rows(document)) - len(flatten(log, document))


def _is_scored(row: Row, names: Iterable[str]) -> bool:
    """Whether some scorer has said something of a row, where the log has columns of scorers."""
    scorers = [name for name in names if name.startswith(("passed.", "score.", "label."))]
    return not scorers or any(row.get(name) is not None for name in scorers)
