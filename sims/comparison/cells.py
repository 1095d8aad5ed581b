"""Raw rows to cells: one line per point of the grid with mean accuracy, its error and what failed.

No theory here: what this module says is measured.
"""

import numpy as np
import pandas as pd

from sims.running.intervals import t_quantile
from theory.columns import POPULATION, SETTINGS

FIXED = ["method", "setting", "loss", "n", "d", "alpha", "signal", "ridge", "prior"]
"""What a cell of any setting has, before the columns of its setting."""
SCORES = ("balanced_accuracy", "mean_score", "offset", "score_sd")
"""Means of what is measured where the sweep has an intercept or a spectrum."""


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Cells of a sweep, in the order of their first row.

    Columns: the cell's parameters (intercept and spectrum where the sweep has them, then also `SCORES`), ``seeds``
    (trials), ``failed`` (trials that are not ok), ``status`` ("ok", or
    what failed and how often), ``kept`` and ``kept_purity`` (measured shares), ``accuracy`` with ``error``
    (standard error), ``low``, ``high`` (t interval). accuracy is NaN where any trial failed: a mean over the
    trials that went well would be biased; error and interval are NaN for a single seed as well. Rows that are
    exact theory (``method = "theory"``) have no error.
    """
    groups = rows.groupby("cell", sort=False)
    population = [name for name in POPULATION if name in rows]
    cells = groups[[*FIXED, *population, *SETTINGS[rows["setting"].iloc[0]].recorded]].first()
    cells["seeds"] = groups.size()
    cells["failed"] = cells["seeds"] - groups["converged"].sum().astype(cells["seeds"].dtype)
    cells["status"] = _statuses(rows, cells["seeds"]).astype(rows["status"].dtype)
    cells["kept"] = groups["m"].sum() / (cells["n"] * cells["seeds"])
    kept_wrong, m = groups["kept_wrong"].sum(), groups["m"].sum()
    cells["kept_purity"] = 1 - kept_wrong / m.where(m > 0)
    whole = cells["failed"] == 0
    cells["accuracy"] = groups["accuracy"].mean().where(whole)
    for name in SCORES:
        if name in rows:
            cells[name] = groups[name].mean().where(whole)
    cells["error"] = (groups["accuracy"].std(ddof=1) / np.sqrt(cells["seeds"])).where(whole)
    exact = whole & (groups["method"].first() == "theory")
    cells["error"] = cells["error"].mask(exact, 0.0)
    reach = (t_quantile(cells["seeds"] - 1) * cells["error"]).mask(exact, 0.0)
    cells["low"], cells["high"] = cells["accuracy"] - reach, cells["accuracy"] + reach
    return cells.reset_index()


def _statuses(rows: pd.DataFrame, seeds: pd.Series) -> pd.Series:
    """What failed in each cell and how often, the most frequent first; "ok" where nothing did."""
    found = pd.Series("ok", seeds.index, dtype=object)
    for cell, values in rows[rows["status"] != "ok"].groupby("cell", sort=False)["status"]:
        bad = values.value_counts().items()
        found[cell] = "; ".join(f"{name} in {count} of {seeds[cell]}" for name, count in bad)
    return found
