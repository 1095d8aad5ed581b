"""A sweep small enough for one process, for the tests of what comes after simulation."""

from functools import cache

import pandas as pd

from sims.sweeps.config import parse
from sims.sweeps.grid import cells, chunks, missing_spans
from sims.sweeps.rows import run_chunk

INDEPENDENT = {
    "problem": {"d": 20, "alpha": 4, "signal": 2.0},
    "generator": {"p": {"start": 0.05, "stop": 0.95, "num": 10}},
    "verifier": {"phi": 0.8, "psi": [0.1, 0.4, 0.8]},
    "training": {"loss": ["squared", "logistic"], "ridge": 0.1},
    "run": {"seeds": 24},
}
LINEAR = {
    "problem": {"setting": "linear", "d": 20, "alpha": 4, "signal": 2.0},
    "generator": {"cos_generator": {"start": -0.5, "stop": 0.5, "num": 6}},
    "verifier": {"pairs": [[0.6, 0.1], [0.3, 0.2]]},
    "training": {"loss": "squared", "ridge": 0.1},
    "run": {"seeds": 16},
}


def simulate(document) -> pd.DataFrame:
    """Raw rows of a sweep, computed in this process."""
    config = parse(document)
    grid = cells(config)
    spans = missing_spans(grid, config.trials, {})
    return pd.concat(
        [run_chunk(chunk, grid, config.run.root_seed).to_pandas() for chunk in chunks(grid, spans)],
        ignore_index=True,
    )


@cache
def independent_rows() -> pd.DataFrame:
    """Rows of INDEPENDENT, computed once a process."""
    return simulate(INDEPENDENT)
