"""Worth and the decision: two roads to its interval, where it is 0, verdicts by construction, how many more."""

import numpy as np
import pytest
from scipy.stats import norm

from empirical import Counts, audit_counts
from empirical.auditing.design import Grouping
from empirical.auditing.rates import decide
from empirical.auditing.value import exact_worth, gain_of, scaled, unverified_worth, worth_of
from tests.empirical.auditing.drawn import LEVEL, audited, drawn_of, grouped, labels, of_counts, some_judged
from theory.types import Rates
from theory.worth import worth

MANY = 40_000


def expected(p, phi, psi, total):
    """Counts as they are to be expected."""
    return Counts(*(round(total * share) for share in ((1 - p) * phi, (1 - p) * (1 - phi), p * psi, p * (1 - psi))))


@pytest.mark.statistical
@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize(("counts", "few"), [((14, 3, 2, 6), True), ((20, 10, 0, 5), True), ((300, 40, 3, 60), False)])
def test_the_exact_interval_of_worth_is_that_of_the_bootstrap(counts, few, classes, fresh_seed):
    """Ends within .024: .014 is because further units of the bootstrap go by the same records, the rest is six standard
    errors of a quantile. The plain bootstrap is .048 off where records are few, .0145 where they are many: that .03
    lies on the wrong side has a chance below 1e-8."""
    found = drawn_of(*of_counts(counts), draws=MANY, seed=fresh_seed)
    exact = exact_worth(Counts(*counts), LEVEL, classes)
    ends = exact.low, exact.high
    np.testing.assert_allclose(found.interval(worth_of(classes), LEVEL), ends, atol=0.024)
    plain = np.quantile(worth_of(classes)(*found.draws()), [0.025, 0.975])
    assert (np.abs(plain - ends).max() > 0.03) == few


@pytest.mark.parametrize("classes", [2, 10])
def test_worth_is_above_0_just_where_the_right_label_leads(classes):
    """Of 30 records, whatever is kept: both answers come from one count, and must not contradict."""
    says = {"below": "some", "above": "none", "undecided": "undecided"}
    for kept in range(31):
        for right in range(kept + 1):
            counts = Counts(right, 30 - kept, kept - right, 0)
            low, high = exact_worth(counts, LEVEL, classes)[1:]
            found = "some" if low > 0 else "none" if high <= 0 else "undecided"
            assert found == says[decide(counts, LEVEL, 1 / classes).verdict], counts


def test_where_all_is_kept_the_bootstrap_is_not_shorter_than_the_exact_interval():
    """Its two further units are measured by the same few records, so that its low end is a little lower."""
    low, high = drawn_of(*of_counts((9, 0, 1, 0)), draws=MANY).interval(worth_of(), LEVEL)
    exact = exact_worth(Counts(9, 0, 1, 0), LEVEL)
    assert exact.low - 0.03 < low < exact.low + 0.005
    assert high == pytest.approx(exact.high, abs=0.01)


def test_arrays_of_counts_give_arrays():
    tables = np.array([(14, 3, 2, 6), (300, 40, 3, 60), (0, 5, 0, 5)])
    found = exact_worth(Counts(*tables.T), LEVEL)
    for place, table in enumerate(tables):
        one = exact_worth(Counts(*table), LEVEL)
        np.testing.assert_allclose([end[place] for end in found], one, rtol=1e-12)
    assert (found.value[2], found.low[2]) == (0, 0)


def test_values_are_those_of_theory():
    found = audit_counts(Counts(616, 82, 62, 240), n_classes=4)
    rates = Rates(found.p.value, found.phi.value, found.psi.value)
    assert found.worth.verified.value == pytest.approx(float(worth(rates, 4)))
    assert found.worth.unverified.value == pytest.approx(float(worth(Rates(rates.p, 1.0, 1.0), 4)))
    assert found.worth.gain.value == pytest.approx(found.worth.verified.value - found.worth.unverified.value)


def test_worth_is_0_up_to_p_star():
    for counts in (Counts(30, 10, 30, 10), Counts(10, 10, 40, 2)):
        found = audit_counts(counts).worth.verified
        assert (found.value, found.low) == (0, 0)
        assert found.high > 0 or counts.wrong_kept > 2 * counts.correct_kept
    assert float(worth_of()(np.array(0.5), np.array(0.0), np.array(0.0))) == 0  # nothing is kept
    assert np.isnan(worth_of()(np.array(np.nan), np.array(0.5), np.array(0.5)))
    assert float(worth_of()(np.array(0.0), np.array(0.5), np.array(np.nan))) == 0.5  # nothing is wrong


def test_keeping_all_gains_nothing():
    found = audit_counts(Counts(70, 0, 30, 0))
    assert found.worth.gain.value == 0
    assert found.worth.gain.low <= 0 <= found.worth.gain.high
    assert found.worth.verified.value == found.worth.unverified.value


def test_the_interval_of_the_gain_holds_it_where_it_is_greatest():
    """What is kept is right, what is dropped wrong, and 5/8 are kept: any other share of them gains less."""
    judged = np.array([1, 0, 0, 0, 0, 0, 0, 2], np.int8)
    found = audited(judged, np.arange(8) > 2, draws=10_000).worth.gain
    assert found.value == pytest.approx(0.625 - 0.25**2)
    assert found.low < found.value <= found.high


@pytest.mark.parametrize(
    ("rates", "classes", "answer", "kind"),
    [
        ((0.3, 0.95, 0.05), 2, "yes", "better"),
        ((0.2, 0.3, 0.9), 2, "no", "harmful"),
        ((0.05, 0.5, 0.1), 2, "no", "wasteful"),
        ((0.3, 0.6, 0.05), 10, "no", "wasteful"),  # raises purity from .70 to .97
        ((0.9, 0.5, 0.5), 2, "no", "worthless"),
        ((0.3, 1.0, 1.0), 2, "no", "keeps everything"),
        ((0.3, 0.0, 0.0), 2, "no", "keeps nothing"),
    ],
)
def test_verdicts_by_construction(rates, classes, answer, kind):
    found = audit_counts(expected(*rates, 20_000), n_classes=classes).better
    assert (found.answer, found.kind, found.more) == (answer, kind, 0)


def test_few_records_decide_nothing_and_say_how_many_would():
    """As many records as are asked for decide, a quarter of them do not; the interval has shrunk like the root."""
    rates = (0.3, 0.9, 0.4)
    few = audit_counts(expected(*rates, 40)).better
    assert (few.answer, few.kind) == ("undecided", "undecided")
    assert audit_counts(expected(*rates, round(few.more))).better.answer == "yes"
    assert audit_counts(expected(*rates, round(few.more / 4))).better.answer == "undecided"


def test_further_units_are_groups_where_records_are_grouped():
    """Each record told three times: three times the records, but as many groups."""
    judged, kept = of_counts(expected(0.3, 0.9, 0.4, 60))
    single = audited(judged, kept, draws=10_000)
    by = Grouping(None, np.arange(3 * judged.size) // 3)
    triple = audited(np.repeat(judged, 3), np.repeat(kept, 3), by, draws=10_000)
    assert triple.better.more == pytest.approx(single.better.more, rel=0.1)


def test_gain_by_the_delta_method_in_the_regular_case():
    """4,000 records, a quarter judged: ends within 6 % of the width."""
    rng = np.random.default_rng(11)
    judged, kept = labels(rng, 0.3, 0.8, 0.3, 4000)
    some = some_judged(rng, judged, 0.25)
    found = drawn_of(some, kept, draws=20_000)
    kappa = kept.mean()
    sizes = [np.sum((some > 0) & (kept == side)) for side in (True, False)]
    pure, left = (np.mean(some[(some > 0) & (kept == side)] == 2) for side in (True, False))
    slope = np.array([(2 * pure - 1) ** 2, 4 * kappa * (2 * pure - 1), 0.0])
    lead = 2 * (kappa * pure + (1 - kappa) * left) - 1
    slope -= 2 * lead * 2 * np.array([pure - left, kappa, 1 - kappa])
    variance = [kappa * (1 - kappa) / 4000, pure * (1 - pure) / sizes[0], left * (1 - left) / sizes[1]]
    reach = norm.isf(0.025) * np.sqrt(slope**2 @ variance)
    value = kappa * (2 * pure - 1) ** 2 - lead**2
    ends = found.interval(gain_of(), LEVEL)
    np.testing.assert_allclose(ends, (value - reach, value + reach), atol=0.06 * 2 * reach)


def test_worth_without_a_verifier_follows_p():
    rng = np.random.default_rng(2)
    judged, kept, by = grouped(rng, 40, 5, 0.4, (0.2, 0.8, 0.3))
    found = audited(some_judged(rng, judged, 0.5), kept, by)
    at = lambda p: float(unverified_worth()(np.array(p), np.array(1.0), np.array(1.0)))
    assert found.worth.unverified == pytest.approx((at(found.p.value), at(found.p.high), at(found.p.low)))


def test_an_estimate_times_a_number():
    found = scaled(audit_counts(Counts(8, 2, 1, 3)).p, 10)
    assert found.value == pytest.approx(40 / 14)
