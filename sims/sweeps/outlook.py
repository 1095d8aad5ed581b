"""What a sweep would do: its plan against what the folder already holds, which may be a part of it and nothing else."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sims.losses import STREAM
from sims.running.files import FileError, StoreError
from sims.sweeps.grid import Cell, Chunk, cells, chunks, missing_spans
from sims.sweeps.program import program
from sims.sweeps.receipt import Receipt, done_seeds
from sims.sweeps.store import Store, versions
from sims.sweeps.tables import SweepConfig
from theory.columns import SIMULATION


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
    foreign: tuple[str, ...] = ()
    """One line per file among the shards that is not ours."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of the rows that are there, a line each."""
        again = (f"{line}; its trials are computed again" for line in self.damaged)
        return (*again, *(f"{line}; left alone, and not counted" for line in self.foreign), *self.notes)

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

        Uses the folder's own record of seconds per trial where it has one, else a cost model. The record of a shard of
        few trials is mostly compilation: no more than an upper bound.
        """
        shapes = {chunk.shape for chunk in self.chunks}
        full: dict[Any, float] = {}
        short: dict[Any, float] = {}
        for receipt in self.receipts:
            count = sum(span.count for span in receipt.spans)
            seen = full if 2 * count >= receipt.shape.chunk_trials else short
            each = receipt.made.get("seconds", 0.0) / max(count, 1)
            seen[receipt.shape] = min(seen.get(receipt.shape, math.inf), each)
        of = {shape: full.get(shape, min(shape.trial_seconds, short.get(shape, math.inf))) for shape in shapes}
        cost = sum(chunk.trials * of[chunk.shape] for chunk in self.chunks)
        active = max(1, min(workers, len(self.chunks)))
        return (4.0 + 2.5 * len(shapes) / active + cost / active) if self.chunks else 0.0


def plan(config: SweepConfig, out: str | Path) -> Outlook:
    """Compare a sweep with its folder (or fsspec URL), changing nothing.

    Raises StoreError where the folder was made by another configuration: where it holds cells or seeds that
    this sweep does not, or another root seed. A folder that holds a part of this sweep is continued.
    """
    store = Store(out)
    grid = cells(config)
    try:
        store.refuse_foreign()
        receipts, damaged, foreign = store.survey()
        _refuse_other_configuration(store, config, grid, receipts, store.read_manifest())
    except FileError as error:
        raise StoreError(f"cannot read {store.root}: {error}") from None
    todo = chunks(grid, missing_spans(grid, config.trials, done_seeds(receipts)))
    notes = (*_version_notes(receipts), *([] if todo else _program_note(receipts)))
    return Outlook(grid, config.trials, tuple(todo), tuple(receipts), tuple(damaged), notes, tuple(foreign))


def content(config: SweepConfig) -> Any:
    """The configuration as JSON values, as a manifest holds it."""
    return json.loads(json.dumps(asdict(config)))


def _version_notes(receipts: list[Receipt]) -> tuple[str, ...]:
    """A line where shards were computed by other versions than those installed now, or on different devices."""
    here = versions()
    names = ("pstar", "jax", "jaxlib")
    mine = tuple(here[name] for name in names)
    seen = {tuple(receipt.made.get(name) for name in names) for receipt in receipts}
    other = sorted(
        ", ".join(f"{name} {its}" for name, its in zip(names, those, strict=True)) for those in seen - {mine}
    )
    devices = {receipt.device for receipt in receipts}
    found = [f"some rows were computed with {'; '.join(other)}"] if other else []
    found += ["some rows were computed on cpu and some on gpu"] if len(devices) > 1 else []
    return tuple(f"{line}: equal to rounding, not to the bit" for line in found)


def _program_note(receipts: list[Receipt]) -> list[str]:
    """A line where rows are of another state of the program, and none is to be computed beside them."""
    other = sorted({receipt.program or "unknown" for receipt in receipts} - {program()})
    if not other:
        return []
    return [f"rows are of an earlier state of the program ({', '.join(other)}; now {program()}); none is computed anew"]


def _refuse_other_configuration(
    store: Store, config: SweepConfig, grid: Mapping[str, Cell], receipts: list[Receipt], manifest: Any
) -> None:
    """Raise StoreError unless all that the folder holds belongs to this sweep."""
    streams = {receipt.shape.draws for receipt in receipts if receipt.shape.method == SIMULATION} - {STREAM}
    if streams:
        raise StoreError(
            f"{store.root} was made by an earlier version, whose trials drew other random numbers "
            f"({', '.join(sorted(streams))}; now {STREAM}), and cannot be continued. Give a new --out; its rows stay "
            "as they are, and `pstar compare` reads them"
        )
    seeds_there = {receipt.root_seed for receipt in receipts} - {config.run.root_seed}
    there = done_seeds(receipts)
    alien = [cell for cell in there if cell not in grid]
    surplus = max((max(seeds) + 1 for seeds in there.values() if seeds), default=0)
    if not seeds_there and not alien and surplus <= config.trials:
        return
    old = manifest["config"] if manifest else {}
    new = content(config)
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
