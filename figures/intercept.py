"""Which threshold? Each classifier has its own: purity without an intercept, odds of both classes with one.

Accuracy against an error rate p that is common to both classes, at two sample ratios: exact theory as lines, simulation
as points with 95 % t intervals over independent trials. Vertical lines: where purity is 1/2, where the odds of a
correct label multiply to 1, and where those of one class are 1, each in the colour of the classifier that it is about.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from figures import marks

NAMES = {0: "without an intercept", 1: "with one: balanced accuracy"}
WORSE = "with one: accuracy on the worse class"


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """A panel per sample ratio."""
    lines, cells = tables["lines"], tables["cells"]
    alphas = list(lines["alpha"].unique())
    figure, axes = plt.subplots(1, len(alphas), figsize=(4.6 * len(alphas), 4.0), sharey=True, squeeze=False)
    for ax, alpha in zip(axes[0], alphas, strict=True):
        ax.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
        for intercept, name in NAMES.items():
            style = marks.style_of(intercept, 3)
            line = lines[(lines["alpha"] == alpha) & (lines["intercept"] == intercept)]
            ax.plot(line["p"], line["balanced_accuracy"], color=style["color"], label=name)
            part = cells[(cells["alpha"] == alpha) & (cells["intercept"] == intercept)]
            marks.points(ax, part["p"], part, style)
            threshold = "p_star_direction" if intercept else "p_star"
            ax.axvline(line[threshold].iloc[len(line) // 2], color=style["color"], linestyle=":", linewidth=1.2)
        style = marks.style_of(2, 3)
        ax.plot(line["p"], line[["accuracy_minus", "accuracy_plus"]].min(axis=1), color=style["color"], label=WORSE)
        ax.axvline(line["p_star_each_class"].iloc[0], color=style["color"], linestyle=":", linewidth=1.2)
        ax.set(title=f"n/d = {alpha:g}", xlabel="p, error rate of the generator in both classes", xlim=(0, 1))
    axes[0][0].set_ylabel("accuracy")
    marks.legend(figure, *axes[0][0].get_legend_handles_labels())
    row = lines.iloc[0]
    settings = (
        f"r = {row['signal']:g}, φ = {row['phi_negative']:g}, ψ = {row['psi_negative']:g} and {row['psi_positive']:g} "
        f"by class, {row['loss']} loss, λ = {row['ridge']:g}"
    )
    figure.suptitle(f"Each classifier has a threshold of its own (dotted): {settings}", fontsize=10)
    return figure
