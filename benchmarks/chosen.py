"""The best of many thresholds, for `interval_coverage`: guarded intervals of the chosen one, and unguarded twins."""

import zlib
from typing import Any

import numpy as np
from designs import ALONE, GROUP_SIZE
from naive import FUNCTIONS
from scipy.special import ndtr

from empirical.auditing import scores
from empirical.auditing.design import Grouping
from empirical.auditing.rates import Estimate

P, LEVEL = 0.4, 0.95
THRESHOLDS = 10
CASES = {
    f"best of {THRESHOLDS} thresholds, {unit}; d' {shift:g}": (count, grouped, shift)
    for unit, count, grouped in (("150 records", 150, False), ("40 groups", 40, True))
    for shift in (0.0, 0.7)
}
"""Records or groups; scores of correct labels are N(d', 1), those of wrong ones N(0, 1)."""


def block(name: str, number: int, repetitions: int, draws: int) -> dict[str, list[float]]:
    """As `interval_coverage.block`, of p* and worth where the guarded low end is best; the twin takes the
    best value and its own interval."""
    size, grouped, shift = CASES[name]
    rng = np.random.default_rng([zlib.crc32(name.encode()), number])
    scores.DRAWS = draws
    sums = {what: np.zeros(4) for what in ("p_star", "worth")}
    for seed in range(repetitions):
        group = np.repeat(np.arange(size), GROUP_SIZE) if grouped else np.arange(size)
        own = rng.beta(P, 1 - P, size)[group] if grouped else P  # intraclass correlation 1/2
        correct = rng.random(group.size) >= own
        value = rng.standard_normal(group.size) + shift * correct
        by = Grouping(None, group) if grouped else ALONE
        found = scores.of_scores(1 + correct.astype(np.int8), value, by, LEVEL, THRESHOLDS, seed=seed)
        sums["p_star"] += held(found.p_star_guarded, found.rates.p_star, "p_star", found.threshold, shift)
        sums["worth"] += held(found.worth_guarded, found.worth, "worth", found.threshold, shift)
    return {what: values.tolist() for what, values in sums.items()}


def held(guarded: Estimate, bare: Estimate, what: str, threshold: Any, shift: float) -> list[float]:
    """Held and width of the guarded interval, and of the twin."""
    truth = FUNCTIONS[what](np.array(P), ndtr(shift - threshold), ndtr(-threshold))
    cells = []
    for estimate, place in ((guarded, int(np.argmax(guarded.low))), (bare, int(np.nanargmax(bare.value)))):
        low, high = float(estimate.low[place]), float(estimate.high[place])
        cells += [float(low <= truth[place] <= high), high - low]
    return cells
