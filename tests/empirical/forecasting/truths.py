"""Learners whose curve is known, pilots and audits drawn of them, and how often a forecast holds what will come."""

import numpy as np
from scipy.special import ndtr

from empirical.auditing.binary import audit_counts
from empirical.auditing.design import CORRECT, WRONG, Grouping, units
from empirical.auditing.rates import Counts
from empirical.auditing.resample import resample
from empirical.forecasting import DRAWS
from empirical.forecasting.evidence import audited, evidence
from empirical.forecasting.judge import Judge
from empirical.forecasting.pilot import pilot
from empirical.forecasting.setup import setup
from theory.classes.accuracy import symmetric_accuracy
from theory.types import Rates
from theory.worth import worth

CURVES = {
    "theory": lambda n: ndtr(4 / np.sqrt(4 + 60 / n)),
    "power": lambda n: 0.94 - 0.24 * ((n + 30) / 130) ** -0.45,
    "two powers": lambda n: 0.97 - 0.12 * ((n + 60) / 160) ** -0.9 - 0.12 * ((n + 60) / 160) ** -0.2,
    "exponential": lambda n: 0.93 - 0.2 * np.exp(-((n / 500) ** 0.5)),
    "plateau": lambda n: 0.9 - 0.1 * np.exp(-n / 100),
    "ten classes": lambda n: symmetric_accuracy(9 / np.sqrt(9 + 800 / n), 10),
}
"""Accuracy by the number of clean samples."""


def drawn_pilot(rng, curve, sizes, runs, sd):
    """Runs of a learner, noisier at small sizes as real ones are."""
    n = np.repeat(sizes, runs)
    noise = sd * np.sqrt(sizes[0] / n) * rng.normal(size=n.size)
    return pilot({"n": n, "accuracy": np.clip(curve(n) + noise, 0, 1)})


def drawn_counts(rng, rates, total):
    """Of an audit with at least one correct and one wrong record."""
    wrong = np.clip(rng.binomial(total, rates.p), 1, total - 1)
    kept, passed = rng.binomial(total - wrong, rates.phi), rng.binomial(wrong, rates.psi)
    return Counts(kept, total - wrong - kept, passed, wrong - passed)


def drawn_audit(rng, rates, total):
    return audit_counts(drawn_counts(rng, rates, total))


def drawn_evidence(rng, rates, total):
    """The same without what an audit makes of it beside its draws, which takes longer than a forecast."""
    counts = drawn_counts(rng, rates, total)
    judged = np.repeat(np.array([CORRECT, CORRECT, WRONG, WRONG], np.int8), counts)
    kept = np.repeat(np.array([True, False, True, False]), counts)
    [found] = resample(units(judged, kept[:, None], Grouping(None, None)), True, DRAWS, int(rng.integers(2**31)))
    return audited(dict(zip(Rates._fields, map(float, found.observed_rates()), strict=True)), found, None, "")


def covered(rng, curve, rates, n, *, classes=2, sizes=(100, 400, 1600), runs=4, sd=0.02, total=300, plug_in=False):
    """Whether one forecast of a student's accuracy holds it; ``plug_in``: rates as counted, without their error."""
    given = drawn_pilot(rng, curve, np.asarray(sizes), runs, sd)
    known = drawn_evidence(rng, rates, total)
    if plug_in:
        known = evidence(known.rates)
    made = setup(given, classes, "tuned", "spread", None, int(rng.integers(2**31)))
    found = Judge(known, 0.95, made.readings).measure(lambda reading, *at: reading.student(n, *at))
    truth = curve(n * worth(rates, classes))
    return bool(found.low <= truth <= found.high), found.high - found.low


RATES = Rates(0.3, 0.9, 0.3)
