"""Newton with a Jacobian that is moved along, on known roots, from where the bare step would fail."""

import numpy as np

from theory.roots import roots


def search(residuals, u, **options):
    return roots(lambda u, which: residuals(u), np.array(u), **({"target": 1e-13, "evaluations": 60} | options))


def test_a_step_that_overshoots_is_cut():
    """arctan: the bare step from 3 diverges; the step of length 1 at most, or cut, comes home."""
    bare = 3.0 - np.arctan(3.0) * (1 + 3.0**2)
    assert abs(bare) > 3
    for longest in (np.inf, 1.0):
        found = search(np.arctan, [[3.0]], longest=longest)
        assert found.norm <= 1e-13
        np.testing.assert_allclose(found.u, 0, atol=1e-12)


def test_no_step_leaves_the_domain():
    """log u, NaN for u <= 0: from 5 the bare step is to -3."""
    found = search(lambda u: np.where(u > 0, np.log(np.where(u > 0, u, 1.0)), np.nan), [[5.0]])
    assert found.norm <= 1e-13
    np.testing.assert_allclose(found.u, 1, rtol=1e-12)


def circle(u):
    """x^2 + y^2 = 2, x = y."""
    return np.stack([u[:, 0] ** 2 + u[:, 1] ** 2 - 2, u[:, 0] - u[:, 1]], -1)


def test_several_points_stop_by_themselves():
    """Many points at once: those of one half plane find (1, 1), each as it does alone, to the bit."""
    first = np.array([[2.0, 0.5], [0.1, 3.0], [40.0, 1.0]])
    together = search(circle, first, target=1e-14)
    np.testing.assert_allclose(together.u, 1, rtol=1e-13)
    assert np.all(together.norm <= 1e-14)
    alone = np.concatenate([search(circle, first[i : i + 1], target=1e-14).u for i in range(3)])
    np.testing.assert_array_equal(together.u, alone)


def test_what_has_no_root_keeps_its_norm():
    """u^2 + 1: the best residual is at the minimum, and the norm says that it is no root."""
    found = search(lambda u: u**2 + 1, [[0.7]])
    assert found.norm >= 1
    assert np.isfinite(found.u).all()


def test_a_known_jacobian_saves_evaluations():
    """Of the same root: with the Jacobian of a near point no difference quotient is taken."""
    calls = []

    def counted(u):
        calls.append(len(u))
        return circle(u)

    near = search(counted, [[1.3, 0.9]], target=1e-3, polish=False)
    cold, warm = [], []
    for slope, count in ((None, cold), (near.slope, warm)):
        calls.clear()
        found = search(counted, near.u, slope=slope)
        count.append(len(calls))
        np.testing.assert_allclose(found.u, 1, rtol=1e-12)
    assert warm[0] < cold[0]


def test_a_singular_jacobian_is_no_error():
    """A problem without a step is left where it is; its neighbour is solved."""
    found = search(lambda u: np.where(u > 10, 1.0, u - 1), [[20.0], [3.0]])
    np.testing.assert_allclose(found.u.ravel(), [20.0, 1.0], rtol=1e-12)
    np.testing.assert_allclose(found.norm, [1.0, 0.0], atol=1e-13)
