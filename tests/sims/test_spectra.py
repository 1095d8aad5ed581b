"""Coloured features on the simulating road: dimensions by level, refusals, power laws, files."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sims.population import eigenvalues, mean
from sims.spectra import apportion, check_spectrum, faults, mahalanobis_sq, norm, power_law, read_csv, room_fault
from theory.errors import InputError
from theory.limits import mahalanobis
from theory.types import Problem, Rates, Spectrum

TWO = Spectrum((2.0, 0.2), (0.5, 0.5), (0.5, 0.5))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8).filter(any), st.integers(1, 400))
def test_dimensions_add_up_and_are_within_one_of_their_share(weights, total):
    shares = np.array(weights) / sum(weights)
    counts = apportion(shares, total)
    assert counts.sum() == total
    assert np.all(np.abs(counts - shares * total) < 1)
    remainder = shares * total - np.floor(shares * total + 1e-9)
    up = counts > np.floor(shares * total + 1e-9)
    if up.any() and not up.all():
        assert remainder[up].min() >= remainder[~up].max() - 1e-8
    np.testing.assert_array_equal(apportion(jnp.asarray(shares), total, jnp), counts)


@pytest.mark.parametrize(
    ("shares", "total", "counts"),
    [
        ([0.1, 0.3, 0.6], 10, [1, 3, 6]),
        ([0.3, 0.7], 5, [2, 3]),
        ([1 / 3] * 3, 100, [34, 33, 33]),
        ([0.29, 0.71], 100, [29, 71]),
        ([0.5, 0.0, 0.5], 3, [2, 0, 1]),
        ([1.0], 7, [7]),
    ],
)
def test_the_first_of_equals_comes_first(shares, total, counts):
    assert apportion(np.array(shares), total).tolist() == counts


def test_levels_lie_one_after_the_other_with_the_mean_on_their_first_axes():
    problem = Problem(Spectrum((4.0, 1.0, 0.0), (0.2, 0.5, 0.3), (2.25, 4.0, 0.0)), Rates(0.1, 1, 1), 0.1)
    assert eigenvalues(problem, 10).tolist() == [4, 4, 1, 1, 1, 1, 1, 0, 0, 0]
    assert mean(problem, 10).tolist() == [1.5, 0, 2, 0, 0, 0, 0, 0, 0, 0]
    assert eigenvalues(problem._replace(signal=2.0), 10) is None


def test_empty_levels_change_nothing():
    """As where spectra are filled up to one length."""
    problem = Problem(TWO, Rates(0.1, 1, 1), 0.1)
    filled = problem._replace(signal=Spectrum(*((*values[:1], 0.0, *values[1:], 0.0, 0.0) for values in TWO)))
    for of in (eigenvalues, mean):
        np.testing.assert_array_equal(of(filled, 7), of(problem, 7))


REFUSED = [
    (TWO._replace(eigenvalues=(2.0,)), "1 eigenvalues, 2 shares, 2 signals_sq"),
    (Spectrum((), (), ()), "0 eigenvalues"),
    (TWO._replace(eigenvalues=(2.0, -0.1)), "eigenvalues: -0.1 is outside [0, inf)"),
    (TWO._replace(eigenvalues=(2.0, math.inf)), "eigenvalues: inf"),
    (TWO._replace(shares=(0.5, math.nan)), "shares: nan"),
    (TWO._replace(signals_sq=(-1.0, 1.0)), "signals_sq: -1"),
    (TWO._replace(shares=(0.5, 0.4)), "shares sum to 0.9; they must sum to 1"),
    (TWO._replace(eigenvalues=(2.0, 0.0)), "level of eigenvalue 0"),
    (TWO._replace(shares=(1.0, 0.0)), "level of share 0"),
    (TWO._replace(signals_sq=(0.0, 0.0)), "all are 0"),
    (Spectrum((0.0,), (1.0,), (0.0,)), "none is above 0"),
]


@pytest.mark.parametrize(("spectrum", "said"), REFUSED)
def test_what_is_no_spectrum_is_refused(spectrum, said):
    assert any(said in fault for fault in faults(spectrum))
    with pytest.raises(InputError, match="^spectrum: "):
        check_spectrum(spectrum, 100)


def test_a_level_without_a_dimension_is_refused():
    rare = Spectrum((2.0, 1.0), (0.01, 0.99), (1.0, 1.0))
    assert room_fault(rare, 100) == ""
    assert room_fault(rare, 20) == "d = 20 has no dimension for level 1 of share 0.01; raise d, or merge levels"
    with pytest.raises(InputError, match="d = 20 has no dimension"):
        check_spectrum(rare, 20)
    assert list(faults(TWO)) == []
    check_spectrum(TWO, 2)


@pytest.mark.parametrize("decay", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("signal_decay", [-1.0, 0.0, 3.0])
def test_power_laws_have_mean_eigenvalue_one_and_the_signal(decay, signal_decay):
    made = power_law(decay, signal_decay, 9, 1.7)
    s, f, signal = map(np.array, made)
    assert list(faults(made)) == []
    assert f @ s == pytest.approx(1, rel=1e-10)
    assert norm(made) == pytest.approx(1.7, rel=1e-10)
    np.testing.assert_allclose(s / s[0], np.arange(1, 10) ** -decay, rtol=1e-10)
    np.testing.assert_allclose(signal / signal[0], np.arange(1, 10) ** -signal_decay, rtol=1e-10)
    assert mahalanobis_sq(made) == pytest.approx(float(mahalanobis(made)) ** 2, rel=1e-12)


def test_a_file_is_read_with_and_without_shares(tmp_path):
    file = tmp_path / "s.csv"
    file.write_text("signals_sq,eigenvalues,shares\n0.5,2,0.25\n1,0.2,0.75\n")
    assert read_csv(file) == Spectrum((2.0, 0.2), (0.25, 0.75), (0.5, 1.0))
    file.write_text("\ufeffeigenvalues, signals_sq \n2,0.5\n0.2,1\n\n")
    assert read_csv(file).shares == (0.5, 0.5)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("eigenvalues,shares\n1,1\n", "no column signals_sq; it needs eigenvalues, signals_sq"),
        ("eigenvalues,signals_sq\n1,1\none,1\n", "line 3, column eigenvalues: 'one' is not a finite number"),
        ("eigenvalues,signals_sq\n1\n", "line 2: 1 fields for 2 columns; mend the line"),
        (
            "eigenvalues,signals_sq\n\n1,1,1\n0,5,1\ninf,1\n",
            "line 3: 3 fields .*; and line 4: 3.*; and line 5, col",
        ),
        ("eigenvalues,signals_sq,share\n1,1,1\n", "has a column 'share', which is not known; it needs eigenvalues"),
        ("eigenvalues,signals_sq,signals_sq\n1,1,1\n", "has 2 columns signals_sq; rename all but one"),
        ("eigenvalues,signals_sq\n", "has no line below its names; give one for every level"),
        ("", "has no column eigenvalues; .*; and no column signals_sq"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_place(tmp_path, content, said):
    file = tmp_path / "s.csv"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=said) as refused:
        read_csv(file)
    assert str(file) in str(refused.value)
