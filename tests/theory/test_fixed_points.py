"""Fixed points of rounds against iteration, the index theorem and closed forms."""

import numpy as np
import pytest

from theory.fixed_points import fixed_points, retention
from theory.rounds import step, trajectory
from theory.types import Cosines, Problem, Rates

FAIR = Problem(2.0, Cosines(0.3, 0.6, 0.2), 1.0)
WEAK = Problem(1.0, Cosines(0.8, 0.3, 0.24), 0.5)
BISTABLE = Problem(3.0, Cosines(0.45, 0.1, 0.8), 0.2)
"""One verifier, two stable ends (n/d = 8)."""

ROUNDS = 400
"""Common to all tests, as every number of rounds is compiled."""


@pytest.mark.parametrize(("problem", "alpha", "verified"), [(FAIR, 4.0, True), (FAIR, 4.0, False), (WEAK, 2.0, True)])
def test_long_rounds_end_in_a_stable_fixed_point(problem, alpha, verified):
    ends = fixed_points(problem, alpha, verified=verified)
    last = trajectory(problem, alpha, ROUNDS, verified=verified).cos_generator[-1]
    assert ends.complete
    assert np.min(np.abs(ends.cos_generator[ends.stable] - float(last))) < 1e-9
    assert np.all(ends.residual < 1e-9)


@pytest.mark.slow
def test_logistic_rounds_end_in_their_fixed_point():
    ends = fixed_points(FAIR, 4.0, "logistic")
    assert ends.complete
    assert ends.accuracy[0] == pytest.approx(float(trajectory(FAIR, 4.0, 4, "logistic").accuracy[-1]), abs=1e-5)


def test_radius_is_the_rate_of_approach():
    end = fixed_points(FAIR, 4.0)
    path = np.asarray(trajectory(FAIR, 4.0, ROUNDS).cos_generator) - end.cos_generator[0]
    assert path[10] / path[9] == pytest.approx(end.radius[0], rel=0.02)


def test_two_stable_ends_and_an_unstable_one_between():
    """Rounds from both sides of the unstable point part; a step from it stays, a nudge does not."""
    ends = fixed_points(BISTABLE, 8.0)
    assert ends.complete
    np.testing.assert_array_equal(ends.stable, [True, False, True])
    between = BISTABLE._replace(curation=Cosines(ends.cos_generator[1], 0.1, ends.cos_between[1]))
    assert float(step(between, 8.0).cos_generator) == pytest.approx(ends.cos_generator[1], abs=1e-10)
    for nudge, end in ((-1e-3, 0), (1e-3, 2)):
        moved = between._replace(curation=between.curation._replace(cos_generator=ends.cos_generator[1] + nudge))
        assert float(trajectory(moved, 8.0, ROUNDS).cos_generator[-1]) == pytest.approx(
            ends.cos_generator[end], abs=1e-6
        )


def test_too_few_starts_are_noticed():
    """The index certificate: with one start, only the origin is found, and its index is -1."""
    found = fixed_points(FAIR, 4.0, verified=False, starts=1)
    assert len(found.radius) == 1
    assert not found.complete


@pytest.mark.parametrize(
    ("signal", "alpha", "ridge"), [(2.0, 4.0, 1.0), (1.0, 2.0, 0.5), (0.5, 0.7, 0.01), (1.0, 9.0, 30.0)]
)
def test_retention_is_the_radius_at_the_uninformed_generator(signal, alpha, ridge):
    ends = fixed_points(Problem(signal, Cosines(0, 0.5, 0), ridge), alpha, verified=False)
    middle = np.argmin(np.abs(ends.cos_generator))
    assert ends.radius[middle] == pytest.approx(float(retention(signal, alpha, ridge)), rel=1e-10)


def test_least_squares_always_forgets_and_averaging_need_not():
    """Both limits of ``retention``: lambda -> 0 below 1 at any alpha; lambda -> inf by 2 r^2 (2 + r^2) alpha > pi."""
    b2 = 2 / np.pi
    for alpha in (1.5, 10.0, 1000.0):
        limit = np.sqrt(b2 / (b2 + (1 - b2) / (alpha - 1)))
        gaps = [abs(float(retention(2.0, alpha, lam)) - limit) for lam in (1e-4, 1e-6, 1e-8)]
        assert gaps[0] > 20 * gaps[1] > 400 * gaps[2]
        assert limit < 1
    critical = np.pi / (2 * (2 + 1))
    assert float(retention(1.0, 0.98 * critical, 1e7)) < 1 < float(retention(1.0, 1.02 * critical, 1e7))


def test_where_no_training_is_solved_nothing_is_found():
    """Unregularised and fewer kept samples than dimensions: no unique minimiser."""
    nothing = fixed_points(FAIR._replace(ridge=0.0), 0.5)
    assert len(nothing.radius) == 0
    assert not nothing.complete


def test_refusals():
    with pytest.raises(ValueError, match="scalars"):
        fixed_points(FAIR, np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="starts = 0"):
        fixed_points(FAIR, 4.0, starts=0)
    with pytest.raises(TypeError, match="Cosines"):
        fixed_points(Problem(1.0, Rates(0.1, 0.9, 0.1), 0.1), 2.0)
