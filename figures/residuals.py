"""Theory against simulation: accuracy (points on lines), and below it the residuals in standard errors.

The grey band is +-1.96 standard errors: by chance 5 % of the points lie outside. Intervals are 95 % t intervals
over independent trials. At finite d the mean differs from the limit by about 0.1/d.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from figures import marks

MOST_COLUMNS = 4


def draw(tables: dict[str, pd.DataFrame]) -> Figure | None:
    """A column per loss and sample ratio: accuracy above, residuals below. None where there is no finite residual."""
    cells, lines = tables["cells"], tables["lines"]
    finite = np.isfinite(cells["z"])
    if not finite.any():
        return None
    split, hidden = marks.panels(cells, MOST_COLUMNS)
    ratio = {"height_ratios": [2.2, 1]}
    size = (max(2.7 * len(split) + 0.6, 4.4), 4.9)
    figure, axes = plt.subplots(
        2, len(split), figsize=size, squeeze=False, sharex=True, sharey="row", gridspec_kw=ratio
    )
    reach = max(4.0, cells.loc[finite, "z"].abs().max() * 1.1)
    for column, panel in enumerate(split):
        top, bottom = axes[0, column], axes[1, column]
        curves = list(panel.part.groupby("curve", sort=False))
        for index, (curve, members) in enumerate(curves):
            style = marks.style_of(index, len(curves))
            line = lines[lines["curve"] == curve].sort_values("p")
            top.plot(line["p"], line["accuracy"], color=style["color"])
            marks.points(top, members["p"], members, style | {"label": marks.verifier_label(members)})
            bottom.plot(members["p"], members["z"].where(finite), linestyle="none", markersize=3, **style)
        bottom.axhspan(-1.96, 1.96, color="0.9", zorder=0)
        bottom.axhline(0, color="0.5", linewidth=0.8)
        bottom.set(ylim=(-reach, reach), xlabel="generator error rate p")
        top.set(title=panel.title, xlim=(0, 1), ylim=(0, 1))
    axes[0, 0].set_ylabel("accuracy of the trained classifier")
    axes[1, 0].set_ylabel("(simulation − theory)\n/ standard error")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    infinite = int(np.isinf(cells["z"]).sum())
    notes = [f"infinite residuals, not drawn: {infinite}"] if infinite else []
    notes += [marks.not_shown(hidden)] if hidden else []
    marks.legend(figure, handles, labels, "; ".join(notes), columns=min(4, len(labels)))
    marks.headline(figure, "Exact theory (lines) and simulation (points, 95% intervals)", marks.common(cells))
    return figure
