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
COLUMN = (*marks.PANEL, "phi")
"""What is constant in a column."""
DIGITS = 12
MOST_COLUMNS = 4
STRIP = 0.05
"""Width of the strip that stands for a single p."""


def draw(tables: dict[str, pd.DataFrame]) -> Figure | None:
    """Two rows (theory, simulation), a column per loss, n/d and phi; None where no map was made of the sweep.

    Class-dependent cells are left out: ratio and p are averages over classes there, and the map is not theirs.
    """
    cells, maps = tables["cells"], tables["maps"]
    if maps.empty:
        return None
    cells, maps = _plain(cells), _unique(maps)
    split, hidden = marks.panels(maps, MOST_COLUMNS, COLUMN)
    width = max(2.6 * len(split) + 1.1, 4.4)
    figure, axes = plt.subplots(2, len(split), figsize=(width, 5.6), squeeze=False, sharex=True, sharey=True)
    highest = max(panel.part["ratio"].max() for panel in split)
    for (top, bottom), panel in zip(axes.T, split, strict=True):
        _theory(top, panel.part)
        image = _simulation(bottom, _cells_of(cells, panel.constants))
        for ax in (top, bottom):
            _threshold(ax, panel.part["ratio"].max())
            ax.set(xlim=(0, 1), ylim=(0, highest))
        top.set_title(f"{panel.title}\nexact theory")
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
    marks.legend(figure, handles, labels, marks.not_shown(hidden, "column"), columns=min(3, len(split) + 1))
    shared = marks.common(cells) + (f", φ = {maps['phi'].iloc[0]:g}" if maps["phi"].nunique() == 1 else "")
    marks.headline(figure, "Accuracy after training on verified data", shared)
    return figure


def _plain(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells whose rates are the same for both classes, and these rates to the last bit."""
    rates = ("p", "phi", "psi")
    same = [cells[f"{rate}_negative"] == cells[f"{rate}_positive"] for rate in rates]
    chosen = cells[same[0] & same[1] & same[2]]
    return chosen.assign(**{rate: chosen[f"{rate}_negative"] for rate in rates})


def _unique(maps: pd.DataFrame) -> pd.DataFrame:
    """Maps of which no two differ by rounding alone: averages over classes do, in their last bits."""
    return maps.round({"phi": DIGITS, "ratio": DIGITS}).drop_duplicates([*COLUMN, "ratio", "p"])


def _cells_of(cells: pd.DataFrame, constants: dict[str, Any]) -> pd.DataFrame:
    chosen = pd.Series(True, index=cells.index)
    for name, value in constants.items():
        chosen &= cells[name].round(DIGITS) == value if name == "phi" else cells[name] == value
    return cells[chosen]


def _edges(centres: np.ndarray) -> np.ndarray:
    """Boundaries halfway between centres, the outer ones mirrored; a centre on its own gets a narrow strip."""
    if len(centres) == 1:
        return centres[0] + np.array([-STRIP, STRIP]) / 2
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
    failed = ax.pcolor(x, y, absent, hatch="////", edgecolor="0.4")
    failed.set(array=None, facecolor="white")
    return ax.pcolormesh(x, y, values, vmin=0, vmax=1, rasterized=True)


def _threshold(ax: Axes, highest: float) -> None:
    """The line p = 1/(1 + psi/phi), the definition of p*."""
    ratio = np.linspace(0, highest, 100)
    ax.plot(1 / (1 + ratio), ratio, color="white", linewidth=1.8, path_effects=OUTLINE)
