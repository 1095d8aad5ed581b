"""What training on verified labels will give: the learner's clean curve, read at what n generated samples are worth.

Line and band: learning curve on clean samples, from the pilot (dots, with one standard error), with its interval;
dashed beyond the pilot. Bars with marks: the student of n generated samples at the clean samples that what is kept is
worth, with its interval; ends marked where learned errors leave a range. Grey: accuracy of the generator's labels with
its interval, and where the student begins to win (vertical).
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import marks


def draw(tables: dict[str, pd.DataFrame]) -> Figure | None:
    """One panel from the tables ``forecast``, ``curve`` and ``pilot``; None where there are none."""
    if "forecast" not in tables:
        return None
    told, curve, pilot = (tables[name] for name in ("forecast", "curve", "pilot"))
    first, dark = told.iloc[0], marks.style_of(0, 2)
    figure, ax = plt.subplots(figsize=(6.4, 4.8))
    color = dark["color"]
    inside = curve["n"].between(pilot["n"].min(), pilot["n"].max())
    ax.fill_between(curve["n"], curve["low"], curve["high"], color=color, alpha=0.15, linewidth=0)
    ax.plot(curve["n"], curve["accuracy"], "--", color=color, linewidth=1, label="beyond the pilot")
    level = f"{100 * first['level']:.6g} % interval"
    ax.plot(curve["n"], curve["accuracy"].where(inside), color=color, label=f"clean samples, {level}")
    ax.errorbar(pilot["n"], pilot["accuracy"], pilot["error"], fmt="o", color=color, markersize=4, label="pilot")
    ax.axhspan(first["generator_low"], first["generator_high"], color="0.5", alpha=0.18, linewidth=0)
    ax.axhline(first["generator"], color="0.35", linestyle=":", linewidth=1.3, label="generator")
    _students(ax, told)
    ax.set(xscale="log", xlabel="clean samples, or what the kept samples are worth in clean ones", ylabel="accuracy")
    low = min(curve["low"].min(), told["student_low"].min())
    ax.set_ylim(max(low - 0.02, 0), min(max(curve["high"].max(), told["student_high"].max()) + 0.04, 1.02))
    early = " at the earliest" if first["from_most"] > 1.02 * first["from_n"] else ""
    wins = f"wins from n = {_about(first['from_n'])} on{early}" if np.isfinite(first["from_n"]) else "wins at no n seen"
    ax.set_title(f"{first['rates'].replace('phi', 'φ').replace('psi', 'ψ')}; errors {first['errors']}: {wins}")
    handles, labels = ax.get_legend_handles_labels()
    marks.legend(figure, handles, labels, columns=2)
    return figure


def _students(ax: Axes, told: pd.DataFrame) -> None:
    """A bar for each n at its worth, with the least and the most accuracy marked, and n above."""
    shown = told[told["worth_most"] > 0]
    x = shown["worth_most"]
    ax.vlines(x, shown["student_low"], shown["student_high"], color="tab:red", linewidth=1.6, zorder=4)
    style: dict[str, Any] = {"color": "tab:red", "linestyle": "none", "zorder": 5}
    ax.plot(x, shown["student_most"], marker="D", markersize=5, label="student of n generated", **style)
    apart = shown["student_most"] - shown["student_least"] > 5e-4
    if apart.any():
        low = shown[apart]
        label = "the same, if errors are learned" if low["errors"].iloc[0] == "learned" else "the same, at a^14"
        ax.plot(low["worth_most"], low["student_least"], marker="v", markersize=5, label=label, **style)
    for place, row in enumerate(shown.itertuples()):
        words = f"n = {row.n:,.0f}" + ("" if row.status == "ok" else f"\n({row.status})")
        at = (row.worth_most, row.student_high)
        ax.annotate(
            words, at, (0, 4 + 11 * (place % 2)), textcoords="offset points", ha="center", fontsize=7, color="tab:red"
        )


def _about(n: float) -> str:
    return f"{float(f'{n:.2g}'):,.0f}"
