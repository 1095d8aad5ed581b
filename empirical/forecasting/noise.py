"""How far the means of a pilot may be off: draws of what they estimate, honest with few runs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from empirical.forecasting.pilot import Numbers, Size

CERTAIN = 0.99
"""Of the interval that a curve must meet at every size."""


class Noise(NamedTuple):
    """Fields (sizes,)."""

    error: Numbers
    """Standard error of a mean from the runs."""
    freedom: Numbers
    """Of that; infinite where it is a test set's alone."""
    shared: Numbers
    """That of the test set, which all runs share; 0 where it is not known, or is in the other already."""


def noise(sizes: Sequence[Size], seen: Sequence[Size]) -> Noise:
    """Of each size's mean, by its own runs: Student's t of their standard deviation, and the test set's binomial noise.

    A size with one run takes the larger spread of the two sizes that were ``seen`` several times and are nearest to it
    in accuracy; where there are none, the test set's noise alone. Variances are not pooled over sizes: accuracies vary
    more at small ones, and a pooled t interval covers 80 to 90 % there.
    """
    known = [size for size in seen if np.isfinite(size.sd)]
    alike = [size if np.isfinite(size.sd) or not known else _alike(size, known) for size in sizes]
    sd, runs = (np.array([getattr(size, name) for size in alike]) for name in ("sd", "runs"))
    own, tested, accuracy = (
        np.array([getattr(size, name) for size in sizes]) for name in ("runs", "tested", "accuracy")
    )
    binomial = np.sqrt(accuracy * (1 - accuracy) / np.where(tested > 0, tested, np.inf))
    repeated = np.isfinite(sd)
    return Noise(
        error=np.where(repeated, sd / np.sqrt(own), binomial),
        freedom=np.where(repeated, np.maximum(runs - 1, 1), np.inf),
        shared=np.where(repeated, binomial, 0.0),
    )


def _alike(size: Size, known: Sequence[Size]) -> Size:
    near = sorted(known, key=lambda other: abs(other.accuracy - size.accuracy))[:2]
    return max(near, key=lambda other: other.sd)


def draws(mean: Numbers, found: Noise, shared: Numbers, rng: np.random.Generator) -> Numbers:
    """(draws + 1, sizes): what means may be, in [0, 1]; the last line is the means. ``shared``: normal, (draws,)."""
    count, normal = len(shared), np.isinf(found.freedom)
    freedom = np.where(normal, 1.0, found.freedom)
    chance = rng.normal(size=(count, len(mean)))
    chance /= np.where(normal, 1.0, np.sqrt(rng.chisquare(freedom, (count, len(mean))) / freedom))
    drawn = mean + found.error * chance + found.shared * shared[:, None]
    return np.clip(np.vstack([drawn, mean]), 0.0, 1.0)


def reach(found: Noise) -> Numbers:
    """Half the width of a CERTAIN interval of each mean, (sizes,), the shared noise not counted."""
    freedom = np.where(np.isinf(found.freedom), 1e9, found.freedom)
    return np.asarray(stdtrit(freedom, 0.5 + CERTAIN / 2) * found.error)
