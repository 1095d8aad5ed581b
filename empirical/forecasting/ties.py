"""Where the student ties with its generator: at which n, and at which error rate and which p* at a given n."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.forecasting.pilot import Numbers
from empirical.forecasting.readings import Reading

HALVINGS = 26
ENDLESS = 1e12
"""Samples."""


def from_n(reading: Reading, most: float, p: Numbers, phi: Numbers, psi: Numbers, which: NDArray[np.intp]) -> Numbers:
    """The number of generated samples from which on the student wins: inf where it never does, up to ENDLESS.

    That of the law is n_0/W, with n_0 the clean samples that make a generator: accuracy 1 - p on the learner's own
    curve. Where these are more than ``most`` nothing is said, and it is inf.
    """
    wins = lambda log_n: reading.student(np.exp(log_n), p, phi, psi, which) > 1 - p
    none, end = np.zeros(np.shape(p)), np.full(np.shape(p), np.log(ENDLESS))
    said = wins(end) & (reading.curve.reaches(1 - p, which) <= most)
    return np.where(said, np.exp(_first(wins, none, end)), np.inf)


def in_p(reading: Reading, n: float, p: Any, phi: Numbers, psi: Numbers, which: NDArray[np.intp]) -> Numbers:
    """The error rate from which on a student of n samples wins, phi and psi as they are; inf where it never does."""
    votes = (reading.classes - 1) * phi
    high = np.where(votes + psi > 0, votes / np.where(votes + psi > 0, votes + psi, 1.0), 0.0)
    wins = lambda rate: reading.student(n, rate, phi, psi, which) > 1 - rate
    return np.where(wins(high), _first(wins, np.zeros_like(high), high), np.inf)


def in_p_star(reading: Reading, n: float, p: Numbers, phi: Numbers, psi: Any, which: NDArray[np.intp]) -> Numbers:
    """The p*_K above which a student of n samples wins, p and phi as they are: psi is moved.

    inf where it loses with psi = 0 too, and 0 where it wins with psi = 1 too.
    """
    wins = lambda rate: reading.student(n, p, phi, rate, which) > 1 - p
    none, one = np.zeros(np.shape(p)), np.ones(np.shape(p))
    tie = 1 - _first(lambda rate: wins(1 - rate), none, one)
    votes = (reading.classes - 1) * phi
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(wins(none), np.where(wins(one), 0.0, votes / (votes + tie)), np.inf)


def _first(wins: Callable[[Numbers], NDArray[np.bool_]], low: Numbers, high: Numbers) -> Numbers:
    """Where, between a loss and a win, the student begins to win."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = wins(middle)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return high
