"""From records to units: invariances, the same intervals by linearised variances, coverage in groups, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t
from sklearn.metrics import recall_score
from statsmodels.stats.proportion import proportion_confint

import empirical
from empirical import audit
from empirical.auditing.binary import count
from empirical.auditing.design import MOST_UNITS, Design, Grouping, grouping, units
from empirical.auditing.estimates import rates_by
from empirical.auditing.rates import Rates, rates
from empirical.auditing.value import Worth
from tests.empirical.auditing.drawn import (
    LEVEL,
    audited,
    drawn_of,
    grouped,
    labels,
    of_counts,
    some_judged,
    too_few,
)

RATES = (0.3, 0.8, 0.3)


def values(found):
    """Every estimate of an audit with its ends."""
    estimates = [getattr(found, name) for name in Rates._fields] + [
        getattr(found.worth, name) for name in Worth._fields
    ]
    return np.array(estimates)


def records(size=240, seed=0, rates=RATES):
    judged, kept = labels(np.random.default_rng(seed), *rates, size)
    return judged == 2, kept


def test_equal_weights_are_none():
    correct, kept = records()
    assert audit(correct, kept, weight=np.full(240, 3.5)) == audit(correct, kept)


def test_all_judged_is_plain_however_it_is_written():
    correct, kept = records()
    assert audit(correct.astype(float), kept) == audit([*map(bool, correct)], kept) == audit(correct, kept)


def test_weights_may_be_scaled():
    correct, kept = records()
    weight = np.random.default_rng(1).exponential(size=240)
    one, other = audit(correct, kept, weight=weight), audit(correct, kept, weight=7 * weight)
    np.testing.assert_allclose(values(one), values(other), rtol=1e-9)


def test_a_weight_of_0_is_no_record():
    correct, kept = records()
    weight = np.where(np.arange(240) < 40, 0.0, 2.0)
    found = audit(correct, kept, weight=weight)
    assert found.p.value == pytest.approx(np.mean(~correct[40:]))
    assert found.p_star.value == pytest.approx(audit(correct[40:], kept[40:]).p_star.value)


@pytest.mark.parametrize("partly", [False, True])
def test_order_and_names_of_groups_do_not_matter(partly):
    rng = np.random.default_rng(4)
    judged, kept, by = grouped(rng, 30, 5, 0.4, RATES)
    if partly:
        judged = some_judged(rng, judged, 0.5)
    correct = np.where(judged == 0, np.nan, judged == 2)
    shuffled, names = rng.permutation(150), np.array([f"prompt {100 + i}" for i in range(30)])
    one = audit(correct, kept, group=by.group)
    other = audit(correct[shuffled], kept[shuffled], group=names[by.group][shuffled])
    np.testing.assert_allclose(values(one), values(other), rtol=1e-9)


def test_groups_of_one_record_are_plain_up_to_students_t():
    correct, kept = records(400)
    plain, single = audit(correct, kept), audit(correct, kept, group=np.arange(400))
    one, other = values(plain), values(single)
    np.testing.assert_allclose(one[:, 0], other[:, 0], rtol=1e-12)
    assert np.all(np.abs(other[:, 1:] - one[:, 1:]) < 0.06 * (one[:, 2:] - one[:, 1:2]))


def test_records_told_twice_count_once():
    """In groups of two alike the effective number is that of the groups, up to g/(g - 1), and the intervals are those
    of the file as it was, where without groups they are 1.4 times too short."""
    judged, kept = labels(np.random.default_rng(0), *RATES, 300)
    twice = np.repeat(judged, 2), np.repeat(kept, 2)
    found = drawn_of(*twice, Grouping(None, np.arange(600) // 2), draws=10_000)
    known = found.effective["wrong"]
    assert known.least == pytest.approx(300)
    assert known.records == pytest.approx(300, rel=0.004)
    width = lambda estimate: estimate.high - estimate.low
    once = rates(count(judged, kept), LEVEL)
    for name in ("p", "phi", "psi", "kept_rate", "purity", "p_star"):
        right, wrong = getattr(rates_by(found, LEVEL), name), getattr(rates(count(*twice), LEVEL), name)
        assert width(right) == pytest.approx(width(getattr(once, name)), rel=0.05)
        assert width(wrong) < 0.8 * width(right)


def test_more_units_than_are_drawn_are_put_together():
    judged, kept, by = grouped(np.random.default_rng(1), 4 * MOST_UNITS, 3, 0.5, RATES)
    made = units(judged, kept[:, None], by)
    assert (len(made.sums), made.count) == (MOST_UNITS, 4 * MOST_UNITS)
    assert (made.number @ made.sums[:, 0])[:2].sum() == judged.size
    found = drawn_of(judged, kept, by, draws=4000)
    share = found.observed_rates()[0]
    expected = np.sqrt(share * (1 - share) / found.effective["wrong"].records)
    assert found.draws()[0].std() == pytest.approx(expected, rel=0.1)


def linearised(numerator, denominator, level=LEVEL):
    """Ratio of the sums of groups with the interval by their cluster-robust variance and Student's t."""
    size = len(numerator)
    share = numerator.sum() / denominator.sum()
    variance = size / (size - 1) * np.sum((numerator - share * denominator) ** 2) / denominator.sum() ** 2
    reach = t.ppf((1 + level) / 2, size - 1) * np.sqrt(variance)
    return share - reach, share + reach


def test_intervals_in_groups_are_the_cluster_robust_ones_where_those_are_right():
    """150 groups of 12: ends of shares within 8 % of the width, to which the further unit adds 3 %."""
    judged, kept, by = grouped(np.random.default_rng(8), 150, 12, 0.3, (0.4, 0.6, 0.4))
    found = rates_by(drawn_of(judged, kept, by, draws=20_000), LEVEL)
    total = lambda some: np.bincount(by.group, some)
    wrong, correct = judged == 1, judged == 2
    for estimate, part, whole in (
        (found.p, wrong, wrong | correct),
        (found.phi, correct & kept, correct),
        (found.psi, wrong & kept, wrong),
        (found.kept_rate, kept, kept | ~kept),
        (found.purity, correct & kept, kept),
    ):
        low, high = linearised(total(part), total(whole))
        np.testing.assert_allclose(estimate[1:], (low, high), atol=0.08 * (high - low))
        assert estimate.high - estimate.low > 1.2 * np.ptp(rates(count(judged, kept), LEVEL).p[1:]) or whole is not kept


def test_partly_judged_rates_are_post_stratified():
    rng = np.random.default_rng(6)
    judged, kept = labels(rng, *RATES, 500)
    some = some_judged(rng, judged, 0.3)
    share = lambda kind, side: np.mean(some[(some > 0) & (kept == side)] == kind)
    kappa = kept.mean()
    p = kappa * share(1, True) + (1 - kappa) * share(1, False)
    found = audited(some, kept)
    assert found.p.value == pytest.approx(p)
    assert found.phi.value == pytest.approx(kappa * share(2, True) / (1 - p))
    assert found.psi.value == pytest.approx(kappa * share(1, True) / p)
    assert found.design == Design(500, int((some > 0).sum()))
    bare = audited(some[some > 0], kept[some > 0])
    assert found.p.high - found.p.low < 0.97 * (bare.p.high - bare.p.low)  # what is kept is known of all


def test_a_plain_file_agrees_with_scikit_learn_and_statsmodels():
    correct, kept = records(300, 3)
    found = audit(correct, kept)
    assert found.phi.value == recall_score(correct, kept)  # sensitivity
    assert 1 - found.psi.value == pytest.approx(recall_score(~correct, ~kept))  # specificity
    for estimate, part, whole in (
        (found.p, ~correct, np.ones(300)),
        (found.phi, correct & kept, correct),
        (found.psi, ~correct & kept, ~correct),
        (found.purity, correct & kept, kept),
        (found.kept_rate, kept, np.ones(300)),
    ):
        exact = proportion_confint(part.sum(), whole.sum(), 1 - LEVEL, method="beta")
        np.testing.assert_allclose(estimate[1:], exact, rtol=1e-10)


@pytest.mark.statistical
@pytest.mark.parametrize(("groups", "rates"), [(20, RATES), (20, (0.1, 0.95, 0.05)), (75, (0.6, 0.5, 0.1))])
def test_intervals_hold_in_groups(groups, rates, fresh_seed):
    """300 files of groups of 6, intraclass correlation .7: at least 95 % each, refused wrongly at 1e-6 for each of six.
    The twin that ignores the groups holds p in at most 75 % and is always refused (its chance to pass: 1e-7)."""
    rng = np.random.default_rng(fresh_seed)
    hits, twin = np.zeros(3), 0
    p, phi, psi = rates
    purity = (1 - p) * phi / ((1 - p) * phi + p * psi)
    for seed in range(300):
        judged, kept, by = grouped(rng, groups, 6, 0.7, rates)
        found = rates_by(drawn_of(judged, kept, by, draws=199, seed=seed), LEVEL)
        pairs = zip((found.p, found.purity, found.p_star), (p, purity, phi / (phi + psi)), strict=True)
        hits += [estimate.low <= true <= estimate.high for estimate, true in pairs]
        naive = rates_naive(judged)
        twin += naive[0] <= p <= naive[1]
    assert not any(too_few(hit, 300) for hit in hits), hits
    assert too_few(twin, 300)


def rates_naive(judged):
    return proportion_confint(np.sum(judged == 1), judged.size, 1 - LEVEL, method="beta")


@st.composite
def odd_files(draw):
    """A few records of any design."""
    size = draw(st.integers(1, 12))
    vector = lambda entries: np.array(draw(st.lists(entries, min_size=size, max_size=size)))
    judged = vector(st.sampled_from([0, 1, 2])).astype(np.int8)
    judged[0] = draw(st.sampled_from([1, 2]))
    weight = draw(st.none() | st.just(1)) and vector(st.sampled_from([0.0, 0.5, 1.0, 100.0]))
    group = draw(st.none() | st.just(1)) and vector(st.integers(0, 3))
    if weight is not None and not weight.any():
        weight = None
    return judged, vector(st.booleans()), grouping(weight, group, size)


@settings(max_examples=30)
@given(odd_files())
def test_at_the_edges_intervals_hold_their_value_and_are_rates(found):
    """Nothing kept, all wrong, one group, weights of 0: no warning, ends in range, the value between them."""
    shown = audited(*found, draws=199)
    estimates = values(shown)
    assert not np.isnan(estimates[:, 1:]).any()
    assert np.all((estimates[:-1, 1:] >= 0) & (estimates[:-1, 1:] <= 1))
    assert np.all(np.abs(estimates[-1, 1:]) <= 1)  # the gain
    value, low, high = estimates.T
    assert np.all(np.isnan(value) | ((low <= value + 1e-9) & (value <= high + 1e-9)))
    assert repr(shown)


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"weight": [1.0] * 3}, "weight has 3 entries for 4 records"),
        ({"weight": [1.0, -1, 1, 1]}, "weight: -1 is the least"),
        ({"weight": [0.0] * 4}, "some are more"),
        ({"weight": [1.0, np.nan, 1, 1]}, "weight: record 2 is nan"),
        ({"group": ["a", None, "b", "b"]}, "group: record 2 is None"),
        ({"group": ["a", "b"]}, "group has 2 entries for 4 records"),
    ],
)
def test_designs_that_are_none_are_refused(given_, words):
    with pytest.raises(ValueError, match=words):
        empirical.audit([1, 0, 1, 1], [1, 0, 0, 1], **given_)


def test_nothing_judged_is_refused():
    with pytest.raises(ValueError, match="judge some of them"):
        audit([np.nan, np.nan], [1, 0])


def test_a_table_of_counts_is_drawn_as_its_records():
    assert drawn_of(*of_counts((3, 1, 2, 4))).observed.tolist() == [5, 5, 3, 1, 2, 4]


def test_one_group_says_less_than_two():
    """Its records agree with its mean, as any number does; 200 single records are the twin."""
    correct, kept = np.tile([1, 1, 1, 0], 50), np.tile([1, 1, 0, 0, 1], 40)
    one = audit(correct, kept, group=np.zeros(200, int))
    for rate in (one.p, one.purity, one.kept_rate):
        assert rate.low < 0.05
        assert rate.high > 0.95
    assert audit(correct, kept, group=np.arange(200)).purity.low > 0.05


@pytest.mark.parametrize("seed", [-1, 1.5])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match=f"seed = {seed} must be a whole number of 0 or more"):
        audit([1, 0], [1, 0], seed=seed)
