"""Rounds of training on one's own labels: accuracy by round, and the fixed points at which rounds end.

Exact theory as lines, simulation as points with 95 % t intervals over independent trials; dotted: stable fixed
points. Last panel: fixed points against the verifier's quality, all else as in the panel before it; a generator
ends on one side or the other of the unstable branch, and where there is no branch above, only the verifier counts.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from figures import marks

SETTINGS = ["signal", "ridge", "alpha", "start_cos_verifier"]
"""Cases that share these share a panel."""
BASELINE = "0.55"


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """One panel per verifier and setting, and one of fixed points against cos(v, mu)."""
    lines = tables["lines"]
    panels = list(lines.groupby(SETTINGS, sort=False))
    rows = -(-(len(panels) + 1) // 2)
    figure, grid = plt.subplots(rows, 2, figsize=(8.4, 3.2 * rows), squeeze=False)
    axes = list(grid.flat)
    for ax, (_, part) in zip(axes, panels, strict=False):
        _rounds(ax, part, tables)
    _branches(axes[len(panels)], tables["branches"])
    for spare in axes[len(panels) + 1 :]:
        spare.set_visible(False)
    figure.supylabel("accuracy", fontsize=9.5)
    handles = [axes[0].plot([], [], color=color, marker=marker, label=text)[0] for color, marker, text in _KEY]
    dotted = axes[0].plot([], [], color="0.3", linestyle=":", label="stable fixed point")[0]
    figure.legend(handles=[*handles, dotted], loc="outside lower center", ncols=3)
    cells = tables["cells"].iloc[0]
    figure.suptitle(
        f"Accuracy by round: theory (lines), simulation (points, 95% intervals; d = {cells['d']:g}), "
        f"{cells['loss']} loss",
        fontsize=10,
    )
    return figure


_KEY = (
    (marks.style_of(0, 3)["color"], "o", "with the verifier"),
    (BASELINE, "s", "without"),
)


def _rounds(ax: Axes, part: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> None:
    """Verified and unverified rounds of every generator in one setting."""
    first, cells, fixed = part.iloc[0], tables["cells"], tables["fixed"]
    for verified, (color, marker, _) in zip((True, False), _KEY, strict=True):
        for case in part["case"].unique():
            chosen = lambda table, case=case, verified=verified: table[
                (table["case"] == case) & (table["verified"] == verified)
            ]
            line, points, ends = chosen(part), chosen(cells), chosen(fixed)
            ax.plot(line["round"], line["accuracy"], color=color, zorder=2)
            marks.points(ax, points["round"], points, {"color": color, "marker": marker})
            for end in ends[ends["stable"] & (ends["accuracy"] > 0.5)]["accuracy"]:
                ax.axhline(end, color=color, linestyle=":", linewidth=1, zorder=1)
    ax.set(xlabel="round", xlim=(-0.3, part["round"].max() + 0.3))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_title(_title(first))


def _title(first: pd.Series) -> str:
    settings = f"r = {first['signal']:g}, n/d = {first['alpha']:g}, λ = {first['ridge']:g}"
    return f"{settings}, cos(v,μ) = {first['start_cos_verifier']:g}"


def _branches(ax: Axes, table: pd.DataFrame) -> None:
    """Fixed points against cos(v, mu): filled where rounds end, open where they turn away."""
    for stable, label in ((True, "stable"), (False, "unstable")):
        part = table[table["stable"] == stable]
        face = _KEY[0][0] if stable else "white"
        ax.plot(
            part["cos_verifier"],
            part["accuracy"],
            "o",
            color=_KEY[0][0],
            markerfacecolor=face,
            markersize=2.6,
            markeredgewidth=0.7,
            label=label,
        )
    first = table.iloc[0]
    ax.set(
        xlabel="cos(v, μ) of the verifier",
        title=f"where rounds end, r = {first['signal']:g}, n/d = {first['alpha']:g}, λ = {first['ridge']:g}",
    )
    ax.legend(loc="center right", markerscale=2)
