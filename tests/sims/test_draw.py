import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import binomtest, kstest

from sims.draw import draw
from sims.population import directions
from sims.verify import verify
from tests.statistical import rejects_mean
from theory.types import ClassRates, Cosines, Problem, Rates

FALSE_FAIL = 1e-8
"""Of each comparison; a test has ten at most. Twins are 12 standard errors off or more."""
N = 20_000


def sample_of(seed, problem, n=N, d=4):
    k_draw, k_verify = jax.random.split(jax.random.key(seed))
    sample = draw(k_draw, problem, n, d)
    return sample, np.asarray(verify(k_verify, problem, sample))


@pytest.mark.statistical
def test_points_are_the_mixture(fresh_seed):
    """y x is N(r e_1, I): first coordinate by Kolmogorov-Smirnov, the twin with a shifted mean must fail."""
    sample, _ = sample_of(fresh_seed, Problem(1.3, Rates(0.3, 0.8, 0.2), 0.1))
    u = np.asarray(sample.y[:, None] * sample.x)
    for column, centre in ((0, 1.3), (1, 0.0), (3, 0.0)):
        assert kstest(u[:, column] - centre, "norm").pvalue > FALSE_FAIL
    assert kstest(u[:, 0] - 1.2, "norm").pvalue < FALSE_FAIL
    products = u - u.mean(0)
    for i, j in itertools.combinations(range(4), 2):
        assert not rejects_mean(products[:, i] * products[:, j], 0.0, false_fail=FALSE_FAIL)


@pytest.mark.statistical
def test_labels_and_verdicts_have_their_rates_per_class(fresh_seed):
    rates = ClassRates(*(jnp.array(x) for x in ([0.2, 0.4], [0.9, 0.6], [0.1, 0.3], [0.35, 0.65])))
    sample, kept = sample_of(fresh_seed, Problem(1.0, rates, 0.1))
    y, wrong = np.asarray(sample.y), np.asarray(sample.label != sample.y)

    def agrees(hits, probability):
        return binomtest(int(hits.sum()), len(hits), float(probability)).pvalue > FALSE_FAIL

    assert agrees(y > 0, 0.65)
    for k, sign in enumerate((-1, 1)):
        assert agrees(wrong[y == sign], rates.p[k])
        assert agrees(kept[(y == sign) & ~wrong], rates.phi[k])
        assert agrees(kept[(y == sign) & wrong], rates.psi[k])
    assert not agrees(wrong[y == -1], rates.p[1])  # the classes are not exchanged


@pytest.mark.statistical
def test_errors_are_independent_of_the_noise(fresh_seed):
    """The theorem's hypothesis: among points of one class, z has the same law whether y' is right or kept."""
    sample, kept = sample_of(fresh_seed, Problem(1.0, Rates(0.4, 0.7, 0.3), 0.1))
    z = np.asarray(sample.y[:, None] * sample.x)[:, 0] - 1.0
    wrong = np.asarray(sample.label != sample.y)
    for chosen in (wrong, ~wrong, kept, wrong & kept):
        assert not rejects_mean(z[chosen], 0.0, false_fail=FALSE_FAIL)


@pytest.mark.parametrize(
    "cosines",
    [(0.5, 0.4, -0.1), (0.3, 0.6, 0.2), (0.7, 0.7, 1.0), (0.4, 1.0, 0.4), (1.0, 0.2, 0.2), (0.5, -1.0, -0.5)],
)
def test_directions_have_the_given_cosines(cosines):
    mean, g, v = directions(Cosines(*cosines), 5)
    found = [jnp.dot(g, mean), jnp.dot(v, mean), jnp.dot(g, v), jnp.dot(g, g), jnp.dot(v, v), jnp.dot(mean, mean)]
    np.testing.assert_allclose(found, [*cosines, 1, 1, 1], atol=1e-12)


@pytest.mark.statistical
def test_linear_setting_has_the_rates_of_its_geometry(fresh_seed):
    """Counted p, phi, psi against the closed form of theory, which the simulation does not import."""
    from theory.geometry import rates

    cosines, signal = Cosines(0.5, 0.7, 0.1), 1.2
    sample, kept = sample_of(fresh_seed, Problem(signal, cosines, 0.1))
    wrong = np.asarray(sample.label != sample.y)
    p, phi, psi = (float(rate) for rate in rates(signal, cosines))
    for hits, rate in ((wrong, p), (kept[~wrong], phi), (kept[wrong], psi)):
        assert binomtest(int(hits.sum()), len(hits), rate).pvalue > FALSE_FAIL
        assert binomtest(int(hits.sum()), len(hits), rate + 0.08).pvalue < FALSE_FAIL
