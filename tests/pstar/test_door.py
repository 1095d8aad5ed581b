"""`import pstar as ps` in a notebook: what it shows, what it costs, and that it needs no setting of JAX."""

import json
import re
import subprocess
import sys

import jax
import numpy as np
import pandas as pd
import pytest

import pstar as ps
from pstar.float64 import float64
from sims.trial import trial
from tests.processes import PATIENCE
from tests.pstar.command import ROOT
from tests.sims.helpers import INDEPENDENT as SMALL
from tests.small_sweep import independent_rows
from theory.errors import Note
from theory.prediction import predict

PROBLEM = ps.Problem(signal=2.0, curation=ps.Rates(p=0.3, phi=0.9, psi=0.2), ridge=0.1)
LINEAR = ps.Problem(2.0, ps.Cosines(0.4, 0.7, 0.2), 0.1)


def in_a_notebook(code, **environment):
    """Standard output of a fresh Python in which nobody has configured anything."""
    environment = {"PATH": "", "HOME": str(ROOT), "PYTHONPATH": str(ROOT)} | environment
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- the names ---


def test_the_docstring_lists_every_name_once_with_one_line():
    lines = [line.split(maxsplit=1) for line in ps.__doc__.splitlines() if re.match(r"    \w+ {2,}\S", line)]
    assert sorted(name for name, _ in lines) == sorted(ps.__all__)
    assert dir(ps) == sorted(ps.__all__)


def test_every_name_is_there_and_documented():
    for name in ps.__all__:
        assert getattr(ps, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'predikt'"):
        ps.predikt  # noqa: B018


def test_help_shows_the_names():
    shown = in_a_notebook("import pstar; help(pstar)")
    assert [name for name in ps.__all__ if name not in shown] == []


def test_importing_it_imports_nothing_else():
    loaded = json.loads(in_a_notebook("import json, sys, pstar; print(json.dumps(list(sys.modules)))"))
    ours = [name for name in loaded if name.split(".")[0] in ("pstar", "theory", "sims", "empirical", "figures")]
    assert ours == ["pstar"]
    assert {"jax", "numpy", "scipy", "pandas", "torch"} & {name.split(".")[0] for name in loaded} == set()


# --- float64 without a setting ---


def test_a_fresh_notebook_gets_float64_and_keeps_its_own_precision():
    code = """
import json, jax, pstar as ps
problem = ps.Problem(signal=2., curation=ps.Rates(.3, .9, .2), ridge=.1)
found = ps.predict(problem, alpha=4, loss="logistic")
measured = ps.trial(problem, n=60, d=12, loss="logistic", seed=3)
rows = ps.sweep({"problem": {"d": 4, "alpha": 4}, "generator": {"p": [.1, .3, .5, .7, .9]},
    "verifier": {"phi": .8, "psi": .2}, "training": {"loss": "squared", "ridge": .1}, "run": {"seeds": 3}})
compared = ps.compare(rows)
assert jax.numpy.ones(1).dtype == "float32" and not jax.config.jax_enable_x64
print(json.dumps([found._asdict(), measured._asdict(), compared.summary["cells"]]))
"""
    found, measured, cells = json.loads(in_a_notebook(code))
    here = predict(PROBLEM, 4.0, "logistic")
    assert {name: value for name, value in found.items() if name not in ("residual", "status")} == {
        name: np.asarray(value).item() for name, value in here._asdict().items() if name not in ("residual", "status")
    }
    again = trial(jax.random.key(3), PROBLEM, n=60, d=12, loss="logistic")
    assert measured["accuracy"] == pytest.approx(float(again.accuracy), rel=1e-10)
    assert (measured["m"], cells) == (int(again.m), 5)


def test_the_scope_ends_with_the_block():
    with jax.enable_x64(False):
        with float64():
            assert jax.numpy.ones(1).dtype == "float64"
        assert jax.numpy.ones(1).dtype == "float32"
        assert isinstance(ps.solve(LINEAR, 4, "hinge").accuracy, float)


# --- plain numbers ---


def test_single_numbers_come_back_as_numbers_and_arrays_as_arrays():
    found = ps.predict(PROBLEM, alpha=4)
    assert {type(value) for value in found} <= {float, bool, str}
    assert (found.beats_generator, found.below_threshold) == (True, True)
    assert ps.p_star(PROBLEM.curation) == pytest.approx(9 / 11, rel=1e-15)
    assert ps.kept_rate(PROBLEM.curation) == pytest.approx(0.69)
    assert ps.worth(PROBLEM.curation) == pytest.approx(0.57**2 / 0.69)
    many = ps.predict(PROBLEM._replace(curation=ps.Rates([0.1, 0.3], 0.9, 0.2)), alpha=4)
    assert (many.accuracy.dtype, many.accuracy.shape) == (np.float64, (2,))
    assert many.accuracy[1] == pytest.approx(found.accuracy, rel=1e-13)


def test_a_status_is_a_word():
    assert (ps.predict(PROBLEM, 4).status, ps.solve(PROBLEM, 4).status) == ("ok", "ok")
    nothing = ps.predict(PROBLEM._replace(curation=ps.Rates(1.0, 0.9, 0.0)), 4)
    assert (nothing.status, nothing.converged) == ("nothing kept", False)
    assert ps.solve(PROBLEM._replace(ridge=0.0), 0.5).status == "not unique"


def test_rates_per_class_broadcast():
    both = ps.ClassRates(p=0.3, phi=[0.9, 0.9], psi=[0.2, 0.2], prior=0.5)
    assert ps.purity(both) == pytest.approx(ps.purity(PROBLEM.curation), rel=1e-15)
    assert ps.predict(PROBLEM._replace(curation=both), 4).accuracy == pytest.approx(ps.predict(PROBLEM, 4).accuracy)
    with pytest.raises(ps.InputError, match="last axis must be the two classes"):
        ps.p_star(ps.ClassRates(0.3, 0.9, 0.2, 0.5))


def test_a_table_keeps_its_index():
    table = pd.DataFrame({"p": [0.1, 0.3], "phi": 0.9, "psi": 0.2, "signal": 2.0, "alpha": 4, "ridge": 0.1}, [7, 3])
    found = ps.predict_table(table.assign(loss="squared"))
    assert list(found.index) == [7, 3]
    assert found.loc[3, "accuracy"] == pytest.approx(ps.predict(PROBLEM, 4).accuracy, rel=1e-12)


def test_the_seed_is_all_that_a_trial_draws_from():
    first, again, other = (ps.trial(LINEAR, n=40, d=8, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.accuracy != other.accuracy
    assert {type(value) for value in first} == {int, float, bool}


# --- sweeps ---


def test_rows_are_the_same_with_and_without_a_folder(tmp_path):
    here, stored = ps.sweep(SMALL), ps.sweep(SMALL, tmp_path / "out", workers=1)
    pd.testing.assert_frame_equal(here, stored, rtol=1e-9)
    pd.testing.assert_frame_equal(stored, ps.sweep(SMALL, tmp_path / "out", workers=1))
    assert repr(ps.compare(tmp_path / "out")) == repr(ps.compare(stored))


def test_a_file_is_swept_like_its_content(tmp_path):
    tables = [
        f"[{name}]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in keys.items()) for name, keys in SMALL.items()
    ]
    (tmp_path / "small.toml").write_text("\n".join(tables))
    pd.testing.assert_frame_equal(ps.sweep(tmp_path / "small.toml"), ps.sweep(SMALL))


def test_a_comparison_shows_its_account_and_unfolds_its_tables():
    found = ps.compare(independent_rows())
    first, second, *rest = repr(found).splitlines()
    assert first.startswith("Predicted against measured p*: 60 cells, 1,440 trials, independent setting")
    assert second == "Account"
    assert len(rest) < 10
    html = found._repr_html_()
    assert "&#x27;p &lt; p*&#x27;" in html
    for name in ("cells", "crossings", "lines", "maps"):
        assert f"<summary>{name} ({len(getattr(found, name))} lines)</summary>" in html


# --- refusals ---


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda: ps.predict(PROBLEM.curation, 4), ps.KindError, "is no Problem; make one"),
        (lambda: ps.predict(ps.Problem(2.0, (0.3, 0.9, 0.2), 0.1), 4), ps.KindError, "must be one of Rates, Cosines"),
        (lambda: ps.predict(PROBLEM, "four"), ps.InputError, "alpha = 'four' is not a number"),
        (lambda: ps.predict(PROBLEM._replace(curation=ps.Rates(3, 1, 0)), 4), ps.InputError, "p = 3 is outside"),
        (lambda: ps.worth(PROBLEM), ps.KindError, "worth takes Rates or ClassRates"),
        (lambda: ps.worth(PROBLEM.curation, classes=1.5), ps.InputError, "classes = 1.5"),
        (lambda: ps.p_star(PROBLEM), ps.KindError, r"of a problem: predict\(problem, alpha\).p_star"),
        (lambda: ps.trial(PROBLEM, n=0, d=4), ps.InputError, "n = 0 must be a whole number of at least 1"),
        (lambda: ps.trial(LINEAR, n=9, d=2), ps.InputError, "d = 2 must be a whole number of at least 3"),
        (lambda: ps.trial(PROBLEM, n=9, d=2, seed=0.5), ps.InputError, "seed = 0.5"),
        (lambda: ps.trial(PROBLEM, n=9, d=2, loss="hinge"), ps.InputError, "one of squared, logistic"),
        (lambda: ps.trial(PROBLEM._replace(ridge=[0.1, 1]), n=9, d=2), ps.InputError, "holds arrays"),
        (lambda: ps.sweep("nowhere.toml"), ps.InputError, "no such file"),
        (lambda: ps.sweep(SMALL, workers=2), ps.InputError, "workers goes with out"),
        (lambda: ps.sweep(SMALL, device="gpu"), ps.InputError, "device goes with out"),
        (lambda: ps.compare("nowhere"), ps.RunError, "does not exist"),
        (lambda: ps.compare(3), ps.KindError, "rows of a sweep or its folder"),
        (lambda: ps.compare(pd.DataFrame({"p": [1.0]})), ps.InputError, "no column 'cell'"),
        (lambda: ps.audit([1, 2], [0, 1]), ps.InputError, "record 2 is 2"),
    ],
)
def test_refusals_are_errors_of_one_root(call, kind, said):
    with pytest.raises(kind, match=said) as refused:
        call()
    assert isinstance(refused.value, ps.Error)


def test_a_traced_number_is_refused_with_the_way_out():
    with pytest.raises(ps.KindError, match="p is traced by JAX.*from theory"):
        jax.jit(lambda p: ps.p_star(ps.Rates(p, 0.9, 0.2)))(0.3)


def tried(rates, alpha=4.0, loss="squared"):
    return lambda: ps.predict(ps.Problem(1.0, rates, 0.1), alpha, loss)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (tried(ps.Rates([0.1, 0.2], 0.9, 0.2), [1, 2, 4]), r"p \(2,\), alpha \(3,\)"),
        (tried(ps.Rates(0.1, 0.9, 0.2), loss=["squared"]), "choose one of squared"),
        (tried(ps.Rates), "curation is the class Rates; give its numbers"),
        (lambda: ps.predict_table("lines.csv"), "str is no table; give a DataFrame"),
    ],
)
def test_what_is_tried_first_is_explained(call, words):
    with pytest.raises(ps.Error, match=words):
        call()


def test_a_verifier_that_keeps_wrong_labels_rather_is_noted():
    worse, better, classes = ps.Rates(0.3, 0.2, 0.8), ps.Rates(0.3, 0.8, 0.2), ps.ClassesProblem
    with pytest.warns(Note, match="psi > phi: this verifier keeps wrong labels") as noted:
        found = ps.predict(ps.Problem(1.0, worse, 0.1), 4.0)
    assert noted[0].filename == __file__  # where it was called
    assert found.p_star == pytest.approx(0.2)
    with pytest.warns(Note, match="are the two swapped"):
        ps.predict_classes(classes(1.0, worse, 0.1), 4.0, classes=3)
    for rates in (better, ps.Rates(0.3, 0.5, 0.5), ps.Rates(0.3, 0.5, [0.2, 0.9])):  # a grid is meant
        ps.predict(ps.Problem(1.0, rates, 0.1), 4.0)  # warnings are errors here
    ps.predict_classes(classes(1.0, better, 0.1), 4.0, classes=3)
    ps.predict(ps.Problem(1.0, ps.Cosines(0.5, 0.6, 0.3), 0.1), 4.0)
