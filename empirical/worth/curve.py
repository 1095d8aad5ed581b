"""A learner's clean learning curve: read at n W it is the forecast, and read backwards what a student is worth."""

import numpy as np
import pandas as pd

from empirical.worth.data import CLASSES, Numbers


class Curve:
    """Mean accuracy by clean size, straight in log n in between."""

    def __init__(self, sizes: Numbers, accuracy: Numbers):
        """Sizes rising; accuracies that fall with more samples are noise, and stay as measured."""
        self.sizes, self.accuracy = np.asarray(sizes, float), np.asarray(accuracy, float)

    def at(self, n: Numbers) -> Numbers:
        """Accuracy at n >= 0; below the least size straight to a guess, 1/K at 0; NaN beyond the largest."""
        n = np.asarray(n, float)
        inside = np.interp(np.log(np.maximum(n, self.sizes[0])), np.log(self.sizes), self.accuracy)
        few = 1 / CLASSES + np.minimum(n / self.sizes[0], 1) * (self.accuracy[0] - 1 / CLASSES)
        return np.where(n > self.sizes[-1], np.nan, np.where(n < self.sizes[0], few, inside))

    def back(self, accuracy: Numbers) -> Numbers:
        """The least clean size of that accuracy, 0 for a guess or less; infinite above the whole curve, NaN of NaN."""
        places = np.concatenate([[0.0], np.geomspace(self.sizes[0], self.sizes[-1], 400)])
        rising = np.maximum.accumulate(self.at(places))
        first = np.searchsorted(rising, np.asarray(accuracy, float))
        left = np.clip(first - 1, 0, len(places) - 2)
        step = rising[left + 1] - rising[left]
        share = np.where(step > 0, (accuracy - rising[left]) / np.where(step > 0, step, 1), 1.0)
        inside = places[left] + share * (places[left + 1] - places[left])
        found = np.where(first == 0, 0.0, np.where(first == len(places), np.inf, inside))
        return np.where(np.isnan(accuracy), np.nan, found)


def curves(measured: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Curve]]:
    """The mean over repeats of columns learner, n, accuracy with its standard error, and each learner's curve."""
    groups = measured.groupby(["learner", "n"], sort=False)["accuracy"]
    table = groups.agg(accuracy="mean", error="sem", repeats="count").reset_index().sort_values(["learner", "n"])
    parts = table.groupby("learner", sort=False)
    return table, {name: Curve(part["n"].to_numpy(), part["accuracy"].to_numpy()) for name, part in parts}
