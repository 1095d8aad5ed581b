"""p, phi, psi, kept rate, purity and p* of counted records, each with its interval, and the decision p < p*."""

import math
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.special import ndtri

from sims.running.intervals import binomial_p_value, clopper_pearson, melded_p_star
from theory.display import inline, interval, record

POWER = 0.8
Verdict = Literal["below", "above", "undecided"]


class Counts(NamedTuple):
    """Records by what the generator did (correct, wrong) and what the verifier did; integers, or arrays of them."""

    correct_kept: Any
    correct_dropped: Any
    wrong_kept: Any
    wrong_dropped: Any

    def __repr__(self) -> str:
        """All in one line."""
        return inline(self)

    @property
    def correct(self) -> Any:
        """Records with a correct label."""
        return self.correct_kept + self.correct_dropped

    @property
    def wrong(self) -> Any:
        """Records with a wrong label."""
        return self.wrong_kept + self.wrong_dropped

    @property
    def kept(self) -> Any:
        """Records that the verifier keeps."""
        return self.correct_kept + self.wrong_kept

    @property
    def total(self) -> Any:
        """All records."""
        return self.correct + self.wrong


class Estimate(NamedTuple):
    """A value with its interval; NaN where the records leave it undefined. Floats, or arrays."""

    value: Any
    low: Any
    high: Any

    def __repr__(self) -> str:
        """As 0.3 [0.21, 0.41]."""
        return interval(self)


class Rates(NamedTuple):
    """What `rates` returns; symbols as in THEORY §1, p the error rate."""

    p: Estimate
    phi: Estimate
    psi: Estimate
    kept_rate: Estimate
    purity: Estimate
    p_star: Estimate

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)


class Decision(NamedTuple):
    """Whether p < p*, decided by purity > ``threshold`` (1/2, or 1/K): the two are equivalent, purity is one count."""

    verdict: Verdict
    """"below": p < p*, the verifier is good enough; "above": it is not; "undecided": purity's interval allows both."""
    threshold: float
    p_value: float
    """Two-sided, of purity = threshold; 1 where nothing is kept."""
    more: float
    """Further judged records, as they were drawn here, that would settle it with a power of 80 %; 0 where it is
    settled, NaN where nobody can say."""

    def __repr__(self) -> str:
        """All in one line."""
        return inline(self)


def rates(counts: Counts, level: float) -> Rates:
    """Estimates with intervals at ``level`` from counts; arrays of counts give arrays.

        p = wrong/all,  phi = kept/all among the correct,  psi = kept/all among the wrong,  p* = phi/(phi + psi)

    Clopper-Pearson for the proportions, `melded_p_star` for p*. Intervals hold for one quantity at a time.
    """
    p_star = melded_p_star(counts.correct_kept, counts.correct, counts.wrong_kept, counts.wrong, level)
    phi, psi = _share(counts.correct_kept, counts.correct), _share(counts.wrong_kept, counts.wrong)
    return Rates(
        p=_proportion(counts.wrong, counts.total, level),
        phi=_proportion(counts.correct_kept, counts.correct, level),
        psi=_proportion(counts.wrong_kept, counts.wrong, level),
        kept_rate=_proportion(counts.kept, counts.total, level),
        purity=_proportion(counts.correct_kept, counts.kept, level),
        p_star=Estimate(_share(phi, phi + psi), *p_star),
    )


def decide(counts: Counts, level: float, threshold: float = 0.5) -> Decision:
    """The verdict at ``level`` on purity > ``threshold`` from scalar counts; agrees with the interval of purity."""
    low, high = clopper_pearson(counts.correct_kept, counts.kept, level)
    verdict = verdict_of(Estimate(math.nan, low, high), threshold)
    p_value = float(binomial_p_value(counts.correct_kept, counts.kept, threshold))
    purity, kept_rate = _share(counts.correct_kept, counts.kept), _share(counts.kept, counts.total)
    more = 0.0 if verdict != "undecided" else records_needed(float(purity), float(kept_rate), threshold, level)
    return Decision(verdict, threshold, p_value, more)


def verdict_of(purity: Estimate, threshold: float) -> Verdict:
    """What an interval of purity says about purity > ``threshold``."""
    if purity.low > threshold:
        return "below"
    return "above" if purity.high < threshold else "undecided"


def records_needed(purity: float, kept_rate: float, threshold: float, level: float, power: float = POWER) -> float:
    """Fresh records, decided on alone, that settle purity > threshold with ``power`` if the rates are as given.

    The kept among them follow from the normal approximation of the binomial test with continuity correction (they are
    right to a few records); NaN where purity is the threshold or unknown.
    """
    gap = abs(purity - threshold)
    if not gap > 0 or not kept_rate > 0:  # NaN is not > 0 either
        return math.nan
    spread = lambda share: math.sqrt(share * (1 - share))
    plain = ((ndtri((1 + level) / 2) * spread(threshold) + ndtri(power) * spread(purity)) / gap) ** 2
    kept = plain / 4 * (1 + math.sqrt(1 + 2 / (plain * gap))) ** 2
    return float(math.ceil(math.ceil(kept) / kept_rate))


def _proportion(count: Any, total: Any, level: float) -> Estimate:
    return Estimate(_share(count, total), *clopper_pearson(count, total, level))


def _share(part: Any, whole: Any) -> Any:
    """part/whole, NaN where whole is 0 or NaN."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(part, float) / np.asarray(whole, float)
