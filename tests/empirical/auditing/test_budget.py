"""Budgets and costs: by hand, at their limits, and where both roads cost the same."""

import math

import pytest

from empirical import Counts, audit, audit_counts
from empirical.auditing.budget import budget, cost

COUNTS = Counts(616, 82, 62, 240)


def test_a_budget_is_so_many_times_the_rates():
    found = audit_counts(COUNTS)
    plan = budget(found, 5000)
    for mine, one in ((plan.kept, found.kept_rate), (plan.worth, found.worth.verified)):
        assert tuple(mine) == pytest.approx(tuple(5000 * end for end in one))
    assert tuple(plan.worth_unverified) == pytest.approx(tuple(5000 * end for end in found.worth.unverified))
    assert (plan.generated, plan.purity) == (5000, found.purity)
    assert "worth" in repr(plan)


def test_costs_by_hand():
    found = audit_counts(COUNTS)
    verified, unverified = found.worth.verified.value, found.worth.unverified.value
    assert verified == pytest.approx(0.678 * (2 * 616 / 678 - 1) ** 2)
    assert unverified == pytest.approx((1 - 2 * 0.302) ** 2)
    shown = cost(found, generate=2.0, verify=1.0)
    assert shown.verified.value == pytest.approx(3 / verified)
    assert shown.unverified.value == pytest.approx(2 / unverified)
    assert shown.saved.value == pytest.approx(verified / 1.5 - unverified)
    assert shown.break_even.value == pytest.approx(2 * (verified / unverified - 1))
    assert (shown.verified.low, shown.verified.high) == pytest.approx(
        (3 / found.worth.verified.high, 3 / found.worth.verified.low)
    )
    assert shown.verify_is_cheaper == "yes"


def test_verifying_for_nothing_saves_the_gain():
    found = audit_counts(COUNTS)
    assert tuple(cost(found, 1, 0).saved) == pytest.approx(tuple(found.worth.gain))


def test_at_break_even_neither_is_cheaper():
    found = audit_counts(COUNTS)
    at = cost(found, 1, 0.1).break_even
    assert cost(found, 1, at.value).saved.value == pytest.approx(0)
    assert cost(found, 1, at.value).verify_is_cheaper == "undecided"
    assert cost(found, 1, 0.8 * at.low).verify_is_cheaper == "yes"
    assert cost(found, 1, 1.3 * at.high).verify_is_cheaper == "no"


def test_the_unit_of_costs_does_not_matter():
    found = audit_counts(COUNTS)
    one, other = cost(found, 1, 0.4), cost(found, 50, 20)
    assert tuple(one.saved) == pytest.approx(tuple(other.saved))
    assert tuple(other.break_even) == pytest.approx(tuple(50 * end for end in one.break_even))
    assert other.verified.value == pytest.approx(50 * one.verified.value)


def test_what_is_worth_nothing_costs_without_end():
    found = cost(audit_counts(Counts(100, 300, 400, 900)), 1, 1)
    assert found.verified.value == found.unverified.value == math.inf
    assert found.break_even.value == 0
    assert found.saved.value == 0


def test_where_only_verifying_is_worth_something_it_may_cost_anything():
    found = cost(audit_counts(Counts(200, 200, 12, 588)), 1, 1)
    assert found.break_even.value == found.break_even.high == math.inf
    assert found.verify_is_cheaper == "yes"


def test_a_wasteful_verifier_breaks_even_at_nothing():
    found = cost(audit_counts(Counts(4750, 4750, 50, 450)), 1, 0)
    assert found.break_even.value == found.break_even.high == 0
    assert found.verify_is_cheaper == "no"


@pytest.mark.parametrize("generated", [0.5, -3, float("inf"), float("nan")])
def test_budgets_of_nothing_are_refused(generated):
    with pytest.raises(ValueError, match="must be 1 or more"):
        budget(audit_counts(COUNTS), generated)


@pytest.mark.parametrize(
    ("costs", "words"),
    [((0, 1), "cost of generating = 0 must be above 0"), ((1, -1), "cost of verifying = -1 must be 0 or more")],
)
def test_costs_below_0_are_refused(costs, words):
    with pytest.raises(ValueError, match=words):
        cost(audit_counts(COUNTS), *costs)


def test_a_cost_of_what_is_unknown_is_unknown():
    """Of what is dropped nothing is judged: neither "endless" nor "verifying pays up to 0" is known."""
    found = audit([1] * 80 + [0] * 20 + [None] * 50, [1] * 100 + [0] * 50)
    assert math.isnan(found.worth.unverified.value)
    shown = cost(found, generate=1.0, verify=0.1)
    assert math.isnan(shown.unverified.value)
    assert math.isnan(shown.break_even.value)
    assert shown.break_even.low <= shown.break_even.high
