"""Why p < p* does not say who beats the generator: gains by verifier and sample size, errors independent or learned.

Above: student minus generator along p*, exact theory as lines, simulation as points with 95 % t intervals, stars the
published numbers. Below: the same along the sample size; and what each setting predicts of measured runs once n/d is
fitted to the run without verification, one point per signal and penalty, beside what was measured.
"""

import textwrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from figures import marks

TITLES = {"independent": "errors independent of x, as the theorem has it", "learned": "learned errors: a function of x"}
LOOKS = {"learned": (marks.style_of(0, 2)["color"], "-", "o"), "independent": ("0.55", "--", "s")}
"""Colour, line and marker of a setting."""
STUDENTS = {"true labels": (":", "^"), "oracle": ("-", "o"), "no verification": ("--", "s")}
POINTS = FuncFormatter(lambda value, _: f"{100 * value:+.0f}".replace("-", "−") if abs(value) > 1e-9 else "0")
GAIN = "student − generator, points"
LETTERS = 180
"""Width of a line of the findings."""


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """Two panels along p*, one along the sample size, two of predictions; the findings underneath."""
    figure = plt.figure(figsize=(9.6, 9.0))
    top, bottom = figure.subfigures(2, 1)
    above = top.subplots(1, 2, sharey=True)
    for ax, setting in zip(above, TITLES, strict=True):
        _along(ax, setting, tables)
    above[0].set_ylabel(GAIN)
    above[1].legend(loc="upper left", title="n / generator's samples", title_fontsize=7.5, fontsize=7.5)
    growth, gain, tie = bottom.subplots(1, 3, width_ratios=(2.2, 1, 1))
    _growth(growth, tables)
    _predicted(gain, tables, "oracle")
    _predicted(tie, tables, "crossing")
    first = tables["lines"].iloc[0]
    figure.suptitle(
        f"p = {first['p']:g} < p* everywhere here, and yet the student may lose against its generator: "
        f"samples decide (ridge classifiers, r = {first['signal']:g}, λ = {first['ridge']:g})",
        fontsize=9.5,
    )
    text = "\n".join(textwrap.fill(finding, LETTERS) for finding in tables["findings"]["finding"])
    figure.supxlabel(text, x=0.01, ha="left", fontsize=7.2)
    return figure


def _along(ax: Axes, setting: str, tables: dict[str, pd.DataFrame]) -> None:
    """Gain along p* in one setting, a line per ratio, and what was published."""
    lines, cells, observed = (tables[name] for name in ("lines", "cells", "observed"))
    lines, cells = lines[lines["setting"] == setting], cells[(cells["setting"] == setting) & cells["p_star"].notna()]
    finite = [(ratio, part) for ratio, part in lines.groupby("ratio") if ratio < float("inf")]
    for index, (ratio, part) in enumerate(finite):
        style = marks.style_of(index, len(finite))
        ax.plot(part["p_star"], part["gain"], color=style["color"])
        points = cells[cells["ratio"] == ratio].rename(columns={"gain": "accuracy"})
        marks.points(ax, points["p_star"], points, style | {"markersize": 3.6})
        ax.plot([], [], color=style["color"], marker=style["marker"] if len(points) else "", label=f"{ratio:g}")
    endless = lines[lines["ratio"] == float("inf")]
    ax.plot(endless["p_star"], endless["gain"], ":", color="0.35", label="endless")
    published = observed[observed["source"] == observed["source"].iloc[0]]
    at = published["p_star"].fillna(published["value"])
    gain = published["value"].where(published["p_star"].notna(), 0.0)
    ax.plot(at, gain, "*", color="black", markersize=9, markerfacecolor="white", zorder=4, label="published, 5 × 5")
    ax.axhline(0, color="0.35", linewidth=0.8)
    ax.set(xlabel="p* of the verifier: none … oracle", title=TITLES[setting])
    ax.yaxis.set_major_formatter(POINTS)


def _growth(ax: Axes, tables: dict[str, pd.DataFrame]) -> None:
    """Gain along the sample size by kind of student; colour is the setting, line and marker the student."""
    lines, cells = tables["growth"], tables["cells"]
    for (setting, student), part in lines.groupby(["setting", "student"], sort=False):
        color, (dash, marker) = "black" if student == "true labels" else LOOKS[setting][0], STUDENTS[student]
        ax.plot(part["ratio"], part["gain"], dash, color=color)
        points = cells[(cells["setting"] == setting) & (cells["student"] == student)]
        points = points.rename(columns={"gain": "accuracy"})
        marks.points(ax, points["ratio"], points, {"color": color, "marker": marker, "markersize": 3.6})
        ax.plot(part["ratio"].max() * 1.25, part["infinite"].iloc[0], "<", color=color, markersize=4, clip_on=False)
    ax.axhline(0, color="0.35", linewidth=0.8)
    ax.set(xscale="log", xlabel="n / generator's samples (arrows: endless data)", ylabel=GAIN)
    ax.set_title("with many samples the settings part")
    ax.yaxis.set_major_formatter(POINTS)
    key = [Line2D([], [], color="black", linestyle=dash, marker=m, label=name) for name, (dash, m) in STUDENTS.items()]
    key += [Line2D([], [], color=color, label=f"{name} errors", linewidth=3) for name, (color, *_) in LOOKS.items()]
    ax.legend(handles=key, loc="lower right", fontsize=7.5)


def _predicted(ax: Axes, tables: dict[str, pd.DataFrame], quantity: str) -> None:
    """Predictions of one quantity by source, one dot per fit, and the measured value with its interval."""
    observed, fits = (table[table["quantity"] == quantity] for table in (tables["observed"], tables["fits"]))
    for row, (_, line) in enumerate(observed.iterrows()):
        for shift, (setting, (color, _, marker)) in zip((-0.16, 0.16), LOOKS.items(), strict=True):
            part = fits[(fits["source"] == line["source"]) & (fits["setting"] == setting)]
            ax.plot(part["predicted"], [row + shift] * len(part), marker, color=color, markersize=3.4, alpha=0.75)
        if pd.notna(line["low"]):
            ax.fill_betweenx([row - 0.36, row + 0.36], line["low"], line["high"], color="0.85", linewidth=0, zorder=0)
        ax.plot([line["value"]] * 2, [row - 0.36, row + 0.36], color="black", linewidth=1.4)
    ax.set_ylim(len(observed) - 0.5, -0.5)
    ax.set_yticks(range(len(observed)), [source.replace(", ", "\n") for source in observed["source"]])
    if quantity == "crossing":
        ax.tick_params(labelleft=False)
        ax.set(xlabel="p* at which they tie\n(1: none before an oracle)", title="… and the tie")
    else:
        ax.set(
            xlabel="oracle's gain, points\nblue: learned, grey: independent\nblack: measured",
            title="predicted: the gain …",
        )
        ax.xaxis.set_major_formatter(POINTS)
