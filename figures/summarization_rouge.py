"""Summarization: ROUGE-1 by verifier and rate; bars: 95 % intervals over test articles, as in the report's table.

Points: mean over seeds (random: over its draws as well), set side by side at each rate. Lines across: the generator
with its interval, the full original data (solid at matched steps, dashed for one epoch), and what perfect content gets.
The axis covers all but what has collapsed; a mean that lies below it stands at the lower edge with its value, and
single seeds there are not shown.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import marks

ACROSS = {
    "generator": ("generator", "0.25", "-."),
    "full": ("full data, matched steps", "0.5", "-"),
    "full-epoch": ("full data, one epoch (not matched)", "0.5", "--"),
}
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#F0E442")
"""Okabe and Ito: told apart by the colour-blind as well."""
BESIDE = 0.12
"""Between verifiers at the same rate, in units of the distance of rates."""
BELOW = 4.0
"""Points under the generator down to which the axis goes at most."""


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """One panel."""
    rows, gates = tables["rows"], tables["gates"]
    figure, ax = plt.subplots(figsize=(6.4, 4.8))
    for arm, (label, colour, dashes) in ACROSS.items():
        for _, line in rows[(rows["arm"] == arm) & rows["rouge1"].notna()].iterrows():
            ax.axhline(line["rouge1"], color=colour, linestyle=dashes, linewidth=1.2, label=label, zorder=1)
            if arm == "generator":
                ax.axhspan(line["rouge1_low"], line["rouge1_high"], color=colour, alpha=0.1, linewidth=0, zorder=0)
    ceiling = gates.loc[gates["gate"].astype(str).str.endswith("perfect content"), "value"].astype(float).mean()
    if np.isfinite(ceiling):
        ax.axhline(ceiling, color="0.25", linestyle=":", linewidth=0.8, label="perfect content", zorder=1)
    by_rate(ax, rows, ["rouge1", "rouge1_low", "rouge1_high"])
    _seeds(ax, rows, tables["seeds"])
    _limit(ax, rows, tables["seeds"], ceiling)
    ax.set_ylabel("ROUGE-1 on the test articles, points")
    first = rows.iloc[0]
    seeds = "1 seed" if first["seeds"] == 1 else f"{first['seeds']} seeds"
    ax.set_title(
        f"Retrained on verified summaries: {seeds}, {first['tests']:,} test articles each\n"
        "bars: over test articles; dots: each seed, which differences are judged by"
    )
    handles, labels = ax.get_legend_handles_labels()
    marks.legend(figure, handles, labels)
    return figure


def by_rate(ax: Axes, rows: pd.DataFrame, names: Sequence[str], hollow: bool = False) -> None:
    """Columns (value, low, high) of the students, one line per verifier, rates as equal steps.

    ``hollow`` points have no line and no label, and stand a little to the right.
    """
    value, low, high = names
    part = rows[rows["rate"].notna()]
    rates, verifiers = sorted(part["rate"].unique()), list(dict.fromkeys(part["verifier"]))
    for index, verifier in enumerate(verifiers):
        mine = part[part["verifier"] == verifier].set_index("rate").reindex(rates)
        reach = [(mine[value] - mine[low]).clip(lower=0), (mine[high] - mine[value]).clip(lower=0)]
        style: dict[str, Any] = {
            "color": COLOURS[index % len(COLOURS)],
            "marker": marks.MARKERS[index % len(marks.MARKERS)],
        }
        style |= {"markerfacecolor": "white", "linestyle": "none"} if hollow else {"label": verifier, "linewidth": 1}
        x = np.arange(len(rates)) + places(len(verifiers))[index] + hollow * BESIDE / 3
        ax.errorbar(x, mine[value], reach, elinewidth=0.9, zorder=3, **style)
    ax.set_xticks(range(len(rates)), [f"{100 * rate:g} %" for rate in rates])
    ax.set(xlabel="share of the generated summaries that is kept", xlim=(-0.5, len(rates) - 0.5))


def _seeds(ax: Axes, rows: pd.DataFrame, seeds: pd.DataFrame) -> None:
    """Every seed's student as a small dot: differences are judged by these."""
    part = rows[rows["rate"].notna()]
    rates, verifiers = sorted(part["rate"].unique()), list(dict.fromkeys(part["verifier"]))
    for index, verifier in enumerate(verifiers):
        mine = seeds[(seeds["group"] == verifier) & seeds["rouge1"].notna()]
        x = mine["rate"].map({rate: place for place, rate in enumerate(rates)}) + places(len(verifiers))[index]
        ax.plot(x, mine["rouge1"], ".", color=COLOURS[index % len(COLOURS)], markersize=3, alpha=0.6, zorder=2)


def places(count: int) -> np.ndarray:
    """Of ``count`` verifiers beside a rate."""
    return BESIDE * (np.arange(count) - (count - 1) / 2)


def _limit(ax: Axes, rows: pd.DataFrame, seeds: pd.DataFrame, ceiling: float) -> None:
    """The axis without what has collapsed, which is written at its lower edge."""
    generator = rows.loc[rows["arm"] == "generator", "rouge1"].iloc[0]
    shown = rows[rows["rouge1"].notna() & (rows["rate"].notna() | rows["arm"].isin(list(ACROSS)))]
    if np.isnan(generator) or shown.empty:
        return
    floor = generator - BELOW
    inside = shown[shown["rouge1"] >= floor]
    top = np.nanmax([inside["rouge1_high"].max(), seeds.loc[seeds["rate"].notna(), "rouge1"].max(), ceiling])
    bottom = max(inside["rouge1_low"].min(), floor) if len(inside) < len(shown) else inside["rouge1_low"].min()
    margin = max(0.06 * (top - bottom), 0.1)
    ax.set_ylim(bottom - 2 * margin, top + margin)
    part = rows[rows["rate"].notna()]
    rates, verifiers = sorted(part["rate"].unique()), list(dict.fromkeys(part["verifier"]))
    for _, line in part[part["rouge1"] < floor].iterrows():
        index = verifiers.index(line["verifier"])
        place = rates.index(line["rate"]) + places(len(verifiers))[index]
        colour = COLOURS[index % len(COLOURS)]
        ax.annotate(
            f"{line['rouge1']:.1f}",
            (place, 0.0),
            (place, 0.07),
            xycoords=ax.get_xaxis_transform(),
            ha="center",
            fontsize=7.5,
            color=colour,
            arrowprops={"arrowstyle": "->", "color": colour},
        )
