"""Real features: accuracy of a probe on verified labels against n, predicted from four functions and measured.

A panel per split, a colour per (p, φ, ψ). Lines: moments without bias, averaged over counts; thin grey: with the
points' own scores. Points: probes trained on random parts of the split, with 95 % t intervals over draws. Squared loss,
penalty 0.1 of the mean variance within classes.
"""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from figures import marks


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """Panels of three in a row."""
    table = tables["points"]
    table = table[(table["loss"] == "squared") & (table["ridge"] == table["ridge"].min())]
    figure, axes = marks.grid(table["data"].nunique(), columns=3, width=3.4, height=2.6)
    handles: dict[str, Any] = {}
    for ax, (name, part) in zip(axes, table.groupby("data", sort=False), strict=True):
        curves = list(part.groupby(["p", "phi", "psi"], sort=False))
        for index, ((p, phi, psi), curve) in enumerate(curves):
            style = marks.style_of(index, len(curves)) | {"markersize": 3.6}
            label = f"p = {p:g}, φ = {phi:g}, ψ = {psi:g}"
            handles[label] = ax.plot(curve["n"], curve["averaged"], color=style["color"])[0]
            own = ax.plot(curve["n"], curve["scattered"], color="0.55", linewidth=0.8, zorder=1)[0]
            columns = {"measured": "accuracy", "measured_low": "low", "measured_high": "high"}
            marks.points(ax, curve["n"], curve[["n", *columns]].rename(columns=columns), style)
        handles["with own scores, n ≤ N/2"] = own
        first = part.iloc[0]
        ax.set(xscale="log", title=f"{name} (N = {first['total']}, d = {first['dimension']})")
    marks.label(figure, axes, "generated samples n", "accuracy on fresh points")
    marks.headline(figure, "Predicted from four functions of one's features, and measured", "squared loss, ridge 0.1")
    marks.legend(figure, list(handles.values()), list(handles))
    return figure
