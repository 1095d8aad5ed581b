"""Phase diagram: accuracy over generator error p and verifier quality psi/phi, exact theory above simulation.

White line: p = p* = 1/(1 + psi/phi), where accuracy is 1/2 at any n and d. Dashed line: exact theory's p_gain,
where the trained classifier is as accurate as its generator; between its branches training pays.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke

from figures import marks

OUTLINE = [Stroke(linewidth=3.2, foreground="black"), Normal()]
MOST_COLUMNS = 4


def draw(tables: dict[str, pd.DataFrame]) -> Figure | None:
    """Two rows (theory, simulation), a column per loss and n/d; None where no map was made of the sweep."""
    cells, maps = tables["cells"], tables["maps"]
    if maps.empty:
        return None
    split = [(constants, part) for constants, part in marks.panels(maps)][:MOST_COLUMNS]
    width = 2.6 * len(split) + 1.1
    figure, axes = plt.subplots(2, len(split), figsize=(width, 5.6), squeeze=False, sharex=True, sharey=True)
    for column, (constants, part) in enumerate(split):
        part = part[part["phi"] == part["phi"].iloc[0]]
        top, bottom = axes[0, column], axes[1, column]
        _theory(top, part)
        image = _simulation(bottom, _cells_of(cells, constants, part["phi"].iloc[0]))
        for ax in (top, bottom):
            _threshold(ax, part["ratio"].max())
            ax.set(xlim=(0, 1), ylim=(0, part["ratio"].max()))
        top.set_title(f"{marks.title(constants)}\nexact theory")
        bottom.set_title("simulation")
    marks.label(
        figure, list(axes.flat), "generator error rate p", "verifier's ratio ψ/φ (0: oracle, 1: no verification)"
    )
    figure.colorbar(image, ax=axes, label="accuracy of the trained classifier", shrink=0.8)
    line = plt.Line2D([], [], color="white", path_effects=OUTLINE)
    dashed = plt.Line2D([], [], color="black", linestyle="--", linewidth=1.2)
    failed = plt.Rectangle((0, 0), 1, 1, facecolor="white", edgecolor="0.4", hatch="////")
    labels = ["p = p*", "p_gain: trained = generator (theory)"]
    handles: list[Any] = [line, dashed]
    if cells["accuracy"].isna().any():
        handles, labels = [*handles, failed], [*labels, "a trial failed"]
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    phi = maps["phi"].iloc[0]
    figure.suptitle(f"Accuracy after training on verified data: {marks.common(cells)}, φ = {phi:g}", fontsize=10)
    return figure


def _cells_of(cells: pd.DataFrame, constants: dict[str, Any], phi: float) -> pd.DataFrame:
    chosen = cells["phi"] == phi
    for name, value in constants.items():
        chosen &= cells[name] == value
    return cells[chosen]


def _edges(centres: np.ndarray) -> np.ndarray:
    """Boundaries halfway between centres; the outer ones mirrored."""
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def _theory(ax: Axes, part: pd.DataFrame) -> None:
    table = part.pivot(index="ratio", columns="p", values="accuracy")
    p, ratio = table.columns.to_numpy(), table.index.to_numpy()
    ax.pcolormesh(p, ratio, table.to_numpy(), vmin=0, vmax=1, shading="gouraud", rasterized=True)
    gain = part.pivot(index="ratio", columns="p", values="gain")
    ax.contour(p, ratio, gain.to_numpy(), levels=[0.0], colors="black", linestyles="--", linewidths=1.2)


def _simulation(ax: Axes, part: pd.DataFrame) -> Any:
    ratio = part["psi"] / part["phi"]
    table = part.assign(ratio=ratio).pivot(index="ratio", columns="p", values="accuracy")
    p, ratios = table.columns.to_numpy(), table.index.to_numpy()
    x, y, values = _edges(p), _edges(ratios), table.to_numpy()
    absent = np.ma.masked_where(np.isfinite(values), np.ones_like(values))
    ax.pcolor(x, y, absent, hatch="////", facecolor="white", edgecolor="0.4", alpha=0)
    return ax.pcolormesh(x, y, values, vmin=0, vmax=1, rasterized=True)


def _threshold(ax: Axes, highest: float) -> None:
    """The line p = 1/(1 + psi/phi), the definition of p*."""
    ratio = np.linspace(0, highest, 100)
    ax.plot(1 / (1 + ratio), ratio, color="white", linewidth=1.8, path_effects=OUTLINE)
