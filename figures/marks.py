"""How things look, said once: theory is a line, simulation is points with intervals, one colour per verifier."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from theory.columns import COLUMNS, POPULATION, SETTINGS

MARKERS = "osD^vPXhd<>*p"
PANEL = ("loss", "n", "d", "alpha", "signal", "ridge", "prior")
"""What is constant in a panel."""
SIGNS = {"d": "d", "signal": "r", "ridge": "λ", "prior": "P(y = +1)", "phi": "φ"}
"""Columns that a panel's title or the headline names; loss and n/d are always in the title."""
LISTS = {"eigenvalues": "s", "shares": "f", "signals_sq": "μ²"}
"""The same of lists: those of a spectrum."""
MOST_PANELS = 8
LABEL_WIDTH = 2.5
"""Inches that an entry of a legend takes at least."""
BEST = {"best_worth": ("*", 13, "best threshold for worth"), "best": ("X", 8, "surest threshold for p*")}
"""Thresholds of a score by the column that says which: marker, its size, and label."""


class Panel(NamedTuple):
    """Part of a table that shares an axes."""

    title: str
    constants: dict[str, Any]
    part: pd.DataFrame


def panels(cells: pd.DataFrame, most: int = MOST_PANELS, by: Sequence[str] = PANEL) -> tuple[list[Panel], int]:
    """The first ``most`` panels of a table, one per combination of the columns ``by``; and how many are left out.

    An intercept and a spectrum are among these where the table has them.
    """
    keys = [*by, *(name for name in POPULATION if name in cells)]
    groups = [(dict(zip(keys, key, strict=True)), part) for key, part in cells.groupby(keys, sort=False)]
    named = (*SIGNS, *LISTS, "intercept")
    varying = [name for name in keys if name in named and cells[name].nunique() > 1]
    shown = [Panel(title(constants, varying), constants, part) for constants, part in groups[:most]]
    return shown, len(groups) - len(shown)


def title(constants: dict[str, Any], varying: Sequence[str] = ()) -> str:
    """Loss and sample ratio of a panel, and on a second line what else varies between panels."""
    first = f"{constants['loss']} loss, n/d = {constants['alpha']:g}"
    rest = ", ".join(_said(name, constants[name]) for name in varying)
    return f"{first}\n{rest}" if rest else first


def _said(name: str, value: Any) -> str:
    """A column with its value; of a long list both ends."""
    if name == "intercept":
        return "with intercept" if value else "without intercept"
    if name not in LISTS:
        return f"{SIGNS[name]} = {value:g}"
    entries = [f"{float(entry):.3g}" for entry in str(value).split(";")]
    return f"{LISTS[name]} = {', '.join(entries if len(entries) <= 4 else [entries[0], entries[1], '…', entries[-1]])}"


def not_shown(count: int, kind: str = "panel") -> str:
    """What the figure says of parts beyond its limit; empty for none."""
    return f"{count} more {kind}{'s' * (count > 1)} not shown: draw a smaller sweep" if count else ""


def common(cells: pd.DataFrame) -> str:
    """The settings that the whole figure shares, for its headline; equal classes go without saying."""
    shared = {name: cells[name].iloc[0] for name in ("d", "signal", "ridge") if cells[name].nunique() == 1}
    if "prior" in cells and cells["prior"].nunique() == 1 and cells["prior"].iloc[0] != 0.5:
        shared["prior"] = cells["prior"].iloc[0]
    shared |= {name: cells[name].iloc[0] for name in POPULATION if name in cells and cells[name].nunique() == 1}
    if len(set(str(shared.get("shares", "")).split(";"))) == 1:  # equal ones go without saying as well
        shared.pop("shares", None)
    setting = "" if "setting" not in cells or has_one_p_star(cells) else f"{cells['setting'].iloc[0]}, "
    return setting + ", ".join(_said(name, value) for name, value in shared.items())


def style_of(index: int, count: int) -> dict[str, Any]:
    """Colour and marker of verifier ``index`` of ``count``: dark to light, so that grey print keeps the order."""
    shade = 0.88 * index / max(count - 1, 1)
    return {"color": plt.get_cmap("cividis")(shade), "marker": MARKERS[index % len(MARKERS)]}


def points(ax: Axes, x: pd.Series, part: pd.DataFrame, style: dict[str, Any]) -> None:
    """Simulated means with their intervals; a cell without a number leaves a gap."""
    reach = [part["accuracy"] - part["low"], part["high"] - part["accuracy"]]
    ax.errorbar(x, part["accuracy"], yerr=reach, linestyle="none", elinewidth=0.9, capsize=0, zorder=3, **style)


def has_one_p_star(part: pd.DataFrame) -> bool:
    """Whether p* is the same all along a curve; where rates follow from cosines it moves with the generator."""
    return SETTINGS[part["setting"].iloc[0]].by_class


def verifier_label(part: pd.DataFrame) -> str:
    """phi, psi and p* of a curve, rates that differ between the classes as negative/positive; or its constants."""
    first = part.iloc[0]
    if not has_one_p_star(part):
        constants = SETTINGS[first["setting"]].constants
        return ", ".join(f"{COLUMNS[name].symbol} = {first[name]:.3g}" for name in constants).replace("mu", "μ")
    return f"φ = {_rate(first, 'phi')}, ψ = {_rate(first, 'psi')}, p* = {first['p_star']:.3g}"


def _rate(first: pd.Series, name: str) -> str:
    negative, positive = first[f"{name}_negative"], first[f"{name}_positive"]
    return f"{negative:.3g}" if negative == positive else f"{negative:.3g}/{positive:.3g}"


def grid(count: int, columns: int = 2, width: float = 4.0, height: float = 3.1) -> tuple[Figure, list[Axes]]:
    """A figure with ``count`` panels in rows of ``columns``, axes shared; a panel on its own is larger."""
    columns = min(columns, count)
    width, height = (width, height) if columns > 1 else (1.4 * width, 1.3 * height)
    rows = -(-count // columns)
    size = (width * columns, height * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, sharex=True, sharey=True)
    flat = list(axes.flat)
    for spare in flat[count:]:
        spare.set_visible(False)
    return figure, flat[:count]


def rays(ax: Axes, stars: Sequence[float]) -> None:
    """Lines of equal p* in the plane (psi, phi) of a verifier's rates."""
    for star in stars:
        slope = star / (1 - star)
        end = (1 / slope, 1.0) if slope > 1 else (1.0, slope)
        ax.plot([0, end[0]], [0, end[1]], color="0.5", linestyle=":", linewidth=1, zorder=1)
        ax.annotate(f"p*={star:g}", end, (0, 2), textcoords="offset points", fontsize=7, color="0.35", ha="center")


def threshold(ax: Axes, curve: pd.DataFrame, name: str, x: str, height: str) -> None:
    """The threshold of a score that is best in the sense of `BEST`, at the height of a column; none where none is."""
    marker, size, label = BEST[name]
    best = curve[curve[name].astype(bool)]
    if len(best):
        style: dict[str, Any] = {"color": "tab:red", "markersize": size, "markeredgecolor": "black"}
        ax.plot(best[x], best[height], marker, linestyle="none", clip_on=False, zorder=7, label=label, **style)


def plain(name: Any, most: int = 36) -> str:
    """A name that a user gave, as a label: no mathematics, nothing unprintable, of at most ``most`` letters."""
    words = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(name))
    words = words if len(words) <= most else words[: most - 1] + "…"
    return words.replace("$", r"\$")


def label(figure: Figure, axes: list[Axes], x: str, y: str) -> None:
    """Axis labels once: x under the lowest visible panel of each column, y for the whole figure."""
    for ax in axes:
        ax.set_xlabel(x)
        ax.label_outer()
    figure.supylabel(y, fontsize=9.5)


def headline(figure: Figure, text: str, settings: str) -> None:
    """What the figure shows and the settings it shares, on two lines where it is narrow for them."""
    fits = figure.get_figwidth() > max(7, 0.072 * len(text + settings))
    join = (" " if text.endswith("?") else ": ") if fits else "\n"
    figure.suptitle(text + join + settings, fontsize=10)


def legend(figure: Figure, handles: Sequence[Any], labels: Sequence[str], note: str = "", columns: int = 3) -> None:
    """The legend below the panels, under a note in small print (see `not_shown`) where there is one."""
    widest = max([LABEL_WIDTH, *(0.5 + 0.075 * len(label) for label in labels)])
    columns = max(1, min(columns, int(figure.get_figwidth() / widest)))
    figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, title=note or None, title_fontsize="small"
    )
