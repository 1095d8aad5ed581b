"""Predicted accuracy of a probe on one's own features against n, beside what was measured and the generator.

Line and band: predicted, with its interval for the choice of the points; dashed beyond the number of points. Thin line:
with the points' own scores. Dots: measured on the same points, where it was. Grey: accuracy of the generator's labels.
"""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from figures import marks


def draw(tables: dict[str, pd.DataFrame]) -> Figure | None:
    """One panel; None where nothing is predicted and nothing measured."""
    curve = tables["curve"]
    measured = curve["measured"].notna().any() if "measured" in curve else False
    if not curve["accuracy"].notna().any() and not measured:
        return None
    first, dark = curve.iloc[0], marks.style_of(0, 2)
    figure, ax = plt.subplots(figsize=(5.6, 4.4))
    _predicted(ax, curve, dark["color"], f"predicted, {100 * first['level']:.6g} % interval")
    if curve["scattered"].notna().any():
        ax.plot(curve["n"], curve["scattered"], color="0.45", linewidth=0.9, label="with own scores")
    if measured:
        columns = {"measured": "accuracy", "measured_low": "low", "measured_high": "high"}
        points = curve[["n", *columns]].rename(columns=columns)
        marks.points(ax, points["n"], points, dark | {"markersize": 4, "label": "measured"})
    if first["generator_accuracy"] < 1:
        ax.axhline(first["generator_accuracy"], color="0.35", linestyle=":", linewidth=1.2, label="generator")
    ax.set(xscale="log", xlabel="generated samples n", ylabel="accuracy")
    ax.set_xticks(curve["n"], minor=False)
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.minorticks_off()
    ax.tick_params(axis="x", labelrotation=45 if len(curve) > 6 else 0)
    ax.set_title(
        f"{first['points']:,} points, d = {first['dimension']}, {first['loss']} loss, ridge {first['ridge']:g}\n"
        f"{first['rates'].replace('phi', 'φ').replace('psi', 'ψ')}"
    )
    handles, labels = ax.get_legend_handles_labels()
    marks.legend(figure, handles, labels, columns=2)
    return figure


def _predicted(ax: Axes, curve: pd.DataFrame, color: Any, label: str) -> None:
    """The line as far as there are points, dashed from there on."""
    beyond = curve["beyond"].astype(bool)
    ax.fill_between(curve["n"], curve["low"], curve["high"], color=color, alpha=0.18, linewidth=0)
    ax.plot(curve["n"], curve["accuracy"].where(~beyond), color=color, label=label)
    joint = beyond | beyond.shift(-1, fill_value=False)
    if beyond.any():
        ax.plot(curve["n"], curve["accuracy"].where(joint), "--", color=color, label="more samples than points")
