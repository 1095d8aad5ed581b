"""How often a forecast holds what comes: of errors that are spread, and of errors that were learned, simulated."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import binom

from empirical.forecasting.judge import Judge
from empirical.forecasting.pilot import pilot
from empirical.forecasting.setup import setup
from sims.trial import make_trials
from tests.empirical.forecasting.truths import CURVES, RATES, covered, drawn_evidence
from theory.types import Learned, Problem, Rates
from theory.worth import worth

NOMINAL = 0.94
"""What intervals of 95 % must cover at least."""


def rejects_coverage(hits, false_fail=1e-6):
    """Whether independent forecasts reject a coverage of NOMINAL or more."""
    return binom.cdf(np.sum(hits), len(hits), NOMINAL) < false_fail


CASES = (
    # curve, rates, n W, and how pilot and audit are made
    ("theory", RATES, 800, {}),
    ("power", RATES, 3000, {"runs": 3}),
    ("two powers", RATES, 60, {}),
    ("exponential", RATES, 1600, {"runs": 2}),
    ("plateau", RATES, 250, {"sizes": (100, 200, 400, 800, 1600)}),
    ("ten classes", RATES, 5000, {"classes": 10}),
    ("theory", Rates(0.3, 0.9, 0.0), 800, {"total": 60}),
    ("power", Rates(0.3, 1.0, 0.02), 200, {"total": 60}),
    ("theory", Rates(0.02, 0.9, 0.3), 400, {"total": 100}),
    ("two powers", Rates(0.45, 0.9, 0.6), 400, {"total": 2000}),
)


def cover(rng, cases, draws, **more):
    """Whether each of ``draws`` forecasts of every case holds the truth."""
    hits = []
    for name, rates, target, options in cases:
        n = target / float(worth(rates, options.get("classes", 2)))
        hits += [covered(rng, CURVES[name], rates, n, **options, **more)[0] for _ in range(draws)]
    return hits


@pytest.mark.statistical
def test_intervals_cover(fresh_seed):
    """False failures 1e-6: 100 forecasts over curves, few runs, corners of the rates, in and beyond the pilot."""
    assert not rejects_coverage(cover(np.random.default_rng(fresh_seed), CASES, 10))


@pytest.mark.statistical
@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=[f"{name} {target}" for name, _, target, _ in CASES])
def test_intervals_cover_in_each_case(fresh_seed, case):
    """The same with 1,000 forecasts of every case; false failures 1e-6 each."""
    assert not rejects_coverage(cover(np.random.default_rng(fresh_seed), [case], 1000))


@pytest.mark.statistical
def test_rates_as_counted_do_not_cover(fresh_seed):
    """The twin: a good pilot and 60 judged records, whose uncertainty is left out; it covers .58, and of 160 forecasts
    the 133 that would pass with probability 1e-11."""
    rng, few = np.random.default_rng(fresh_seed), [("power", RATES, 200, {"total": 60, "sd": 0.002})]
    assert rejects_coverage(cover(rng, few, 160, plug_in=True))


# --- learned errors, simulated ---

D, SIGNAL, RIDGE, P, PSI, N = 50, 1.0, 0.1, 0.25, 0.2, 1600
FORECASTS = 25


def accuracies(seed, cell, count, n, curation, ridge):
    words = np.stack([np.full(count, n), np.full(count, cell), np.arange(count)], axis=1).astype(np.uint32)
    problem = jax.tree.map(lambda field: jnp.full(count, float(field)), Problem(SIGNAL, curation, ridge))
    return np.asarray(make_trials(n, D, "squared")(jnp.asarray(seed), words, problem).accuracy)


def simulated(seed, curation, ridge, errors, given_run=True):
    """Forecasts of students whose labels come from ``curation(psi)``; whether each holds the mean student."""
    rng, sizes = np.random.default_rng(seed), (50, 200, 800)
    clean = [accuracies(seed, 0, 100, n, Rates(0.0, 1.0, 1.0), ridge) for n in sizes]
    unverified = accuracies(seed, 1, 100, N, curation(1.0), ridge)
    truth = np.mean([accuracies(seed, cell, 100, N, curation(PSI), ridge) for cell in (2, 3)])
    hits, shares = [], []
    for _ in range(FORECASTS):
        drawn = [rng.choice(part, 4, replace=False) for part in clean]
        given = pilot({"n": np.repeat(sizes, 4), "accuracy": np.concatenate(drawn)})
        run = (N, float(rng.choice(unverified))) if given_run else None
        made = setup(given, 2, "tuned", errors, run, int(rng.integers(2**31)))
        judge = Judge(drawn_evidence(rng, Rates(P, 1.0, PSI), 1000), 0.95, made.readings)
        found = judge.measure(lambda reading, *at: reading.student(N, *at))
        hits.append(found.low <= truth <= found.high)
        if run:
            shares.append(judge.measure(lambda reading, p, phi, psi, which: reading.share_of_run(p, which), ("still",)))
    return hits, shares


def learned(psi):
    return Learned(float(ndtri(1 - P)) / SIGNAL, 1.0, psi)


def spread(psi):
    return Rates(P, 1.0, psi)


@pytest.mark.statistical
def test_learned_errors_lie_between_the_ends_of_the_run(fresh_seed):
    """A generator's errors, a fixed small penalty. And the run tells: it was worth far less than the law says."""
    hits, shares = simulated(fresh_seed, learned, RIDGE, "learned")
    assert not rejects_coverage(hits)
    assert np.mean([share.most for share in shares]) < 0.75


@pytest.mark.statistical
def test_without_a_run_learned_errors_lie_between_generator_and_law(fresh_seed):
    assert not rejects_coverage(simulated(fresh_seed, learned, RIDGE, "learned", given_run=False)[0])


@pytest.mark.statistical
def test_learned_errors_are_not_as_the_law_says(fresh_seed):
    """The twin: taken as spread, nearly no forecast holds the student of learned errors."""
    assert rejects_coverage(simulated(fresh_seed, learned, RIDGE, "spread", given_run=False)[0])


@pytest.mark.statistical
def test_spread_errors_lie_there_too_and_the_run_says_so(fresh_seed):
    """At the best penalty, which is the strongest, the law holds, and a run is worth about what it says."""
    hits, shares = simulated(fresh_seed, spread, 1e3, "learned")
    assert not rejects_coverage(hits)
    assert not rejects_coverage([share.low <= 1 <= share.high for share in shares])
