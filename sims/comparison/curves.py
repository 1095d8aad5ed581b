"""The curves of a sweep, along which the generator varies and all else is constant, and theory on their cells."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from theory import table as theory_table
from theory.columns import CLASS_RATES, POPULATION, SETTINGS, SHARED, SPECTRUM, Setting
from theory.crossings import thresholds

CURVE = ["setting", "loss", "n", "d", "alpha", "signal", "ridge", "prior"]
"""What is constant along a curve, beside the columns of its setting and of its population."""


def constant_along(table: pd.DataFrame) -> list[str]:
    """`CURVE`, and the intercept and the spectrum of a table that has them."""
    return [*CURVE, *(name for name in POPULATION if name in table)]


def intercepts(table: pd.DataFrame) -> pd.Series:
    """Whether an intercept is fitted, line by line."""
    return table["intercept"] > 0 if "intercept" in table else pd.Series(False, table.index)


def setting_of(table: pd.DataFrame) -> Setting:
    """The setting that all lines of a table have."""
    return SETTINGS[table["setting"].iloc[0]]


def curve_numbers(cells: pd.DataFrame) -> pd.Series:
    """Number of the curve of each cell. On a curve the generator varies and all else is constant: the verifier, the
    training, and with class-dependent error rates their ratio (p = 0 belongs to the one ratio there is, or to 1)."""
    setting = setting_of(cells)
    constant = [*constant_along(cells), *setting.constants]
    if not setting.by_class:
        return cells.groupby(constant, sort=False).ngroup()
    total = cells["p_negative"] + cells["p_positive"]
    ratio = (cells["p_negative"] / total.where(total > 0)).round(12)
    others = ratio.groupby([cells[name] for name in constant])
    only = others.transform("min").where(others.transform("nunique") == 1, 0.5)
    return cells.assign(p_ratio=ratio.fillna(only)).groupby([*constant, "p_ratio"], sort=False).ngroup()


def along_curves(cells: pd.DataFrame) -> Iterator[tuple[int, np.ndarray]]:
    """Each curve, in the order of its first cell, with the places of its cells by increasing p."""
    p, number = cells["p"].to_numpy(), cells["curve"].to_numpy()
    places = np.argsort(number, kind="stable")
    for part in np.split(places, np.flatnonzero(np.diff(number[places])) + 1):
        yield int(number[part[0]]), part[np.argsort(p[part])]


def thresholds_along(cells: pd.DataFrame) -> pd.Series:
    """The error rate at which purity is 1/2 along the curve of each cell (`theory.crossings.thresholds`)."""
    firsts = representatives(cells)
    return cells["curve"].map(dict(zip(firsts["curve"], thresholds(columns_of(firsts)), strict=True)))


def representatives(cells: pd.DataFrame) -> pd.DataFrame:
    """One cell of each curve, that with the largest p, which knows the ratio of class-dependent error rates."""
    return cells.loc[cells.groupby("curve", sort=False)["p"].idxmax()].reset_index(drop=True)


def columns_of(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """What `theory.table` reads of a table with the parameter columns of a sweep."""
    setting = setting_of(table)
    own = (*CLASS_RATES, "prior") if setting.by_class else setting.columns
    population = [name for name in POPULATION if name in table]
    shared = [name for name in SHARED if name != "signal" or SPECTRUM[0] not in table]
    return {name: table[name].to_numpy() for name in (*shared, *population, "loss", "setting", *own)}


def predict_table(table: pd.DataFrame) -> pd.DataFrame:
    """Theory for every line of a table with the parameter columns of a sweep.

    Returns the fields of `theory.prediction.Prediction` as columns, with the index of ``table``.
    """
    found = theory_table.predict_table(columns_of(table))
    return pd.DataFrame(found, index=table.index)
