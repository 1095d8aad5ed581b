"""Digits that are resampled, and labels that go wrong and are kept at the stated rates."""

import numpy as np
import pytest
from scipy.stats import binom

from empirical.worth.corruptions import PARTNERS, SHARES, VERIFIERS, keep, label, value
from empirical.worth.data import CLASSES, resample, split
from empirical.worth.study import P
from tests.statistical import detectable, rejects_mean
from theory.threshold import p_star
from theory.types import Rates
from theory.worth import worth

pytest.importorskip("sklearn")


def test_held_out_digits_are_never_resampled():
    digits = split(np.random.default_rng(1))
    assert len(digits.y) + sum(map(len, digits.pool)) == 1797
    assert len(digits.y) == 896
    pool = {row.tobytes() for originals in digits.pool for row in originals}
    assert not pool & {row.tobytes() for row in digits.x}
    x, y = digits.draw(500, np.random.default_rng(2))
    assert x.shape == (500, 64)
    assert set(y) == set(range(CLASSES))
    other = split(np.random.default_rng(2))
    assert not np.array_equal(other.x, digits.x)


@pytest.mark.statistical
def test_resampling_keeps_means_and_variances_and_its_twin_does_not(fresh_seed):
    """False failures: 3e-7, twins included. These move the mean by what must be rejected."""
    rng = np.random.default_rng(fresh_seed)
    originals = split(rng).pool[3]
    axis = rng.standard_normal(64)
    seen, line = resample(originals, 20_000, rng) @ axis, originals @ axis
    squares = (seen - line.mean()) ** 2
    for samples, expected in ((seen, line.mean()), (squares, line.var())):
        assert not rejects_mean(samples, expected, false_fail=1e-7)
        assert rejects_mean(samples, expected + detectable(samples, false_fail=1e-7), false_fail=1e-7)


@pytest.mark.statistical
@pytest.mark.parametrize("errors", SHARES)
def test_rates_are_p_phi_psi(errors, fresh_seed):
    """False failures: 1e-8 each of twelve counts; the twin doubles psi: 2,400 against 4,800 of 12,000."""
    rng = np.random.default_rng(fresh_seed)
    y = rng.integers(CLASSES, size=40_000)
    given = label(y, 0.3, errors, rng)
    right = given == y
    kept = keep(right, 0.7, 0.2, rng.random(len(y)))
    inside = lambda count, total, share: min(binom.cdf(count, total, share), binom.sf(count - 1, total, share)) > 5e-9
    assert inside(np.sum(~right), len(y), 0.3)
    assert inside(np.sum(kept & right), right.sum(), 0.7)
    assert inside(np.sum(kept & ~right), (~right).sum(), 0.2)
    assert not inside(np.sum(kept & ~right), (~right).sum(), 0.4)
    threes = ~right & (y == 3)
    for k in range(CLASSES):
        share = SHARES[errors][3, k]
        found = int(np.sum(given[threes] == k))
        assert inside(found, threes.sum(), share) if 0 < share < 1 else found == share * threes.sum()


def test_partners_take_turns():
    assert [PARTNERS[k] for k in PARTNERS] == list(range(CLASSES))
    assert all(k != partner for k, partner in enumerate(PARTNERS))


@pytest.mark.parametrize("p", P)
@pytest.mark.parametrize(("phi", "psi"), VERIFIERS)
def test_worth_is_that_of_ten_classes_and_in_pairs_that_of_two(p, phi, psi):
    rates = Rates(p, phi, psi)
    for errors, classes in (("spread", 10), ("pair", 2)):
        found = value(rates, errors)
        np.testing.assert_allclose(found.worth, worth(rates, classes), rtol=1e-12, atol=1e-15)
        assert (found.lead > 0) == (found.worth > 0)
        assert found.p_star == p_star(rates)
        assert abs(found.lead) > 0.01  # at a tie there is nothing to predict
