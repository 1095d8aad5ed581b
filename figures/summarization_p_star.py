"""Summarization: p* of each verifier against the rate of selection, in both readings of graded quality.

Left: a summary is correct to the degree of its ROUGE-1. Right: it is correct where ROUGE-1 reaches the threshold.
Bars: 95 % intervals, generated summaries of all seeds pooled. A verifier that does not look has p* = 1/2.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from figures import marks
from figures.summarization_rouge import by_rate


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """Two panels that share their axes."""
    rows, points = tables["rows"], tables["p_star"]
    cut = points.loc[points["reading"] == "threshold", "threshold"].iloc[0]
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.9), sharey=True)
    titles = {"soft": "soft: correct to the degree ROUGE-1", "threshold": f"threshold: correct where ROUGE-1 ≥ {cut:g}"}
    for ax, (reading, title) in zip(axes, titles.items(), strict=True):
        ax.axhline(0.5, color="0.4", linestyle=":", linewidth=1.2, label="blind verifier, 1/2")
        by_rate(ax, rows, *(f"p_star{end}_{reading}" for end in ("", "_low", "_high")))
        ax.set_title(title)
    axes[0].set_ylabel("p* = φ/(φ + ψ)")
    handles, labels = axes[0].get_legend_handles_labels()
    marks.legend(figure, handles, labels, columns=6)
    figure.suptitle("How well does each verifier tell good summaries from bad?", fontsize=10)
    return figure
