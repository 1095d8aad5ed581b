"""Eigenvalue transformers: accuracy after retraining against the measured p* of the verifier.

Left: students, filled for verifiers that keep every correct label (phi = 1), as published, hollow for others; bars are
95 % intervals, Student's t over seeds (over test matrices with one seed); the band is the generator's. Right: the
paired difference of each student from the generator of its seed, which is what the crossing is read off; the strip is
the interval of the crossing, cut where the points end. Lines: gains predicted by worth and the clean learning curve
(dashed), and by learned errors (solid, mean; band, range over signals, penalties and the interval of what is fitted).
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN = "#2166ac", "#b35806", "#1b7837"


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """Accuracy, and difference from the generator."""
    points, crossing = tables["p_star"], tables["crossing"].iloc[0]
    one_seed = len(tables["crossing"]) == 1
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.7), sharex=True)
    first = points.iloc[0]
    ends = [first[f"generator_seed_{end}"] for end in ("low", "high")]
    ends = [first[f"generator_{end}"] for end in ("low", "high")] if np.isnan(ends).any() else ends
    left.axhspan(*ends, color="0.4", alpha=0.15, linewidth=0)
    left.axhline(first["generator_accuracy"], color="0.3", linewidth=1.2, label="generator")
    low, high = (points[f"seed_{end}"].fillna(points[end]) for end in ("low", "high"))
    _students(left, points, points["accuracy"], low, high)
    left.set_ylabel("accuracy, %")
    right.axhline(0, color="0.3", linewidth=1.2)
    _students(right, points, points["difference"], points["difference_low"], points["difference_high"])
    right.set_ylabel("student minus generator, points")
    _crossing(right, points, crossing, one_seed)
    _predictions(right, tables["predictions"])
    for ax in (left, right):
        ax.axvline(crossing["published"], color="black", linestyle="--", linewidth=1, label="published crossing")
        ax.axvline(first["p_hat"], color="0.3", linestyle=":", linewidth=1.2, label="p* = p of the generator")
        leftmost = 0.95 * min(points["p_star_hat"].min(), first["p_hat"])
        ax.set(xlabel="p* of the verifier, measured", xlim=(min(0.25, leftmost), 1.02))
    seeds, moved = tables["rows"]["seeds"].iloc[0], tables["rows"]["optimizer"].iloc[0]
    figure.suptitle(
        f"{_answer(crossing, one_seed)}\n{seeds} {'seeds' if seeds > 1 else 'seed'}, {first['steps']:,} steps of "
        f"{tables['rows']['batch'].iloc[0]} by {moved}; up to {points['examples'].max():,.0f} labels",
        fontsize=10,
    )
    named = [pair for ax in (left, right) for pair in zip(*ax.get_legend_handles_labels(), strict=True)]
    entries = {name: handle for handle, name in named}
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=3)
    return figure


def _answer(crossing: pd.Series, one_seed: bool) -> str:
    if not np.isfinite(crossing["x"]):
        return "Along φ = 1 students do not cross their generator"
    if one_seed:
        return f"Students cross their generator at p* = {crossing['x']:.2f}; one seed has no interval"
    low, high = (f"{end:.2f}" if np.isfinite(end) else "open" for end in (crossing["low"], crossing["high"]))
    if low == high == "open":
        return f"No crossing is shown: means cross the generator at p* = {crossing['x']:.2f} [open, open]"
    return f"Students cross their generator at p* = {crossing['x']:.2f} [{low}, {high}]"


def _predictions(ax: Axes, table: pd.DataFrame) -> None:
    low, high = ax.get_ylim()
    low, high = low - (high - low) / 2, high + (high - low) / 2  # what is measured stays legible
    worth, learned = (table[table["kind"] == kind] for kind in ("worth", "learned"))
    if learned["gain"].notna().any():
        ax.fill_between(learned["p_star"], learned["low"], learned["high"], color=ORANGE, alpha=0.15, linewidth=0)
        ax.plot(learned["p_star"], learned["gain"], color=ORANGE, label="predicted: learned errors")
    if worth["gain"].notna().any():
        least, most = worth["gain"].min(), worth["gain"].max()
        beyond = f" ({least:+.0f} to {most:+.0f}, not shown)" if least > high or most < low else ""
        ax.plot(worth["p_star"], worth["gain"], color=GREEN, linestyle="--", label=f"predicted: worth{beyond}")
    ax.set_ylim(low, high)


def _students(ax: Axes, points: pd.DataFrame, y: pd.Series, low: pd.Series, high: pd.Series) -> None:
    for whole, name in ((True, "student, φ = 1"), (False, "student, φ < 1")):
        part = (points["phi"] == 1.0) == whole
        if part.any():
            reach = [(y - low)[part], (high - y)[part]]
            style: dict[str, Any] = {"fmt": "o-" if whole else "o", "markerfacecolor": BLUE if whole else "white"}
            ax.errorbar(
                points["p_star_hat"][part],
                y[part],
                reach,
                color=BLUE,
                elinewidth=0.9,
                linewidth=0.9,
                label=name,
                **style,
            )


def _crossing(ax: Axes, points: pd.DataFrame, crossing: pd.Series, one_seed: bool) -> None:
    if not np.isfinite(crossing["x"]):
        return
    ends = np.array([crossing["low"], crossing["high"]])
    shown = bool(np.isfinite(ends).any())
    if shown:
        along = points.loc[points["phi"] == 1.0, "p_star_hat"]
        low, high = np.where(np.isfinite(ends), ends, [along.min(), along.max()])
        ax.axvspan(low, high, color=BLUE, alpha=0.12, linewidth=0)
    what = "measured crossing" if shown or one_seed else "means cross"
    ax.axvline(crossing["x"], color=BLUE, linewidth=1, label=f"{what}, {crossing['x']:.2f}")
