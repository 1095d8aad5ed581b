"""Digits with wrong labels, verified: does worth say who wins, and how accurate the student will be, on real learners?

Left: measured accuracy of every student against the forecast, its learner's clean learning curve read at n W. Tuned
learners with errors independent of the picture lie along the line; learners that fit wrong labels too, and students of
a model of their own family (learned errors), fall below. Right: share of cells beyond noise in which the forecast and
the rule p < p* say who wins, with 95 % exact intervals that count settings (n, p, verifier), and what saying yes always
would get.
"""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import marks

KINDS = {
    "interpolating": ("#9C4A2F", "^", "fits wrong labels too"),
    "tuned": ("#0072B2", "o", "tuned on held-out data"),
    "learned": ("#E69F00", "s", "tuned, learned errors"),
}
"""Colour, marker and words; told apart by the colour-blind, and in grey by their shapes."""
RULES = {"wins": ("#0072B2", "o", -0.17, "forecast by worth"), "below": ("0.25", "D", 0.17, "rule p < p*")}
ERRORS = {"spread": "errors spread evenly", "pair": "errors in pairs", "learned": "learned errors"}


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """Accuracy on the left, hits on the right."""
    cells, hits = tables["cells"], tables["hit_rates"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 6.4), width_ratios=(1, 1.02))
    _accuracy(left, cells)
    _hits(right, hits)
    settings = f"{len(cells)} cells"
    marks.headline(figure, "Digits with wrong labels: who wins, and how accurate is the student?", settings)
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=3)
    return figure


def _accuracy(ax: Axes, cells: pd.DataFrame) -> None:
    shown = cells["kind"].where((cells["errors"] != "learned") | (cells["kind"] != "tuned"), "learned")
    for kind, (color, marker, label) in KINDS.items():
        part = cells[shown == kind]
        style: dict[str, Any] = {"color": color, "alpha": 0.7, "markersize": 3.6, "markeredgewidth": 0}
        ax.plot(part["forecast"], part["student"], marker, label=f"{label} ({len(part)})", **style)
    ax.plot([0, 1], [0, 1], color="black", linewidth=1, zorder=0)
    ax.annotate("W = 0: a guess", (0.1, 0.5), ha="center", fontsize=8, color="0.3")
    ax.set(xlabel="forecast accuracy: the clean learning curve at n W", ylabel="measured accuracy of the student")
    ax.set(xlim=(0, 1), ylim=(0, 1), title="accuracy, forecast and measured")
    ax.legend(loc="upper left", frameon=True, framealpha=0.9, markerscale=1.6)


def _hits(ax: Axes, hits: pd.DataFrame) -> None:
    """A line per learner, in blocks by the kind of errors; of learned ones only all together."""
    row, ticks, names = 0.0, [], []
    for errors, title in ERRORS.items():
        of_errors = hits[hits["errors"] == errors]
        pooled = of_errors["learner"].str.startswith("all ")
        lines = of_errors[pooled] if errors == "learned" else of_errors[~pooled]
        ax.text(-0.01, row, title, transform=ax.get_yaxis_transform(), ha="right", va="center", fontweight="bold")
        for _, line in lines.iterrows():
            row += 1
            ticks.append(row)
            names.append(f"{line['learner']} ({line['decided']})")
            _rules(ax, line, row)
        row += 1.2
    ax.plot([], [], color="#C0392B", linewidth=2.2, label="saying yes always")
    for color, marker, _, label in RULES.values():
        ax.plot([], [], marker, color=color, markersize=5, label=label)
    ax.set_yticks(ticks, names)
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0.4, 1.01), ylim=(row - 0.6, -0.6), xlabel="share of cells beyond noise in which it is right")
    ax.xaxis.grid(True, color="0.9")
    ax.set_axisbelow(True)
    ax.set_title("who wins (in brackets: cells beyond noise)")


def _rules(ax: Axes, line: pd.Series, row: float) -> None:
    ax.plot([line["yes"]] * 2, [row - 0.4, row + 0.4], color="#C0392B", linewidth=2.2, zorder=2)
    for rule, (color, marker, shift, _) in RULES.items():
        reach = [[line[rule] - line[f"{rule}_low"]], [line[f"{rule}_high"] - line[rule]]]
        ax.errorbar(
            line[rule], row + shift, xerr=reach, color=color, marker=marker, markersize=5, elinewidth=1, zorder=3
        )
