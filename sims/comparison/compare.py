"""Where prediction meets measurement: cells and crossings of a sweep beside what theory says of them.

`theory` predicts and `sims` measures, and neither knows the other; this module reads both tables. Nothing is
fitted, and no prediction uses a measured number.
"""

from html import escape
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binom, norm

from sims.comparison.account import closing, heading
from sims.comparison.cells import summarise
from sims.comparison.crossings import Curve, normal_z, value_at
from sims.comparison.crossings import crossings as measured_crossings
from sims.running.progress import Advance
from theory import settings
from theory import table as theory_table
from theory.columns import CLASS_RATES, COSINES, RATES, RECORDED, SETTINGS, SHARED, Setting
from theory.crossings import TARGETS, Target, along, predicted_crossings, thresholds
from theory.limits import bayes_accuracy

STEPS = 4
LINE_POINTS = 201
MAP_POINTS = 61
CURVE = ["setting", "loss", "n", "d", "alpha", "signal", "ridge", "prior"]
MEASURED = ["x", "low", "high", "rising", "coarse"]
CROSSING = ["rising", "measured", "low", "high", "coarse", "rule", "exact", "predicted", "z", "in_grid"]
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
    cells.insert(1, "curve", _curve_numbers(cells))
    cells["p_star_along"] = _thresholds(cells)
    advance(1)
    lines = theory_lines(cells)
    advance(1)
    maps = theory_maps(cells)
    advance(1)
    crossing_table = compare_crossings(cells)
    advance(1)
    return Comparison(cells, crossing_table, lines, maps, summarise_comparison(cells, crossing_table))


def _curve_numbers(cells: pd.DataFrame) -> pd.Series:
    """Number of the curve of each cell. On a curve the generator varies and all else is constant: the verifier, the
    training, and with class-dependent error rates their ratio (p = 0 belongs to the one ratio there is, or to 1)."""
    setting = setting_of(cells)
    constant = [*CURVE, *setting.constants]
    if not setting.by_class:
        return cells.groupby(constant, sort=False).ngroup()
    total = cells["p_negative"] + cells["p_positive"]
    ratio = (cells["p_negative"] / total.where(total > 0)).round(12)
    others = ratio.groupby([cells[name] for name in constant])
    only = others.transform("min").where(others.transform("nunique") == 1, 0.5)
    return cells.assign(p_ratio=ratio.fillna(only)).groupby([*constant, "p_ratio"], sort=False).ngroup()


def _thresholds(cells: pd.DataFrame) -> pd.Series:
    """The error rate at which purity is 1/2 along the curve of each cell (`theory.crossings.thresholds`)."""
    firsts = _representatives(cells)
    return cells["curve"].map(dict(zip(firsts["curve"], thresholds(_columns(firsts)), strict=True)))


def _representatives(cells: pd.DataFrame) -> pd.DataFrame:
    """One cell of each curve, that with the largest p, which knows the ratio of class-dependent error rates."""
    return cells.loc[cells.groupby("curve", sort=False)["p"].idxmax()].reset_index(drop=True)


def predict_table(table: pd.DataFrame) -> pd.DataFrame:
    """Theory for every line of a table with the parameter columns of a sweep.

    Returns the fields of `theory.prediction.Prediction` as columns, with the index of ``table``.
    """
    found = theory_table.predict_table(_columns(table))
    return pd.DataFrame(found, index=table.index)


def add_predictions(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells with the p* rule, the exact theory (``exact_*``) and z = (measured - exact) / error."""
    found = predict_table(cells)
    rates = [name for name in RATES if cells[name].isna().all()]  # they follow from cosines
    cells = cells.assign(**{name: found[name] for name in [*rates, *PREDICTED]})
    cells["bayes_accuracy"] = np.asarray(bayes_accuracy(cells["signal"].to_numpy()))
    cells["exact_accuracy"], cells["exact_converged"] = found["accuracy"], found["converged"]
    cells["exact_status"] = found["status"]
    cells["z"] = normal_z(cells["accuracy"] - cells["exact_accuracy"], cells["error"], cells["seeds"] - 1)
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
    setting = setting_of(table)
    own = (*CLASS_RATES, "prior") if setting.by_class else setting.columns
    return {name: table[name].to_numpy() for name in (*SHARED, "loss", "setting", *own)}


def theory_lines(cells: pd.DataFrame) -> pd.DataFrame:
    """Exact accuracy along every curve, at LINE_POINTS points of its whole axis."""
    firsts = _representatives(cells)
    table = firsts.loc[firsts.index.repeat(LINE_POINTS)].reset_index(drop=True)
    table = table.assign(**along(_columns(table), np.tile(np.linspace(0, 1, LINE_POINTS), len(firsts))))
    found = predict_table(table)
    keep = table[["curve", *CURVE, *COSINES, *(name for name in setting_of(cells).columns if name not in RECORDED)]]
    return keep.assign(**{name: found[name] for name in found if name not in ("residual", "status")})


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
    """Every crossing of every curve: measured with interval, predicted by the p* rule and by the exact theory.

    Measured and predicted crossings of one curve, target and direction are paired, the nearest first; what has no
    partner stands alone with NaN on the other side.
    """
    lines = []
    for target in TARGETS:
        exact = _exact_crossings(cells, target)
        for curve, part in cells.groupby("curve", sort=False):
            part = part.sort_values("p")
            for line in _match(_measured(part, target), exact[exact["curve"] == curve], part, target):
                lines.append({"curve": curve, "target": target} | line)
    table = pd.DataFrame(lines, columns=["curve", "target", *CROSSING])
    table = table.sort_values(["curve", "target"], ascending=[True, False], kind="stable")
    setting = setting_of(cells)
    constant = [*setting.constants, *(setting.verifier if setting.by_class else ())]
    parameters = cells.groupby("curve")[[*CURVE, *constant]].first()
    return _verdicts(table.join(parameters, on="curve"))


def setting_of(table: pd.DataFrame) -> Setting:
    """The setting that all lines of a table have."""
    return SETTINGS[table["setting"].iloc[0]]


def _level(table: pd.DataFrame, target: Target) -> pd.Series | float:
    return 0.5 if target == "p_half" else table["generator_accuracy"]


def _exact_crossings(cells: pd.DataFrame, target: Target) -> pd.DataFrame:
    """Crossings of the exact theory on all curves, solved together; ``exact`` is in units of p."""
    firsts = _representatives(cells)
    found = predicted_crossings(_columns(firsts), target)
    curve = firsts["curve"].to_numpy()[found.curve]
    return pd.DataFrame({"curve": curve, "exact": found.x, "rising": found.rising})


def _measured(part: pd.DataFrame, target: Target) -> tuple[Curve | None, pd.DataFrame]:
    """The measured curve (None with fewer than 4 usable points) and its crossings."""
    usable = part[part["error"] > 0].drop_duplicates("p")
    if len(usable) < 4:
        return None, pd.DataFrame(columns=MEASURED)
    mean = usable["accuracy"] - _level(usable, target)
    curve = Curve(*(np.asarray(a, float) for a in (usable["p"], mean, usable["error"], usable["seeds"] - 1)))
    return curve, pd.DataFrame(measured_crossings(curve), columns=MEASURED)


def _match(
    measured: tuple[Curve | None, pd.DataFrame], predicted: pd.DataFrame, part: pd.DataFrame, target: Target
) -> list[dict[str, Any]]:
    """Pair measured and predicted crossings; z is that of the measured curve at the predicted place."""
    curve, found = measured
    threshold = float(part["p_star_along"].iloc[0])
    symmetric = settings.named(part["setting"].iloc[0]).half_at_threshold
    lines: list[dict[str, Any]] = [
        {"rising": bool(c.rising), "measured": c.x, "low": c.low, "high": c.high, "coarse": bool(c.coarse)}
        for c in found.itertuples()
    ]
    pairs = [
        (abs(other.exact - line["measured"]), i, other.Index)
        for i, line in enumerate(lines)
        for other in predicted.itertuples()
        if other.rising == line["rising"]
    ]
    for _, i, j in sorted(pairs):
        if "exact" not in lines[i] and all(line.get("partner") != j for line in lines):
            lines[i] |= {"exact": predicted.loc[j, "exact"], "partner": j}
    taken = {line.pop("partner", None) for line in lines}
    lines += [{"rising": bool(o.rising), "exact": o.exact} for o in predicted.itertuples() if o.Index not in taken]
    for line in lines:
        paired = "exact" in line
        line["rule"] = np.nan if line["rising"] else threshold
        # by symmetry, where there is one, accuracy is 1/2 where p = p*, at any size: closed form, and no limit
        closed = symmetric and target == "p_half" and paired
        line["predicted"] = line["rule"] if closed else line.get("exact", np.nan)
        line["z"] = value_at(curve, line["predicted"]).z if curve is not None else np.nan
        line["in_grid"] = bool(part["p"].min() <= line["predicted"] <= part["p"].max())
    return lines


def _verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """agrees / differs by the family-wise 95 % bound on |z|; otherwise why there is nothing to judge.

    z is removed where the grid is too coarse to resolve the crossing.
    """
    coarse = table["coarse"].eq(True)
    table = table.assign(z=table["z"].astype(float).mask(coarse))
    bound = table.groupby("target")["z"].transform(lambda z: chance_bound(int(z.notna().sum())))
    seen, tested = table["measured"].notna(), table["z"].notna()
    reasons = {
        "grid too coarse": coarse,
        "no prediction": seen & table["predicted"].isna(),
        "outside the grid": ~table["in_grid"].astype(bool),
        "no interval": ~tested,
        "differs": tested & (table["z"].abs() > bound),
        "not resolved": ~seen,
    }
    return table.assign(verdict=np.select(list(reasons.values()), list(reasons), "agrees"))


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
        "exact_failed": cells.loc[~cells["exact_converged"], "exact_status"].value_counts().to_dict(),
        "confidence": 0.95,
        "p_half": _largest(half["z"]) if len(half) else _largest(pd.Series(dtype=float)),
        "accuracy": _largest(cells["z"]) | {"inside_99": inside, "inside_99_by_chance": band},
        "decided_cells": int(decided.sum()),
        "rule_right": int(cells["rule_right"].sum()),
        "exact_decided_cells": int(exact_decided.sum()),
        "exact_right": int(cells["exact_right"].sum()),
    }
