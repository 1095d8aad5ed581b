"""The recipe of CONTRIBUTING.md: a loss is an entry of the vocabulary, a class in theory and an entry in sims.

The loss is log cosh(1 - v), a smooth |1 - v|.
"""

import json

import pandas as pd
import pytest

from tests import recipe
from tests.recipe import pstar
from tests.statistical import detectable, rejects_mean

NAMED = '    "log-cosh": LossName("log cosh(1 - v)", True),\n'
PREDICTED = '''class LogCosh:
    """l(v) = log cosh(1 - v): l' = tanh(v - 1), l'' = 1 - l'^2."""

    surrogate = (1.0, 1.0)
    slope_at_zero = -0.7615941559557649

    def value(self, v):
        xp = of(v)
        return xp.logaddexp(1 - v, v - 1) - xp.log(2.0)

    def slope(self, v):
        return of(v).tanh(v - 1)

    def prox(self, x, theta):
        """s + theta tanh s = |x - 1|, s = |v - 1|: increasing and concave, so Newton from below is monotone."""
        xp, distance = of(x, theta), abs(x - 1)
        newton = lambda _, s: s - (s + theta * xp.tanh(s) - distance) / (1 + theta / xp.cosh(s) ** 2)
        start = xp.maximum(distance - theta, distance / (1 + theta))
        return 1 + xp.sign(x - 1) * xp.repeat(30, newton, start)

    def rule(self, low, high, theta, n):
        """Equal steps in v = prox, with x = v + theta l'(v) explicit."""
        xp, theta = of(low, high, theta), theta[..., None]
        ends = xp.stop_gradient(self.prox(xp.stack([low, high], -1), theta))
        v, step = midpoints(ends[..., 0], ends[..., 1], n)
        slope = xp.tanh(v - 1)
        stretch = 1 + theta * (1 - slope**2)
        return Envelope(v + theta * slope, step * stretch, slope, (1 - slope**2) / stretch)


'''
FITTED = """    "log-cosh": Smooth(
        value=lambda v: jnp.logaddexp(1 - v, v - 1),
        slope=lambda v: jnp.tanh(v - 1),
        curvature=lambda v: 1 - jnp.tanh(v - 1) ** 2,
    ),
"""
D, TRIALS = 40, 512
SWEEP = f"""
[problem]
d = {D}
alpha = 3
signal = 1.5
[generator]
p = 0.3
[verifier]
phi = 0.8
psi = 0.3
[training]
loss = ["log-cosh", "logistic"]
ridge = 0.1
[run]
seeds = {TRIALS}
root_seed = SEED
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the project with one more loss."""
    root = recipe.copy(tmp_path_factory.mktemp("tree"))
    recipe.insert(root / "theory" / "columns.py", '    "hinge": LossName', NAMED)
    losses, fit = root / "theory" / "losses.py", root / "sims" / "fit.py"
    recipe.insert(losses, "LOSSES: dict", PREDICTED)
    recipe.insert(losses, '"hinge": Hinge()', '"log-cosh": LogCosh(), ')
    recipe.insert(fit, '    "logistic": Smooth', FITTED)
    return root


@pytest.mark.statistical
def test_it_is_predicted_simulated_and_compared(tree, fresh_seed):
    """Both roads meet, allowed bias 0.5/d; false-failure rate 3e-6: the statement and its two twins."""
    options = "--p .3 --phi .8 --psi .3 --signal 1.5 --alpha 3 --ridge .1 --loss log-cosh --json"
    predicted = json.loads(pstar(tree, "predict", *options.split()))["accuracy"]
    (tree / "sweep.toml").write_text(SWEEP.replace("SEED", str(fresh_seed)))
    pstar(tree, "sweep", "sweep.toml", "--out", "out", "--workers", 1)
    rows = pd.read_parquet(tree / "out" / "rows.parquet").query("loss == 'log-cosh'")
    assert len(rows) == TRIALS
    assert rows["converged"].all()
    assert not rejects_mean(rows["accuracy"], predicted, 0.5 / D)
    shift = detectable(rows["accuracy"], 0.5 / D)
    assert shift < 0.05, shift
    assert rejects_mean(rows["accuracy"], predicted + shift, 0.5 / D)
    assert rejects_mean(rows["accuracy"], predicted - shift, 0.5 / D)
    pstar(tree, "compare", "out")
    cells = pd.read_csv(tree / "out" / "tables" / "cells.csv")
    assert set(cells["loss"]) == {"log-cosh", "logistic"}
