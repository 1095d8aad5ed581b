"""Eigenvalue transformers: collapse, a student of all labels below its generator, by steps and by labels.

Points: the student on all greedy labels minus its generator, with 95 % intervals (Student's t over seeds; over test
matrices with one seed). Left: both trained for more steps; the generator's pairs and the labels stay. Right: more
labels, at the same steps. Line: learned errors (theory/README.md §11) with n/d fitted to the filled point and in
proportion to steps or labels; band: range over signals, penalties and the interval of the filled point.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, ORANGE = "#2166ac", "#b35806"
SIDES = {"steps": "steps of generator and student", "labels": "greedy labels"}


def draw(tables: dict[str, pd.DataFrame]) -> Figure | None:
    """Two panels, at the verifier's tolerance; None where only the main run was made."""
    table = tables["collapse"]
    table = table[table["told"]]
    sides = [by for by in SIDES if (table["by"] == by).any()]
    if not sides:
        return None
    figure, axes = plt.subplots(1, len(sides), figsize=(4.4 * len(sides), 3.7), sharey=True, squeeze=False)
    answers = []
    for ax, by in zip(axes[0], sides, strict=True):
        part = table[table["by"].isin(["main", by])].sort_values(by)
        part = part[(part["by"] == "main") | (part["generator_pairs"] == part["generator_pairs"].iloc[0])]
        _panel(ax, part, by)
        ends = (f"{line['difference']:+.1f} at {line[by]:,}" for _, line in part.iloc[[0, -1]].iterrows())
        answers.append(f"{' to '.join(ends)} {by}")
    axes[0, 0].set_ylabel("student minus generator, points")
    first = tables["rows"].iloc[0]
    seeds = f"{first['seeds']} {'seeds' if first['seeds'] > 1 else 'seed'}"
    figure.suptitle(
        f"Student minus generator: {'; '.join(answers)}\n"
        f"{seeds}, {table['generator_pairs'].iloc[0]:,} pairs, batch {first['batch']} by {first['optimizer']}",
        fontsize=10,
    )
    named = dict(zip(*reversed(axes[0, 0].get_legend_handles_labels()), strict=True))
    figure.legend(list(named.values()), list(named), loc="outside lower center", ncols=3)
    return figure


def _panel(ax: Axes, part: pd.DataFrame, by: str) -> None:
    ax.axhline(0, color="0.3", linewidth=1.2)
    reach = [part["difference"] - part["difference_low"], part["difference_high"] - part["difference"]]
    ax.errorbar(part[by], part["difference"], reach, fmt="o-", color=BLUE, markerfacecolor="white", label="measured")
    main = part[part["by"] == "main"]
    ax.plot(main[by], main["difference"], "o", color=BLUE, zorder=3, label="measured, fitted to")
    if part["theory"].notna().sum() > 1:
        ax.fill_between(part[by], part["theory_low"], part["theory_high"], color=ORANGE, alpha=0.15, linewidth=0)
        ax.plot(part[by], part["theory"], color=ORANGE, label="predicted: learned errors")
    ax.set(xscale="log", xlabel=SIDES[by])
    ax.set_xticks(part[by].tolist(), [f"{count:,}" for count in part[by]])
    ax.minorticks_off()
