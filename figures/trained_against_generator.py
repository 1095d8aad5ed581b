"""Trained accuracy against the generator's: above the diagonal training pays; every crossing is marked.

Theory as lines, simulation as points with 95 % t intervals over independent trials. Open circles: every p_gain of
the exact theory. Crosses: measured p_gain, the bar its 95 % interval along the diagonal.
"""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from figures import marks

RING: dict[str, Any] = {"marker": "o", "markersize": 9, "markerfacecolor": "none", "linestyle": "none", "zorder": 5}


def draw(tables: dict[str, pd.DataFrame]) -> Figure | None:
    """One panel per loss and sample ratio, one curve per verifier."""
    cells, lines, crossings = tables["cells"], tables["lines"], tables["crossings"]
    gains = crossings[crossings["target"] == "p_gain"]
    split, hidden = marks.panels(cells)
    figure, axes = marks.grid(len(split), height=3.4)
    for ax, panel in zip(axes, split, strict=True):
        ax.plot([0, 1], [0, 1], color="0.45", linestyle="--", linewidth=1, zorder=1)
        curves = list(panel.part.groupby("curve", sort=False))
        for index, (curve, members) in enumerate(curves):
            style = marks.style_of(index, len(curves))
            line = lines[lines["curve"] == curve].sort_values("p")
            ax.plot(line["generator_accuracy"], line["accuracy"], color=style["color"])
            quiet = style | {"label": marks.verifier_label(members), "markersize": 3}
            marks.points(ax, members["generator_accuracy"], members, quiet)
            mine = gains[gains["curve"] == curve]
            ax.plot(1 - mine["exact"], 1 - mine["exact"], color=style["color"], **RING)
            ax.plot(1 - mine["measured"], 1 - mine["measured"], "kx", markersize=5, zorder=6)
            for low, high in mine[["low", "high"]].dropna().to_numpy():
                ax.plot([1 - low, 1 - high], [1 - low, 1 - high], color="black", linewidth=1.7, zorder=4)
        ax.set(title=panel.title, xlim=(0, 1), ylim=(0, 1))
    marks.label(figure, axes, "accuracy of the generator, 1 − p", "accuracy of the trained classifier")
    handles, labels = axes[0].get_legend_handles_labels()
    circle = axes[0].plot([], [], color="0.3", **RING)[0]
    cross = axes[0].plot([], [], "kx-", markersize=5, linewidth=1.7)[0]
    handles, labels = [*handles, circle, cross], [*labels, "p_gain, exact theory", "p_gain, measured (interval)"]
    marks.legend(figure, handles, labels, marks.not_shown(hidden))
    marks.headline(figure, "Does training on verified data beat the generator?", marks.common(cells))
    return figure
