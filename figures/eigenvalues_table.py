"""Eigenvalue transformers: every row of the published table, measured, beside its published value.

Filled: mean over seeds with the wider of two 95 % intervals (over test matrices; Student's t over seeds), blue where
the paired difference from the generator is above zero, red where below, grey where undecided. Hollow: published.
The line is the generator, greedy.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

NAMES = {
    "generator_greedy": "generator, greedy",
    "best_of_beam_oracle": "best of beam {}, oracle",
    "top_beam_own_likelihood": "top of beam {}",
    "trained_no_selection": "retrained: no selection",
    "trained_data_selection": "retrained: data selection",
    "trained_label_selection": "retrained: closest of beam {}",
    "trained_self_likelihood": "retrained: likeliest of beam {}",
    "trained_true_labels": "retrained: true labels",
}
COLOURS = {"better": "#2166ac", "worse": "#b2182b", "undecided": "0.45"}


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """One panel per tolerance, one line per row of the table."""
    rows = tables["rows"]
    tolerances = list(dict.fromkeys(rows["tolerance_percent"]))
    lines = rows.drop_duplicates(["row", "beam"])
    labels = [
        NAMES[row].format("" if pd.isna(beam) else int(beam))
        for row, beam in zip(lines["row"], lines["beam"], strict=True)
    ]
    size = (2.6 + 2.1 * len(tolerances), 1.3 + 0.24 * len(labels))
    figure, axes = plt.subplots(1, len(tolerances), figsize=size, sharey=True, squeeze=False)
    for ax, tolerance in zip(axes[0], tolerances, strict=True):
        _panel(ax, rows[rows["tolerance_percent"] == tolerance])
        ax.set(title=f"within {tolerance:g} %", xlabel="accuracy, %")
    axes[0, 0].set_yticks(range(len(labels)), labels)
    axes[0, 0].invert_yaxis()
    first = rows.iloc[0]
    figure.suptitle(
        f"Verified synthetic data, eigenvalues: {first['seeds']} {'seeds' if first['seeds'] > 1 else 'seed'}, "
        f"{first['tests']:,} test matrices each, {first['steps']:,} steps of {first['batch']} for every model\n"
        f"by {first['optimizer']}; {first['examples']:,.0f} pairs for the generator",
        fontsize=10,
    )
    _legend(figure)
    return figure


def _panel(ax: Axes, part: pd.DataFrame) -> None:
    place = np.arange(len(part))
    low = part[["low", "seed_low"]].min(axis=1).clip(lower=0)
    high = part[["high", "seed_high"]].max(axis=1).clip(upper=100)
    for y, accuracy, below, above, verdict in zip(place, part["accuracy"], low, high, part["verdict"], strict=True):
        reach = [[accuracy - below], [above - accuracy]]
        ax.errorbar(accuracy, y, xerr=reach, fmt="o", color=COLOURS.get(verdict, "black"), elinewidth=1, zorder=3)
    ax.plot(part["published"], place, "D", markerfacecolor="none", color="0.2", markersize=4.5, zorder=2)
    ax.axvline(part["accuracy"].iloc[0], color="black", linewidth=0.8, linestyle=":")
    ax.set_xlim(0, 103)
    ax.grid(axis="y", color="0.93", linewidth=0.6)


def _legend(figure: Figure) -> None:
    marks: list[Any] = [
        plt.Line2D([], [], marker="o", linestyle="none", color=colour) for colour in ("black", *COLOURS.values())
    ]
    marks.append(plt.Line2D([], [], marker="D", linestyle="none", markerfacecolor="none", color="0.2"))
    names = ["generator", *(f"{verdict} than it" if verdict != "undecided" else verdict for verdict in COLOURS)]
    figure.legend(marks, [*names, "published"], loc="outside lower center", ncols=len(marks))
