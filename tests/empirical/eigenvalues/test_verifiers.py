"""Verifiers and what they select."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from empirical.eigenvalues.verifiers import closest, most_likely, noisy


@pytest.mark.statistical
def test_a_noisy_verifier_has_its_rates(fresh_seed):
    """Exact binomial bands of 1e-7 on each side of two counts: a false failure in 2.5 million runs. The twin fails."""
    rng = np.random.default_rng(fresh_seed)
    correct = rng.random(200_000) < 0.6
    kept = noisy(correct, 0.9, 0.25, rng)

    def inside(flags, rate):
        low, high = binom.ppf([1e-7, 1 - 1e-7], len(flags), rate)
        return low <= flags.sum() <= high

    assert inside(kept[correct], 0.9)
    assert inside(kept[~correct], 0.25)
    assert not inside(kept[correct], 0.91)
    assert not inside(kept[~correct], 0.28)


@given(rates=st.tuples(*[st.floats(0, 1)] * 4), seed=st.integers(0, 2**31))
def test_verifiers_of_one_stream_are_nested_and_the_corners_exact(rates, seed):
    correct = np.random.default_rng(seed).random(50) < 0.5
    stream = lambda: np.random.default_rng(seed + 1)
    (phi, more_phi), (psi, more_psi) = sorted(rates[:2]), sorted(rates[2:])
    few, many = noisy(correct, phi, psi, stream()), noisy(correct, more_phi, more_psi, stream())
    assert not (few & ~many).any()
    assert np.array_equal(noisy(correct, 1, 0, stream()), correct)
    assert noisy(correct, 1, 1, stream()).all()
    assert not noisy(correct, 0, 0, stream()).any()


@pytest.mark.parametrize(("phi", "psi", "name"), [(1.1, 0, "phi"), (1, -0.1, "psi"), (np.nan, 0, "phi")])
def test_rates_outside_the_unit_interval_are_refused(phi, psi, name):
    with pytest.raises(ValueError, match=rf"{name} = .* must lie in \[0, 1\]"):
        noisy(np.ones(3, bool), phi, psi, np.random.default_rng(0))


def test_selection_of_a_label_prefers_the_nearer_then_the_likelier():
    distances = np.array([[0.3, 0.1, 0.1], [np.inf, np.inf, 0.9], [np.inf] * 3])
    assert closest(distances).tolist() == [1, 2, 0]
    assert most_likely(np.array([[-3.0, -1.0, -2.0]])).tolist() == [1]
