"""Accuracy against p / p*: all verifiers cross 1/2 at 1, and sharpen to the theorem's step as n/d grows.

Theory as lines, simulation as points with 95 % t intervals over independent trials. The dotted step is the
limit of infinite data, Phi(r) below p* and Phi(-r) above.
"""

import pandas as pd
from matplotlib.figure import Figure

from figures import marks

WIDEST = 2.0


def draw(tables: dict[str, pd.DataFrame]) -> Figure | None:
    """One panel per loss and sample ratio; None where a curve has no single p*, as in the linear setting."""
    cells, lines = tables["cells"], tables["lines"]
    if not marks.has_one_p_star(cells):
        return None
    split, hidden = marks.panels(cells)
    figure, axes = marks.grid(len(split))
    for ax, panel in zip(axes, split, strict=True):
        curves = list(panel.part.groupby("curve", sort=False))
        for index, (curve, members) in enumerate(curves):
            style, star = marks.style_of(index, len(curves)), members["p_star"].iloc[0]
            line = lines[lines["curve"] == curve].sort_values("p")
            ax.plot(line["p"] / star, line["accuracy"], color=style["color"])
            marks.points(ax, members["p"] / star, members, style | {"label": marks.verifier_label(members)})
        best = panel.part["bayes_accuracy"].iloc[0]
        ax.plot(
            [0, 1, 1, WIDEST], [best, best, 1 - best, 1 - best], color="0.2", linestyle=":", linewidth=1.1, zorder=1
        )
        ax.axhline(0.5, color="0.75", linewidth=0.8, zorder=0)
        ax.set(title=panel.title, xlim=(0, WIDEST), ylim=(0, 1))
    marks.label(
        figure,
        axes,
        "generator error rate in units of the threshold, p / p*",
        "accuracy of the trained classifier",
    )
    handles, labels = axes[0].get_legend_handles_labels()
    dotted = axes[0].plot([], [], color="0.2", linestyle=":", linewidth=1.1)[0]
    marks.legend(figure, [*handles, dotted], [*labels, "limit n/d → ∞"], marks.not_shown(hidden))
    marks.headline(figure, "Exact theory (lines) and simulation (points, 95% intervals)", marks.common(cells))
    return figure
