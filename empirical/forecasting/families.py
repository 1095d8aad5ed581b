"""The learning curves that go through a pilot, of several families, so that the choice of one is part of the interval.

    power     error = e + b n^-g, e and b >= 0
    theory    t^-2 = u + v/n in scores t of the K-class problem: the exact theory at the best penalty with signal and
              dimension free, u = 1/r^2, v = d/r^4 (`theory.worth`)
    least     no law. Between two sizes of the pilot: the lowest of curves that bend one way in log n, less a tenth of
              the rise in the middle; beyond the pilot no better than there, below it straight to a guess
    most      the highest of these; beyond the pilot as steep in log n as between the last two sizes, below it no worse

A family that misses the pilot is left out.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from empirical.forecasting.curves import Curves, grid
from empirical.forecasting.noise import Noise, reach
from empirical.forecasting.pilot import Numbers, Size
from theory.classes.accuracy import symmetric_accuracy

POWERS = np.geomspace(0.08, 2.0, 28)
SCORES = np.linspace(0.0, 9.0, 1801)
LEEWAY = 0.1
"""Of the rise between two sizes, by which a curve may be off in their middle that bends both ways."""
ABOVE_CHANCE = 0.002
"""Accuracies nearer to a guess are taken as that far above it: their score says nothing."""


def curves(sizes: Sequence[Size], drawn: Numbers, found: Noise, classes: int) -> list[Curves]:
    """Every family that meets the pilot, (draws + 1) curves each; `least` and `most`, which always do, come last."""
    n = np.array([size.n for size in sizes])
    log_n, chance = grid(n[0], n[-1]), 1 / classes
    error = np.maximum(np.hypot(found.error, 1e-4), 1e-4)
    made = {
        "power": power(n, drawn, error, log_n),
        "theory": theory(n, drawn, error, log_n, classes),
    }
    allowed = reach(found) + 5e-4
    kept = {name: values for name, values in made.items() if _meets(values[-1], log_n, n, drawn[-1], allowed)}
    kept |= dict(zip(("least", "most"), unlawful(n, drawn, log_n, chance), strict=True))
    return [Curves(name, log_n, np.clip(values, chance, 1.0), chance) for name, values in kept.items()]


def _meets(values: Numbers, log_n: Numbers, n: Numbers, mean: Numbers, allowed: Numbers) -> bool:
    return bool(np.all(np.abs(np.interp(np.log(n), log_n, values) - mean) <= allowed))


def power(n: Numbers, drawn: Numbers, error: Numbers, log_n: Numbers) -> Numbers:
    """The best e, b >= 0 for each of many powers, and of these the best, draw by draw; (draws, points)."""
    wrong, weight = 1 - drawn, 1 / error**2
    best = np.full(len(drawn), np.inf)
    fit = np.zeros((3, len(drawn)))
    for g in POWERS:
        x = (n / n[0]) ** -g
        level, slope = _line(x, wrong, weight)
        level, slope = _not_negative(x, wrong, weight, level, slope)
        loss = np.sum(weight * (wrong - level[:, None] - slope[:, None] * x) ** 2, -1)
        better = loss < best
        best = np.where(better, loss, best)
        fit = np.where(better, np.stack([level, slope, np.full(len(drawn), g)]), fit)
    level, slope, g = fit[..., None]
    found: Numbers = 1 - level - slope * np.exp(-g * (log_n - np.log(n[0])))
    return found


def theory(n: Numbers, drawn: Numbers, error: Numbers, log_n: Numbers, classes: int) -> Numbers:
    """u, v >= 0 by weighted least squares in t^-2, its noise by the delta method at the means; (draws, points)."""
    table = _accuracy_of_scores(classes)
    score = lambda accuracy: np.interp(np.clip(accuracy, 1 / classes + ABOVE_CHANCE, table[-1]), table, SCORES)
    middle = drawn[-1]
    step = 1e-4
    slope = (score(middle + step) ** -2.0 - score(middle - step) ** -2.0) / (2 * step)
    weight = 1 / (np.maximum(np.abs(slope), 1e-6) * error) ** 2
    x, y = n[0] / n, score(drawn) ** -2.0
    u, v = _not_negative(x, y, weight, *_line(x, y, weight))
    squares = u[:, None] + v[:, None] * np.exp(np.log(n[0]) - log_n)
    return np.interp(1 / np.sqrt(np.maximum(squares, 1e-9)), SCORES, table)


@cache
def _accuracy_of_scores(classes: int) -> Numbers:
    """At SCORES, strictly rising."""
    found = np.asarray(symmetric_accuracy(SCORES, classes))
    return np.asarray(np.maximum.accumulate(found) + 1e-15 * np.arange(len(found)))


def unlawful(n: Numbers, drawn: Numbers, log_n: Numbers, chance: float) -> tuple[Numbers, Numbers]:
    """(least, most) of the module's docstring; (draws, points) each."""
    at = np.log(n)
    inner = np.diff(drawn, axis=1) / np.diff(at)
    before, after = 2 * inner[:, :1] - inner[:, 1:2], 2 * inner[:, -1:] - inner[:, -2:-1]
    slopes = np.hstack([np.maximum(before, 0.0), inner, np.maximum(after, 0.0)])  # of neighbours, at the ends guessed
    below, above = log_n < at[0], log_n > at[-1]
    left = np.clip(np.searchsorted(at, log_n, "right") - 1, 0, len(n) - 2)
    step = np.clip(log_n, at[0], at[-1]) - at[left]
    share = step / (at[left + 1] - at[left])
    first, last = drawn[:, left], drawn[:, left + 1]
    chord = first + share * (last - first)
    onward = first + step * slopes[:, left]
    back = last - (at[left + 1] - at[left] - step) * slopes[:, left + 2]
    low, high = np.minimum(onward, back), np.maximum(onward, back)
    leeway = 4 * share * (1 - share) * LEEWAY * np.abs(last - first)
    least = np.where(high <= chord, high, np.minimum(low, chord)) - leeway
    most = np.where(low >= chord, low, np.maximum(high, chord)) + leeway
    ends = np.minimum(first, last), np.maximum(first, last)
    least, most = np.clip(least, *ends), np.clip(most, *ends)
    steep = np.maximum(inner[:, -1:], 0.0) * (log_n - at[-1])
    straight = chance + (drawn[:, :1] - chance) * np.exp(log_n - at[0])
    least = np.where(below, np.minimum(straight, drawn[:, :1]), np.where(above, drawn[:, -1:], least))
    return least, np.where(below, drawn[:, :1], np.where(above, drawn[:, -1:] + steep, most))


def _line(x: Numbers, y: Numbers, weight: Numbers) -> tuple[Numbers, Numbers]:
    """Weighted least squares of each line of y on x: level and slope."""
    total = weight.sum()
    middle, mean = weight @ x / total, y @ weight / total
    slope = ((y - mean[:, None]) * (x - middle)) @ weight / (weight @ (x - middle) ** 2)
    return mean - slope * middle, slope


def _not_negative(x: Numbers, y: Numbers, weight: Numbers, level: Numbers, slope: Numbers) -> tuple[Numbers, Numbers]:
    """The same where neither may be negative."""
    through_zero = np.maximum((y * x) @ weight / (weight @ x**2), 0.0)
    mean = np.maximum(y @ weight / weight.sum(), 0.0)
    flat = slope < 0
    steep = ~flat & (level < 0)
    return np.where(flat, mean, np.where(steep, 0.0, level)), np.where(flat, 0.0, np.where(steep, through_zero, slope))
