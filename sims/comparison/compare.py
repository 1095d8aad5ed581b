"""Where prediction meets measurement: cells and crossings of a sweep beside what theory says of them.

`theory` predicts and `sims` measures, and neither knows the other; this module reads both tables. Nothing is
fitted, and no prediction uses a measured number.
"""

from html import escape
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from sims.comparison.account import closing, heading
from sims.comparison.cells import SCORES, summarise
from sims.comparison.crossings import normal_z
from sims.comparison.curves import (
    columns_of,
    constant_along,
    curve_numbers,
    predict_table,
    representatives,
    setting_of,
    thresholds_along,
)
from sims.comparison.pairs import chance_bound, compare_crossings
from sims.running.intervals import binomial_band
from sims.running.progress import Advance
from theory.columns import COSINES, POPULATION, RATES, RECORDED, THEORY
from theory.crossings import along
from theory.limits import bayes_accuracy

STEPS = 4
TIE = 1e-12
"""Purity this near to 1/2 is p = p*."""
LINE_POINTS = 201
MAP_POINTS = 61
PREDICTED = ["p_star", "kept_rate", "purity", "generator_accuracy"]


class Comparison(NamedTuple):
    """Tables of a compared sweep. `figures` draws them and computes nothing."""

    cells: pd.DataFrame
    """One line per cell: measured accuracy, both predictions, outcome."""
    crossings: pd.DataFrame
    """One line per curve, target and crossing, measured and predicted."""
    lines: pd.DataFrame
    """Exact theory along every curve, finely."""
    maps: pd.DataFrame
    """Exact theory over (p, psi/phi), for the phase diagram."""
    summary: dict[str, Any]
    """The few numbers that say whether the sweep agrees with theory."""

    def __repr__(self) -> str:
        """Heading and closing account of the report."""
        return f"{heading(self.cells)}\n{closing(self.summary)}"

    def _repr_html_(self) -> str:
        """For a notebook: the same, and every table behind a line that unfolds."""
        tables = {name: getattr(self, name) for name in self._fields[:-1]}
        folded = [
            f"<details><summary>{name} ({len(table)} lines)</summary>{table._repr_html_()}</details>"
            for name, table in tables.items()
        ]
        return f"<pre>{escape(repr(self))}</pre>{''.join(folded)}"


def compare(rows: pd.DataFrame, advance: Advance = lambda units: None) -> Comparison:
    """Compare the raw rows of a sweep with theory.

    Args:
        rows: columns as `sims.sweeps.rows.schema`.
        advance: called with 1 after each of the STEPS steps, for a progress bar.
    """
    cells = judge(add_predictions(summarise(rows)))
    cells.insert(1, "curve", curve_numbers(cells))
    cells["p_star_along"] = thresholds_along(cells)
    advance(1)
    lines = theory_lines(cells)
    advance(1)
    maps = theory_maps(cells)
    advance(1)
    crossing_table = compare_crossings(cells)
    advance(1)
    return Comparison(cells, crossing_table, lines, maps, summarise_comparison(cells, crossing_table))


def add_predictions(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells with the p* rule, the exact theory (``exact_*``) and z = (measured - exact) / error."""
    found = predict_table(cells)
    rates = [name for name in RATES if cells[name].isna().all()]  # they follow from cosines
    cells = cells.assign(**{name: found[name] for name in [*rates, *PREDICTED]})
    if any(name in cells for name in POPULATION):
        cells["bayes_accuracy"] = found["bayes_accuracy"]
        cells = cells.assign(**{f"exact_{name}": found[name] for name in SCORES})
    else:
        cells["bayes_accuracy"] = np.asarray(bayes_accuracy(cells["signal"].to_numpy()))
    cells["exact_accuracy"], cells["exact_converged"] = found["accuracy"], found["converged"]
    cells["exact_status"] = found["status"]
    cells["z"] = normal_z(cells["accuracy"] - cells["exact_accuracy"], cells["error"], cells["seeds"] - 1)
    return cells


def judge(cells: pd.DataFrame) -> pd.DataFrame:
    """Verdict per cell: does training beat the generator, and who predicted it.

    ``outcome`` is gain, loss, or undecided where the generator's accuracy lies in the interval; failed where a
    trial failed. ``rule`` is the prediction p < p*, null where p = p*, of which the rule says nothing; ``exact`` that
    of the exact theory. ``rule_right`` and ``exact_right`` compare them with the outcome: null where it is undecided,
    where nothing is predicted, and ``exact_right`` in rows that are the exact theory themselves.
    """
    gain = cells["low"] > cells["generator_accuracy"]
    loss = cells["high"] < cells["generator_accuracy"]
    outcome = np.select([cells["failed"] > 0, gain, loss], ["failed", "gain", "loss"], "undecided")
    decided = gain | loss
    rule = pd.Series(np.where(cells["purity"] > 0.5 + TIE, "gain", "loss"), cells.index).astype(object)
    rule = rule.where((cells["purity"] - 0.5).abs().fillna(1.0) > TIE, None)
    known = cells["exact_accuracy"].notna()
    exact = pd.Series(np.where(cells["exact_accuracy"] > cells["generator_accuracy"], "gain", "loss"), cells.index)
    exact = exact.astype(object).where(known, None)

    def right(said: pd.Series) -> pd.Series:
        return (said == outcome).astype("boolean").where(decided & said.notna())

    other = right(exact).where(cells["method"] != THEORY)
    return cells.assign(outcome=outcome, rule=rule, exact=exact, rule_right=right(rule), exact_right=other)


def theory_lines(cells: pd.DataFrame) -> pd.DataFrame:
    """Exact accuracy along every curve, at LINE_POINTS points of its whole axis."""
    firsts = representatives(cells)
    table = firsts.loc[firsts.index.repeat(LINE_POINTS)].reset_index(drop=True)
    table = table.assign(**along(columns_of(table), np.tile(np.linspace(0, 1, LINE_POINTS), len(firsts))))
    found = predict_table(table)
    keep = table[
        [
            "curve",
            *constant_along(cells),
            *COSINES,
            *(name for name in setting_of(cells).columns if name not in RECORDED),
        ]
    ]
    return keep.assign(**{name: found[name] for name in found if name not in ("residual", "status")})


def theory_maps(cells: pd.DataFrame) -> pd.DataFrame:
    """Exact accuracy over p in [0, 1] and psi/phi from 0 to the largest of the sweep, independent setting.

    One map per (loss, n, d, signal, ridge, phi) with at least three verifiers of that phi; class-dependent
    sweeps have none. Empty where there is no such map.
    """
    plain = (cells["p_negative"] == cells["p_positive"]) & (cells["phi_negative"] == cells["phi_positive"])
    plain &= cells["psi_negative"] == cells["psi_positive"]
    parts = []
    constant = constant_along(cells)
    for _, part in cells[plain & (cells["phi"] > 0)].groupby([*constant, "phi"], sort=False):
        if part["psi"].nunique() < 3:
            continue
        share = np.linspace(0, 1, MAP_POINTS)
        p, psi = (axis.ravel() for axis in np.meshgrid(share, share * part["psi"].max()))
        table = part.iloc[np.zeros(len(p), int)].reset_index(drop=True)
        parts.append(table.assign(p=p, p_negative=p, p_positive=p, psi=psi, psi_negative=psi, psi_positive=psi))
    if not parts:
        return pd.DataFrame(columns=[*constant, "phi", "p", "psi", "ratio", "accuracy", "gain"])
    table = pd.concat(parts, ignore_index=True)
    found = predict_table(table)
    gain = found["accuracy"] - found["generator_accuracy"]
    keep = table[[*constant, "phi", "p", "psi"]]
    return keep.assign(ratio=keep["psi"] / keep["phi"], accuracy=found["accuracy"], gain=gain)


def _largest(z: pd.Series) -> dict[str, Any]:
    z = z.dropna().abs()
    return {
        "count": len(z),
        "largest_z": float(z.max()) if len(z) else None,
        "median_by_chance": chance_bound(len(z), 0.5) if len(z) else None,
        "bound_by_chance_95": chance_bound(len(z)) if len(z) else None,
    }


def summarise_comparison(cells: pd.DataFrame, table: pd.DataFrame) -> dict[str, Any]:
    """Largest |z| against chance, shares of cells predicted rightly, and the failures."""
    ok = cells["z"].notna()
    inside = int((cells.loc[ok, "z"].abs() <= -ndtri(0.005)).sum())
    band = binomial_band(int(ok.sum()), 0.99, 0.99) if ok.any() else None
    decided = cells["rule_right"].notna()
    exact_decided = cells["exact_right"].notna()
    half = table[table["target"] == "p_half"] if len(table) else table
    return {
        "cells": len(cells),
        "trials": int(cells["seeds"].sum()),
        "failed_trials": int(cells["failed"].sum()),
        "failed_cells": int((cells["failed"] > 0).sum()),
        "exact_failed": cells.loc[~cells["exact_converged"], "exact_status"].value_counts().to_dict(),
        "confidence": 0.95,
        "p_half": _largest(half["z"]) if len(half) else _largest(pd.Series(dtype=float)),
        "accuracy": _largest(cells["z"]) | {"inside_99": inside, "inside_99_by_chance": band},
        "undecided_cells": int((cells["outcome"] == "undecided").sum()),
        "tied_cells": int((cells["rule"].isna() & cells["outcome"].isin(["gain", "loss"])).sum()),
        "theory_cells": int((cells["method"] == THEORY).sum()),
        "decided_cells": int(decided.sum()),
        "rule_right": int(cells["rule_right"].sum()),
        "exact_decided_cells": int(exact_decided.sum()),
        "exact_right": int(cells["exact_right"].sum()),
    }
