"""How things look, said once: theory is a line, simulation is points with intervals, one colour per verifier."""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

MARKERS = "osD^vPXhd<>*p"
PANEL = ["loss", "n", "d", "alpha", "signal", "ridge", "prior"]
"""What is constant in a panel."""
MOST_PANELS = 8


def panels(cells: pd.DataFrame) -> list[tuple[dict[str, Any], pd.DataFrame]]:
    """(constants, cells) of each panel, at most MOST_PANELS."""
    groups = cells.groupby(PANEL, sort=False)
    return [(dict(zip(PANEL, key, strict=True)), part) for key, part in groups][:MOST_PANELS]


def title(constants: dict[str, Any]) -> str:
    """Loss and sample ratio of a panel."""
    return f"{constants['loss']} loss, n/d = {constants['alpha']:g}"


def common(cells: pd.DataFrame) -> str:
    """The settings that the whole figure shares, for its headline."""
    names = {"d": "d", "signal": "r", "ridge": r"$\lambda$"}
    return ", ".join(f"{sign} = {cells[key].iloc[0]:g}" for key, sign in names.items() if cells[key].nunique() == 1)


def style_of(index: int, count: int) -> dict[str, Any]:
    """Colour and marker of verifier ``index`` of ``count``: dark to light, so that grey print keeps the order."""
    shade = 0.88 * index / max(count - 1, 1)
    return {"color": plt.get_cmap("cividis")(shade), "marker": MARKERS[index % len(MARKERS)]}


def points(ax: Axes, x: pd.Series, part: pd.DataFrame, style: dict[str, Any]) -> None:
    """Simulated means with their intervals; a cell without a number leaves a gap."""
    reach = [part["accuracy"] - part["low"], part["high"] - part["accuracy"]]
    ax.errorbar(x, part["accuracy"], yerr=reach, linestyle="none", elinewidth=0.9, capsize=0, zorder=3, **style)


def verifier_label(part: pd.DataFrame) -> str:
    """phi, psi and p* of a curve; its cosines in the linear setting."""
    first = part.iloc[0]
    if first["setting"] == "linear":
        return rf"cos(v,$\mu$) = {first['cos_verifier']:.2g}, cos(g,v) = {first['cos_between']:.2g}"
    return rf"$\phi$ = {first['phi']:.2g}, $\psi$ = {first['psi']:.2g}, p* = {first['p_star']:.3g}"


def grid(count: int, columns: int = 2, width: float = 4.0, height: float = 3.1) -> tuple[Figure, list[Axes]]:
    """A figure with ``count`` panels in rows of ``columns``, axes shared."""
    columns = min(columns, count)
    rows = -(-count // columns)
    size = (width * columns, height * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, sharex=True, sharey=True)
    flat = list(axes.flat)
    for spare in flat[count:]:
        spare.set_visible(False)
    return figure, flat[:count]


def label(figure: Figure, axes: list[Axes], x: str, y: str) -> None:
    """Axis labels once: x under the lowest visible panel of each column, y for the whole figure."""
    for ax in axes:
        ax.set_xlabel(x)
        ax.label_outer()
    figure.supylabel(y, fontsize=9.5)
