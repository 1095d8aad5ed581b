"""Summarization: p* of each verifier by reading and rate, summaries of all seeds pooled; bars: 95 % intervals.

Left: a summary is correct to the degree of its ROUGE-1. Right: it is correct where ROUGE-1 reaches the threshold.
Hollow points leave out the summaries whose reference is noisy. A verifier that does not look has p* = 1/2. The oracle
has a strip of its own, as it would squeeze the others.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import marks
from figures.summarization_rouge import by_rate

MARGIN = 0.02
"""Of p* above and below what is shown."""
SPAN = 0.2
"""Of p* that a strip covers at least."""


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """Two panels; where there is an oracle, its strip above that of the others."""
    rows, points = tables["rows"], tables["p_star"]
    cut = points.loc[points["reading"] == "threshold", "threshold"].iloc[0]
    titles = {"soft": "soft: correct to the degree ROUGE-1", "threshold": f"threshold: correct where ROUGE-1 ≥ {cut:g}"}
    names = [name for name in rows["verifier"].unique() if name]
    strips = [part for part in (["oracle"], [name for name in names if name != "oracle"]) if set(part) & set(names)]
    figure, axes = plt.subplots(
        len(strips), 2, figsize=(8.6, 4.8), sharex=True, squeeze=False, height_ratios=[1, 3][-len(strips) :]
    )
    for column, (reading, title) in zip(axes.T, titles.items(), strict=True):
        for ax, shown in zip(column, strips, strict=True):
            _strip(ax, rows, reading, [name for name in names if name not in shown])
        for ax in column[:-1]:
            ax.set_xlabel("")
        column[0].set_title(title)
    figure.supylabel("p* = φ/(φ + ψ)", fontsize=9.5)
    entries: dict[str, Any] = {}
    for ax in axes[:, 0]:
        handles, labels = ax.get_legend_handles_labels()
        entries |= dict(zip(labels, handles, strict=True))
    if "p_star_soft_clean" in rows:
        hollow = Line2D([], [], color="0.4", marker="o", markerfacecolor="white", linestyle="none")
        entries["on clean references"] = hollow
    marks.legend(figure, list(entries.values()), list(entries), columns=4)
    figure.suptitle("p* of each verifier by reading", fontsize=10)
    return figure


def _strip(ax: Axes, rows: pd.DataFrame, reading: str, hidden: list[str]) -> None:
    """The readings of all verifiers but ``hidden``, which keep their places and colours."""
    names = [f"p_star{end}_{reading}" for end in ("", "_low", "_high")]
    clean = [f"{name}_clean" for name in names]
    rows = rows.copy()
    known = [name for name in (*names, *clean) if name in rows]
    rows.loc[rows["verifier"].isin(hidden), known] = np.nan
    by_rate(ax, rows, names)
    if clean[0] in rows:
        by_rate(ax, rows, clean, hollow=True)
    values = rows.loc[rows["rate"].notna(), known].to_numpy(float)
    values = values[np.isfinite(values)]
    if "oracle" in hidden or not hidden:
        values = np.append(values, 0.5)
        ax.axhline(0.5, color="0.4", linestyle=":", linewidth=1.2, label="blind verifier, 1/2")
    if values.size:
        ax.set_ylim(min(values.min(), values.max() - SPAN) - MARGIN, values.max() + MARGIN)
