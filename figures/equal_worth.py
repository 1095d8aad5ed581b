"""What a verified sample is worth, in clean ones: keeping little but pure, or much but dirty, can be worth the same.

Left: lines of equal worth of a generated sample over the verifier's rates, rays of equal p* (dotted), the curve of one
verifier as its threshold moves with its best points by worth (star) and by p* (cross: it keeps nearly nothing); shaded
is where a verifier harms, as keeping everything is worth more. Right: accuracy of students along three of the lines.
At the best penalty (full marks) it is the same all along, as the law says (lines); at one small penalty (open marks,
dashed exact theory) wrong labels cost far more. Points are simulations with 95 % t intervals over independent trials.
"""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import marks

RAYS = (0.5, 0.6, 0.75, 0.9)
CONTOURS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6)


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """The verifier's plane, and the students."""
    plane, curve, lines, cells = (tables[name] for name in ("plane", "curve", "lines", "cells"))
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.2, 5.2), width_ratios=(1, 1.15))
    _plane(left, plane)
    left.plot(curve["psi"], curve["phi"], color="tab:red", linewidth=1.8, label="one verifier's thresholds")
    for name, marker, label in (("worth", "*", "its best by worth"), ("p_star", "X", "its best by p*")):
        best = curve[curve["best"] == name]
        style = {"color": "tab:red", "markersize": 13 if marker == "*" else 9, "markeredgecolor": "black"}
        left.plot(best["psi"], best["phi"], marker, clip_on=False, zorder=5, label=label, **style)
    levels = list(lines["level"].unique())
    for index, level in enumerate(levels):
        style = marks.style_of(index, len(levels) + 1)
        part = lines[lines["level"] == level]
        line = part[part["training"] == "best"]
        left.plot(line["psi"], line["phi"], color=style["color"], linewidth=2.2)
        right.plot(line["purity"], line["ceiling"], color=style["color"], label=f"W = {level:g}: the law")
        _students(right, part, cells[cells["level"] == level], style)
    left.set(xlabel="ψ = P(kept | wrong)", ylabel="φ = P(kept | correct)", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    left.legend(loc="lower right", frameon=True, framealpha=0.9)
    left.set_title(f"worth W of a generated sample, p = {plane['p'].iloc[0]:g}; grey: the verifier harms", pad=14)
    _legend(figure, right, cells)
    right.set(xlabel="purity of what is kept: much but dirty → little but pure", ylabel="accuracy of the student")
    right.set_title("students along the three thick lines")
    first = cells.iloc[0]
    settings = f"n/d = {first['alpha']:g}, d = {first['d']:g}, r = {first['signal']:g}"
    marks.headline(figure, "Equal worth, equal accuracy, at the best penalty; not at a small one", settings)
    return figure


def _plane(ax: Axes, plane: pd.DataFrame) -> None:
    table = plane.pivot(index="phi", columns="psi", values="worth")
    x, y, values = table.columns.to_numpy(), table.index.to_numpy(), table.to_numpy()
    ax.contourf(x, y, values, levels=[-1, plane["unverified"].iloc[0]], colors=["0.9"], zorder=0)
    found = ax.contour(x, y, values, levels=list(CONTOURS), colors="0.45", linewidths=0.8)
    ax.clabel(found, fontsize=7)
    marks.rays(ax, RAYS)


def _students(ax: Axes, lines: pd.DataFrame, cells: pd.DataFrame, style: dict[str, Any]) -> None:
    fixed = lines[lines["training"] == "fixed"]
    ax.plot(fixed["purity"], fixed["accuracy"], color=style["color"], linestyle="--")
    for training, fill in (("best", style["color"]), ("fixed", "white")):
        part = cells[cells["training"] == training]
        marks.points(ax, part["purity"], part, style | {"markerfacecolor": fill})


def _legend(figure: Figure, ax: Axes, cells: pd.DataFrame) -> None:
    """Of the students, below: the levels, and a mark for each training."""
    for training, fill in (("best", "0.3"), ("fixed", "white")):
        first = cells[cells["training"] == training].iloc[0]
        label = f"simulated, λ = {first['ridge']:g}, {first['loss']} loss"
        ax.plot([], [], "o", color="0.3", markerfacecolor=fill, label=label)
    ax.plot([], [], color="0.3", linestyle="--", label="exact theory of the latter")
    marks.legend(figure, *ax.get_legend_handles_labels())
