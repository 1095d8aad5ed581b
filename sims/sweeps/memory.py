"""A sweep that is computed in this process and not stored."""

import pyarrow as pa

from sims.running.progress import progress
from sims.sweeps.grid import cells, chunks, missing_spans
from sims.sweeps.rows import run_chunk
from sims.sweeps.tables import SweepConfig


def compute(config: SweepConfig, label: str) -> pa.Table:
    """Raw rows of all trials, chunk by chunk. ``label`` is what the progress on standard error is called.

    Raises RuntimeError where JAX is not in float64.
    """
    grid = cells(config)
    work = chunks(grid, missing_spans(grid, config.trials, {}))
    tables = []
    with progress(label, sum(chunk.trials for chunk in work), "trials") as advance:
        for chunk in work:
            tables.append(run_chunk(chunk, grid, config.run.root_seed))
            advance(chunk.trials)
    return pa.concat_tables(tables)
