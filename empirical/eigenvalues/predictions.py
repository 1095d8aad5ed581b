"""What theories say of the student of a noisy verifier, to stand beside what was measured.

Worth: N labels are worth N W clean ones, W = ((1-p) phi)^2 / ((1-p) phi + p psi) for errors that are spread over very
many answers (`theory.worth`), and the clean learning curve of the same model is read there. Nothing is fitted.

Learned errors (THEORY §11): generator and students are ridge classifiers; errors are a function of x. No run tells
the signal r and the penalty, so every pair of SIGNALS x RIDGES is one prediction; n/d is the one free parameter, read
off the run without verification, and all else follows.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from theory.crossings import crossings
from theory.table import predict_table

SIGNALS, RIDGES = (0.8, 1.0, 1.5, 2.0, 3.0), (0.01, 0.1, 1.0)
"""As `pstar study poster` has them."""
RANGE = (1e-3, 1e4)
"""n/d that are searched."""


class Tie(NamedTuple):
    """Where along p* a predicted gain goes from below zero to above: x, and in words where it does not."""

    x: float
    words: str = ""


def tie(stars: np.ndarray, gains: np.ndarray) -> Tie:
    """Of a curve on increasing ``stars``, NaN where it is unknown; of several crossings the last, as in `crossing`."""
    if np.isnan(gains).all():
        return Tie(np.nan, "no prediction")
    rises = np.flatnonzero((gains[:-1] < 0) & (gains[1:] >= 0))
    if len(rises):
        left = rises[-1]
        share = gains[left] / (gains[left] - gains[left + 1])
        return Tie(float(stars[left] + share * (stars[left + 1] - stars[left])))
    known = gains[~np.isnan(gains)]
    if known[-1] < 0:
        return Tie(np.nan, "never")
    return Tie(np.nan, "gains where it is known" if np.isnan(gains[0]) else "gains without verification")


def by_worth(p: float, psi: Any, labels: int, sizes: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Accuracy at phi = 1 and each ``psi``, read off the clean curve, straight in log n; NaN beyond its ends.

    Args:
        p: error rate of the labels. labels: how many there are before verification.
        sizes: clean sizes of the curve, rising. accuracy: measured there.
    """
    right = 1 - p
    worth = labels * right**2 / (right + p * np.asarray(psi, float))
    return np.interp(np.log(worth), np.log(sizes), accuracy, left=np.nan, right=np.nan)


class Learned(NamedTuple):
    """Ridge students of a ridge generator, one per line of ``fits``: signal, ridge, alpha = n/d."""

    fits: pd.DataFrame

    def gains(self, generator: float, psi: Any, times: float = 1.0) -> np.ndarray:
        """Gain over a generator of that accuracy, (fits, psi), with ``times`` as many samples as were fitted."""
        psi = np.atleast_1d(np.asarray(psi, float))
        if self.fits.empty:
            return np.empty((0, len(psi)))
        table = self.fits.loc[self.fits.index.repeat(len(psi))].assign(psi=np.tile(psi, len(self.fits)))
        found = _accuracy(table.assign(alpha=times * table["alpha"]), generator) - generator
        return found.reshape(len(self.fits), len(psi))


def learned(generator: float, unverified: float) -> Learned:
    """n/d from the gain of the student of all labels, for each pair of signal and penalty that can have both.

    Where several n/d give that gain the least is taken. No lines where no pair has it: of learned errors a student
    gains little without verification, however many its samples are.
    """
    pairs = pd.DataFrame([(signal, ridge) for signal in SIGNALS for ridge in RIDGES], columns=["signal", "ridge"])

    def excess(log_alpha: np.ndarray, which: np.ndarray) -> np.ndarray:
        table = pairs.iloc[which.ravel()].assign(alpha=np.exp(log_alpha.ravel()), psi=1.0)
        return (_accuracy(table, generator) - generator - unverified).reshape(which.shape)

    if not 0.5 < generator < 1:
        return Learned(pairs.assign(alpha=np.nan).iloc[:0])
    found = crossings(excess, len(pairs), *np.log(RANGE))
    pairs["alpha"] = np.nan
    for curve, x in zip(found.curve[::-1], found.x[::-1], strict=True):  # the least comes last, and stays
        pairs.loc[curve, "alpha"] = np.exp(x)
    return Learned(pairs.dropna().reset_index(drop=True))


def _accuracy(table: pd.DataFrame, generator: float) -> np.ndarray:
    aligned = ndtri(generator) / table["signal"].to_numpy()
    constant = np.ones(len(table))
    columns: dict[str, Any] = {name: table[name].to_numpy() for name in ("signal", "ridge", "alpha", "psi")}
    columns |= {"setting": np.full(len(table), "learned", object), "loss": np.full(len(table), "squared", object)}
    columns |= {"phi": constant, "p": constant * (1 - generator), "cos_generator": np.clip(aligned, -1, 1)}
    found: np.ndarray = predict_table(columns)["accuracy"]
    return np.where(aligned <= 1, found, np.nan)  # a generator above Bayes there is not
