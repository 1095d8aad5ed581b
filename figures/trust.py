"""When can p* be trusted? The linear setting: the p* rule, exact theory and simulation side by side.

Top: accuracy over both cosines, generator and verifier sharing nothing but the mean; white: p = p*, the same in all
three; dashed: trained = generator. Bottom: accuracy along a slice of it for three degrees of sharing; a verifier
below chance, where the rule's sign is wrong; and p* of verifiers against their accuracy, with a path on which better
verifiers have a lower p*. Lines are theory, points simulation with 95 % t intervals over independent trials.
"""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke

from figures import marks

OUTLINE = [Stroke(linewidth=3.2, foreground="black"), Normal()]


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """Three maps above, and below them the slice, the wrong sign and the verifiers."""
    maps, cells = tables["maps"], tables["cells"]
    alphas = sorted(cells["alpha"].unique())
    part = maps[maps["partial"] == sorted(maps["partial"].unique(), key=abs)[0]]
    names = {"rule": "p* rule", **{f"exact_{alpha:g}": f"exact theory, n/d = {alpha:g}" for alpha in alphas}}
    figure, axes = plt.subplots(2, 3, figsize=(11.2, 6.9))
    for ax, (name, title) in zip(axes[0], names.items(), strict=True):
        image = _map(ax, part, name)
        ax.set(title=title, xlabel="cos(g, μ) of the generator")
    axes[0, 0].set_ylabel("cos(v, μ) of the verifier")
    figure.colorbar(image, ax=list(axes[0]), label="accuracy after training", pad=0.01)
    _slice(axes[1, 0], tables["slices"], cells)
    _opposed(axes[1, 1], tables["opposed"])
    _verifiers(figure, axes[1, 2], tables["verifiers"])
    first = maps.iloc[0]
    figure.suptitle(
        f"The p* rule where label errors depend on x (linear setting): r = {first['signal']:g}, "
        f"λ = {first['ridge']:g}, {first['loss']} loss",
        fontsize=10,
    )
    return figure


def _map(ax: Axes, part: pd.DataFrame, name: str) -> Any:
    table = part.pivot(index="cos_verifier", columns="cos_generator", values=name)
    x, y = table.columns.to_numpy(), table.index.to_numpy()
    image = ax.pcolormesh(x, y, table.to_numpy(), vmin=0, vmax=1, shading="nearest", rasterized=True)
    gain = part.assign(gain=part[name] - part["generator_accuracy"])
    gain = gain.pivot(index="cos_verifier", columns="cos_generator", values="gain").to_numpy()
    if name != "rule":
        ax.contour(x, y, gain, levels=[0.0], colors="black", linestyles="--", linewidths=1.2)
        ax.annotate("training gains", (-0.28, 0.62))
        ax.annotate("loses", (0.55, -0.1))
    else:
        ax.annotate("p = p*", (-0.36, 0.54), rotation=-45, ha="center", va="center")
    ax.plot([-0.98, 0.98], [0.98, -0.98], color="white", linewidth=1.8, path_effects=OUTLINE)
    ax.set_aspect("equal")
    return image


def _slice(ax: Axes, slices: pd.DataFrame, cells: pd.DataFrame) -> None:
    """Accuracy against cos(g, mu): the rule, and per sharing the smallest and largest n/d."""
    partials, alphas = sorted(slices["partial"].unique()), sorted(cells["alpha"].unique())
    for index, partial in enumerate(partials):
        line, style = slices[slices["partial"] == partial], marks.style_of(index, len(partials))
        for alpha, dashes, face in ((alphas[-1], "-", style["color"]), (alphas[0], "--", "white")):
            ax.plot(line["cos_generator"], line[f"exact_{alpha:g}"], dashes, color=style["color"], linewidth=1.1)
            points = cells[(cells["partial"] == partial) & (cells["alpha"] == alpha)]
            look = style | {"markerfacecolor": face, "markersize": 3.4}
            label = {"label": f"partial cos(g, v) = {partial:g}"} if alpha == alphas[-1] else {}
            marks.points(ax, points["cos_generator"], points, look | label)
    line = line.sort_values("cos_generator")
    ax.plot(line["cos_generator"], line["rule"], color="0.35", linewidth=1, drawstyle="steps-mid", label="p* rule")
    ax.plot(line["cos_generator"], line["generator_accuracy"], ":", color="0.35", linewidth=1.2, label="generator")
    ax.set(xlabel="cos(g, μ) of the generator", ylabel="accuracy after training", ylim=(0, 1))
    ax.set_title(f"cos(v, μ) = {cells['cos_verifier'].iloc[0]:g}; n/d = {alphas[-1]:g} (solid), {alphas[0]:g} (dashed)")
    ax.legend(loc="lower right", fontsize=7.5)


def _opposed(ax: Axes, table: pd.DataFrame) -> None:
    """Accuracy against n/d for one problem with p > p*."""
    first, dark = table.iloc[0], marks.style_of(0, 2)
    ax.plot(table["alpha"], table["exact"], color=dark["color"], label="exact, linear setting")
    ax.plot(table["alpha"], table["independent"], "--", color="0.5", label="exact, errors independent of x")
    ax.axhline(first["infinite"], color=dark["color"], linestyle=":", linewidth=1, label="n/d → ∞, linear")
    ax.axhline(first["rule"], color="0.35", linewidth=1, label="p* rule, n/d → ∞")
    points = table[table["accuracy"].notna()]
    marks.points(ax, points["alpha"], points, dark)
    ax.set(xscale="log", ylim=(-0.02, 1.32), xlabel="n/d", ylabel="accuracy after training")
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
    ax.set_title(
        f"wrong sign: p = {first['p']:.3f} > p* = {first['p_star']:.3f}\nr = {first['signal']:g}, "
        f"λ = {first['ridge']:g}, cosines {first['cos_generator']:g}, {first['cos_verifier']:g}, "
        f"{first['cos_between']:g}"
    )
    ax.legend(loc="upper left", fontsize=7.5)


def _verifiers(figure: Figure, ax: Axes, table: pd.DataFrame) -> None:
    """p* against the verifier's accuracy, coloured by cos(g, v); the path is drawn on top."""
    levels = table[table["level"].notna()]
    for _, line in levels.groupby("level"):
        ax.plot(line["verifier_accuracy"], line["p_star"], color="0.8", linewidth=0.8, zorder=0)
    ax.scatter(levels["verifier_accuracy"], levels["p_star"], c=levels["cos_between"], s=5, vmin=0, vmax=1, zorder=1)
    path = table[table["level"].isna()]
    ax.plot(path["verifier_accuracy"], path["p_star"], color="black", linewidth=1, zorder=2)
    image = ax.scatter(
        path["verifier_accuracy"],
        path["p_star"],
        c=path["cos_between"],
        s=34,
        vmin=0,
        vmax=1,
        marker="D",
        edgecolor="black",
        linewidth=0.8,
        zorder=3,
    )
    ax.axhline(table["p"].iloc[0], color="0.35", linestyle=":", linewidth=1)
    p = table["p"].iloc[0]
    ax.annotate("p", (levels["verifier_accuracy"].max(), p), (0, 3), textcoords="offset points", ha="right")
    ax.set(xlabel="accuracy of the verifier", ylabel="p*", ylim=(0, 1))
    ax.set_title(f"better verifiers with a lower p* (diamonds)\ncos(g, μ) = {table['cos_generator'].iloc[0]:g}")
    figure.colorbar(image, ax=ax, label="cos(g, v)")
