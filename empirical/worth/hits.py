"""How often each rule says who wins, in the cells in which that is beyond noise, and how far the forecast is off."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from empirical.worth.cells import RULES
from sims.running.intervals import CONFIDENCE, clopper_pearson


def hit_rates(cells: pd.DataFrame) -> pd.DataFrame:
    """A line per kind of errors and learner, and one for all learners of a kind (``learner`` is "all tuned", ...).

    ``cells``: all; ``decided``: those beyond noise, of which each rule's share of hits is given with its exact
    (Clopper-Pearson) interval, as if cells were independent. Those of one setting see the same samples, so that a line
    of several learners counts settings. All cells share the digits; no interval says what another data set would
    give. ``only_forecast``, ``only_p_star``: cells in which one is right and the other wrong. ``error``: mean
    absolute error of the forecast accuracy over all cells; ``rank``: Spearman's correlation of predicted and measured
    gain, whose means are ``said`` and ``gain``; ``ratio``: median of clean equivalent over n W, with its 10 and 90 %
    quantiles.
    """
    return pd.DataFrame([_line(part, errors, name) for errors, name, part in _groups(cells)])


def _groups(cells: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    for errors, of_errors in cells.groupby("errors", sort=False):
        for name, part in of_errors.groupby("learner", sort=False):
            yield str(errors), str(name), part
        for kind, part in of_errors.groupby("kind", sort=False):
            yield str(errors), f"all {kind}", part


def _line(part: pd.DataFrame, errors: str, name: str) -> dict[str, object]:
    decided = part[part["decided"]]
    settings = len(decided.drop_duplicates(["n", "setting", "phi", "psi"]))
    line: dict[str, object] = {"errors": errors, "learner": name, "kind": part["kind"].iloc[0]}
    line |= {
        "cells": len(part),
        "decided": len(decided),
        "settings": settings,
        "failed": int(part["student"].isna().sum()),
    }
    for rule in RULES:
        share = float((decided[rule] == decided["won"]).mean())
        low, high = clopper_pearson(share * settings if len(decided) else 0, settings, CONFIDENCE)
        line |= {rule: share, f"{rule}_low": float(low), f"{rule}_high": float(high)}
    right, other = (decided[rule] == decided["won"] for rule in ("wins", "below"))
    line |= {"only_forecast": int((right & ~other).sum()), "only_p_star": int((other & ~right).sum())}
    said = part["forecast"] - part["generator"]
    line |= {"error": (said - part["gain"]).abs().mean(), "rank": _rank(said, part["gain"])}
    line |= {"said": said.mean(), "gain": part["gain"].mean()}
    found = part["ratio"].dropna().to_numpy()
    ends = np.quantile(found, [0.1, 0.5, 0.9], method="nearest") if len(found) else [np.nan] * 3
    return line | dict(zip(("ratio_low", "ratio", "ratio_high"), ends, strict=True))


def _rank(one: pd.Series, other: pd.Series) -> float:
    """Spearman's correlation; NaN of a constant."""
    return float(one.corr(other, "spearman")) if min(one.nunique(), other.nunique()) > 1 else np.nan
