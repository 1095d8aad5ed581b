"""What was measured, cell by cell, beside what the rules said before: who wins, and by how much.

A cell is a learner, a kind of errors, n, p (or how many clean samples the generator had) and a verifier.
"""

import numpy as np
import pandas as pd

from empirical.worth.corruptions import value
from empirical.worth.curve import Curve
from empirical.worth.learners import LEARNERS
from theory.types import Rates

CELL = ["errors", "learner", "n", "setting", "phi", "psi"]
"""What tells cells apart; ``setting`` is p, or of learned errors the generator's clean samples."""
NOISE = 2.0
"""Standard errors by which a gain must differ from 0 to count."""
RULES = {"yes": "always yes", "below": "p < p*", "leads": "a > 0", "wins": "forecast"}
"""Columns with what each rule says of "the student beats its generator"."""


def cells(measured: pd.DataFrame, curves: dict[str, Curve]) -> pd.DataFrame:
    """Means over seeds of the rows of `trials`, the forecast, and whether the gain is beyond noise.

    ``noise``: standard error of the gain, of two parts that overlap, so that it is rather too large: between seeds,
    the variance of a cell being the mean over the verifiers with the same learner, errors, n and setting, and of one
    seed's test digits. ``decided``: |gain| > 2 noise. ``first``, ``p``: see `trials.taught`. A cell in which a fit
    failed has NaN and is not decided.
    """
    rows = measured.assign(
        setting=measured["first"].fillna(measured["p"]), gain=measured["student"] - measured["generator"]
    )
    groups = rows.groupby(CELL, sort=False)
    table = groups[["p", "first", "kept", "generator", "student", "gain", "variance"]].mean()
    failed = groups["student"].apply(lambda values: values.isna().any())
    table[["student", "gain", "variance"]] = table[["student", "gain", "variance"]].mask(failed)
    between = groups["gain"].var().groupby(CELL[:4], sort=False).transform("mean")
    table["noise"] = np.sqrt(between / measured["seed"].nunique() + table.pop("variance"))
    table = table.reset_index()
    table["decided"] = table["gain"].abs() > NOISE * table["noise"]
    table["won"] = table["gain"] > 0
    return forecast(table, curves)


def forecast(table: pd.DataFrame, curves: dict[str, Curve]) -> pd.DataFrame:
    """The same table with what the rules read and say.

    ``size`` is n W and ``forecast`` the learner's clean curve there; ``equivalent``: the clean size that measures as
    the student does, over n W in ``ratio``; inf above the whole curve, NaN where W = 0. Learned errors are read as if
    they were spread evenly, which they are not.
    """
    kinds = table["errors"].where(table["errors"] != "learned", "spread")
    values = [
        value(Rates(p, phi, psi), errors)
        for p, phi, psi, errors in zip(table["p"], table["phi"], table["psi"], kinds, strict=True)
    ]
    table = table.assign(
        **pd.DataFrame(values, index=table.index), kind=[LEARNERS[name].kind for name in table["learner"]]
    )
    table["size"] = table["n"] * table["worth"]
    table["forecast"], table["equivalent"] = np.nan, np.nan
    for name, part in table.groupby("learner", sort=False):
        table.loc[part.index, "forecast"] = curves[str(name)].at(part["size"].to_numpy())
        table.loc[part.index, "equivalent"] = curves[str(name)].back(part["student"].to_numpy())
    table["ratio"] = (table["equivalent"] / table["size"]).where(table["size"] > 0)
    table["yes"], table["below"], table["leads"] = True, table["p"] < table["p_star"], table["lead"] > 1e-12
    table["wins"] = table["forecast"] > table["generator"]
    return table
