"""Student's t as scipy has it, and the bootstrap. Those from counts: tests/empirical/auditing/test_intervals.py."""

import numpy as np
import pytest
from scipy import stats

from sims.running.intervals import CONFIDENCE, binomial_band, bootstrap, mean_over, t_interval, t_quantile


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_the_quantile_is_scipys_to_the_bit(level):
    """Reports and tables hold it to the last bit; it was once asked of scipy.stats, from the other side."""
    freedom = np.concatenate([np.arange(1, 2000), np.geomspace(0.5, 1e5, 5000)])
    np.testing.assert_array_equal(t_quantile(freedom, level), stats.t.isf((1 - level) / 2, freedom))


def test_without_a_degree_of_freedom_there_is_none_and_with_infinitely_many_it_is_normal():
    assert np.isnan(t_quantile(0))
    assert t_quantile(np.inf) == pytest.approx(stats.norm.isf((1 - CONFIDENCE) / 2))


def test_the_mean_of_repetitions_has_scipys_interval_along_either_axis():
    values = np.random.default_rng(0).normal(3.0, 2.0, (5, 24))
    for found in (mean_over(values), mean_over(values.T, axis=0)):
        ends = stats.t.interval(CONFIDENCE, 23, values.mean(1), stats.sem(values, axis=1))
        np.testing.assert_allclose([found.low, found.high], ends, rtol=1e-13)
        np.testing.assert_allclose([found.mean, found.error], [values.mean(1), stats.sem(values, axis=1)], rtol=1e-13)
    low, high = t_interval(values[0])
    assert (low, high) == pytest.approx((mean_over(values[0]).low, mean_over(values[0]).high), rel=1e-13)


def test_one_repetition_has_no_interval():
    assert np.isnan(t_interval(np.array([1.0]))).all()


def test_bootstrap_spreads_as_the_standard_error_and_pairs_arms():
    rng = np.random.default_rng(0)
    first = rng.normal(0, 1, (1, 400))
    scores = [np.concatenate([first, first + 1]), rng.normal(0, 1, (2, 400))]
    apart = bootstrap(scores, shared=False)
    errors = [np.std(part[0]) / np.sqrt(400) for part in scores]
    assert apart[0].std() == pytest.approx(np.hypot(*errors) / 2, rel=0.1)
    alone = bootstrap(scores[:1], shared=False)
    assert np.ptp(alone[1] - alone[0]) < 1e-9
    twice = bootstrap([first, first], shared=True)
    assert twice.std() == pytest.approx(errors[0], rel=0.1)
    assert bootstrap([first, first], shared=False).std() == pytest.approx(errors[0] / np.sqrt(2), rel=0.1)
    assert np.array_equal(apart, bootstrap(scores, shared=False))


@pytest.mark.parametrize("share", [0.01, 0.5, 0.95, 0.99])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_the_band_of_a_count_is_that_of_its_quantiles(share, level):
    for total in [*range(1, 60), 250, 504, 532, 1000, 31_250, 1_000_000]:
        assert binomial_band(total, share, level) == list(np.array(stats.binom.interval(level, total, share), int))
