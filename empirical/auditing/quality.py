"""Graded quality s in [0, 1] (ROUGE and the like) instead of correct or wrong: two readings, both ours (THEORY §9).

*Threshold*: a record is correct iff s >= t; then everything is as with counts, for every t (`threshold_reading`).

*Soft*: a record is correct to the degree s (`soft_reading`):

    p = 1 - mean s,   phi = sum q s / sum s,   psi = sum q (1 - s) / sum (1 - s),   purity = sum q s / sum q
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from empirical.auditing.checks import check_level, flags, graded
from empirical.auditing.rates import Counts, Estimate, Rates, Verdict, rates, verdict_of
from empirical.auditing.scores import counts_above
from sims.running.intervals import clopper_pearson
from theory.display import record
from theory.errors import InputError

THRESHOLDS = tuple(float(value) for value in np.round(np.arange(0.05, 1.0, 0.05), 2))
DRAWS = 10_000
AT_ONCE = 2_000_000
"""Random numbers drawn at a time."""
GRADES = 1000
"""Many records are grouped by quality rounded to 1/GRADES, at their mean quality: estimates do not change."""


@dataclass(frozen=True, kw_only=True)
class SoftAudit:
    """What graded records say; see `soft_reading`."""

    records: int
    level: float
    p: Estimate
    phi: Estimate
    psi: Estimate
    kept_rate: Estimate
    purity: Estimate
    p_star: Estimate
    verdict: Verdict
    """p < p* by the interval of purity: the mean quality of what is kept exceeds 1/2, or does not."""
    seed: int

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)


@dataclass(frozen=True, kw_only=True)
class ThresholdReading:
    """Rates when correct means s >= ``threshold``, arrays over the thresholds; intervals for each on its own."""

    threshold: NDArray[np.float64]
    counts: Counts
    rates: Rates
    verdict: tuple[Verdict, ...]
    level: float

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)


def threshold_reading(
    quality: ArrayLike, kept: ArrayLike, level: float = 0.95, thresholds: ArrayLike = THRESHOLDS
) -> ThresholdReading:
    """Rates and verdicts for every threshold t of quality. Raises ValueError as `soft_reading`."""
    grade, retained = _checked(quality, kept, level)
    cut = graded("thresholds", thresholds)
    among_kept, among_all = (counts_above(cut, part, np.ones(part.size, bool)) for part in (grade[retained], grade))
    right, wrong = among_kept.correct_kept, among_kept.correct_dropped
    counts = Counts(right, among_all.correct_kept - right, wrong, among_all.correct_dropped - wrong)
    found = rates(counts, level)
    verdicts = tuple(verdict_of(Estimate(*entry), 0.5) for entry in zip(*found.purity, strict=True))
    return ThresholdReading(threshold=cut, counts=counts, rates=found, verdict=verdicts, level=level)


def soft_reading(
    quality: ArrayLike, kept: ArrayLike, level: float = 0.95, *, draws: int = DRAWS, seed: int = 0
) -> SoftAudit:
    """Soft rates with bootstrap intervals.

    The percentile bootstrap is far too short where few records are good, bad, kept or dropped. Instead: the Bayesian
    bootstrap (records weighted by independent exponentials), and for each end of each interval one more record per
    rate, at the worst place for that end (for the low end of phi: of quality 1, dropped). For qualities of 0 and 1
    this is Clopper-Pearson's interval and the melded one of `audit`; for a mean it is Gaffke's bound. Coverage is
    tested by simulation. Sources: rubin1981bayesian, learnedmiller2019new, fay2015combining.

    Args:
        quality: s in [0, 1], shape (n,).
        kept: whether the verifier keeps the record, shape (n,).
        level: of the intervals, in (0, 1).
        draws: of the bootstrap; the ends move by a few per cent of the interval's length from seed to seed.
        seed: of the bootstrap.

    Raises:
        ValueError: no records, unequal lengths, qualities outside [0, 1], a level outside (0, 1).
    """
    grade, retained = _checked(quality, kept, level)
    weights, shares = _cells(grade, retained)
    observed = weights @ shares
    rng = np.random.default_rng(seed)
    step = max(1, AT_ONCE // weights.size)
    sizes = [min(step, draws - start) for start in range(0, draws, step)]
    drawn = np.concatenate([rng.standard_gamma(weights, (size, weights.size)) @ shares for size in sizes])
    tail = (1 - level) / 2
    ends = {
        name: (
            _quantile(function(drawn + low(rng.standard_exponential((draws, 2)))), tail, low=True),
            _quantile(function(drawn + high(rng.standard_exponential((draws, 2)))), 1 - tail, low=False),
        )
        for name, (function, low, high) in _READINGS.items()
    }
    found = {name: Estimate(_value(function, observed), *ends[name]) for name, (function, _, _) in _READINGS.items()}
    kept_rate = Estimate(float(retained.mean()), *map(float, clopper_pearson(retained.sum(), retained.size, level)))
    verdict = verdict_of(found["purity"], 0.5)
    return SoftAudit(records=grade.size, level=level, kept_rate=kept_rate, verdict=verdict, seed=seed, **found)


def _checked(quality: ArrayLike, kept: ArrayLike, level: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    grade, retained = graded("quality", quality), flags("kept", kept)
    if grade.shape != retained.shape or grade.size == 0:
        raise InputError(
            f"quality has {grade.size} records, kept {retained.size}; give one entry per record, at least one"
        )
    check_level(level)
    return grade, retained


Cells = NDArray[np.float64]
"""(..., 4): weight that is correct and kept, correct and dropped, wrong and kept, wrong and dropped."""


def _cells(grade: NDArray[np.float64], kept: NDArray[np.bool_]) -> tuple[NDArray[np.float64], Cells]:
    """Records as groups: their numbers (g,), and what one record of each group adds to the four cells (g, 4)."""
    place = grade if grade.size <= 2 * GRADES else np.round(grade * GRADES)
    _, group, number = np.unique(place + 2 * GRADES * kept, return_inverse=True, return_counts=True)
    mean = np.bincount(group, grade) / number
    retained = np.bincount(group, kept) / number
    shares = [mean * retained, mean * (1 - retained), (1 - mean) * retained, (1 - mean) * (1 - retained)]
    return number.astype(float), np.stack(shares, -1)


def _p(cells: Cells) -> Cells:
    return cells[..., 2:].sum(-1) / cells.sum(-1)


def _phi(cells: Cells) -> Cells:
    return cells[..., 0] / (cells[..., 0] + cells[..., 1])


def _psi(cells: Cells) -> Cells:
    return cells[..., 2] / (cells[..., 2] + cells[..., 3])


def _purity(cells: Cells) -> Cells:
    return cells[..., 0] / (cells[..., 0] + cells[..., 2])


def _p_star(cells: Cells) -> Cells:
    return _phi(cells) / (_phi(cells) + _psi(cells))


def _records(*cells: int) -> Callable[[Cells], Cells]:
    """Adds one record of random weight to each of the cells named."""

    def add(weight: Cells) -> Cells:
        more = np.zeros((len(weight), 4))
        for column, cell in enumerate(cells):
            more[:, cell] = weight[:, column]
        return more

    return add


RIGHT_KEPT, RIGHT_DROPPED, WRONG_KEPT, WRONG_DROPPED = range(4)
_READINGS = {
    "p": (_p, _records(RIGHT_KEPT), _records(WRONG_KEPT)),
    "phi": (_phi, _records(RIGHT_DROPPED), _records(RIGHT_KEPT)),
    "psi": (_psi, _records(WRONG_DROPPED), _records(WRONG_KEPT)),
    "purity": (_purity, _records(WRONG_KEPT), _records(RIGHT_KEPT)),
    "p_star": (_p_star, _records(RIGHT_DROPPED, WRONG_KEPT), _records(RIGHT_KEPT, WRONG_DROPPED)),
}
"""Each rate with the extra records that are worst for its low end and for its high end."""


def _value(function: Callable[[Cells], Cells], cells: Cells) -> float:
    with np.errstate(invalid="ignore"):
        return float(function(cells))


def _quantile(values: Cells, share: float, low: bool) -> float:
    """An order statistic; a value that is undefined counts as the far end, 0 or 1."""
    return float(np.quantile(np.nan_to_num(values, nan=0.0 if low else 1.0), share, method="inverted_cdf"))
