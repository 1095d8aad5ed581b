"""Every crossing of every curve, measured beside predicted: who belongs to whom, and whether they agree."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from sims.comparison.crossings import Curve, value_at
from sims.comparison.crossings import crossings as measured_crossings
from sims.comparison.curves import CURVE, columns_of, representatives, setting_of
from theory import settings
from theory.crossings import Target, curves

MEASURED = ["x", "low", "high", "rising", "coarse"]
CROSSING = ["rising", "measured", "low", "high", "coarse", "rule", "exact", "predicted", "z", "in_grid"]


def compare_crossings(cells: pd.DataFrame) -> pd.DataFrame:
    """Every crossing of every curve: measured with interval, predicted by the p* rule and by the exact theory.

    Measured and predicted crossings of one curve, target and direction are paired, the nearest first; what has no
    partner stands alone with NaN on the other side.
    """
    lines = []
    for target, exact in _exact_crossings(cells).items():
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


def _level(table: pd.DataFrame, target: Target) -> pd.Series | float:
    return 0.5 if target == "p_half" else table["generator_accuracy"]


def _exact_crossings(cells: pd.DataFrame) -> dict[Target, pd.DataFrame]:
    """Crossings of the exact theory on all curves, solved together; ``exact`` is in units of p."""
    firsts = representatives(cells)
    names = firsts["curve"].to_numpy()
    return {
        target: pd.DataFrame({"curve": names[found.curve], "exact": found.x, "rising": found.rising})
        for target, found in curves(columns_of(firsts)).crossings().items()
    }


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
