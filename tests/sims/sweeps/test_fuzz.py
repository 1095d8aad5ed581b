"""Every sweep file is planned, or refused in words that name a key; never a raw error, never NaN in an "ok" row."""

import math
import re
import tomllib
from dataclasses import fields
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sims.running.machine import Resources
from sims.running.toml import ConfigError
from sims.sweeps import run as sweep
from sims.sweeps.config import load, parse
from sims.sweeps.grid import cell_from_json, cell_to_json, chunks, missing_spans
from sims.sweeps.grid import cells as cells_of
from sims.sweeps.tables import TABLES, axes

SHIPPED = sorted((Path(__file__).parents[3] / "sweeps").glob("*.toml"))
DOCUMENTS = [tomllib.loads(path.read_text()) for path in SHIPPED]
KEYS = [(table, field.name) for table, kind in TABLES.items() for field in fields(kind)]
NAMED = re.compile(
    rf"({'|'.join(TABLES)})\.[^:=]*[:=]? |[^:]*: unknown table|({'|'.join(TABLES)}) = |the grid has|\.\.\. and"
)
MAX_PLANNED = 2000
"""Cells of the largest grid that is planned here; larger ones are parsed."""

NUMBERS = [0, 1, -1, 2, 0.5, 1e-300, 5e-324, 1e308, -1e308, 10**30, -(10**400), math.nan, math.inf, -math.inf, -0.0]
TEXTS = ["", "squared", "logistic", "hinge", "linear", "independent", "theory", "nan", "0.5", "\x00", "é" * 100]
scalars = st.sampled_from(NUMBERS) | st.sampled_from(TEXTS) | st.booleans() | st.floats() | st.integers(-3, 20)
grids = st.fixed_dictionaries(
    {},
    optional={
        "start": scalars,
        "stop": scalars,
        "num": st.sampled_from([0, 1, 2, 3, 7, 2.0, True, 10**9, -1, "3", math.nan]),
        "spacing": st.sampled_from(["linear", "log", "cubic", 1, None]).filter(lambda value: value is not None),
        "step": scalars,
    },
)
levels = st.lists(scalars | st.floats(0, 1), max_size=3)
spectra = st.fixed_dictionaries(
    {}, optional={"eigenvalues": levels, "shares": levels | st.just([0.5, 0.5]), "signals_sq": levels}
) | st.fixed_dictionaries({"decay": scalars}, optional=dict.fromkeys(("signal", "signal_decay", "levels"), scalars))
values = st.recursive(scalars | grids | spectra, lambda inner: st.lists(inner, max_size=4), max_leaves=8)
keys = st.sampled_from(KEYS) | st.tuples(st.sampled_from([*TABLES, "problems", ""]), st.sampled_from(["", "phy", "d "]))
edits = st.lists(st.tuples(keys, values | st.just("remove")), min_size=1, max_size=3)
whole_tables = st.lists(st.tuples(st.sampled_from([*TABLES, "extra"]), values), max_size=1)


def edited(document, changes, tables):
    """A copy of a document with keys replaced, added or removed, and perhaps a table that is none."""
    made = {name: dict(table) for name, table in document.items()}
    for (table, key), value in changes:
        if value == "remove":
            made.get(table, {}).pop(key, None)
        else:
            made.setdefault(table, {})[key] = value
    return made | dict(tables)


def outcome_of(read, source):
    """(configuration, no faults), or (None, faults)."""
    try:
        return read(source), []
    except ConfigError as refused:
        return None, refused.faults


def check(document):
    """Parse and plan a document, or see that its refusal names what is wrong; returns the configuration if any."""
    config, faults = outcome_of(parse, document)
    assert bool(config) != bool(faults)
    for fault in faults:
        assert NAMED.match(fault), fault
        assert "\n" not in fault
        assert len(fault) < 2000
    if config and math.prod(map(len, axes(config))) <= MAX_PLANNED:
        plan_of(config)
    return config


def plan_of(config):
    """Cells and chunks of a configuration hold what they should."""
    grid = cells_of(config)
    for cell in islice(grid.values(), 20):
        assert cell_from_json(cell_to_json(cell)) == cell
        assert cell.shape.n >= 1
        signal = sum(cell.signal, ()) if isinstance(cell.signal, tuple) else (cell.signal,)
        assert all(math.isfinite(number) for number in (*signal, cell.ridge, cell.prior))
    made = chunks(grid, missing_spans(grid, min(config.trials, 50), {}))
    assert sum(chunk.trials for chunk in made) == len(grid) * min(config.trials, 50)


def fuzz(examples):
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


spectrum_edits = st.lists(
    st.tuples(st.just(("problem", "spectrum")), spectra | st.lists(spectra, max_size=2)), max_size=1
)
any_edits = edits | st.builds(list.__add__, spectrum_edits, edits) | spectrum_edits
any_document = st.builds(edited, st.sampled_from(DOCUMENTS), any_edits, whole_tables)


@fuzz(200)
@given(any_document)
def test_any_edit_is_planned_or_refused_by_name(document):
    check(document)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@fuzz(20_000)
@given(any_document)
def test_twenty_thousand_edits(document):
    check(document)


def test_some_edits_are_planned_and_some_refused():
    """The fuzz above would see both."""
    assert all(check(document) for document in DOCUMENTS)
    assert check(edited(DOCUMENTS[0], [(("run", "seeds"), math.nan)], [])) is None


broken_text = st.tuples(
    st.sampled_from([path.read_bytes() for path in SHIPPED]),
    st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=3)), min_size=1, max_size=4),
)


@fuzz(100)
@given(broken_text)
def test_any_bytes_are_planned_or_refused(tmp_path_factory, given_text):
    text, damages = given_text
    for place, data in damages:
        place %= len(text)
        text = text[:place] + data + text[place + 1 :]
    path = tmp_path_factory.getbasetemp() / "fuzzed.toml"
    path.write_bytes(text)
    config, faults = outcome_of(load, path)
    assert bool(config) != bool(faults)


# --- tiny ones run ---

corner = st.sampled_from([0, 1, 0.5, 5e-324, 1 - 2**-53, 1e-9])
small_signal = st.sampled_from([1e-300, 1e-150, 1e-9, 2.0, 1e3, 1e6])
small_ridge = st.sampled_from([0, 1e-300, 1e-9, 0.1, 1e12])
tiny = st.fixed_dictionaries(
    {
        "problem": st.fixed_dictionaries(
            {"d": st.just(4), "alpha": st.just(2), "signal": small_signal, "prior": corner}
        ),
        "generator": st.fixed_dictionaries({"p": corner | st.tuples(corner, corner).map(lambda pair: [list(pair)])}),
        "verifier": st.fixed_dictionaries({"phi": corner, "psi": corner}),
        "training": st.fixed_dictionaries({"loss": st.sampled_from(["squared", "logistic"]), "ridge": small_ridge}),
        "run": st.fixed_dictionaries({"seeds": st.integers(1, 3), "root_seed": st.sampled_from([0, 1, 2**31 - 1])}),
    }
)


def run_and_look(document, name):
    """Run a tiny sweep in memory; every row is certified and finite, or flagged."""
    config = check(document)
    if config is None:
        return
    outcome = sweep.run(config, f"memory://fuzz/{name}", Resources(workers=1))
    rows = pd.read_parquet(BytesIO(outcome.store.read_rows()))
    outcome.store.files.system.rm(outcome.store.files.base, recursive=True)
    assert len(rows) == config.trials * len(cells_of(config))
    assert set(rows["status"]) <= {"ok", "nothing kept", "not converged"}
    ok = rows[rows["status"] == "ok"]
    assert np.isfinite(ok[["overlap", "norm", "accuracy", "gradient_norm"]].to_numpy()).all()
    assert ok["accuracy"].between(0, 1).all()
    assert ok["converged"].all()
    assert rows.loc[rows["status"] == "nothing kept", "accuracy"].isna().all()
    assert rows.loc[rows["status"] == "not converged", "accuracy"].isna().all()


@fuzz(25)
@given(tiny.filter(lambda document: document["training"]["loss"] == "squared"))  # one compilation
def test_a_tiny_sweep_at_the_corners_gives_certified_or_flagged_rows(document):
    run_and_look(document, "corners")


@pytest.mark.slow
@pytest.mark.timeout(3600)
@fuzz(1000)
@given(tiny)
def test_a_thousand_tiny_sweeps(document):
    run_and_look(document, "corners")
