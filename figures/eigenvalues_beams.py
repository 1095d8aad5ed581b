"""Eigenvalue transformers: the best of a beam by an oracle, and the top of it by the model's own likelihood.

Lines: measured, per tolerance, with 95 % intervals over test matrices. Hollow: published, at
the published widths, by own likelihood at its widest.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

KINDS = {"best_of_beam_oracle": ("-", "o", "oracle"), "top_beam_own_likelihood": ("--", "s", "own likelihood")}


def draw(tables: dict[str, pd.DataFrame]) -> Figure | None:
    """One panel; None where no beam wider than one was looked at."""
    rows = tables["rows"]
    beams = rows[rows["row"].isin(KINDS)]
    if beams.empty:
        return None
    figure, ax = plt.subplots(figsize=(5.6, 4.0))
    tolerances = list(dict.fromkeys(rows["tolerance_percent"]))
    greedy = rows[rows["row"] == "generator_greedy"].set_index("tolerance_percent")
    for index, tolerance in enumerate(tolerances):
        colour = plt.get_cmap("cividis")(0.85 * index / max(len(tolerances) - 1, 1))
        start = greedy.loc[tolerance]
        for row, (dashes, marker, _) in KINDS.items():
            part = beams[(beams["row"] == row) & (beams["tolerance_percent"] == tolerance)].sort_values("beam")
            x, y = np.append(1, part["beam"]), np.append(start["accuracy"], part["accuracy"])
            low, high = (np.append(start[end], part[end]) for end in ("low", "high"))
            ax.errorbar(x, y, [y - low, high - y], color=colour, linestyle=dashes, marker=marker, elinewidth=0.9)
            seen = part[part["published"].notna()]
            ax.plot(seen["published_beam"], seen["published"], marker, color=colour, markerfacecolor="white")
        ax.plot([], [], color=colour, label=f"within {tolerance:g} %")
    for dashes, marker, name in KINDS.values():
        ax.plot([], [], color="0.3", linestyle=dashes, marker=marker, label=name)
    ax.plot([], [], "o", color="0.3", markerfacecolor="white", label="published")
    ticks = sorted({1, *map(int, beams["beam"]), *map(int, beams["published_beam"].dropna())})
    ax.set(xscale="log", ylim=(0, 101), xlabel="width of the beam (1: greedy)", ylabel="accuracy, %")
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set_title("What a verifier finds in the beam, and what likelihood finds")
    figure.legend(loc="outside lower center", ncols=4)
    return figure
