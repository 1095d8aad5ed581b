"""Grids: nearly equal values are one, the one that prints shortest, and it is said; all others stay as they are."""

import json
import tomllib
import warnings

import numpy as np
import pandas as pd
import pytest

import pstar as ps
from sims.running.twins import RELATIVE, merged
from sims.sweeps.config import parse
from sims.sweeps.grid import cells
from theory.errors import Note

SWEEP = {
    "problem": {"d": 10, "alpha": 4},
    "generator": {"p": [0.1, 0.3, 0.7, 0.9]},
    "verifier": {"phi": 0.8, "psi": [0.2, 0.4]},
    "training": {"loss": ["squared", "logistic"], "ridge": 0.1},
    "run": {"seeds": 8},
}
NEAR = 0.30000000000000004


def swept(**tables):
    return {name: SWEEP[name] | tables.get(name, {}) for name in SWEEP}


@pytest.mark.parametrize(
    ("twins", "one", "said"),
    [
        ({"generator": {"p": [0.1, 0.3, NEAR, 0.7, 0.9]}}, {}, "generator.p: values that differ by rounding alone"),
        ({"generator": {"p": [0.1, NEAR, 0.7, 0.3, 0.9]}}, {}, "are one: 0.3 for 0.30000000000000004"),
        (
            {"generator": {"p": [[0.1, NEAR], [0.1, 0.3]]}},
            {"generator": {"p": [[0.1, 0.3]]}},
            "0.1, 0.30000000000000004",
        ),
        ({"verifier": {"psi": [0.2, 0.4, 0.4 * (1 + 1e-13)]}}, {}, "verifier.psi"),
        ({"training": {"ridge": [0.1, 0.1 * (1 + 4e-16)]}}, {}, "training.ridge"),
        ({"problem": {"alpha": [4, 4.000000000000001]}}, {}, "problem.alpha: "),
        ({"problem": {"signal": [2, 2.0000000000000004]}}, {"problem": {"signal": 2}}, "problem.signal: "),
        (
            {"verifier": {"pairs": [[0.8, 0.2], [0.8, 0.2 * (1 + 1e-15)], [0.8, 0.4]], "phi": None, "psi": None}},
            {"verifier": {"pairs": [[0.8, 0.2], [0.8, 0.4]], "phi": None, "psi": None}},
            "verifier.pairs: ",
        ),
    ],
)
def test_twins_of_a_sweep_are_one(twins, one, said):
    trim = lambda document: {
        name: {k: v for k, v in table.items() if v is not None} for name, table in document.items()
    }
    with pytest.warns(Note) as told:
        found = parse(trim(swept(**twins)))
    assert len(told) == 1
    assert said in str(told[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert set(cells(found)) == set(cells(parse(trim(swept(**one)))))


def test_spectra_that_differ_by_rounding_are_one():
    levels = {"eigenvalues": [1.0, 0.1], "shares": [0.5, 0.5], "signals_sq": [1.0, 1.0]}
    near = levels | {"eigenvalues": [1.0, 0.1 * (1 + 2e-16)]}
    with pytest.warns(Note, match="problem.spectrum: "):
        found = parse(swept(problem={"spectrum": [levels, near]}))
    assert cells(found).keys() == cells(parse(swept(problem={"spectrum": levels}))).keys()


def test_a_sweep_without_twins_is_as_it_was():
    """Its cells keep their ids, which are the seeds of all random numbers."""
    assert list(cells(parse(SWEEP)))[:2] == ["6ada049abd4d758e", "5fa8416ced60136f"]
    alone = parse(swept(generator={"p": [0.1, NEAR, 0.7]}))
    assert alone.generator.p == (0.1, NEAR, 0.7)
    assert parse(swept(generator={"p": [0.3, [0.3, 0.3]]})).generator.p == (0.3, (0.3, 0.3))
    assert parse(swept(generator={"p": [0, 5e-324, 1e-300]})).generator.p == (0, 5e-324, 1e-300)


def test_what_is_merged_and_what_is_not(fresh_seed):
    """Of a grid with noise below the bound the clean values are left; beyond it, all of them."""
    rng = np.random.default_rng(fresh_seed)
    values = np.unique(rng.uniform(0.01, 1, 40).round(4))
    noise = 1 + RELATIVE * rng.uniform(-0.4, 0.4, values.size)
    with pytest.warns(Note):
        found = merged("p", [*values.tolist(), *(values * noise).tolist()])
    assert found == tuple(values.tolist())
    apart = [*values.tolist(), *(values * (1 + 3 * RELATIVE)).tolist()]
    assert merged("p", apart) == tuple(apart)


def test_the_field_s_case_is_that_without_its_twin(tmp_path):
    """The same trials, the same crossings (FIELD 4)."""
    near, right = (
        tomllib.loads(TOML.replace("P", grid)) for grid in ("0.1, 0.3, 0.30000000000000004, 0.7, 0.9", RIGHT)
    )
    with pytest.warns(Note):
        rows = ps.sweep(near)
    pd.testing.assert_frame_equal(rows, ps.sweep(right))
    found = ps.compare(rows).crossings
    half = found[(found["target"] == "p_half") & (found["loss"] == "logistic") & (found["psi"] == 0.2)]
    assert len(half) == 1
    assert 0.7 < half["measured"].item() < 0.9
    assert json.dumps(rows["p"].unique().tolist()) == f"[{RIGHT}]"


TWINS = "0.1, 0.3, 0.30000000000000004, 0.7, 0.9"
RIGHT = "0.1, 0.3, 0.7, 0.9"
TOML = """
[problem]
d = 10
alpha = 4
[generator]
p = [P]
[verifier]
phi = 0.8
psi = [0.2, 0.4]
[training]
loss = ["squared", "logistic"]
ridge = 0.1
[run]
seeds = 8
"""
