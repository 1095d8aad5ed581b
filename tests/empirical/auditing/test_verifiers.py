"""Several verifiers: what is made of them by hand, paired differences, who is best, refusals."""

import numpy as np
import pytest
from scipy.stats import norm

from empirical import audit
from empirical.auditing.design import units
from empirical.auditing.resample import resample
from empirical.auditing.value import worth_of
from empirical.auditing.verifiers import AND, MAJORITY, OR, audit_verifiers, judging_follows, paired
from tests.empirical.auditing.drawn import ALONE, LEVEL, labels, too_few

RATES = (0.3, 0.8, 0.3)


def three(size=400, seed=0):
    """Correct, and three verifiers of falling quality."""
    rng = np.random.default_rng(seed)
    judged, first = labels(rng, *RATES, size)
    correct = judged == 2
    second = rng.random(size) < np.where(correct, 0.7, 0.4)
    third = rng.random(size) < np.where(correct, 0.6, 0.5)
    return correct, {"first": first, "second": second, "third": third}


def test_and_or_and_majority_by_hand():
    correct, kept = three()
    found = audit_verifiers(correct, kept)
    a, b, c = kept.values()
    made = {AND: a & b & c, OR: a | b | c, MAJORITY: (a & b) | (a & c) | (b & c)}
    assert list(found.audits) == [*kept, *made]
    for name, column in (kept | made).items():
        one = audit(correct, column)
        assert found.audits[name].counts == one.counts
        assert found.audits[name].worth.verified == one.worth.verified
        assert found.audits[name].p_star == one.p_star
    assert MAJORITY not in audit_verifiers(correct, {"first": a, "second": b}).audits
    assert found.best == "first"


def test_differences_are_of_every_pair_and_of_what_is_made_less_the_best():
    correct, kept = three()
    found = audit_verifiers(correct, kept)
    pairs = [(difference.first, difference.second) for difference in found.differences]
    assert pairs[:3] == [("first", "second"), ("first", "third"), ("second", "third")]
    assert pairs[3:] == [(AND, "first"), (OR, "first"), (MAJORITY, "first")]
    for difference in found.differences:
        one, other = found.audits[difference.first], found.audits[difference.second]
        assert difference.worth.value == pytest.approx(one.worth.verified.value - other.worth.verified.value)
        assert difference.purity.value == pytest.approx(one.purity.value - other.purity.value)
        for estimate in (difference.worth, difference.p_star, difference.purity):
            assert estimate.low <= estimate.value <= estimate.high


def test_the_same_verifier_twice_differs_by_nothing():
    correct, kept = three()
    found = audit_verifiers(correct, {"one": kept["first"], "other": kept["first"]})
    [difference] = found.differences[:1]
    for estimate in (difference.worth, difference.p_star, difference.purity):
        assert estimate.value == 0
        assert estimate.low < 0 < estimate.high
    assert not found.decided


def test_a_verifier_that_is_far_better_is_said_to_be():
    rng = np.random.default_rng(1)
    judged, good = labels(rng, 0.3, 0.95, 0.05, 1500)
    poor = rng.random(1500) < np.where(judged == 2, 0.3, 0.9)
    found = audit_verifiers(judged == 2, {"poor": poor, "good": good})
    assert (found.best, found.decided) == ("good", True)
    assert found.differences[0].worth.high < 0


def test_exchanging_two_verifiers_turns_the_difference_over():
    correct, kept = three()
    rng = np.random.default_rng(0)
    by = {"group": np.arange(400) // 4, "weight": rng.exponential(size=400)}
    pair = {name: kept[name] for name in ("first", "second")}
    one = audit_verifiers(correct, pair, **by).differences[0]
    other = audit_verifiers(correct, dict(reversed(pair.items())), **by).differences[0]
    for name in ("worth", "p_star", "purity"):
        value, low, high = getattr(other, name)
        np.testing.assert_allclose(getattr(one, name), (-value, -high, -low), atol=0.002)


def test_partly_judged_records_compare_too():
    correct, kept = three(1000)
    some = np.where(np.arange(1000) % 4 == 0, correct, np.nan)
    found = audit_verifiers(some, kept)
    assert found.audits["first"].design.judged == 250
    np.testing.assert_allclose(found.audits["second"].p, audit(some, kept["second"]).p, atol=0.01)


@pytest.mark.statistical
def test_differences_of_opposed_verifiers_hold(fresh_seed):
    """1,000 files, 2 % of verdicts agree: at least 95 %, refused wrongly at 1e-6. Intervals as if the two had seen
    different records hold p*'s in 84 % and are always refused (chance to pass below 1e-8)."""
    rng = np.random.default_rng(fresh_seed)
    p, phi, psi = 0.4, 0.5, 0.5
    star = lambda p, phi, psi: phi / (phi + psi)
    hits = twin = 0
    for seed in range(1000):
        judged, kept = labels(rng, p, phi, psi, 200)
        other = kept ^ (rng.random(200) < 0.98)
        found = resample(units(judged, np.column_stack([kept, other]), ALONE), True, 199, seed)
        low, high = paired(*found, star, LEVEL)
        hits += low <= 0 <= high
        stars = [one.draws() for one in found]
        reach = norm.isf(0.025) * np.hypot(*(star(*rates).std() for rates in stars))
        value = star(*found[0].observed_rates()) - star(*found[1].observed_rates())
        twin += abs(value) <= reach
    assert not too_few(hits, 1000)
    assert too_few(twin, 1000)


def test_pairing_shortens_what_agrees():
    """Verifiers that differ in 3 % of verdicts: less than half as wide as their two intervals together."""
    rng = np.random.default_rng(3)
    judged, kept = labels(rng, *RATES, 3000)
    other = kept ^ (rng.random(3000) < 0.03)
    one, two = resample(units(judged, np.column_stack([kept, other]), ALONE), True, 2000)
    low, high = paired(one, two, worth_of(), LEVEL)
    apart = np.hypot(*(np.ptp(each.interval(worth_of(), LEVEL)) for each in (one, two)))
    assert high - low < 0.5 * apart


def test_refusals():
    correct, kept = three(10)
    with pytest.raises(ValueError, match="kept has 1 verifiers; give 2 to 12"):
        audit_verifiers(correct, {"one": kept["first"]})
    with pytest.raises(ValueError, match="kept has 13 verifiers"):
        audit_verifiers(correct, {str(place): kept["first"] for place in range(13)})
    with pytest.raises(ValueError, match="second has 9 records, correct 10"):
        audit_verifiers(correct, {"first": kept["first"], "second": kept["second"][:9]})
    with pytest.raises(ValueError, match="level"):
        audit_verifiers(correct, kept, level=1.0)


def test_judging_that_follows_another_verifier_is_seen():
    """By that verifier: judged where it keeps; not where judging is chance, nor where all is judged."""
    rng = np.random.default_rng(1)
    given = {"first": rng.random(800) < 0.6, "other": rng.random(800) < 0.5}
    judged = rng.integers(1, 3, 800).astype(np.int8)
    assert judging_follows(judged, given) is None
    assert judging_follows(np.where(rng.random(800) < 0.3, judged, 0).astype(np.int8), given) is None
    follows = np.where(rng.random(800) < np.where(given["other"], 0.6, 0.1), judged, 0).astype(np.int8)
    assert judging_follows(follows, given) == ("first", "other")
