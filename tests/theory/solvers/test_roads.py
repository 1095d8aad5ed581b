"""One set of equations, two roads to their solution: NumPy for numbers, JAX for what it traces. They meet."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory import arrays, geometry
from theory.engine import solve
from theory.equations import equations, guess
from theory.laws import Clean, HalfPlane, Independent, Mixture, Wedge
from theory.laws.law import SMOOTH
from theory.losses import LOSSES
from theory.solvers import states
from theory.types import Cosines, KeepHard, Problem, Rates

CELLS = 192
"""Common to all tests here, so that each law and loss is compiled once."""


def box(seed, largest=6.0):
    """signal, delta, ridge and three cosines of unit vectors, all over the box of the solver's promise."""
    rng = np.random.default_rng(seed)
    spread = lambda low, high: np.exp(rng.uniform(np.log(low), np.log(high), CELLS))
    g, v, part = (rng.uniform(-0.9, 0.9, CELLS) for _ in range(3))
    between = g * v + part * np.sqrt((1 - g**2) * (1 - v**2))
    return (
        rng.uniform(0.1, largest, CELLS),
        spread(0.1, 1e3),
        spread(1e-5, 100),
        (g, v, between),
        rng.uniform(size=CELLS),
    )


def independent(seed):
    signal, delta, ridge, _, purity = box(seed)
    return Independent(signal, 0.01 + 0.98 * purity), delta, ridge


def wedge(seed):
    signal, delta, ridge, cosines, _ = box(seed, 4.0)
    return Wedge(signal, *cosines, 0 * signal), np.clip(delta, 0.2, 200), np.clip(ridge, 1e-4, 10)


def learned(seed):
    law, delta, ridge = wedge(seed)
    phi, psi = np.random.default_rng(seed + 99).uniform(0.05, 1, (2, CELLS))
    return HalfPlane(law.signal, law.cos_generator, phi, psi), delta, ridge


def mixture(seed):
    law, delta, ridge = wedge(seed)
    return Mixture(law, Clean(law.signal), box(seed)[4]), delta, ridge


def hard(seed):
    """A wedge less a narrower one: two of a kind."""
    law, delta, ridge = wedge(seed)
    sure = law._replace(margin=0.5 + 0 * law.signal)
    whole, part = law.kept_rate(), sure.kept_rate()
    return Mixture(law, sure, whole / (whole - part)), delta, ridge


LAWS = {maker.__name__: maker for maker in (independent, wedge, learned, mixture, hard)}


def traced(cells):
    return jax.tree.map(jnp.asarray, cells)


@pytest.mark.parametrize(
    ("name", "loss"),
    [("independent", loss) for loss in sorted(LOSSES)] + [(law, "logistic") for law in LAWS if law != "independent"],
)
def test_the_equations_are_the_same(name, loss):
    """Residuals of one and the same point, by NumPy for all cells and by JAX cell by cell: to rounding."""
    law, delta, ridge = LAWS[name](0)
    with np.errstate(all="ignore"):
        u = guess(law, LOSSES[loss], delta, ridge)
        here = equations(u, law, LOSSES[loss], delta, ridge, 96)
    scale = np.maximum(1, np.abs(here))
    one = jax.jit(jax.vmap(lambda u, law, delta, ridge: equations(u, law, LOSSES[loss], delta, ridge, 96)))
    np.testing.assert_allclose(one(*traced((u, law, delta, ridge))) / scale, here / scale, atol=2e-12, rtol=0)


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("independent", "logistic"),
        ("independent", "hinge"),
        ("learned", "logistic"),
        pytest.param("wedge", "logistic", marks=pytest.mark.slow),
        pytest.param("mixture", "logistic", marks=pytest.mark.slow),
        pytest.param("hard", "logistic", marks=pytest.mark.slow),
        pytest.param("wedge", "hinge", marks=pytest.mark.slow),
    ],
)
def test_the_solutions_are_the_same(name, loss):
    """Two searches with one start and one certificate, and two ways between, all over the box: accuracy to 1e-11."""
    law, delta, ridge = LAWS[name](1)
    here = states(LOSSES[loss], law, delta, ridge)
    there = states(LOSSES[loss], *traced((law, delta, ridge)))
    assert isinstance(here.a, np.ndarray)
    assert isinstance(there.a, jax.Array)
    np.testing.assert_array_equal(here.converged, there.converged)
    hard = (name, loss) == ("wedge", "hinge")  # kinks in the data and in the loss
    assert here.converged.mean() > (0.96 if hard else 0.99)
    np.testing.assert_allclose(there.accuracy(traced(law).signal), here.accuracy(law.signal), atol=1e-11, rtol=0)
    np.testing.assert_allclose(there.tau, here.tau, rtol=5e-9 if hard else 1e-9)


class Coarse(Independent):
    """A law that is looked at by too few nodes."""

    traits = property(lambda self: SMOOTH._replace(nodes=24))


def test_a_coarser_rule_on_one_road_is_noticed():
    """The twin: with a quarter of the nodes on the road of numbers the two part by more than 1e-11."""
    law, delta, ridge = independent(1)
    here = states(LOSSES["logistic"], Coarse(*law), delta, ridge)
    there = states(LOSSES["logistic"], *traced((law, delta, ridge)))
    gap = np.abs(there.accuracy(traced(law).signal) - here.accuracy(law.signal))
    assert np.max(gap[here.converged]) > 1e-11


@pytest.mark.parametrize(
    "problem", [Problem(1.2, Rates(0.2, 0.8, 0.4), 0.3), Problem(1.2, Cosines(0.5, 0.6, 0.2), 0.3)]
)
def test_closed_forms_are_the_same(problem):
    here, there = solve(problem, 2.0, "squared"), solve(traced(problem), 2.0, "squared")
    for mine, other in zip(here, there, strict=True):
        np.testing.assert_allclose(other, mine, rtol=1e-12, atol=1e-14)


@given(
    st.floats(-9, 9),
    st.floats(-9, 9),
    st.one_of(st.floats(-1, 1), st.sampled_from([-1.0, 1.0, 0.0, 1 - 1e-12, 1e-9 - 1])),
)
def test_orthants_are_the_same(h, k, rho):
    """Phi2 and P(Y < k | X < h), corners and tails included."""
    for function in (geometry.orthant, geometry.conditional_orthant):
        with np.errstate(all="ignore"):
            here = function(*map(np.float64, (h, k, rho)))
        there = function(*(jnp.asarray([x]) for x in (h, k, rho)))[0]
        np.testing.assert_allclose(there, here, atol=1e-11, rtol=0)


def test_a_cell_does_not_depend_on_its_table():
    """Alone, in another order and among many: the same bits."""
    law, delta, ridge = independent(2)
    many = states(LOSSES["logistic"], law, delta, ridge)
    turned = states(LOSSES["logistic"], *jax.tree.map(lambda field: field[::-1].copy(), (law, delta, ridge)))
    np.testing.assert_array_equal(turned.a[::-1], many.a)
    for i in (0, 7, CELLS - 1):
        alone = states(LOSSES["logistic"], *jax.tree.map(lambda field, i=i: field[i : i + 1], (law, delta, ridge)))
        np.testing.assert_array_equal(alone.a[0], many.a[i])


def test_numbers_need_no_jax():
    """A prediction of every setting, with crossings, in a process that must not import it."""
    code = """
import sys
class Refusal:
    def find_spec(self, name, path=None, target=None):
        assert name.split(".")[0] != "jax"
sys.meta_path.insert(0, Refusal())
from theory.describe import describe
shared = {"signal": 1.5, "alpha": 3.0, "ridge": 0.2}
cosines = {"cos_generator": 0.5, "cos_verifier": 0.6, "cos_between": 0.2}
print(describe(shared | {"p": 0.2, "phi": 0.9, "psi": 0.3, "loss": "logistic"})["accuracy"])
rates = {"phi": 0.9, "psi": 0.3, "cos_generator": 0.5}
print(describe(shared | rates | {"setting": "learned", "loss": "squared"})["accuracy"])
own = {"linear": {}, "keep-easy": {"margin": 0.3}, "keep-hard": {"margin": 0.3}, "mixture": {"real": 0.3}}
for setting, more in own.items():
    print(describe(shared | cosines | more | {"setting": setting, "loss": "squared"})["accuracy"])
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(0.5 < float(line) < 1 for line in done.stdout.split())


def test_namespaces():
    assert arrays.of(1.0, np.ones(2), (3, np.float64(1.0))) is arrays.NUMPY
    assert arrays.of(1.0, (2.0, jnp.ones(1))) is not arrays.NUMPY
    seen = []
    jax.jit(lambda x: seen.append(arrays.is_traced((1.0, x))))(1.0)
    assert seen == [True]
    assert not arrays.is_traced(jnp.ones(1))


@pytest.mark.parametrize("margin", [1e-3, 1.0])
def test_statuses_are_the_same(margin):
    problem = Problem(1.0, KeepHard(0.5, 0.6, 0.2, margin), 0.0)
    here, there = solve(problem, 0.5, "squared"), solve(traced(problem), 0.5, "squared")
    assert int(here.status) == int(there.status) != 0


def test_lists_are_arrays():
    """In every field and in alpha, for every loss."""
    for loss in LOSSES:
        listed = solve(Problem([1.2, 2.0], Rates([0.2], 0.8, [0.4, 0.1]), 0.3), [2.0, 3.0], loss)
        arrays = solve(
            Problem(np.array([1.2, 2.0]), Rates(0.2, 0.8, np.array([0.4, 0.1])), 0.3), np.array([2.0, 3.0]), loss
        )
        np.testing.assert_array_equal(listed.accuracy, arrays.accuracy)
    hard = solve(Problem(1.2, KeepHard(0.5, 0.6, 0.2, [0.5]), 0.3), 2.0, "squared")
    assert hard.accuracy.shape == (1,)
    assert isinstance(solve(Problem([jnp.asarray(1.2)], Rates(0.2, 0.8, 0.4), 0.3), 2.0, "squared").accuracy, jax.Array)


def test_a_forked_process_computes():
    """Of the pool of threads a child has everything but the threads: it makes its own."""
    code = """
import multiprocessing
import numpy as np
from theory.table import predict_table

def total(_=None):
    table = {"signal": np.linspace(1, 3, 1500), "alpha": 2.0, "ridge": 0.1, "p": 0.2, "phi": 0.9, "psi": 0.3}
    return float(predict_table(table | {"loss": "logistic"})["accuracy"].sum())

before = total()
with multiprocessing.get_context("fork").Pool(1) as pool:
    assert pool.map_async(total, [0]).get(timeout=300) == [before]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
