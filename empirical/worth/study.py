"""Digits with wrong labels, verified: who wins, as measured on learners, by the rule p < p*, and by worth (THEORY §28).

The forecast is a learner's own clean learning curve, read at n W: an audit and a pilot, and nothing else.
"""

from collections.abc import Iterator

import pandas as pd

from empirical.features.splits import shipped
from empirical.worth.cells import cells
from empirical.worth.corruptions import VERIFIERS
from empirical.worth.curve import curves
from empirical.worth.hits import hit_rates
from empirical.worth.learners import LEARNERS
from empirical.worth.words import findings
from empirical.worth.worker import Trial, measure

SIZES = (300, 1200, 4800)
"""n, generated samples."""
P = (0.1, 0.3, 0.6, 0.8)
ERRORS = ("spread", "pair")
LEARNED, FIRST = 2400, (40, 100, 250)
"""Of learned errors: n, and the generator's clean samples."""
TAUGHT = tuple(name for name in LEARNERS if name != "logistic, C = 1000")
"""Families that are generator and student there."""
CLEAN = (10, 20, 40, 80, 150, 300, 600, 1200, 2400, 4800)
"""Sizes of the clean learning curve, measured twice as often as a cell."""


def tables(seeds: int) -> dict[str, pd.DataFrame]:
    """``findings``; ``hit_rates`` by learner and pooled; ``cells``, every measurement beside what the rules said;
    ``curves``, the clean learning curves.

    ``seeds``: repetitions of every cell, each with its own split and samples. Raises RunError without scikit-learn.
    """
    shipped()
    measured = measure(list(_trials(seeds)), "students on digits")
    table, found = curves(measured["clean"])
    given = cells(pd.concat([measured["verified"], measured["taught"]], ignore_index=True), found)
    hits = hit_rates(given)
    lines = pd.DataFrame({"finding": list(findings(hits))})
    return {"findings": lines, "hit_rates": hits, "cells": given, "curves": table}


def _trials(seeds: int) -> Iterator[Trial]:
    """The longest first."""
    for first in FIRST:
        yield from (("taught", [seed, LEARNED, first, TAUGHT, VERIFIERS]) for seed in range(seeds))
    for n in sorted(SIZES, reverse=True):
        for p in P:
            for errors in ERRORS:
                yield from (("verified", [seed, errors, n, p, tuple(LEARNERS), VERIFIERS]) for seed in range(seeds))
    for size in sorted(CLEAN, reverse=True):
        yield from (("clean", [repeat, size, tuple(LEARNERS)]) for repeat in range(2 * seeds))
