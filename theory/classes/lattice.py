"""A deterministic rule for expectations over N(0, I) on 1^perp in R^K, K classes of which most are exchangeable.

Points are step (z - mean z), z in Z^K modulo Z 1: the lattice A*_(K-1), whose rule converges like the trapezoid. Class
0 is the true one; the label is right, or class 1. The other K - 1 or K - 2 classes are exchangeable, so that one term
stands for all orders of a multiset of integers (THEORY §12). Source: ours.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln
from scipy.stats import chi2

STEPS = {2: 0.1, 3: 0.25, 4: 0.5, 5: 0.75, 6: 1.0, 7: 1.1, 8: 1.2, 9: 1.3, 10: 1.4}
"""Step by K, for errors below 1e-6 at K <= 10; between entries that of the next lower K."""
MOST_CLASSES = 20
"""Beyond, terms are too many."""
MOST = 200_000
"""Terms of the largest rule that is made."""


class Rule(NamedTuple):
    """Terms of an expectation, each a run of entries: one per distinct integer and role of a class."""

    h: np.ndarray
    """Noise of the class, (entries,)."""
    members: np.ndarray
    """How many classes of the term the entry stands for."""
    true: np.ndarray
    """Whether it is the true class."""
    label: np.ndarray
    """Whether it is the class of the label."""
    first: np.ndarray
    """Where each term begins, (terms,)."""
    term: np.ndarray
    """The term of each entry."""
    weight: np.ndarray
    """Probability of the term, given whether the label is right."""
    right: np.ndarray
    """Whether the label is right, (terms,)."""

    def total(self, values: np.ndarray) -> np.ndarray:
        """Sum over the classes of every term."""
        found: np.ndarray = np.add.reduceat(values * self.members, self.first)
        return found

    def largest(self, values: np.ndarray) -> np.ndarray:
        """Largest over the classes of every term."""
        found: np.ndarray = np.maximum.reduceat(values, self.first)
        return found


def step_of(classes: int, steps: Mapping[int, float] = STEPS) -> float:
    """The step for so many classes; what is given is fine enough, mostly."""
    return steps[max(number for number in steps if number <= classes)]


@cache
def rule(classes: int, step: float) -> Rule | None:
    """Both kinds of term, each kind of total weight 1; None where there are too many."""
    if classes > MOST_CLASSES:
        return None
    parts = [_terms(classes, fixed, step) for fixed in (1, 2)]
    if any(part is None for part in parts):
        return None
    integers, weights = zip(*parts, strict=True)
    size = [len(table) for table in integers]
    h = np.concatenate([step * (table - table.mean(1, keepdims=True)) for table in integers])
    role = np.zeros((sum(size), classes), int)
    role[:, 0] = 1
    role[size[0] :, 1] = 2
    fresh = np.ones(h.shape, bool)  # others are sorted, so that equal ones stand together
    fresh[:, 1:] = (h[:, 1:] != h[:, :-1]) | (role[:, 1:] != role[:, :-1])
    begin = np.flatnonzero(fresh)
    entries = np.diff(np.append(begin, h.size))
    term = begin // classes
    right = np.arange(sum(size)) < size[0]
    roles = role.ravel()[begin]
    return Rule(
        h.ravel()[begin],
        entries.astype(float),
        roles == 1,
        np.where(right[term], roles == 1, roles == 2),
        np.searchsorted(term, np.arange(sum(size))),
        term,
        np.concatenate(weights),
        right,
    )


def _terms(classes: int, fixed: int, step: float) -> tuple[np.ndarray, np.ndarray] | None:
    """Integers (terms, K), the first ``fixed`` of them free and the rest rising, with z_0 = 0; and their weights.

    Numbers are added one by one. What a beginning of j numbers can come to, all that may follow included, is its own
    weight in the lattice of j classes times the ways to choose its places; below the least weight it is dropped.
    """
    others, least = classes - fixed, np.log(_least(classes))
    reach = int(np.sqrt(2 * chi2.isf(1e-14, classes - 1)) / step) + 1
    table = np.zeros((1, 1), np.int16)
    run, repeats = np.zeros(1), np.zeros(1)  # how often the last number stands there; sum of log(count!)
    for place in range(1, classes):
        free = place <= fixed
        lowest = np.full(len(table), -reach) if free else table[:, -1].astype(int)
        number = reach + 1 - lowest
        rows = np.repeat(np.arange(len(table)), number)
        if len(rows) > 25 * MOST:
            return None
        added = lowest[rows] + np.arange(len(rows)) - np.repeat(np.cumsum(number) - number, number)
        again = (added == table[rows, -1]) & (not free)
        run = np.where(again, run[rows] + 1, 1.0)
        repeats = repeats[rows] + np.where(again, np.log(run), 0.0)
        table = np.concatenate([table[rows], added[:, None].astype(np.int16)], axis=1)
        left = min(others, classes - 1 - place)
        log_weight = gammaln(others + 1) - gammaln(left + 1) - repeats - step**2 * _length(table) / 2
        likely = log_weight - place * np.log(np.sqrt(2 * np.pi) / step) - np.log(place + 1) / 2 > least
        table, run, repeats, log_weight = table[likely], run[likely], repeats[likely], log_weight[likely]
    weight = np.exp(log_weight)
    return (table, weight / weight.sum()) if len(table) <= MOST else None


def _least(classes: int) -> float:
    """Weight below which a term is dropped."""
    return 1e-15 if classes <= 4 else 1e-13 if classes <= 7 else 1e-12 if classes <= 10 else 1e-8


def _length(table: np.ndarray) -> np.ndarray:
    """Squared length of z - mean z."""
    found: np.ndarray = np.einsum("ti,ti->t", table, table, dtype=float) - table.sum(1) ** 2.0 / table.shape[1]
    return found
