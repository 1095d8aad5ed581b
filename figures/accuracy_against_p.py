"""Accuracy of the trained classifier against the generator's error rate p, theory (lines) and simulation (points).

Intervals are 95 % t intervals over independent trials. Short vertical ticks on the line 1/2 mark p* of each
verifier; the dashed line is the generator itself, 1 - p: training pays where a curve is above it.
"""

import pandas as pd
from matplotlib.figure import Figure

from figures import marks


def draw(tables: dict[str, pd.DataFrame]) -> Figure | None:
    """One panel per loss and sample ratio, one curve per verifier."""
    cells, lines = tables["cells"], tables["lines"]
    split, hidden = marks.panels(cells)
    figure, axes = marks.grid(len(split))
    for ax, panel in zip(axes, split, strict=True):
        curves = list(panel.part.groupby("curve", sort=False))
        for index, (curve, members) in enumerate(curves):
            style = marks.style_of(index, len(curves))
            line = lines[lines["curve"] == curve].sort_values("p")
            ax.plot(line["p"], line["accuracy"], color=style["color"])
            marks.points(ax, members["p"], members, style | {"label": marks.verifier_label(members)})
            if marks.has_one_p_star(members):
                ax.plot(members["p_star"].iloc[0], 0.5, marker="|", markersize=14, color=style["color"], zorder=4)
        ax.plot([0, 1], [1, 0], color="0.45", linestyle="--", linewidth=1, zorder=1)
        ax.axhline(0.5, color="0.75", linewidth=0.8, zorder=0)
        ax.set(title=panel.title, xlim=(0, 1), ylim=(0, 1))
    marks.label(figure, axes, "generator error rate p", "accuracy of the trained classifier")
    handles, labels = axes[0].get_legend_handles_labels()
    generator = axes[0].plot([], [], color="0.45", linestyle="--", linewidth=1)[0]
    handles, labels = [*handles, generator], [*labels, "generator, 1 − p"]
    if marks.has_one_p_star(cells):
        tick = axes[0].plot([], [], color="0.3", marker="|", markersize=10, linestyle="none")[0]
        handles, labels = [*handles, tick], [*labels, "p* of the verifier"]
    marks.legend(figure, handles, labels, marks.not_shown(hidden))
    marks.headline(figure, "Exact theory (lines) and simulation (points, 95% intervals)", marks.common(cells))
    return figure
