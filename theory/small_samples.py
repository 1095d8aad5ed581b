"""With an intercept, small samples: accuracy averaged over how many samples of each kind are kept (THEORY §26).

The composition of what is kept is random, and moves an unpenalised intercept by O(1/sqrt(m)); where scores are small
(a strong penalty, noisy labels) that costs far more than any other effect of a finite size.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrik

from theory._check import check_intercept, has_intercept, in_range
from theory.coloured import Scores, accuracies, law_of, solve_cells, spectrum_of
from theory.errors import InputError
from theory.laws.kept import generated_shares
from theory.losses import LOSSES
from theory.settings import check_problem
from theory.threshold import per_class
from theory.types import Problem, Spectrum

Numbers = NDArray[np.float64]
DRAWS = 64
"""Draws of the counts behind an average."""


class Averaged(NamedTuple):
    """Accuracy on fresh points, averaged over the counts."""

    accuracy: float
    """Over both classes; NaN where less than half of the draws keep both labels and are solved."""
    balanced_accuracy: float
    spread: float
    """Standard deviation of the accuracy over the draws: what the composition alone does."""
    used: int
    """Draws that keep both labels, and are solved."""


def averaged(problem: Problem, n: int, d: int, loss: str = "squared", draws: int = DRAWS) -> Averaged:
    """Mean over counts of the four kinds of kept samples of sum_k rho_k Phi((t + k b)/(sigma sqrt(1 + 1/m))).

    Args:
        problem: numbers, with `Rates` or `ClassRates` and an intercept. n: samples generated. d: dimension.
        loss: a key of `theory.losses.LOSSES`. draws: of the counts.

    Raises:
        ValueError: as `theory.engine.solve`; n, d or draws below 1; no intercept, without which composition matters
            little.
    """
    check_problem(problem)
    check_intercept(problem)
    for name, value in (("n", n), ("d", d), ("draws", draws)):
        in_range(name, value, 1, np.inf, remedy="it counts samples, dimensions, or draws")
    if loss not in LOSSES:
        raise InputError(f"loss = {loss!r} is unknown; choose one of {', '.join(LOSSES)}")
    if not has_intercept(problem):
        raise InputError("averaging over counts is for intercept = True; without it the counts move little")
    prior = per_class(problem.curation).prior
    kinds = counts(n, np.asarray(generated_shares(problem.curation)), draws)
    kinds = kinds[both_labels(kinds)]
    features = Spectrum(*(np.broadcast_to(level, (len(kinds), len(level))) for level in spectrum_of(problem.signal)))
    found = solve_counts(kinds, features, float(problem.ridge), loss, d)
    minus, plus = accuracies(found, widening(kinds.sum(-1)))
    solved = np.isfinite(plus)
    if solved.sum() < draws / 2:
        return Averaged(np.nan, np.nan, np.nan, int(solved.sum()))
    each = (prior[0] * minus + prior[1] * plus)[solved]
    return Averaged(float(each.mean()), float((minus + plus)[solved].mean() / 2), float(each.std()), int(solved.sum()))


def both_labels(kinds: Numbers) -> NDArray[np.bool_]:
    """Whether counts of the four kinds, on a last axis, hold both labels."""
    found: NDArray[np.bool_] = (kinds[..., 0] + kinds[..., 3] > 0) & (kinds[..., 1] + kinds[..., 2] > 0)
    return found


def solve_counts(kinds: Numbers, features: Any, ridge: float, loss: str, d: int = 1) -> Scores:
    """What is trained on samples of such counts (cells, 4), with an intercept; d = 1 where d1 and d2 are traces."""
    m = kinds.sum(-1)
    return solve_cells(law_of(kinds / m[:, None], features, intercept=True), m / d, np.full(len(m), ridge), loss)


def widening(m: Numbers) -> Numbers:
    """sqrt(1 + 1/m), of sigma: the intercept's own sampling, derived for squared loss (THEORY §26)."""
    return np.sqrt(1 + 1 / np.maximum(m, 1))


def counts(n: int, cells: Numbers, draws: int) -> Numbers:
    """Counts of the four kinds in n generated samples, (draws, 4): multinomial, at places of equal weight.

    m kept of n, of those the ones with label +, of each label the correct ones: binomial quantiles at points that fill
    the cube evenly, so that 64 do, and that neighbouring problems share. ``cells``: P(y = k, y' = l, kept) in the order
    of `theory.laws.kept.TRUE` and `LABEL`.
    """
    kept, plus, right_plus, right_minus = places(draws).T
    m = quantile(kept, np.full(draws, float(n)), cells.sum())
    up = cells[0] + cells[3]
    labelled = quantile(plus, m, up / cells.sum())
    first = quantile(right_plus, labelled, cells[0] / up if up else 0.0)
    down = cells[1] + cells[2]
    second = quantile(right_minus, m - labelled, cells[1] / down if down else 0.0)
    return np.stack([first, second, m - labelled - second, labelled - first], -1)


def places(count: int) -> Numbers:
    """Points that fill the cube of four dimensions evenly: halton1960efficiency, coordinates spread by their ranks."""
    index = np.arange(1, count + 1)
    return np.stack([(np.argsort(np.argsort(_mirrored(index, base))) + 0.5) / count for base in (2, 3, 5, 7)], -1)


def _mirrored(index: NDArray[np.int_], base: int) -> Numbers:
    """Digits of whole numbers, mirrored at the point."""
    found, unit = np.zeros(len(index)), 1.0
    while index.any():
        unit /= base
        found, index = found + unit * (index % base), index // base
    return found


def quantile(level: Numbers, total: Numbers, share: Any) -> Numbers:
    """The least k with P(X <= k) >= level for X ~ Bin(total, share)."""
    if share <= 0 or share >= 1:
        return total * float(share >= 1)
    none = total == 0
    found = np.ceil(bdtrik(level, np.where(none, 1, total), share) - 1e-9)
    return np.where(none, 0.0, np.clip(np.nan_to_num(found), 0, total))
