"""What a run can tell, said before it starts."""

import numpy as np
import pytest
from scipy.special import chdtri, ndtr, stdtrit

from empirical.summarization.power import POWER, Design, _exceeds, power, told
from empirical.summarization.profile import load, parse
from sims.running.intervals import CONFIDENCE, t_quantile
from tests.empirical.summarization.helpers import changed, within


def drawn(plan, weights, difference, rng, count):
    """Means of seeds' differences under the model of the module, and their standard errors, (count,)."""
    own = rng.normal(0, plan.spread / np.sqrt(plan.tests), (count, plan.seeds))
    models = rng.normal(0, plan.noise * np.sqrt(weights), (count, plan.seeds))
    each = difference + own + models
    return each.mean(1), each.std(1, ddof=1) / np.sqrt(plan.seeds)


@pytest.mark.statistical
@pytest.mark.parametrize(("seeds", "noise"), [(3, 1.5), (8, 0.5)])
def test_a_difference_of_the_stated_size_is_found_as_often_as_stated(fresh_seed, seeds, noise):
    """Six standard errors over 100,000: fails with 2e-9. Half of it is found far less often, and none at 5 %."""
    plan, weights, count = Design(seeds, 10**6, False, 25.0, noise), 1.5, 100_000
    error = plan.error(weights)
    far, rng = t_quantile(seeds - 1), np.random.default_rng(fresh_seed)

    def share(difference):
        mean, own = drawn(plan, weights, difference, rng, count)
        return float(np.mean(np.abs(mean) > far * own))

    assert within(share(plan.found(error)), POWER, count)
    assert within(share(0.0), 1 - CONFIDENCE, count)
    assert not within(share(plan.found(error) / 2), POWER, count)


@pytest.mark.statistical
@pytest.mark.parametrize("seeds", [4, 8, 30])
def test_equality_is_shown_about_as_often_as_stated(fresh_seed, seeds):
    """Within .06 of the power (a formula for known errors; that of few seeds errs on the safe side), 100,000 draws."""
    plan, count = Design(seeds, 1600, False, 25.0, 1.0), 100_000
    error = plan.error(1.5)
    mean, own = drawn(plan, 1.5, 0.0, np.random.default_rng(fresh_seed), count)
    inner = t_quantile(seeds - 1, 2 * CONFIDENCE - 1)
    margin = plan.equal(error)
    shown = float(np.mean((mean - inner * own > -margin) & (mean + inner * own < margin)))
    assert POWER - 0.06 < shown < POWER + 0.1
    assert np.mean((mean - inner * own > -margin / 2) & (mean + inner * own < margin / 2)) < POWER - 0.06


def test_rouge_intervals_that_must_be_apart_cost_power_where_articles_are_few():
    few, many = Design(1, 400, False, 25.0, 0.0), Design(8, 10**6, False, 25.0, 1.0)
    assert few.found(few.error(1.0)) == pytest.approx((2 * 1.96 + 0.8416) * 25 / 20, rel=1e-3)
    assert many.found(many.error(1.0)) == pytest.approx(1.17 / np.sqrt(8) * 2.95, rel=0.2)


def test_articles_that_seeds_share_are_not_more_for_more_seeds():
    own, shared = (Design(4, 900, flag, 30.0, 0.0).error(1.0) for flag in (False, True))
    assert (own, shared) == (pytest.approx(0.5), pytest.approx(1.0))


@pytest.mark.parametrize(("noise", "freedom"), [(0.0, np.inf), (1.0, 7 * 1.5**2), (1e9, 7.0)])
def test_articles_that_seeds_share_are_known_better_than_models(noise, freedom):
    """Intervals have the degrees of freedom that those of the report will have."""
    plan = Design(8, 1600, True, 10.0, noise)  # .0625 of the articles, .125 of the models
    assert plan.freedom(plan.error(1.0)) == pytest.approx(freedom, rel=1e-6)
    assert plan.half(plan.error(1.0)) == pytest.approx(stdtrit(min(freedom, 1e12), 0.975) * plan.error(1.0), rel=1e-6)


def test_every_claim_is_listed_and_means_over_models_are_worth_more():
    profile = parse(changed(run__seeds=4))
    lines = power(profile).set_index(["side", "other"])
    assert {("random", "generator"), ("oracle", "full"), ("stronger", "random"), ("foreign", "self")} <= set(
        lines.index
    )
    assert lines.loc[("stronger", "random"), "error"] < lines.loc[("oracle", "generator"), "error"]
    assert (lines["half"] < lines["found"]).all()


def test_one_seed_is_called_a_pilot_before_it_starts():
    text = " ".join(" ".join(told(load("debian"))).split())
    assert "of 1 seed and 800 test articles, if ROUGE-1 differs by 25 points" in text
    assert "it is a pilot, and proves nothing of verifiers in general" in text
    assert "equality can be shown of every line" in text
    assert "pilot" not in " ".join(told(load("small")))
    assert (
        max(len(line) for name in ("debian", "small") for text in told(load(name)) for line in text.splitlines()) < 118
    )


def test_power_of_few_degrees_of_freedom_is_that_of_its_integral():
    """P(|T| > t) over the normal given the chi square; scipy's noncentral t has NaN where two seeds look."""
    levels = (np.arange(200_000) + 0.5) / 200_000
    for freedom in (1.0, 2.0, 7.0, 31.0):
        far = stdtrit(freedom, 0.975)
        bound = far * np.sqrt(chdtri(freedom, levels) / freedom)
        for shift in (0.0, 2.0, 12.706, 20.0):
            exact = (ndtr(shift - bound) + ndtr(-shift - bound)).mean()
            assert _exceeds(far, freedom, shift) == pytest.approx(exact, abs=1e-4)


def test_two_seeds_are_told_what_they_can_find():
    assert power(parse(changed(run__seeds=2)))["found"].gt(0).all()
