"""Newton on equations whose roots are known, from points where the bare step would fail."""

import jax
import jax.numpy as jnp
import numpy as np

from theory.newton import newton


def test_a_step_that_overshoots_is_cut():
    """arctan: the bare step from 3 diverges; the step of length 1 at most, or cut, comes home."""
    bare = 3.0 - np.arctan(3.0) * (1 + 3.0**2)
    assert abs(bare) > 3
    for longest in (np.inf, 1.0):
        u, norm = newton(jnp.arctan, jnp.array([3.0]), steps=40, target=1e-13, longest=longest)
        assert float(norm) <= 1e-13
        np.testing.assert_allclose(u, 0, atol=1e-12)


def test_no_step_leaves_the_domain():
    """log u, NaN for u <= 0: from 5 the bare step is to -3."""
    u, norm = newton(lambda u: jnp.where(u > 0, jnp.log(u), jnp.nan), jnp.array([5.0]), steps=40, target=1e-13)
    assert float(norm) <= 1e-13
    np.testing.assert_allclose(u, 1, rtol=1e-12)


def test_several_points_stop_by_themselves():
    """x^2 + y^2 = 2, x = y from many points at once: those of one half plane find (1, 1), as each does alone."""
    residuals = lambda u: jnp.stack([u[0] ** 2 + u[1] ** 2 - 2, u[0] - u[1]])
    first = jnp.array([[2.0, 0.5], [0.1, 3.0], [40.0, 1.0]])
    search = lambda u: newton(residuals, u, steps=40, target=1e-14)
    together, norm = jax.vmap(search)(first)
    np.testing.assert_allclose(together, 1, rtol=1e-13)
    assert np.all(np.asarray(norm) <= 1e-14)
    np.testing.assert_allclose(together, jnp.stack([search(u)[0] for u in first]), rtol=1e-15)


def test_what_has_no_root_keeps_its_norm():
    """u^2 + 1: the best residual is at the minimum, and the norm says that it is no root."""
    u, norm = newton(lambda u: u**2 + 1, jnp.array([0.7]), steps=40, target=1e-13)
    assert float(norm) >= 1
    assert np.isfinite(u).all()
