"""Handwritten digits without end: classes resampled by a kernel density, and originals that were held out to test on.

A sample of a class is one of its N originals moved by Gaussian noise with the class's own covariance S, and drawn in

    x = mean + (x_i - mean + h z)/sqrt(1 + h^2),   z ~ N(0, S)

so that mean and covariance stay those of the originals (the smoothed bootstrap with shrinkage).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from empirical.features.splits import shipped

Numbers = NDArray[np.float64]
Labels = NDArray[np.intp]
CLASSES = 10
WIDTH = 0.5
"""h, in standard deviations of the class."""
HELD_OUT = 0.5
"""Share of the originals that is tested on and never resampled."""


@dataclass(frozen=True)
class Digits:
    """The originals of one split."""

    pool: tuple[Numbers, ...]
    """By class, (N_k, 64) pixels from 0 to 1."""
    x: Numbers
    """Held out, (N, 64)."""
    y: Labels

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Numbers, Labels]:
        """n fresh samples (n, 64) with their true classes, which are equally likely."""
        y = rng.integers(CLASSES, size=n)
        x = np.empty((n, self.x.shape[1]))
        for k, originals in enumerate(self.pool):
            x[y == k] = resample(originals, int(np.sum(y == k)), rng)
        return x, y


def resample(originals: Numbers, n: int, rng: np.random.Generator) -> Numbers:
    """n samples (n, d) of the kernel density of originals (N, d); the module's docstring has the formula."""
    mean = originals.mean(0)
    centred = originals - mean
    noise = rng.standard_normal((n, len(originals))) @ centred / np.sqrt(len(originals))
    return mean + (centred[rng.integers(len(originals), size=n)] + WIDTH * noise) / np.sqrt(1 + WIDTH**2)


def split(rng: np.random.Generator) -> Digits:
    """The 1797 digits that scikit-learn ships, a random half of each class held out. RunError without scikit-learn."""
    x, y = shipped().load_digits(return_X_y=True)
    x = x / 16
    pool, held = [], []
    for k in range(CLASSES):
        rows = rng.permutation(np.flatnonzero(y == k))
        first = int(HELD_OUT * len(rows))
        held.append(rows[:first])
        pool.append(x[rows[first:]])
    tested = np.concatenate(held)
    return Digits(tuple(pool), x[tested], y[tested].astype(np.intp))
