"""The transition at p* sharpens with the sample ratio: accuracy against p for growing n/d, and the theorem's step.

Lines: exact theory. Points: simulation, with 95 % t intervals over independent trials. All lines meet at
(p*, 1/2); the dotted step is the limit of infinite data.
"""

import pandas as pd
from matplotlib.figure import Figure

from figures import marks


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """One panel per loss, one line per n/d."""
    lines, cells = tables["lines"], tables["cells"]
    losses, alphas = list(lines["loss"].unique()), list(lines["alpha"].unique())
    figure, axes = marks.grid(len(losses), height=3.6)
    star, best = lines["p_star"].iloc[0], lines["bayes_accuracy"].iloc[0]
    for ax, loss in zip(axes, losses, strict=True):
        for index, alpha in enumerate(alphas):
            style = marks.style_of(len(alphas) - 1 - index, len(alphas))
            line = lines[(lines["loss"] == loss) & (lines["alpha"] == alpha)]
            ax.plot(line["p"], line["accuracy"], color=style["color"], label=f"n/d = {alpha:g}")
            part = cells[(cells["loss"] == loss) & (cells["alpha"] == alpha)]
            if len(part):
                marks.points(ax, part["p"], part, style)
        ax.plot([0, star, star, 1], [best, best, 1 - best, 1 - best], "k:", linewidth=1.1, label="limit n/d → ∞")
        ax.axhline(0.5, color="0.75", linewidth=0.8, zorder=0)
        ax.set(title=f"{loss} loss", xlim=(0, 1), ylim=(0, 1))
    marks.label(figure, axes, "generator error rate p", "accuracy of the trained classifier")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    first = cells.iloc[0]
    settings = f"φ = {first['phi']:g}, ψ = {first['psi']:g}, p* = {star:g}, {marks.common(cells)}"
    figure.suptitle(f"Sharpening of the transition at p*: {settings} (points)", fontsize=10)
    return figure
