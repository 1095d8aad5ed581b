"""The bootstrap of units: laws of its ends by closed form, limits, undefined shares, and what JSON keeps."""

import json

import numpy as np
import pytest
from scipy.stats import beta, kstest, t

from empirical.auditing.design import UNJUDGED, Grouping, units
from empirical.auditing.estimates import rates_by
from empirical.auditing.resample import SHARES, Units, effective, from_json, gamma_sums, rates_of, resample
from sims.running.intervals import melded_p_star
from tests.empirical.auditing.drawn import LEVEL, drawn_of, is_share, labels, of_counts, some_judged

COUNTS = (14, 3, 2, 6)
MANY = 40_000


@pytest.mark.statistical
@pytest.mark.parametrize(("name", "counted", "rest"), [("wrong", 8, 17), ("correct_of_kept", 14, 2), ("kept", 16, 9)])
def test_ends_of_a_plain_share_have_the_laws_of_clopper_and_pearson(name, counted, rest, fresh_seed):
    """Kolmogorov's test at 5e-7 for each end. The twin, without the further unit, is refused for certain: its distance
    from the law is above .05 where .014 is enough, 15 standard deviations less."""
    found = drawn_of(*of_counts(COUNTS), draws=MANY, seed=fresh_seed)
    least, largest = found.bounds_of(name)
    assert kstest(least, beta(counted, rest + 1).cdf).pvalue > 5e-7
    assert kstest(largest, beta(counted + 1, rest).cdf).pvalue > 5e-7
    assert kstest(least, beta(counted, rest).cdf).pvalue < 1e-6


@pytest.mark.statistical
@pytest.mark.parametrize("counts", [COUNTS, (300, 40, 3, 60), (5, 5, 0, 40)])
def test_ends_of_p_star_are_the_melded_ones(counts, fresh_seed):
    """Within .01, five and a half standard errors of the quantile or more (1e-7); the plain bootstrap has another share
    beyond the low end, which a binomial test at 1e-6 refuses for certain."""
    found = drawn_of(*of_counts(counts), draws=MANY, seed=fresh_seed)
    exact = melded_p_star(counts[0], sum(counts[:2]), counts[2], sum(counts[2:]), LEVEL)
    np.testing.assert_allclose(found.p_star(LEVEL), exact, atol=0.01)
    low, _ = exact
    p, phi, psi = found.draws()
    assert not is_share(int(np.sum(phi / (phi + psi) < low)), MANY, 0.025)


def test_units_may_be_counted_instead_of_repeated():
    sums = np.random.default_rng(0).integers(0, 4, (5, 1, 6)).astype(float)
    number = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
    repeated = np.repeat(sums, number.astype(int), axis=0)
    ones = np.ones(len(repeated))
    known, other = effective(sums[:, 0], number, number), effective(repeated[:, 0], ones, ones)
    for name in SHARES:
        assert (known[name].records, known[name].least) == pytest.approx((other[name].records, other[name].least))


@pytest.mark.statistical
def test_draws_of_counted_and_of_repeated_units_have_one_law(fresh_seed):
    """Two samples by Kolmogorov and Smirnov at 1e-6; the twin has twice as many units, which is refused for certain."""
    flat, number = np.eye(2), np.array([12.0, 5.0])
    share = lambda sums: sums[:, 0] / sums.sum(-1)
    rng = np.random.default_rng(fresh_seed)
    one = share(gamma_sums(flat, number, True, 20_000, rng))
    repeated = np.repeat(flat, number.astype(int), axis=0)
    assert kstest(one, share(gamma_sums(repeated, np.ones(17), True, 20_000, rng))).pvalue > 1e-6
    assert kstest(one, share(gamma_sums(flat, 2 * number, True, 20_000, rng))).pvalue < 1e-6


def test_few_groups_draw_students_t():
    """The plain draws of a mean of 12 units have the quantiles of t with 11 degrees of freedom, within 6 %; the normal
    law's are 12 % shorter."""
    kept = np.array([3, 5, 4, 6, 2, 5, 4, 7, 3, 4, 6, 5.0])
    sums = np.zeros((12, 1, 6))
    sums[:, 0, 0], sums[:, 0, 1] = kept, 10 - kept
    [found] = resample(Units(sums, np.ones(12), (effective(sums[:, 0], np.ones(12), np.ones(12)),), 12, False), False)
    reach = t.ppf(0.975, 11) * kept.std(ddof=1) / np.sqrt(12) / 10
    low, high = np.quantile(found._share("kept"), [0.025, 0.975])
    assert high - low == pytest.approx(2 * reach, rel=0.06)


def test_one_further_unit_for_p_lies_between_none_and_three():
    rng = np.random.default_rng(3)
    judged, kept = labels(rng, 0.2, 0.8, 0.3, 300)
    found = drawn_of(some_judged(rng, judged, 0.3), kept)
    plain = np.quantile(found.draws()[0], [0.025, 0.975])
    one = found.ends(*found.errors, LEVEL)
    three = found.interval(lambda p, phi, psi: p, LEVEL)
    assert three[0] < one[0] < plain[0]
    assert plain[1] < one[1] < three[1]
    whole = drawn_of(judged, kept)
    np.testing.assert_array_equal(whole.errors, whole.bounds_of("wrong"))


def test_what_nobody_judged_may_be_all_wrong_or_all_right():
    """Of 100 records 60 are kept, of which 20 of 20 judged are correct; of what is dropped nothing is judged."""
    kept = np.arange(100) < 60
    judged = np.where(np.arange(100) < 20, 2, UNJUDGED).astype(np.int8)
    found = rates_by(drawn_of(judged, kept, draws=10_000), LEVEL)
    assert np.isnan(found.p.value)
    assert found.p.low == 0
    assert 0.4 < found.p.high < 0.7
    assert found.phi.low > 0.4
    assert found.phi.high == 1
    assert (found.psi.low, found.psi.high) == (0, 1)


def test_rates_of_shares_by_hand():
    p, phi, psi = rates_of(0.6, 0.9, 0.25)
    assert p == pytest.approx(0.6 * 0.1 + 0.4 * 0.75)
    assert phi == pytest.approx(0.54 / (0.54 + 0.1))
    assert psi == pytest.approx(0.06 / 0.36)
    assert rates_of(1.0, 0.9, np.nan)[0] == pytest.approx(0.1)  # of what is dropped there is nothing
    assert np.isnan(rates_of(0.5, 0.9, np.nan)[0])


def test_draws_that_went_through_json_give_the_same_intervals():
    rng = np.random.default_rng(5)
    judged, kept = labels(rng, 0.2, 0.8, 0.3, 300)
    by = Grouping(None, np.arange(300) // 4)
    found = drawn_of(some_judged(rng, judged, 0.5), kept, by, draws=900)
    again = from_json(json.loads(json.dumps(found.as_json())), seed=1)
    assert again.effective == found.effective
    np.testing.assert_array_equal(again.observed_rates(), found.observed_rates())
    np.testing.assert_allclose(again.sums, found.sums, atol=6e-4)
    ends = lambda which: np.array([estimate[1:] for estimate in rates_by(which, LEVEL)])
    np.testing.assert_allclose(ends(again), ends(found), atol=0.02)
    assert len(from_json(found.as_json(100)).sums) == 100
    with pytest.raises(KeyError):
        from_json({"sums": []})


def test_verifiers_are_paired():
    """The same verifier twice, with others between: the same draws."""
    rng = np.random.default_rng(2)
    judged, kept = labels(rng, 0.3, 0.8, 0.3, 200)
    by = Grouping(None, np.arange(200) // 5)
    first, _, other = resample(units(judged, np.column_stack([kept, ~kept, kept]), by), True, 300)
    np.testing.assert_allclose(first.sums, other.sums, rtol=1e-12)
    assert first.effective == other.effective
