import jax
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from theory.losses import LOSSES, envelope, envelope_slope

THETAS = (1e-4, 0.3, 1.0, 7.0, 1e3, 1e6)
X = np.concatenate([np.linspace(-60, 60, 41), [-1e3, -0.01, 0.999, 300.0]])


@pytest.fixture(params=sorted(LOSSES))
def loss(request):
    return LOSSES[request.param]


@pytest.mark.parametrize("theta", THETAS)
def test_prox_is_stationary(loss, theta):
    """v + theta l'(v) = x; where the loss has a kink, x - v lies between the two slopes."""
    v = loss.prox(X, theta)
    gap = (X - v) / theta
    low, high = loss.slope(v - 1e-9), loss.slope(v + 1e-9)
    scale = 1e-9 * (1 + np.abs(gap)) + 1e-12 * (np.abs(X) + theta) / theta
    assert np.all((gap >= low - scale) & (gap <= high + scale))


@pytest.mark.parametrize("theta", [0.3, 2.0, 40.0])
def test_envelope_is_the_minimum(loss, theta):
    for x in (-8.0, -0.5, 0.3, 1.7, 9.0):
        objective = lambda v, x=x: float(loss.value(v)) + (v - x) ** 2 / (2 * theta)
        found = minimize_scalar(objective, bounds=(min(x, 1) - 1, max(x + theta, 1) + 1), method="bounded")
        np.testing.assert_allclose(envelope(loss, x, theta), found.fun, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("theta", [0.3, 2.0, 40.0])
def test_slope_is_the_derivative_of_value_and_envelope(loss, theta):
    x = np.linspace(-12, 12, 31) + 0.01
    step = 1e-6
    numeric = (envelope(loss, x + step, theta) - envelope(loss, x - step, theta)) / (2 * step)
    np.testing.assert_allclose(envelope_slope(loss, x, theta), numeric, atol=1e-7)
    np.testing.assert_allclose(loss.slope(x), jax.vmap(jax.grad(loss.value))(x), atol=1e-12)
    np.testing.assert_allclose(loss.slope(np.float64(0.0)), loss.slope_at_zero, atol=1e-15)


@pytest.mark.parametrize("theta", [1e-3, 0.3, 2.0, 40.0, 1e3, 1e5])
@pytest.mark.parametrize(("mean", "scale"), [(0.0, 1.0), (0.3, 0.05), (-2.0, 20.0), (30.0, 8.0), (0.1, 60.0)])
def test_rule_integrates_against_a_gaussian(loss, theta, mean, scale):
    """The loss's own nodes against 200,000 equal steps of the envelope itself on each side of its kinks."""
    low, high = -abs(mean) - 8.5 * scale, abs(mean) + 8.5 * scale
    density = lambda x: np.exp(-(((x - mean) / scale) ** 2) / 2) / scale / np.sqrt(2 * np.pi)
    at = loss.rule(low, high, np.asarray(theta), 96)
    edges = np.clip([low, 1 - theta, 1.0, high], low, high)
    pieces = [a + (b - a) * (np.arange(200_000) + 0.5) / 200_000 for a, b in zip(edges, edges[1:], strict=False)]
    x = np.concatenate(pieces)
    mass = density(x) * np.repeat(np.diff(edges) / 200_000, 200_000)
    slope = np.asarray(envelope_slope(loss, x, theta))
    weight = np.asarray(at.weight) * density(np.asarray(at.x))
    np.testing.assert_allclose(np.sum(weight * at.slope), np.sum(mass * slope), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(np.sum(weight * at.slope**2), np.sum(mass * slope**2), rtol=1e-8, atol=1e-10)
    by_parts = np.sum(mass * slope * (x - mean)) / scale**2
    np.testing.assert_allclose(np.sum(weight * at.curvature), by_parts, rtol=1e-7, atol=1e-8 / scale)


def test_rule_halves_its_error_exponentially():
    """Logistic, theta = 1e4, the nearly separable corner: doubling the nodes squares the error."""
    loss, theta = LOSSES["logistic"], np.asarray(1e4)

    def mean_slope(n):
        at = loss.rule(-180.0, 180.0, theta, n)
        return float(np.sum(at.weight * at.slope * np.exp(-((at.x / 20) ** 2) / 2)))

    exact = mean_slope(2000)
    errors = [abs(mean_slope(n) / exact - 1) for n in (12, 24, 48, 96)]
    assert errors[0] > 3 * errors[1] > 30 * errors[2]
    assert errors[3] < 1e-12
