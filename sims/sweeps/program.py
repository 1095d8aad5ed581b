"""Whether a changed program may go on with a folder: trials that it holds are computed again, and compared.

Every receipt names the state of the program that computed its shard. Where that was another one, some of its trials
are computed by this one; only where they come out the same is the folder continued.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from sims.running.files import StoreError
from sims.running.fingerprint import fingerprint
from sims.running.machine import Crew, clean_environment
from sims.running.workers import Workers
from sims.sweeps.grid import Cell, Chunk, Shape, Span
from sims.sweeps.jobs import Work, read_request
from sims.sweeps.receipt import Receipt
from sims.sweeps.store import Store, shard_name, table_of
from theory.errors import RunError

TOLERANCE = 1e-9
"""Relative and absolute, of what counts as the same: rounding, on another machine or with other libraries."""
MOST, SECONDS = 16, 2.0
"""Trials of a shape that are computed again, and about how long that may take."""


def program() -> str:
    """The fingerprint of what computes rows."""
    return fingerprint("sims.sweeps.rows")


def others(receipts: Iterable[Receipt], manifest: Mapping[str, Any] | None) -> dict[str, list[Receipt]]:
    """Receipts of other states of the program than this one and those that the manifest says give the same."""
    here = program()
    known = manifest.get("same", []) if manifest and manifest.get("program") == here else []
    found: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        if receipt.program not in (here, *known):
            found.setdefault(receipt.program, []).append(receipt)
    return found


def check_same(store: Store, cells: Mapping[str, Cell], other: Mapping[str, list[Receipt]], crew: Crew) -> str:
    """Compute some trials of other programs again; returns what was found, in a line.

    Raises StoreError where one comes out otherwise: rows of two programs are not mixed.
    """
    here, count, skipped = program(), 0, 0
    samples = list(_samples(other, cells))
    with Workers[int]("sims.sweeps.program", [], lambda slot: clean_environment() | crew.environment(slot)) as workers:
        worker = None
        for receipt, chunk, root_seed in samples:
            if receipt.device != crew.device:
                skipped += chunk.trials
                continue
            there = _rows(store, receipt, chunk)
            request = Work((), cells, store.root, root_seed).request(chunk)
            if store.files.private:
                now = again(json.dumps([request, root_seed]))["rows"]
            else:
                worker = workers.hire(0) if worker is None else worker
                workers.ask(worker, json.dumps([request, root_seed]), 0)
                ((_, _, answer),) = workers.wait()
                if isinstance(answer, int):
                    raise RunError(f"the process that compares trials of {store.root} died (exit {answer})")
                now = answer["rows"]
            for old, new in zip(there, now, strict=True):
                count += 1
                _refuse_different(store, receipt, old, new)
    names = ", ".join(sorted(name or "unknown" for name in other))
    left = f"; {skipped} of another device were not compared" if skipped else ""
    return (
        f"some rows are of an earlier state of the program ({names}; now {here}): {count} of their trials were "
        f"computed again and came out the same, so the folder is continued{left}"
    )


def _samples(other: Mapping[str, list[Receipt]], cells: Mapping[str, Cell]) -> Iterator[tuple[Receipt, Chunk, int]]:
    """For each program and shape a few trials, of receipts far apart."""
    for receipts in other.values():
        by_shape: dict[Shape, list[Receipt]] = {}
        for receipt in receipts:
            by_shape.setdefault(receipt.shape, []).append(receipt)
        for shape, group in by_shape.items():
            wanted = max(1, min(MOST, int(SECONDS / shape.trial_seconds)))
            step = max(1, len(group) // wanted)
            for receipt in group[::step][:wanted]:
                spans = [Span(span.cell, span.first, 1) for span in receipt.spans if span.cell in cells]
                share = max(1, wanted // len(group[::step][:wanted]))
                chosen = spans[:: max(1, len(spans) // share)][:share]
                if chosen:
                    yield receipt, Chunk(shape, tuple(chosen)), receipt.root_seed


def _rows(store: Store, receipt: Receipt, chunk: Chunk) -> list[dict[str, Any]]:
    """The rows of a chunk's trials in the shard of a receipt."""
    table = table_of(store.files.read(shard_name(receipt.chunk)))
    found = {(row["cell"], row["seed"]): row for row in table.to_pylist()}
    return [found[span.cell, span.first] for span in chunk.spans]


def again(line: str) -> dict[str, Any]:
    """{"rows": rows of a request, computed by this program}."""
    from sims.sweeps.rows import run_chunk

    request, root_seed = json.loads(line)
    chunk, cells = read_request(request)
    table: pa.Table = run_chunk(chunk, cells, root_seed)
    return {"rows": table.to_pylist()}


def _refuse_different(store: Store, receipt: Receipt, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raise StoreError for a row that comes out otherwise now."""
    for name in (*new, *(name for name in old if name not in new)):
        if name in old and name in new and _same(old[name], new[name]):
            continue
        then = f"{name} is {old.get(name)} in the folder, {new.get(name)} now"
        raise StoreError(
            f"{store.root} was made by another state of the program ({receipt.program or 'unknown'}; now {program()}), "
            f"which computes other rows: in cell {old['cell']}, seed {old['seed']}, {then}. Rows of two programs are "
            "not mixed: give a new --out, or install the program that made the folder"
        )


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, float) and isinstance(new, float):
        return math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=TOLERANCE) or (old != old and new != new)
    return bool(old == new)


if __name__ == "__main__":
    from sims.running.workers import serve

    serve(again)
