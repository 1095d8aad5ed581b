"""A compared sweep as text for a terminal or a log, and as JSON. Plain characters, no colour, no control codes."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from sims.comparison.account import closing, counted, heading, shortened
from sims.comparison.compare import Comparison
from sims.comparison.curves import along_curves, intercepts, setting_of
from sims.running.text import Column, layout
from theory import settings
from theory.columns import COLUMNS, SPECTRUM

GLYPHS = {("gain", True): "+", ("loss", True): "-", ("gain", False): "G", ("loss", False): "L"}
GLYPHS |= {("undecided", False): ".", ("failed", False): "!"}
LEGEND = (
    "cells, one character per p: + trained beats generator, - it does not, both as the p* rule says;",
    "  G gain and L loss against the rule; . undecided (interval covers the generator); = p = p*, where it says "
    "nothing; ! a trial failed",
)
MOST_LISTED = 12
GRID = ".12g"
"""Format of a value of a grid: as far as two of them are told apart, so that it can be typed again."""
LEVELS = "levels"
"""Format of a column that holds a list."""


def text(comparison: Comparison, all_cells: bool = False) -> str:
    """The report: thresholds, where training pays, disagreements with the rule, and the closing account."""
    return _joined(comparison, _blocks(comparison), all_cells)


def texts(comparison: Comparison) -> tuple[str, str]:
    """The report, without and with all cells."""
    blocks = _blocks(comparison)
    return _joined(comparison, blocks, False), _joined(comparison, blocks, True)


def _blocks(comparison: Comparison) -> list[str]:
    cells, crossings = comparison.cells, comparison.crossings
    return [heading(cells), _thresholds(cells, crossings), _gains(crossings), _disagreements(cells)]


def _joined(comparison: Comparison, blocks: list[str], all_cells: bool) -> str:
    more = [_all_cells(comparison.cells)] if all_cells else []
    return "\n\n".join(block for block in [*blocks, *more, closing(comparison.summary)] if block)


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Summary, crossings and cells as plain JSON values; what is missing is null."""
    return {
        "summary": comparison.summary,
        "crossings": records(comparison.crossings),
        "cells": records(comparison.cells),
    }


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Lines of a table as dictionaries of JSON values; NaN and NA become None."""
    plain = table.astype(object).where(table.notna(), None)
    return [{str(key): _plain(value) for key, value in line.items()} for line in plain.to_dict("records")]


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def number(value: Any, digits: int = 3) -> str:
    """A number with fixed decimals, or - where there is none."""
    return "-" if value is None or pd.isna(value) else f"{value:.{digits}f}"


def interval(low: float, high: float) -> str:
    """[low, high], with .. for an end that lies outside the grid."""
    if pd.isna(low) and pd.isna(high):
        return ""
    ends = ("  .. " if pd.isna(end) else f"{end:.3f}" for end in (low, high))
    return f"[{', '.join(ends)}]"


def _curve_columns(cells: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Columns that tell curves apart: key -> (heading, format)."""
    possible = {"loss": ("loss", "s"), "d": ("d", GRID), "alpha": ("n/d", GRID), "signal": ("signal", GRID)}
    possible |= {"ridge": ("ridge", GRID), "prior": ("prior", GRID), "intercept": ("intercept", GRID)}
    possible |= {name: (name, LEVELS) for name in SPECTRUM}
    setting = setting_of(cells)
    if not setting.by_class:
        verifier = {name: (COLUMNS[name].symbol, GRID) for name in setting.constants}
    elif all((cells[f"{rate}_negative"] == cells[f"{rate}_positive"]).all() for rate in ("phi", "psi")):
        verifier = {"phi": ("phi", GRID), "psi": ("psi", GRID)}
    else:
        sides = {"negative": "-", "positive": "+"}
        verifier = {
            f"{rate}_{side}": (f"{rate}{sign}", GRID) for rate in ("phi", "psi") for side, sign in sides.items()
        }
    always = {"loss", "alpha"}
    several = {key: value for key, value in possible.items() if key in cells and cells[key].nunique() > 1}
    return {key: value for key, value in possible.items() if key in always or key in several} | verifier


def _curve_cells(line: Any, columns: dict[str, tuple[str, str]]) -> list[str]:
    return [shortened(line[key]) if form == LEVELS else f"{line[key]:{form}}" for key, (_, form) in columns.items()]


def _headings(columns: dict[str, tuple[str, str]]) -> list[Column]:
    return [(heading, "<" if form in ("s", LEVELS) else ">") for heading, form in columns.values()]


def _thresholds(cells: pd.DataFrame, crossings: pd.DataFrame) -> str:
    columns = _curve_columns(cells)
    half = crossings[(crossings["target"] == "p_half") & ~crossings["rising"].astype(bool)]
    found = {line["curve"]: line for line in half.drop_duplicates("curve").to_dict("records")}
    setting = settings.named(setting_of(cells).name)
    fitted = bool(intercepts(cells).any())
    exact = [] if setting.half_at_threshold and not fitted else [("exact", ">")]
    glyphs, parts = _glyphs(cells), list(along_curves(cells))
    accuracy = cells["accuracy"].to_numpy()
    firsts = _lines(cells.iloc[[part[0] for _, part in parts]], [*columns, "p_star_along"])
    lines = []
    for (curve, part), first in zip(parts, firsts, strict=True):
        star = number(first["p_star_along"])
        if curve in found:
            line = found[curve]
            middle = [number(line["exact"])] if exact else []
            middle += [number(line["measured"]), interval(line["low"], line["high"])]
            middle += [number(line["z"], 1), line["verdict"]]
        else:
            middle = [*["-" for _ in exact], "-", "", "-", _no_crossing(accuracy[part])]
        lines.append([*_curve_cells(first, columns), star, *middle, "".join(glyphs[part])])
    headings = [*_headings(columns), ("p* predicted", ">"), *exact, ("p_half measured", ">")]
    headings += [("95% interval", "<"), ("z", ">"), ("verdict", "<"), (_p_range(cells), "<")]
    title = "p_half, the error rate at which trained accuracy crosses 1/2 (theory: p*, at any n and d)"
    if setting.name == "linear":
        title += "\n(p* of a curve is the p at which p = p*, where cos(g,mu) = -cos(v,mu))"
    elif exact:
        title = (
            "p_half, the error rate at which trained accuracy crosses 1/2 (theory: exact, d -> infinity)\n"
            "(p* of a curve is the p at which half of what is trained on is correct)"
        )
    return "\n".join([title, layout(headings, lines), *LEGEND])


def _no_crossing(accuracy: np.ndarray) -> str:
    accuracy = accuracy[~np.isnan(accuracy)]
    if not len(accuracy):
        return "no numbers"
    return "always above 1/2" if accuracy.min() > 0.5 else "always below 1/2" if accuracy.max() < 0.5 else "no crossing"


def _p_range(cells: pd.DataFrame) -> str:
    form = GRID if setting_of(cells).by_class else ".3g"
    return f"cells, p = {cells['p'].min():{form}} to {cells['p'].max():{form}}"


def _glyphs(cells: pd.DataFrame) -> np.ndarray:
    """A character per cell, see LEGEND."""
    outcomes = zip(cells["outcome"].tolist(), cells["rule"].tolist(), strict=True)
    decided = ("gain", "loss")
    return np.array(
        ["=" if rule is None and outcome in decided else GLYPHS[outcome, outcome == rule] for outcome, rule in outcomes]
    )


def _lines(table: pd.DataFrame, names: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The named columns line by line, as plain values."""
    columns = {name: table[name].tolist() for name in names}
    return (dict(zip(columns, line, strict=True)) for line in zip(*columns.values(), strict=True))


def _gains(crossings: pd.DataFrame) -> str:
    """Measured p_gain, and predicted ones that the grid should have shown."""
    gains = crossings[(crossings["target"] == "p_gain") & (crossings["measured"].notna() | crossings["in_grid"])]
    if gains.empty:
        return ""
    columns = _curve_columns(crossings)
    gains = gains.assign(place=gains["measured"].fillna(gains["exact"])).sort_values(["curve", "place"])
    lines = [
        [*_curve_cells(line, columns), "starts" if line["rising"] else "stops", number(line["exact"])]
        + [number(line["measured"]), interval(line["low"], line["high"]), number(line["z"], 1), line["verdict"]]
        for line in _lines(gains, gains.columns)
    ]
    headings = [*_headings(columns), ("as p grows, gain", "<"), ("exact", ">"), ("measured", ">")]
    headings += [("95% interval", "<"), ("z", ">"), ("verdict", "<")]
    title = "p_gain, where trained accuracy crosses the generator's 1 - p (theory: exact, d -> infinity)"
    hidden = int((crossings["target"] == "p_gain").sum()) - len(gains)
    note = [f"({hidden} more are predicted outside the grid of p; see crossings.csv)"] if hidden else []
    return "\n".join([title, layout(headings, lines), *note])


CELL = ("p", "p_star", "kept_rate", "n", "d", "generator_accuracy", "accuracy", "low", "high", "exact_accuracy")
SIDED = {"phi", "phi_negative"}
"""Columns of settings in which p is a value of the grid, and does not follow from others."""
VERDICT = ("outcome", "rule", "status")


def _cell_line(line: Any, columns: dict[str, tuple[str, str]]) -> list[str]:
    measured = [number(line["accuracy"]), interval(line["low"], line["high"]), number(line["exact_accuracy"])]
    p = f"{line['p']:{GRID}}" if SIDED & set(columns) else number(line["p"])
    return [*_curve_cells(line, columns), p, number(line["p_star"]), *_counts(line), *measured]


def _counts(line: Any) -> list[str]:
    return [number(line["kept_rate"] * line["n"] / line["d"], 2), number(line["generator_accuracy"])]


def _cell_headings(columns: dict[str, tuple[str, str]]) -> list[Column]:
    measured: list[Column] = [("measured", ">"), ("95% interval", "<"), ("exact", ">")]
    return [*_headings(columns), ("p", ">"), ("p*", ">"), ("kept/d", ">"), ("generator", ">"), *measured]


def _disagreements(cells: pd.DataFrame) -> str:
    wrong = cells[cells["rule_right"].eq(False).fillna(False).astype(bool)]
    if wrong.empty:
        decided = int(cells["rule_right"].notna().sum())
        if not decided:
            return "The p* rule was not tested: no cell is decided (more seeds narrow the intervals)."
        return f"The p* rule is right in {counted(decided, 'decided cell')}{', all there are' if decided > 1 else ''}."
    columns = _curve_columns(cells)
    size = (wrong["accuracy"] - wrong["generator_accuracy"]).abs()
    shown = wrong.loc[size.sort_values(ascending=False).index[:MOST_LISTED]].sort_index()
    lines = [[*_cell_line(line, columns), line["outcome"]] for line in _lines(shown, [*columns, *CELL, "outcome"])]
    title = (
        f"Where the p* rule is wrong: {counted(len(wrong), 'cell')}, {len(shown)} with the largest difference shown "
        "(all: cells.csv, rule_right = False)\nThe rule knows infinite data only; the exact theory knows n/d:"
    )
    return f"{title}\n{layout([*_cell_headings(columns), ('outcome', '<')], lines)}"


def _all_cells(cells: pd.DataFrame) -> str:
    columns = _curve_columns(cells)
    lines = [
        [*_cell_line(line, columns), line["outcome"], line["rule"] or "-", line["status"]]
        for line in _lines(cells, [*columns, *CELL, *VERDICT])
    ]
    headings: list[Column] = [("outcome", "<"), ("p* rule", "<"), ("status", "<")]
    return "All cells\n" + layout([*_cell_headings(columns), *headings], lines)
