"""Summarization: does training on one's own summaries make a model worse? By how noisy its references were.

Student minus generator, ROUGE-1, with its 95 % interval over seeds. Below 0 the publication's first finding
(collapse) is seen, above it the opposite.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

BLUE = "#0072B2"


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """One panel."""
    found = tables["collapse"].sort_values("noisy")
    figure, ax = plt.subplots(figsize=(6.4, 4.0))
    ax.axhline(0.0, color="0.4", linewidth=0.8)
    reach = [found["difference"] - found["low"], found["high"] - found["difference"]]
    ax.errorbar(100 * found["noisy"], found["difference"], reach, color=BLUE, marker="o", linewidth=1, capsize=3)
    ax.set(xlabel="noisy references, %", ylabel="student minus generator, ROUGE-1 points")
    seeds = "1 seed" if found["seeds"].max() == 1 else f"{found['seeds'].max():.0f} seeds"
    ax.set_title(f"Trained on its own summaries, chosen by chance: {seeds}")
    ax.annotate("better than its generator", (0.02, 0.96), xycoords="axes fraction", va="top", color="0.35", fontsize=9)
    ax.annotate(
        "worse (collapse)", (0.98, 0.04), xycoords="axes fraction", va="bottom", ha="right", color="0.35", fontsize=9
    )
    return figure
