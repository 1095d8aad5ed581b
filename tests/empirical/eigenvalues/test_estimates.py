"""What is concluded from hits: intervals, verdicts, crossings."""

import numpy as np
import pytest
from scipy.stats import binom, ttest_rel

from empirical.eigenvalues import estimates
from empirical.eigenvalues.estimates import accuracy, crossing, difference


def test_accuracy_and_difference_agree_with_scipy():
    rng = np.random.default_rng(0)
    ours, theirs = (rng.random((4, 500)) < 0.7).astype(float), (rng.random((4, 500)) < 0.6).astype(float)
    found, gain = accuracy(ours), difference(ours, theirs)
    assert found.mean == ours.mean()
    assert binom.sf(ours.sum() - 1, 2000, found.low) == pytest.approx(0.025)
    assert binom.cdf(ours.sum(), 2000, found.high) == pytest.approx(0.025)
    expected = ttest_rel(ours.mean(1), theirs.mean(1)).confidence_interval(0.95)
    assert (gain.low, gain.high) == pytest.approx((expected.low, expected.high))


def test_verdicts_follow_the_interval_of_the_difference():
    base = np.zeros((3, 100))
    hits = np.zeros((3, 100))
    hits[:, :20] = 1
    hits[0, 20] = 1
    assert difference(hits, base)[3:] == ("better", 3, 0)
    assert difference(base, hits)[3:] == ("worse", 0, 3)
    assert difference(hits[:1], base[:1]).verdict == "better"
    uneven = np.zeros((3, 100))
    uneven[0, :60], uneven[1, :20], uneven[2, :5] = 1, 1, 1
    found = difference(uneven, base)
    assert found[3:] == ("undecided", 3, 0)  # above in every repetition, and still not shown for the next
    assert found.low < 0 < found.high


def test_a_failed_model_has_no_accuracy_and_no_verdict():
    hits = np.array([[1.0, 0.0], [np.nan, np.nan]])
    assert np.isnan(accuracy(hits)).all()
    found = difference(hits, np.ones((2, 2)))
    assert found.verdict == "failed"
    assert np.isnan(found[:3]).all()


def test_one_repetition_speaks_of_its_tests_only():
    hits = np.ones((1, 50))
    assert np.isnan(accuracy(hits)[3:]).all()
    assert difference(hits, hits)[:4] == (0.0, 0.0, 0.0, "undecided")


def test_the_crossing_of_a_line_is_where_it_crosses():
    x = np.array([0.5, 0.6, 0.8, 1.0])
    noise = np.array([-0.01, 0.0, 0.01])[:, None]
    found = crossing(x, (x - 0.7) + noise)
    reach = 4.302652729749462 * 0.01 / np.sqrt(3)  # t of two degrees of freedom
    assert found[:3] == pytest.approx((0.7, 0.7 - reach, 0.7 + reach), abs=2e-3)
    assert np.isnan(crossing(x, x + noise)[:3]).all()
    assert np.isnan(crossing(x, 0.7 - x + noise)[:3]).all()


def test_the_interval_of_a_crossing_is_open_where_the_points_end():
    x = np.array([0.5, 0.75, 1.0])
    found = crossing(x, np.array([[-5.0, 1.0, 90.0], [3.0, -2.0, 90.0], [-4.0, 0.0, 90.0]]))
    assert np.isnan(found.low)
    assert 0.75 < found.x < found.high < 1.0
    single = crossing(x, np.array([[-1.0, 1.0, 2.0]]))
    assert single.x == pytest.approx(0.625)
    assert np.isnan(single[1:3]).all()


@pytest.mark.statistical
def test_the_interval_of_a_crossing_covers(fresh_seed):
    """Three repetitions, noise that points share in part: at least 95 % cover; 88 % of 400 fails once in 10^8."""
    rng = np.random.default_rng(fresh_seed)
    x = np.linspace(0.5, 1.0, 8)
    covered = []
    for _ in range(400):
        gains = 20 * (x - 0.68) + rng.normal(0, 0.6, (3, 1)) + rng.normal(0, 0.4, (3, 8))
        found = crossing(x, gains)
        covered.append(not (found.low > 0.68 or found.high < 0.68))
    assert np.mean(covered) >= 0.88


BENT = np.array([0.5, 0.58, 0.66, 0.74, 0.82, 0.91, 1.0])


@pytest.mark.statistical
def test_the_interval_of_a_crossing_by_parabolas_covers_and_is_narrow(fresh_seed, monkeypatch):
    """Sixteen repetitions of a bent curve. 87 % of 300 cover at least; where 94.5 % do, fewer once in 3.8 million runs.

    It is narrower than what the same repetitions give from point to point, which reject every parabola here. The twin
    that must fail: a kink is no parabola, and is seen.
    """
    rng = np.random.default_rng(fresh_seed)
    truth = 30 * (BENT - 0.68) - 20 * (BENT - 0.68) ** 2
    runs = [truth + rng.normal(0, 1.0, (16, 1)) + rng.normal(0, 1.5, (16, len(BENT))) for _ in range(300)]
    found = [crossing(BENT, gains) for gains in runs]
    assert np.mean([not (each.low > 0.68 or each.high < 0.68) for each in found]) >= 0.87
    kink = np.where(BENT < 0.7, -6.0, 6.0) + rng.normal(0, 0.5, (16, len(BENT)))
    assert crossing(BENT, kink).curve == "line from point to point"
    monkeypatch.setattr(estimates, "MISFIT", 1.0)
    plain = [crossing(BENT, gains) for gains in runs]
    assert {each.curve for each in plain} == {"line from point to point"}
    narrow, wide = (np.nanmean([each.high - each.low for each in some]) for some in (found, plain))
    assert narrow < 0.9 * wide
