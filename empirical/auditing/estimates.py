"""Rates and the decision p < p* where four counts do not say all: by the bootstrap of `resample`."""

import math

import numpy as np

from empirical.auditing.design import Design
from empirical.auditing.rates import Counts, Decision, Estimate, Rates, records_needed, verdict_of
from empirical.auditing.resample import Resampled


def rates_by(found: Resampled, level: float) -> Rates:
    """The six rates with intervals at ``level``: p, phi, psi, kept rate, purity and p*."""
    p, phi, psi = (float(rate) for rate in found.observed_rates())
    kept, dropped, right, wrong = found.observed[0], found.observed[1], found.observed[2], found.observed[4]
    share = lambda part, whole: float(part / whole) if whole > 0 else math.nan
    unit = (0.0, 1.0)
    if found.whole:
        ends = [found.share(name, level) for name in ("kept_of_correct", "kept_of_wrong")]
    else:
        ends = [found.interval(lambda *rates, place=place: rates[place], level, unit) for place in (1, 2)]
    return Rates(
        p=Estimate(p, *found.ends(*found.errors, level, unit)),
        phi=Estimate(phi, *ends[0]),
        psi=Estimate(psi, *ends[1]),
        kept_rate=Estimate(share(kept, kept + dropped), *found.share("kept", level)),
        purity=Estimate(share(right, right + wrong), *found.share("correct_of_kept", level)),
        p_star=Estimate(share(phi, phi + psi), *found.p_star(level)),
    )


def decide_by(found: Resampled, design: Design, counts: Counts, level: float, threshold: float) -> Decision:
    """The verdict on purity > ``threshold``, as `empirical.auditing.rates.decide`, by the interval of the bootstrap.

    ``more`` counts judged records: as many as would be needed one by one, times the design effect of purity.
    """
    low, high = found.share("correct_of_kept", level)
    verdict = verdict_of(Estimate(math.nan, low, high), threshold)
    more = 0.0
    if verdict == "undecided":
        right, wrong = found.observed[2], found.observed[4]
        purity = float(right / (right + wrong)) if right + wrong > 0 else math.nan
        effect = design_effect(found, counts)
        more = records_needed(purity, counts.kept / counts.total, threshold, level) * (effect if effect > 1 else 1)
    return Decision(verdict, threshold, _p_value(found, threshold), math.ceil(more) if math.isfinite(more) else more)


def design_effect(found: Resampled, counts: Counts) -> float:
    """Of purity: how many times its variance is that of as many records drawn one by one; NaN where none is kept."""
    known = found.effective["correct_of_kept"].records
    return counts.kept / known if known else math.nan


def _p_value(found: Resampled, threshold: float) -> float:
    """Twice the smaller tail of the draws beyond the threshold, the worst further unit in it; 2/(draws + 1) or more."""
    least, largest = found.bounds_of("correct_of_kept")
    smaller = min(int(np.sum(~(least > threshold))), int(np.sum(~(largest < threshold))))
    return min(1.0, 2 * (smaller + 1) / (len(least) + 1))
