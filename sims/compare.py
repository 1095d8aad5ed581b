"""Where prediction meets measurement: cells and crossings of a sweep beside what theory says of them.

`theory` predicts and `sims` measures, and neither knows the other; this module reads both tables. Nothing is
fitted, and no prediction uses a measured number.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binom, norm

from sims.crossings import Curve, normal_z, value_at
from sims.crossings import crossings as measured_crossings
from sims.summary import summarise
from theory import table as theory_table
from theory.crossings import TARGETS, Target, along, predicted_crossings
from theory.limits import bayes_accuracy
from theory.table import CLASS_RATES, COSINES, SHARED

LINE_POINTS = 201
MAP_POINTS = 61
CURVE = ["setting", "loss", "n", "d", "alpha", "signal", "ridge", "prior"]
INDEPENDENT = ["phi", "psi", "phi_negative", "phi_positive", "psi_negative", "psi_positive"]
LINEAR = ["cos_verifier", "cos_between"]
CROSSING = ["rising", "measured", "low", "high", "grid_error", "rule", "exact", "predicted", "z", "in_grid"]
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


def compare(rows: pd.DataFrame) -> Comparison:
    """Compare the raw rows of a sweep with theory.

    Args:
        rows: columns as `sims.chunk.SCHEMA`.
    """
    cells = judge(add_predictions(summarise(rows)))
    cells.insert(1, "curve", cells.groupby(_curve_columns(cells), sort=False, dropna=False).ngroup())
    lines = theory_lines(cells)
    crossing_table = compare_crossings(cells)
    return Comparison(cells, crossing_table, lines, theory_maps(cells), summarise_comparison(cells, crossing_table))


def _curve_columns(cells: pd.DataFrame) -> list[str]:
    """What is constant along a curve; the generator varies."""
    return CURVE + (LINEAR if cells["setting"].iloc[0] == "linear" else INDEPENDENT)


def predict_table(table: pd.DataFrame) -> pd.DataFrame:
    """Theory for every line of a table with the parameter columns of a sweep.

    Returns the fields of `theory.prediction.Prediction` as columns, with the index of ``table``.
    """
    found = theory_table.predict_table(_columns(table))
    return pd.DataFrame(found, index=table.index)


def add_predictions(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells with the p* rule, the exact theory (``exact_*``) and z = (measured - exact) / error."""
    found = predict_table(cells)
    cells = cells.assign(**{name: found[name] for name in ["p", "phi", "psi", *PREDICTED]})
    cells["bayes_accuracy"] = np.asarray(bayes_accuracy(cells["signal"].to_numpy()))
    cells["exact_accuracy"], cells["exact_converged"] = found["accuracy"], found["converged"]
    cells["z"] = normal_z((cells["accuracy"] - cells["exact_accuracy"]) / cells["error"], cells["seeds"] - 1)
    return cells


def judge(cells: pd.DataFrame) -> pd.DataFrame:
    """Verdict per cell: does training beat the generator, and who predicted it.

    ``outcome`` is gain, loss, or undecided where the generator's accuracy lies in the interval; failed where a
    trial failed. ``rule`` is the prediction p < p*, ``exact`` that of the exact theory; ``rule_right`` and
    ``exact_right`` compare them with the outcome (null where undecided).
    """
    gain = cells["low"] > cells["generator_accuracy"]
    loss = cells["high"] < cells["generator_accuracy"]
    outcome = np.select([cells["failed"] > 0, gain, loss], ["failed", "gain", "loss"], "undecided")
    decided = gain | loss
    rule = pd.Series(np.where(cells["purity"] > 0.5 + 1e-12, "gain", "loss"), cells.index)
    known = cells["exact_accuracy"].notna()
    exact = pd.Series(np.where(cells["exact_accuracy"] > cells["generator_accuracy"], "gain", "loss"), cells.index)
    exact = exact.astype(object).where(known, None)

    def right(said: pd.Series) -> pd.Series:
        return (said == outcome).astype("boolean").where(decided & said.notna())

    return cells.assign(outcome=outcome, rule=rule, exact=exact, rule_right=right(rule), exact_right=right(exact))


def _columns(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """What `theory.table` reads of a table with the parameter columns of a sweep."""
    wanted = (*SHARED, "loss", *(CLASS_RATES if _is_independent(table) else COSINES), "prior")
    return {name: table[name].to_numpy() for name in wanted}


def theory_lines(cells: pd.DataFrame) -> pd.DataFrame:
    """Exact accuracy along every curve, at LINE_POINTS points of its whole axis."""
    firsts = cells.groupby("curve", sort=False).head(1)
    table = firsts.loc[firsts.index.repeat(LINE_POINTS)].reset_index(drop=True)
    table = table.assign(**along(_columns(table), np.tile(np.linspace(0, 1, LINE_POINTS), len(firsts))))
    found = predict_table(table)
    keep = table[["curve", *CURVE, "cos_generator", "cos_verifier", "cos_between"]]
    return keep.assign(**{name: found[name] for name in found if name != "residual"})


def theory_maps(cells: pd.DataFrame) -> pd.DataFrame:
    """Exact accuracy over p in [0, 1] and psi/phi from 0 to the largest of the sweep, independent setting.

    One map per (loss, n, d, signal, ridge, phi) with at least three verifiers of that phi; class-dependent
    sweeps have none. Empty where there is no such map.
    """
    plain = (cells["p_negative"] == cells["p_positive"]) & (cells["phi_negative"] == cells["phi_positive"])
    plain &= cells["psi_negative"] == cells["psi_positive"]
    parts = []
    for _, part in cells[plain & (cells["phi"] > 0)].groupby([*CURVE, "phi"], sort=False):
        if part["psi"].nunique() < 3:
            continue
        first, share = part.iloc[0], np.linspace(0, 1, MAP_POINTS)
        p, psi = (axis.ravel() for axis in np.meshgrid(share, share * part["psi"].max()))
        table = pd.DataFrame([first] * len(p)).reset_index(drop=True)
        parts.append(table.assign(p=p, p_negative=p, p_positive=p, psi=psi, psi_negative=psi, psi_positive=psi))
    if not parts:
        return pd.DataFrame(columns=[*CURVE, "phi", "p", "psi", "ratio", "accuracy", "gain"])
    table = pd.concat(parts, ignore_index=True)
    found = predict_table(table)
    gain = found["accuracy"] - found["generator_accuracy"]
    keep = table[[*CURVE, "phi", "p", "psi"]]
    return keep.assign(ratio=keep["psi"] / keep["phi"], accuracy=found["accuracy"], gain=gain)


def compare_crossings(cells: pd.DataFrame) -> pd.DataFrame:
    """Every crossing of every curve: measured with interval, predicted by the rule and by the exact theory.

    Measured and predicted crossings of one curve and target are matched in order of distance among those of one
    direction; what has no partner stands alone with NaN on the other side.
    """
    lines = []
    for target in TARGETS:
        exact = _exact_crossings(cells, target)
        for curve, part in cells.groupby("curve", sort=False):
            part = part.sort_values("p")
            for line in _match(_measured(part, target), exact[exact["curve"] == curve], part, target):
                lines.append({"curve": curve, "target": target} | line)
    table = pd.DataFrame(lines, columns=["curve", "target", *CROSSING]).sort_values(
        ["curve", "target"], ascending=[True, False]
    )
    parameters = cells.groupby("curve")[[*CURVE, "phi", "psi", *LINEAR]].first()
    return _verdicts(table.join(parameters, on="curve"))


def _is_independent(part: pd.DataFrame) -> bool:
    return bool(part["setting"].iloc[0] == "independent")


def _rule(part: pd.DataFrame) -> float:
    """Where p = p* along a curve: p* itself in the independent setting, between two cells in the linear."""
    if _is_independent(part):
        return float(part["p_star"].iloc[0])
    excess = part["p_star"] - part["p"]
    change = np.flatnonzero(np.diff(np.sign(excess)))
    if not len(change):
        return np.nan
    return float(np.interp(0.0, -excess.iloc[change[0] : change[0] + 2], part["p"].iloc[change[0] : change[0] + 2]))


def _level(table: pd.DataFrame, target: Target) -> pd.Series | float:
    return 0.5 if target == "p_half" else table["generator_accuracy"]


def _exact_crossings(cells: pd.DataFrame, target: Target) -> pd.DataFrame:
    """Crossings of the exact theory on all curves, solved together; ``exact`` is in units of p."""
    firsts = cells.groupby("curve", sort=False).head(1).reset_index(drop=True)
    found = predicted_crossings(_columns(firsts), target)
    curve = firsts["curve"].to_numpy()[found.curve]
    return pd.DataFrame({"curve": curve, "exact": found.x, "rising": found.rising})


def _measured(part: pd.DataFrame, target: Target) -> tuple[Curve | None, pd.DataFrame]:
    """The measured curve (None with fewer than 4 usable points) and its crossings."""
    usable = part[part["error"] > 0].drop_duplicates("p")
    if len(usable) < 4:
        return None, pd.DataFrame(columns=["x", "low", "high", "rising", "grid_error"])
    mean = usable["accuracy"] - _level(usable, target)
    curve = Curve(*(np.asarray(a, float) for a in (usable["p"], mean, usable["error"], usable["seeds"] - 1)))
    return curve, pd.DataFrame(measured_crossings(curve), columns=["x", "low", "high", "rising", "grid_error"])


def _match(
    measured: tuple[Curve | None, pd.DataFrame], predicted: pd.DataFrame, part: pd.DataFrame, target: Target
) -> list[dict[str, Any]]:
    """Pair measured and predicted crossings; z is that of the measured curve at the predicted place."""
    curve, found = measured
    free = list(predicted.itertuples())
    lines: list[dict[str, Any]] = []
    for crossing in found.itertuples():
        same = [other for other in free if other.rising == crossing.rising]
        partner = min(same, key=lambda other: abs(other.exact - crossing.x), default=None)
        if partner is not None:
            free.remove(partner)
        line = {
            "rising": bool(crossing.rising),
            "measured": crossing.x,
            "low": crossing.low,
            "high": crossing.high,
        }
        exact = partner.exact if partner is not None else np.nan
        lines.append(line | {"grid_error": crossing.grid_error, "exact": exact})
    lines += [{"rising": bool(other.rising), "exact": other.exact} for other in free]
    for line in lines:
        line["rule"] = np.nan if line["rising"] else _rule(part)
        line["predicted"] = line["rule"] if target == "p_half" and _is_independent(part) else line["exact"]
        line["z"] = value_at(curve, line["predicted"]).z if curve is not None else np.nan
        line["in_grid"] = bool(part["p"].min() <= line["predicted"] <= part["p"].max())
    return lines


def _verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """agrees / differs by the family-wise 95 % bound on |z|; otherwise why there is nothing to judge."""
    if table.empty:
        return table.assign(verdict=[])
    verdict = pd.Series("agrees", index=table.index)
    for _, part in table.groupby("target"):
        bound = chance_bound(int(part["z"].notna().sum()))
        verdict[part.index[part["z"].abs() > bound]] = "differs"
    coarse = table["grid_error"] > (table["high"] - table["low"]) / 2
    verdict[(verdict == "differs") & coarse] = "grid too coarse"
    verdict[table["z"].isna() & ~table["in_grid"]] = "outside the grid"
    verdict[table["z"].isna() & table["in_grid"]] = "no interval"
    verdict[table["z"].isna() & table["exact"].isna() & table["measured"].notna()] = "no prediction"
    return table.assign(verdict=verdict)


def chance_bound(count: int, level: float = 0.95) -> float:
    """What the largest of ``count`` independent |z| stays below with probability ``level``."""
    return float(norm.isf((1 - level ** (1 / count)) / 2)) if count else np.nan


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
    inside = int((cells.loc[ok, "z"].abs() <= norm.isf(0.005)).sum())
    band = [int(edge) for edge in binom.interval(0.99, int(ok.sum()), 0.99)] if ok.any() else None
    decided = cells["rule_right"].notna()
    exact_decided = cells["exact_right"].notna()
    half = table[table["target"] == "p_half"] if len(table) else table
    return {
        "cells": len(cells),
        "trials": int(cells["seeds"].sum()),
        "failed_trials": int(cells["failed"].sum()),
        "failed_cells": int((cells["failed"] > 0).sum()),
        "confidence": 0.95,
        "p_half": _largest(half["z"]) if len(half) else _largest(pd.Series(dtype=float)),
        "accuracy": _largest(cells["z"]) | {"inside_99": inside, "inside_99_by_chance": band},
        "decided_cells": int(decided.sum()),
        "rule_right": int(cells["rule_right"].sum()),
        "exact_decided_cells": int(exact_decided.sum()),
        "exact_right": int(cells["exact_right"].sum()),
    }
