"""What is to be computed, as every executor sees it: chunks that wait as jobs, and one job as a line of JSON."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sims.sweeps.grid import Cell, Chunk, Shape, Span, cell_from_json, cell_to_json
from theory.errors import RunError

MAX_ATTEMPTS = 3
"""A chunk that ends this many workers, or fails this many times, is set aside; the rest goes on."""


class DiskError(RunError):
    """A worker could not write its shard."""


@dataclass
class Job:
    """A chunk on its way, with how often it was tried and why that failed."""

    chunk: Chunk
    attempts: int = 0
    reason: str = ""

    def __str__(self) -> str:
        """What is set aside, and why."""
        shape = self.chunk.shape
        return f"{self.chunk.trials} trials of {shape.loss} loss, n = {shape.n}, d = {shape.d}: {self.reason}"


class Work(NamedTuple):
    """What is to be computed, and where it goes."""

    chunks: Sequence[Chunk]
    cells: Mapping[str, Cell]
    root: str | Path
    """Folder or URL of the store."""
    root_seed: int

    def request(self, chunk: Chunk) -> str:
        """One chunk with its cells as a line of JSON, which any version can read."""
        names = dict.fromkeys(span.cell for span in chunk.spans)
        cells = [cell_to_json(self.cells[name]) for name in names]
        return json.dumps({"shape": chunk.shape, "spans": chunk.spans, "cells": cells})


def read_request(line: str) -> tuple[Chunk, dict[str, Cell]]:
    """Inverse of `Work.request`."""
    request = json.loads(line)
    cells = {cell.id: cell for cell in map(cell_from_json, request["cells"])}
    return Chunk(Shape(*request["shape"]), tuple(Span(*span) for span in request["spans"])), cells


OnDone = Callable[[Chunk], None]
Execute = Callable[[Work, OnDone], list[Job]]
"""Computes and stores all chunks, calls back after each, and returns the jobs that were set aside."""


def by_shape(chunks: Iterable[Chunk]) -> dict[Shape, deque[Job]]:
    """All chunks as jobs that wait, in order within a shape."""
    waiting: dict[Shape, deque[Job]] = {}
    for chunk in chunks:
        waiting.setdefault(chunk.shape, deque()).append(Job(chunk))
    return waiting


def next_job(waiting: Mapping[Shape, deque[Job]], mine: Set[Shape], others: Iterable[Set[Shape]]) -> Job | None:
    """Take the job that is next for a worker which has compiled the shapes ``mine``; None where nothing waits.

    Prefer a shape it has compiled, then one that no other worker has, then the one with most work left.
    """
    left = [shape for shape, jobs in waiting.items() if jobs]
    if not left:
        return None
    taken = set().union(*others)

    preferred = {shape: (shape in mine, shape not in taken) for shape in left}
    best = max(preferred.values())
    equals = [shape for shape, preference in preferred.items() if preference == best]
    work = lambda shape: sum(job.chunk.trials for job in waiting[shape]) * shape.trial_seconds
    chosen = max(equals, key=work) if len(equals) > 1 else equals[0]  # counted only where it decides
    return waiting[chosen].popleft()
