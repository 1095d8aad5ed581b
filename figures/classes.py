"""Accuracy against the generator's error rate p for K classes: the breakdown moves from the binary p* out to p*_K.

Points are simulations, intervals 95 % t intervals over independent trials; curves are exact as d grows at the same n/d,
from which points differ by O(1/d), more with more classes; the dotted step is infinite data. All pass through accuracy
1/K (thin line) at p*_K. At K = 2 the two thresholds are one. The dashed line is the generator itself, 1 - p.
"""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import marks

BINARY: dict[str, Any] = {"color": "0.5", "linestyle": (0, (6, 2, 1, 2)), "linewidth": 1.2, "zorder": 1}
PLURALITY: dict[str, Any] = {"color": "black", "linestyle": "-", "linewidth": 1.2, "zorder": 1}
LIMIT: dict[str, Any] = {"color": "black", "linestyle": ":", "linewidth": 1.4, "zorder": 2}
GENERATOR: dict[str, Any] = {"color": "0.45", "linestyle": "--", "linewidth": 1, "zorder": 1}


def draw(tables: dict[str, pd.DataFrame]) -> Figure | None:
    """One panel per number of classes, one curve per loss and sample ratio."""
    cells, limits, exact = tables["cells"], tables["lines"], tables["curves"]
    split = list(cells.groupby("classes", sort=False))
    figure, axes = marks.grid(len(split))
    for ax, (classes, part) in zip(axes, split, strict=True):
        _panel(ax, part, limits[limits["classes"] == classes], exact[exact["classes"] == classes])
    marks.label(figure, axes, "generator error rate p", "accuracy of the trained classifier")
    _legend(figure, axes[0])
    phi, psi = (cells[name].iloc[0] for name in ("phi", "psi"))
    drawn = "points, 95% intervals; curves: exact, d → ∞"
    figure.suptitle(
        rf"K classes, $\phi$ = {phi:g}, $\psi$ = {psi:g}: {marks.common(cells)} ({drawn})",
        fontsize=10,
    )
    return figure


def _panel(ax: Axes, part: pd.DataFrame, limit: pd.DataFrame, exact: pd.DataFrame) -> None:
    first = part.iloc[0]
    ax.axvline(first["p_star"], **BINARY)
    ax.axvline(first["p_star_classes"], **PLURALITY)
    ax.axhline(1 / first["classes"], color="0.75", linewidth=0.8, zorder=0)
    ax.plot(limit["p"], limit["accuracy"], **LIMIT)
    low = part["p"].min()
    ax.plot([low, 1], [1 - low, 0], **GENERATOR)
    curves = list(part.groupby(["loss", "alpha"], sort=False))
    for index, ((loss, alpha), members) in enumerate(curves):
        style = marks.style_of(index, len(curves)) | {"label": f"n/d = {alpha:g}, {loss} loss"}
        marks.points(ax, members["p"], members, style)
        line = exact[(exact["loss"] == loss) & (exact["alpha"] == alpha)]
        ax.plot(line["p"], line["accuracy"], color=style["color"], linewidth=1.2, zorder=2)
    title = f"K = {first['classes']:g}:  p* = {first['p_star']:.3f},  $p^*_K$ = {first['p_star_classes']:.3f}"
    ax.set(title=title, xlim=(low - 0.02, 1.02), ylim=(-0.02, 1.02))


def _legend(figure: Figure, ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    names = ("infinite data", "generator, 1 − p", "binary p*", "$p^*_K$")
    lines = [ax.plot([], [], **style)[0] for style in (LIMIT, GENERATOR, BINARY, PLURALITY)]
    figure.legend([*handles, *lines], [*labels, *names], loc="outside lower center", ncols=3)
