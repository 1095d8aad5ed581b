"""Summarization: ROUGE-1 after retraining on what each verifier keeps, against the rate of selection.

Points: mean over seeds (random: over its draws as well) with 95 % bootstrap intervals over test articles, set side by
side at each rate. Lines across: the generator with its interval, and the full original data, solid at matched steps,
dashed for one epoch.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import marks

ACROSS = {
    "generator": ("generator", "0.25", ":"),
    "full": ("full data, matched steps", "#b2182b", "-"),
    "full-epoch": ("full data, one epoch (not matched)", "#b2182b", "--"),
}
BESIDE = 0.09
"""Between verifiers at the same rate, in units of the distance of rates."""


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """One panel."""
    rows = tables["rows"]
    figure, ax = plt.subplots(figsize=(5.8, 4.4))
    for arm, (label, colour, dashes) in ACROSS.items():
        for _, line in rows[(rows["arm"] == arm) & rows["rouge1"].notna()].iterrows():
            ax.axhline(line["rouge1"], color=colour, linestyle=dashes, linewidth=1.2, label=label, zorder=1)
            if arm == "generator":
                ax.axhspan(line["rouge1_low"], line["rouge1_high"], color=colour, alpha=0.1, linewidth=0, zorder=0)
    by_rate(ax, rows, "rouge1", "rouge1_low", "rouge1_high")
    ax.set_ylabel("ROUGE-1 on the test articles, points")
    first = rows.iloc[0]
    seeds = "1 seed" if first["seeds"] == 1 else f"{first['seeds']} seeds"
    ax.set_title(f"Retrained on verified summaries: {seeds}, {first['tests']:,} test articles each")
    handles, labels = ax.get_legend_handles_labels()
    marks.legend(figure, handles, labels)
    return figure


def by_rate(ax: Axes, rows: pd.DataFrame, value: str, low: str, high: str) -> None:
    """A column of the students with its interval, one line per verifier, rates as equal steps."""
    part = rows[rows["rate"].notna()]
    rates, verifiers = sorted(part["rate"].unique()), list(dict.fromkeys(part["verifier"]))
    for index, verifier in enumerate(verifiers):
        mine = part[part["verifier"] == verifier].set_index("rate").reindex(rates)
        x = np.arange(len(rates)) + BESIDE * (index - (len(verifiers) - 1) / 2)
        reach = [(mine[value] - mine[low]).clip(lower=0), (mine[high] - mine[value]).clip(lower=0)]
        style = marks.style_of(index, len(verifiers))
        ax.errorbar(x, mine[value], reach, elinewidth=0.9, linewidth=1, label=verifier, zorder=3, **style)
    ax.set_xticks(range(len(rates)), [f"{100 * rate:g} %" for rate in rates])
    ax.set(xlabel="share of the generated summaries that is kept", xlim=(-0.5, len(rates) - 0.5))
