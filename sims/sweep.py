"""Run a sweep file into a result folder, or continue one: plan, look what is there, compute the rest."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sims.config import SweepConfig
from sims.executor import DiskError, Job, cores, execute
from sims.plan import Cell, Chunk, cells, chunks, missing_spans
from sims.progress import progress
from sims.store import DTYPE, FORMAT, Receipt, Store, StoreError, config_hash, done_seeds, versions


@dataclass(frozen=True)
class Outlook:
    """What a sweep would do: the plan against what the folder already holds."""

    cells: Mapping[str, Cell]
    seeds: int
    chunks: tuple[Chunk, ...]
    """Still to compute."""
    receipts: tuple[Receipt, ...]
    """Intact shards already there."""
    damaged: tuple[str, ...]
    """One line per damaged file; its trials are among those to compute."""
    notes: tuple[str, ...] = ()

    @property
    def trials(self) -> int:
        """Trials of the whole sweep."""
        return len(self.cells) * self.seeds

    @property
    def missing(self) -> int:
        """Trials still to compute."""
        return sum(chunk.trials for chunk in self.chunks)

    def estimated_seconds(self, workers: int) -> float:
        """Rough time for what is missing: compilation, then trials shared by the workers.

        Uses the folder's own record of seconds per trial where it has one, else a cost model.
        """
        shapes = {chunk.shape for chunk in self.chunks}
        seen: dict[Any, list[float]] = {}
        for receipt in self.receipts:
            count = sum(span.count for span in receipt.spans)
            seen.setdefault(tuple(receipt.shape), []).append(receipt.made.get("seconds", 0.0) / max(count, 1))
        cost = sum(
            chunk.trials * (min(seen[chunk.shape]) if chunk.shape in seen else chunk.shape.trial_seconds)
            for chunk in self.chunks
        )
        active = max(1, min(workers, len(self.chunks)))
        return (4.0 + 2.5 * len(shapes) / active + cost / active) if self.chunks else 0.0


@dataclass(frozen=True)
class Outcome:
    """What a sweep did."""

    store: Store
    computed: int
    found: int
    set_aside: tuple[Job, ...]


def plan(config: SweepConfig, out: str | Path) -> Outlook:
    """Compare a sweep with its folder, changing nothing.

    Raises StoreError where the folder was made by another configuration: where it holds cells or seeds that
    this sweep does not, or another root seed. A folder that holds a part of this sweep is continued.
    """
    store = Store(Path(out))
    if store.root.exists() and not store.root.is_dir():
        raise StoreError(f"{store.root} is a file; give a folder with --out")
    grid = cells(config)
    receipts, damaged = store.scan() if store.shards.is_dir() else ([], [])
    manifest = store.read_manifest()
    foreign = store.root.is_dir() and not store.shards.is_dir() and any(store.root.iterdir())
    if foreign:
        raise StoreError(f"{store.root} is not empty and not a result folder; choose a new or empty one")
    _refuse_other_configuration(store, config, grid, receipts, manifest)
    done = done_seeds(receipts)
    todo = chunks(grid, missing_spans(grid, config.trials, done))
    notes = _version_notes(receipts)
    return Outlook(grid, config.trials, tuple(todo), tuple(receipts), tuple(damaged), notes)


def run(config: SweepConfig, out: str | Path, workers: int | None = None) -> Outcome:
    """Run a sweep, or what is missing of it, and write the table of raw rows.

    Args:
        config: from `sims.config.load` or `parse`.
        out: result folder; created, or continued.
        workers: processes, each with one thread; default one per core.

    Returns:
        `Outcome`; ``set_aside`` holds chunks that failed three times (then no rows.parquet is written).

    Raises:
        StoreError: a folder of another configuration, or one that cannot be written.
        ValueError: workers < 1.
    """
    workers = cores() if workers is None else workers
    if workers < 1:
        raise ValueError(f"workers = {workers} must be at least 1")
    outlook = plan(config, out)
    _refuse_too_large(outlook, workers)
    store = Store(Path(out))
    store.create()
    try:
        store.discard_leftovers()
        store.write_manifest(_manifest(config))
        failed: list[Job] = []
        if outlook.chunks:
            with progress("simulating", outlook.missing, "trials") as advance:
                failed = execute(
                    outlook.chunks,
                    outlook.cells,
                    store.root,
                    config.run.root_seed,
                    workers,
                    lambda chunk: advance(chunk.trials),
                )
        if not failed:
            finish(store, outlook)
    except (OSError, DiskError) as error:
        kept = "what was finished is kept; make room or choose another --out, then run the same command again"
        raise StoreError(f"cannot write to {store.root}: {error}; {kept}") from None
    return Outcome(store, outlook.missing, outlook.trials - outlook.missing, tuple(failed))


def _refuse_too_large(outlook: Outlook, workers: int) -> None:
    """Raise StoreError where the batches of all workers together would not fit into the machine's memory."""
    if not outlook.chunks:
        return
    largest = max((chunk.shape for chunk in outlook.chunks), key=lambda shape: shape.lanes * shape.trial_bytes)
    needed = largest.lanes * largest.trial_bytes * min(workers, len(outlook.chunks))
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > machine:
        raise StoreError(
            f"n = {largest.n}, d = {largest.d} needs about {needed / 1e9:.3g} GB with {workers} workers, and this "
            f"machine has {machine / 1e9:.3g} GB; use fewer --workers, or a smaller problem.d or problem.alpha"
        )


def finish(store: Store, outlook: Outlook) -> None:
    """Write rows.parquet from all shards. Raises StoreError where a shard was lost since they were computed."""
    receipts, damaged = store.scan()
    done = done_seeds(receipts)
    absent = [name for name in outlook.cells if len(done.get(name, ())) < outlook.seeds]
    if absent:
        raise StoreError(f"{store.root}: {len(absent)} cells lost a shard meanwhile; run the same command again")
    store.write_rows(store.rows(receipts, outlook.cells, outlook.seeds))
    if damaged:
        store.discard_damaged()


def _manifest(config: SweepConfig) -> dict[str, Any]:
    content = json.loads(json.dumps(asdict(config)))
    return {
        "format": FORMAT,
        "config": content,
        "config_hash": config_hash(content),
        "root_seed": config.run.root_seed,
        "dtype": DTYPE,
        "device": "cpu",
        "python": platform.python_version(),
        "versions": versions(),
    }


def _version_notes(receipts: list[Receipt]) -> tuple[str, ...]:
    """A line where shards were computed by other versions than those installed now."""
    here = versions()
    seen = {(receipt.made.get("jax"), receipt.made.get("jaxlib")) for receipt in receipts}
    other = sorted(f"jax {jax}, jaxlib {jaxlib}" for jax, jaxlib in seen - {(here["jax"], here["jaxlib"])})
    if not other:
        return ()
    return (f"some rows were computed with {'; '.join(other)}: equal to rounding, not to the bit",)


def _refuse_other_configuration(
    store: Store, config: SweepConfig, grid: Mapping[str, Cell], receipts: list[Receipt], manifest: Any
) -> None:
    """Raise StoreError unless all that the folder holds belongs to this sweep."""
    seeds_there = {receipt.root_seed for receipt in receipts} - {config.run.root_seed}
    there = done_seeds(receipts)
    alien = [cell for cell in there if cell not in grid]
    surplus = max((max(seeds) + 1 for seeds in there.values() if seeds), default=0)
    if not seeds_there and not alien and surplus <= config.trials:
        return
    old = manifest["config"] if manifest else {}
    new = json.loads(json.dumps(asdict(config)))
    changed = [
        f"  {table}.{key}: {_short(old[table][key])} in the folder, {_short(value)} in the file"
        for table, values in new.items()
        for key, value in values.items()
        if table in old and key in old[table] and old[table][key] != value
    ]
    reason = f"{len(alien)} of its {len(there)} cells are" if alien else "its seeds are"
    detail = "\n".join(changed) if changed else "  (its manifest is gone, so the difference cannot be shown)"
    raise StoreError(
        f"{store.root} was made by another configuration: {reason} not in this sweep\n{detail}\n"
        "A folder can only grow. Give a new --out, or put the old values back beside the new ones"
    )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
