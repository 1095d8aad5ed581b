"""A loss added by the recipe: a class in `theory.losses.LOSSES` and an entry of `sims.fit.FITTED`, and nothing else.

The loss is log cosh(1 - v), a smooth |1 - v|. Both roads take it, and they meet.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.lax import stop_gradient

from sims.fit import FITTED, Smooth, fit
from sims.trial import make_trials
from tests.statistical import detectable, rejects_mean
from theory.engine import solve
from theory.losses import LOSSES, Envelope
from theory.quadrature import midpoints
from theory.types import Cosines, Problem, Rates


class LogCosh:
    """l(v) = log cosh(1 - v): l' = tanh(v - 1), l'' = 1 - l'^2."""

    surrogate = (1.0, 1.0)
    slope_at_zero = -math.tanh(1.0)

    def value(self, v):
        return jnp.logaddexp(1 - v, v - 1) - math.log(2)

    def slope(self, v):
        return jnp.tanh(v - 1)

    def prox(self, x, theta):
        """s + theta tanh s = |x - 1|, s = |v - 1|: increasing and concave, so Newton from below is monotone."""
        distance = jnp.abs(x - 1)
        newton = lambda _, s: s - (s + theta * jnp.tanh(s) - distance) / (1 + theta / jnp.cosh(s) ** 2)
        start = jnp.maximum(distance - theta, distance / (1 + theta))
        return 1 + jnp.sign(x - 1) * jax.lax.fori_loop(0, 30, newton, start)

    def rule(self, low, high, theta, n):
        """Equal steps in v = prox, with x = v + theta l'(v) explicit."""
        v, step = midpoints(*stop_gradient(self.prox(jnp.stack([low, high]), theta)), n)
        slope = jnp.tanh(v - 1)
        stretch = 1 + theta * (1 - slope**2)
        return Envelope(v + theta * slope, step * stretch, slope, (1 - slope**2) / stretch)


@pytest.fixture
def loss(monkeypatch):
    added, name = LogCosh(), "log-cosh"
    monkeypatch.setitem(LOSSES, name, added)
    monkeypatch.setitem(FITTED, name, Smooth(added.value, added.slope, lambda v: 1 - jnp.tanh(v - 1) ** 2))
    return name


@pytest.mark.statistical
@pytest.mark.parametrize("curation", [Rates(0.3, 0.8, 0.3), Cosines(0.3, 0.6, 0.2)])
def test_both_roads_take_it_and_meet(fresh_seed, loss, curation):
    """512 trials at d = 60, allowed bias 0.5/d; false-failure rate 3e-6: the statement and its two twins."""
    d, alpha, problem = 60, 3, Problem(1.5, curation, 0.1)
    predicted = solve(problem, alpha, loss)
    assert bool(predicted.converged)
    words = np.random.default_rng(fresh_seed).integers(0, 2**32, (512, 3), dtype=np.uint32)
    many = jax.tree.map(lambda leaf: jnp.full(len(words), leaf), problem)
    found = make_trials(alpha * d, d, loss)(fresh_seed, words, many)
    assert bool(found.converged.all())
    expected = float(predicted.accuracy)
    assert not rejects_mean(found.accuracy, expected, 0.5 / d)
    shift = detectable(found.accuracy, 0.5 / d)
    assert shift < 0.04, shift
    assert rejects_mean(found.accuracy, expected + shift, 0.5 / d)
    assert rejects_mean(found.accuracy, expected - shift, 0.5 / d)


def test_without_an_entry_it_is_refused():
    with pytest.raises(ValueError, match="'log-cosh' is unknown; choose one of squared, logistic, hinge"):
        solve(Problem(1.5, Rates(0.3, 0.8, 0.3), 0.1), 3.0, "log-cosh")
    with pytest.raises(ValueError, match="'log-cosh' is not one of squared, logistic"):
        fit("log-cosh", jnp.ones((3, 2)), jnp.ones(3), jnp.ones(3, bool), jnp.asarray(0.1))
