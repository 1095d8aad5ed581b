"""What the manifest of a result folder asks for, and whether rows are those trials."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from sims.losses import STREAM
from sims.sweeps.config import parse
from sims.sweeps.grid import Grid, cells
from sims.sweeps.receipt import Receipt
from sims.sweeps.tables import SweepConfig
from theory.columns import SIMULATION
from theory.errors import InputError
from theory.types import Spectrum


def configuration(manifest: dict[str, Any] | None) -> SweepConfig | None:
    """The sweep that a manifest describes, or None where there is none that this version reads."""
    if manifest is None:
        return None
    try:
        tables = manifest["config"].items()
        document = {table: {key: value for key, value in own.items() if value is not None} for table, own in tables}
        spectra = document["problem"].get("spectrum")
        if spectra is not None:
            document["problem"]["spectrum"] = [dict(zip(Spectrum._fields, each, strict=True)) for each in spectra]
        return parse(document, "manifest.json")
    except (InputError, AttributeError, KeyError, TypeError, ValueError):  # of an earlier version, or another kind
        return None


class Asked(NamedTuple):
    """The trials of a manifest: every cell with the seeds 0, ..., seeds - 1."""

    cells: Grid
    seeds: int
    root_seed: int

    @property
    def trials(self) -> int:
        """How many."""
        return len(self.cells) * self.seeds

    def holds(self, names: Iterable[str], seeds: np.ndarray) -> bool:
        """Whether all trials of these cells and of these seeds are among them."""
        return all(name in self.cells for name in names) and bool(np.all((seeds >= 0) & (seeds < self.seeds)))

    def owns(self, receipt: Receipt) -> bool:
        """Whether a shard has trials of it."""
        return receipt.root_seed == self.root_seed and any(
            span.cell in self.cells and span.first < self.seeds for span in receipt.spans
        )

    def lacking(self, done: dict[str, set[int]]) -> int:
        """How many of its trials are not done."""
        wanted = range(self.seeds)
        return sum(self.seeds - sum(seed in done.get(cell, ()) for seed in wanted) for cell in self.cells)


def asked(manifest: dict[str, Any] | None, draws: Iterable[str] = ()) -> Asked | None:
    """What a manifest asks for, or None where this version cannot say.

    ``draws``: the streams of random numbers of the rows that are there; cells of other streams have other ids.
    """
    config = configuration(manifest)
    if config is None or (config.run.method == SIMULATION and set(draws) - {STREAM}):
        return None
    return Asked(cells(config), config.trials, config.run.root_seed)
