import csv
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_ndtr, ndtr
from scipy.stats import multivariate_normal

from theory.geometry import conditional_orthant, orthant, rates
from theory.threshold import kept_rate, p_star, purity
from theory.types import Cosines

REFERENCE = Path(__file__).parents[1] / "reference"


def read(name):
    rows = list(csv.DictReader((REFERENCE / name).read_text().splitlines()))
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0] if key != "loss"}


def random_cosines(rng, size):
    """Three unit vectors in space, their cosines: every admissible triple is reached."""
    vectors = rng.normal(size=(size, 3, 3))
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    gram = vectors @ vectors.swapaxes(-1, -2)
    return Cosines(gram[:, 0, 1], gram[:, 0, 2], gram[:, 1, 2])


def test_reference_table():
    table = read("theory_linear.csv")
    found = rates(table["signal"], Cosines(table["cos_generator"], table["cos_verifier"], table["cos_between"]))
    for name in ("p", "phi", "psi"):
        np.testing.assert_allclose(getattr(found, name), table[name], atol=1e-9)
    np.testing.assert_allclose(p_star(found), table["p_star"], atol=1e-9)
    np.testing.assert_allclose(kept_rate(found), table["kept_rate"], atol=1e-9)
    np.testing.assert_allclose(purity(found), table["purity"], atol=1e-9)


def test_orthant_against_scipy():
    rng = np.random.default_rng(0)
    h, k, rho = rng.normal(0, 2, 300), rng.normal(0, 2, 300), np.tanh(rng.normal(0, 2, 300))
    h[:20], k[10:30] = 0.0, 0.0
    expected = [multivariate_normal.cdf([a, b], cov=[[1, c], [c, 1]]) for a, b, c in zip(h, k, rho, strict=True)]
    np.testing.assert_allclose(orthant(h, k, rho), expected, atol=1e-13)


def by_conditioning(h, k, rho):
    """E[Phi((k - rho X)/s) | X < h] by the midpoint rule, fine enough for every case below."""
    t = (np.arange(40_000) + 0.5) * 40 / max(-h, 1) / 40_000
    weight = np.exp(-((h - t) ** 2) / 2 - log_ndtr(h)) / np.sqrt(2 * np.pi)
    return float(np.sum(weight * ndtr((k - rho * (h - t)) / np.sqrt(1 - rho**2)) * (t[1] - t[0])))


@pytest.mark.parametrize("h", [-3.9, -4.1, -6.0, -12.0, -30.0, -45.0])
@pytest.mark.parametrize("rho", [-0.999, -0.5, -0.05, 0.0, 0.02, 0.3, 0.9, 0.97, 0.999])
def test_tail_keeps_its_relative_precision(h, rho):
    for k in (h - 1, h, rho * h, rho * h + 0.3, h / 2, 1.0):
        found = float(conditional_orthant(jnp.asarray(h), jnp.asarray(k), jnp.asarray(rho)))
        assert abs(found - by_conditioning(h, k, rho)) < 1e-5, (h, k, rho)


@pytest.mark.parametrize("signal", [0.2, 1.0, 5.0, 50.0])
def test_verifier_equal_to_generator_keeps_everything(signal):
    for cosine in (-1.0, -0.3, 0.0, 0.6, 1.0):
        found = rates(signal, Cosines(cosine, cosine, 1.0))
        np.testing.assert_allclose(found.phi, 1.0, rtol=1e-14)
        np.testing.assert_allclose(found.psi, 1.0, rtol=1e-14)


@pytest.mark.parametrize("signal", [3.0, 38.5, 49.9, 50.1, 1e3, 1e6, 6e7, 1e8, 1e12])
def test_a_verifier_of_another_direction_is_a_coin_at_any_signal(signal):
    """A difference of logarithms of 1e16 had made of psi = 1/2 a .684 at 6e7, and a 1 at 1e8."""
    found = rates(signal, Cosines(1.0, 0.0, 0.0))
    assert (found.phi, found.psi) == pytest.approx((0.5, 0.5), abs=1e-12)


def test_corners():
    opposite = rates(1.5, Cosines(0.4, -0.4, -1.0))
    np.testing.assert_allclose([opposite.phi, opposite.psi], 0.0, atol=1e-15)
    perfect = rates(2.0, Cosines(1.0, 0.3, 0.3))
    assert 0 < perfect.psi < 1
    assert perfect.phi > perfect.psi
    bayes = rates(2.0, Cosines(0.3, 1.0, 0.3))
    assert bayes.psi < bayes.phi
    blind = rates(2.0, Cosines(0.0, 0.0, 0.0))
    np.testing.assert_allclose([blind.p, blind.phi, blind.psi], 0.5, atol=1e-15)
    huge = rates(100.0, Cosines(0.9, 0.8, 0.7))
    assert np.isfinite(np.asarray(huge)).all()
    assert float(huge.p) == 0.0


def test_near_collinear_is_continuous():
    exact = rates(1.3, Cosines(0.7, 0.7, 1.0))
    shrinking = []
    for angle in (1e-2, 1e-4, 1e-6):
        near = rates(1.3, Cosines(0.7, 0.7, np.cos(angle)))
        shrinking.append(abs(float(near.psi - exact.psi)))
    assert shrinking[0] > 10 * shrinking[1] > 100 * shrinking[2]


def test_monte_carlo():
    rng = np.random.default_rng(1)
    draws, signal = 400_000, 1.2
    for g, v, b in np.stack(random_cosines(rng, 6), axis=1):
        root = np.linalg.cholesky(np.array([[1, b], [b, 1]]) + 1e-14 * np.eye(2))
        x, y = signal * np.array([[g], [v]]) + root @ rng.normal(size=(2, draws))
        found = rates(signal, Cosines(g, v, b))
        for value, event, given in (
            (found.p, x < 0, x > -np.inf),
            (found.phi, y > 0, x > 0),
            (found.psi, y < 0, x < 0),
        ):
            share, count = event[given].mean(), given.sum()
            assert abs(share - value) < 6 * np.sqrt(value * (1 - value) / count) + 1e-6


def test_gradients_against_finite_differences():
    rng = np.random.default_rng(2)
    signal = np.concatenate([rng.uniform(0.2, 4, 30), rng.uniform(6, 9, 10)])
    cosines = random_cosines(rng, 40)
    cosines = Cosines(*(np.clip(0.95 * c, -0.95, 0.95) for c in cosines))
    total = lambda r, c: sum(jnp.sum(field) for field in rates(r, c))
    gradient = jax.jit(jax.grad(total, argnums=(0, 1)))(signal, cosines)
    step = 1e-5
    each = lambda r, c: np.sum([np.asarray(field) for field in rates(r, c)], axis=0)
    numeric = (each(signal + step, cosines) - each(signal - step, cosines)) / (2 * step)
    np.testing.assert_allclose(gradient[0], numeric, atol=1e-7)
    for i in range(3):
        up = Cosines(*(c + step * (j == i) for j, c in enumerate(cosines)))
        down = Cosines(*(c - step * (j == i) for j, c in enumerate(cosines)))
        numeric = (each(signal, up) - each(signal, down)) / (2 * step)
        np.testing.assert_allclose(gradient[1][i], numeric, atol=1e-6)


def test_vmap_equals_broadcast():
    cosines = random_cosines(np.random.default_rng(3), 50)
    signal = np.linspace(0.1, 6, 50)
    traced = jnp.asarray(signal), Cosines(*map(jnp.asarray, cosines))
    np.testing.assert_allclose(np.asarray(jax.vmap(rates)(*traced)), np.asarray(rates(*traced)), rtol=1e-13)
    np.testing.assert_allclose(np.asarray(rates(*traced)), np.asarray(rates(signal, cosines)), atol=1e-12, rtol=0)


def test_better_verifier_with_lower_p_star():
    """Accuracy of v rises from cos .6 to .8 while it comes closer to g; p* falls."""
    apart, close = Cosines(0.7, 0.6, 0.3), Cosines(0.7, 0.8, 0.95)
    assert p_star(rates(1.5, close)) < p_star(rates(1.5, apart))


@pytest.mark.parametrize(
    ("signal", "cosines", "word"),
    [
        (-1.0, (0.1, 0.2, 0.3), "signal"),
        (1.0, (1.2, 0, 0), "cos_generator"),
        (1.0, (0.9, 0.9, -0.9), "no three"),
    ],
)
def test_refusals(signal, cosines, word):
    with pytest.raises(ValueError, match=word):
        rates(signal, Cosines(*cosines))
