"""The verifier's plane (psi, phi): why the strictest verifier is not the best at finite sample size.

Left, middle: iso-accuracy curves of the exact theory at two sample ratios, rays of equal p* (dotted), and the
curve of one verifier as its threshold moves; the star is its best. Right: accuracy along that curve, theory
as lines and simulation as points with 95 % t intervals over independent trials.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import marks

RAYS = (0.5, 0.6, 0.75, 0.9)


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """A panel per sample ratio, and one for accuracy along the verifier's curve."""
    maps, curve, cells = tables["maps"], tables["curve"], tables["cells"]
    alphas = list(maps["alpha"].unique())
    figure, axes = plt.subplots(1, len(alphas) + 1, figsize=(3.6 * (len(alphas) + 1), 3.9))
    for index, (ax, alpha) in enumerate(zip(axes[:-1], alphas, strict=True)):
        style = marks.style_of(index, len(alphas) + 1)
        part, line = maps[maps["alpha"] == alpha], curve[curve["alpha"] == alpha]
        best = line.loc[line["accuracy"].idxmax()]
        _plane(ax, part)
        ax.plot(line["psi"], line["phi"], color="tab:red", linewidth=1.8)
        ax.plot(best["psi"], best["phi"], "*", color="tab:red", markersize=13, markeredgecolor="black", zorder=5)
        ax.set_title(f"n/d = {alpha:g}", pad=14)
        ax.set(xlabel="ψ = P(kept | wrong)", xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axes[-1].plot(line["phi"], line["accuracy"], color=style["color"], label=f"n/d = {alpha:g}")
        axes[-1].plot(best["phi"], best["accuracy"], "*", color="tab:red", markersize=12, markeredgecolor="black")
        measured = cells[cells["alpha"] == alpha]
        marks.points(axes[-1], measured["phi"], measured, style)
    axes[0].set_ylabel("φ = P(kept | correct)")
    axes[-1].set(xlabel="φ along the curve: strict → lenient", ylabel="accuracy", title="along the verifier's curve")
    axes[-1].legend(loc="lower center")
    p = maps["p"].iloc[0]
    settings = f"p = {p:g}, r = {cells['signal'].iloc[0]:g}, {cells['loss'].iloc[0]} loss"
    figure.suptitle(f"Accuracy over the verifier's rates (curves), p* (dotted rays), best threshold (star): {settings}")
    return figure


def _plane(ax: Axes, part: pd.DataFrame) -> None:
    table = part.pivot(index="phi", columns="psi", values="accuracy")
    levels = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.97]
    x, y = table.columns.to_numpy(), table.index.to_numpy()
    lines = ax.contour(x, y, table.to_numpy(), levels=levels, cmap="cividis", linewidths=1.2)
    ax.clabel(lines, fontsize=7)
    marks.rays(ax, RAYS)
