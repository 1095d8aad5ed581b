"""Every crossing of every curve, measured beside predicted: who belongs to whom, and whether they agree."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from sims.comparison.crossings import Crossing, Curve, value_at
from sims.comparison.crossings import crossings as measured_crossings
from sims.comparison.curves import along_curves, columns_of, constant_along, intercepts, representatives, setting_of
from theory import settings
from theory.crossings import Target, curves

Columns = dict[str, np.ndarray]
CROSSING = ["rising", "measured", "low", "high", "coarse", "rule", "exact", "predicted", "z", "in_grid"]


def compare_crossings(cells: pd.DataFrame) -> pd.DataFrame:
    """Every crossing of every curve: measured with interval, predicted by the p* rule and by the exact theory.

    Measured and predicted crossings of one curve, target and direction are paired, the nearest first; what has no
    partner stands alone with NaN on the other side.
    """
    lines = []
    symmetric = settings.named(setting_of(cells).name).half_at_threshold
    names = ("p", "accuracy", "error", "seeds", "generator_accuracy", "p_star_along")
    columns = {name: cells[name].to_numpy() for name in names}
    columns["intercept"] = intercepts(cells).to_numpy()
    for target, exact in _exact_crossings(cells).items():
        for curve, part in along_curves(cells):
            mine = {name: column[part] for name, column in columns.items()}
            closed = symmetric and target == "p_half" and not mine["intercept"][0]
            for line in _match(_measured(mine, target), exact.get(curve, []), mine, closed):
                lines.append({"curve": curve, "target": target} | line)
    table = pd.DataFrame(lines, columns=["curve", "target", *CROSSING])
    table = table.sort_values(["curve", "target"], ascending=[True, False], kind="stable")
    setting = setting_of(cells)
    constant = [*setting.constants, *(setting.verifier if setting.by_class else ())]
    parameters = cells.groupby("curve")[[*constant_along(cells), *constant]].first()
    return _verdicts(table.join(parameters, on="curve"))


Found = dict[int, list[tuple[float, bool]]]
"""Crossings by curve: where, in units of p, and whether rising."""


def _exact_crossings(cells: pd.DataFrame) -> dict[Target, Found]:
    """Crossings of the exact theory, those of all curves and targets solved together."""
    firsts = representatives(cells)
    names = firsts["curve"].to_numpy()
    by_target: dict[Target, Found] = {}
    for target, found in curves(columns_of(firsts)).crossings().items():
        mine = by_target.setdefault(target, {})
        for curve, x, rising in zip(names[found.curve], found.x, found.rising, strict=True):
            mine.setdefault(curve, []).append((float(x), bool(rising)))
    return by_target


def _measured(part: Columns, target: Target) -> tuple[Curve | None, list[Crossing]]:
    """The measured curve (None with fewer than 4 usable points) and its crossings."""
    usable = np.flatnonzero(part["error"] > 0)
    usable = usable[np.diff(part["p"][usable], prepend=-1.0) > 0]  # the first of equal p
    if len(usable) < 4:
        return None, []
    mean = part["accuracy"] - (0.5 if target == "p_half" else part["generator_accuracy"])
    columns = (part["p"], mean, part["error"], part["seeds"] - 1)
    curve = Curve(*(np.asarray(column[usable], float) for column in columns))
    return curve, measured_crossings(curve)


def _match(
    measured: tuple[Curve | None, list[Crossing]], predicted: list[tuple[float, bool]], part: Columns, closed: bool
) -> list[dict[str, Any]]:
    """Pair measured and predicted crossings; z is that of the measured curve at the predicted place.

    ``closed``: by symmetry accuracy is 1/2 where p = p*, at any size, so that this is what is predicted, and no limit.
    """
    curve, found = measured
    threshold = float(part["p_star_along"][0])
    lines: list[dict[str, Any]] = [
        {"rising": c.rising, "measured": c.x, "low": c.low, "high": c.high, "coarse": c.coarse} for c in found
    ]
    pairs = [
        (abs(x - line["measured"]), i, j)
        for i, line in enumerate(lines)
        for j, (x, rising) in enumerate(predicted)
        if rising == line["rising"]
    ]
    for _, i, j in sorted(pairs):
        if "exact" not in lines[i] and all(line.get("partner") != j for line in lines):
            lines[i] |= {"exact": predicted[j][0], "partner": j}
    taken = {line.pop("partner", None) for line in lines}
    lines += [{"rising": rising, "exact": x} for j, (x, rising) in enumerate(predicted) if j not in taken]
    for line in lines:
        line["rule"] = np.nan if line["rising"] else threshold
        line["predicted"] = line["rule"] if closed and "exact" in line else line.get("exact", np.nan)
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
    return float(-ndtri((1 - level ** (1 / count)) / 2)) if count else np.nan
