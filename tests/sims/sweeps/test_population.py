"""Sweeps with an intercept or a spectrum: what a file may say, cells and their names, columns of rows."""

import json

import numpy as np
import pandas as pd
import pytest

from sims.spectra import power_law
from sims.sweeps.config import load, parse
from sims.sweeps.grid import Cell, Chunk, Shape, Span, cell_from_json, cell_to_json, cells
from sims.sweeps.receipt import Receipt
from sims.sweeps.rows import run_chunk, schema
from sims.sweeps.store import Store
from tests.sims.helpers import INDEPENDENT, LINEAR, REMOVED, changed
from tests.sims.sweeps.test_config import faults_of
from tests.small_sweep import simulate
from theory.types import Spectrum

LISTS = {"eigenvalues": [2, 0.2], "shares": [0.5, 0.5], "signals_sq": [0.5, 0.5]}
TWO = Spectrum((2.0, 0.2), (0.5, 0.5), (0.5, 0.5))
FITTED = changed(INDEPENDENT, {"training.intercept": [False, True], "problem.prior": 0.3})
COLOURED = changed(INDEPENDENT, {"problem.spectrum": [LISTS, {"decay": 1, "signal": 1, "levels": 3}]})
SCORES = ["kept_positive", "balanced_accuracy", "mean_score", "offset", "score_sd"]
SPECTRUM = ["eigenvalues", "shares", "signals_sq"]

# --- what a file may say ---


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (LISTS, (TWO,)),
        ({name: LISTS[name] for name in ("eigenvalues", "signals_sq")}, (TWO,)),
        ({"decay": 1, "signal": 2}, (power_law(1.0, 0.0, 20, 2.0),)),
        ({"decay": 0.5, "signal": 1.5, "signal_decay": -1, "levels": 4}, (power_law(0.5, -1.0, 4, 1.5),)),
        ([LISTS, {"decay": 2, "signal": 1, "levels": 2}, LISTS], (TWO, power_law(2.0, 0.0, 2, 1.0))),
    ],
)
def test_a_spectrum_in_every_form(given, expected):
    config = parse(changed(INDEPENDENT, {"problem.spectrum": given, "problem.d": 40}))
    assert config.problem.spectrum == expected
    assert config.problem.signal is None


def test_a_file_of_a_spectrum_lies_beside_the_sweep(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "s.csv").write_text("eigenvalues,shares,signals_sq\n2,0.5,0.5\n0.2,0.5,0.5\n")
    tables = changed(INDEPENDENT, {"problem.spectrum": "s.csv"})
    texts = {
        name: "\n".join(f"{key} = {json.dumps(value)}" for key, value in keys.items()) for name, keys in tables.items()
    }
    lines = [f"[{name}]\n{text}" for name, text in texts.items()]
    (tmp_path / "mine" / "sweep.toml").write_text("\n".join(lines))
    assert load(tmp_path / "mine" / "sweep.toml").problem.spectrum == (TWO,)
    monkeypatch.chdir(tmp_path / "mine")
    assert parse(tables).problem.spectrum == (TWO,)


def test_without_a_spectrum_the_signal_has_its_default():
    assert parse(INDEPENDENT).problem.signal == (2.0,)
    assert parse(INDEPENDENT).training.intercept is None
    assert parse(changed(INDEPENDENT, {"training.intercept": True})).training.intercept == (True,)
    assert parse(changed(INDEPENDENT, {"training.intercept": [True, False, True]})).training.intercept == (True, False)


def spectrum(**changes):
    return {"problem.spectrum": {**LISTS, **changes}}


REFUSED = [
    (INDEPENDENT, {"problem.spectrum": 3}, ("problem.spectrum = 3", "the path of a CSV file")),
    (INDEPENDENT, {"problem.spectrum": []}, ("problem.spectrum = []", "empty")),
    (INDEPENDENT, {"problem.spectrum": "no.csv"}, ("problem.spectrum = 'no.csv'", "No such file")),
    (INDEPENDENT, {"problem.spectrum": [LISTS, 1]}, ("problem.spectrum[1] = 1",)),
    (INDEPENDENT, spectrum(eigenvalue=[1]), ("eigenvalue: unknown key of a spectrum", "did you mean 'eigenvalues'?")),
    (INDEPENDENT, {"problem.spectrum": {"eigenvalues": [1]}}, ("problem.spectrum.signals_sq: missing",)),
    (INDEPENDENT, spectrum(eigenvalues=2), ("problem.spectrum.eigenvalues = 2", "one per level")),
    (INDEPENDENT, spectrum(eigenvalues=[2, -1]), ("eigenvalues[1] = -1", "[0, 1e+12]")),
    (INDEPENDENT, spectrum(eigenvalues=[2, "a"]), ("eigenvalues[1] = 'a'", "must be a number")),
    (INDEPENDENT, spectrum(shares=[0.5, 0.6]), ("problem.spectrum: shares sum to 1.1", "must sum to 1")),
    (INDEPENDENT, spectrum(shares=[1]), ("2 eigenvalues, 1 shares, 2 signals_sq", "one of each per level")),
    (INDEPENDENT, spectrum(eigenvalues=[2, 0]), ("level of eigenvalue 0",)),
    (INDEPENDENT, spectrum(signals_sq=[0, 0]), ("nothing to learn",)),
    (INDEPENDENT, spectrum(shares=[0.01, 0.99]), ("problem.spectrum: d = 4 has no dimension for level 1",)),
    (INDEPENDENT, {"problem.spectrum": {"decay": 1}}, ("problem.spectrum.signal: missing", "||mu||")),
    (INDEPENDENT, {"problem.spectrum": {"decay": 99, "signal": 1}}, ("decay = 99", "[-20, 20]")),
    (INDEPENDENT, {"problem.spectrum": {"decay": 1, "signal": 1, "level": 3}}, ("did you mean 'levels'?",)),
    (INDEPENDENT, {"problem.spectrum": {"decay": 1, "signal": 1}}, ("d = 4 has no dimension for level 5",)),
    (INDEPENDENT, {"problem.spectrum": {"decay": 1, "signal": 1, "levels": 300}}, ("levels = 300", "[1, 256]")),
    (INDEPENDENT, spectrum() | {"problem.signal": 2}, ("problem.signal: given beside problem.spectrum",)),
    (INDEPENDENT, spectrum() | {"run.method": "exact-law", "training.loss": "squared"},
     ("problem.spectrum: run.method = 'exact-law'", "simulate")),
    (INDEPENDENT, {"training.intercept": 1}, ("training.intercept = 1", "must be true or false")),
    (INDEPENDENT, {"training.intercept": [True, "no"]}, ("training.intercept[1] = 'no'", "must be true or false")),
    (INDEPENDENT, {"training.intercept": []}, ("training.intercept = []", "true, false or both")),
    (INDEPENDENT, {"training.intercept": True, "problem.prior": 1.0}, ("problem.prior = 1", "both classes must occur")),
    (INDEPENDENT, {"training.intercept": False, "run.method": "exact-law"}, ("training.intercept: run.method",)),
    (LINEAR, {"training.intercept": True}, ("training.intercept: known in the independent setting only",)),
    (LINEAR, spectrum(), ("problem.spectrum: known in the independent setting only",)),
]  # fmt: skip


@pytest.mark.parametrize(("base", "changes", "said"), REFUSED)
def test_everything_else_is_refused_with_its_path(base, changes, said):
    (fault,) = faults_of(base, changes)
    assert all(text in fault for text in said), fault


# --- cells ---

SHAPE = Shape("squared", 8, 4)
VALUES = ((0.1, 0.1), (0.8, 0.8), (0.2, 0.2))
PINNED = {
    "white, with intercept": (2.0, SHAPE._replace(intercept=True), "240f8686a97b02bc"),
    "white, without": (2.0, SHAPE._replace(intercept=False), "df9ae57592a7e669"),
    "coloured": (TWO, SHAPE._replace(coloured=True), "4cc4706daf0ff2fa"),
    "coloured, with intercept": (TWO, SHAPE._replace(intercept=True, coloured=True), "d037405477eba286"),
}


def cell(signal, shape):
    return Cell("independent", shape, signal, 0.1, 0.5, VALUES)


@pytest.mark.parametrize("name", PINNED)
def test_ids_are_pinned(name):
    signal, shape, expected = PINNED[name]
    assert cell(signal, shape).id == expected


def test_intercept_and_every_entry_of_a_spectrum_are_part_of_the_id():
    shapes = [SHAPE, *(SHAPE._replace(intercept=value) for value in (True, False))]
    signals = [2.0, TWO, TWO._replace(shares=(0.6, 0.4)), TWO._replace(eigenvalues=(2.0, 0.3))]
    signals += [TWO._replace(signals_sq=(0.5, 0.6)), Spectrum(TWO.shares, TWO.eigenvalues, TWO.signals_sq)]
    assert len({cell(signal, shape).id for signal in signals for shape in shapes}) == 18
    chunk = [Chunk(shape, (Span("a", 0, 3),)).id(0) for shape in (*shapes, SHAPE._replace(coloured=True))]
    assert len(set(chunk)) == 4


BOTH = changed(COLOURED, {"training.intercept": [True, False]})


@pytest.mark.parametrize(("document", "count"), [(FITTED, 8), (COLOURED, 8), (BOTH, 16)])
def test_names_given_in_bulk_are_those_of_the_cells(document, count):
    grid = cells(parse(document))
    assert [one.id for one in grid.values()] == list(grid)
    assert [one.shape for one in grid.values()] == [grid.shape_of(name) for name in grid]
    assert len(grid) == count
    for one in grid.values():
        assert cell_from_json(json.loads(json.dumps(cell_to_json(one)))) == one


def test_receipts_hold_old_shapes_as_they_were_and_new_ones_whole():
    for shape, length in ((SHAPE, 6), (SHAPE._replace(intercept=True), 8), (SHAPE._replace(coloured=True), 8)):
        receipt = Receipt("a", "b", 0, shape, (Span("c", 0, 1),))
        data = receipt.to_bytes()
        assert len(json.loads(data)["shape"]) == length
        assert Receipt.from_bytes(data) == receipt


# --- rows ---


def test_other_sweeps_have_the_rows_that_they_had():
    assert not set(schema("independent").names) & {"intercept", *SPECTRUM, *SCORES}
    assert not set(schema("keep-easy").names) & {"intercept", *SPECTRUM, *SCORES}
    assert schema("independent", intercept=True).names[-5:] == SCORES
    assert "intercept" not in schema("independent", coloured=True).names


@pytest.mark.parametrize("method", ["simulation", "theory"])
def test_rows_of_a_sweep_with_and_without_intercept(method):
    rows = simulate(changed(FITTED, {"run.method": method, "problem.d": 10, "generator.p": [0.2]}))
    assert rows["converged"].all()
    assert set(SCORES) < set(rows)
    assert not set(SPECTRUM) & set(rows)
    without, fitted = (rows[rows["intercept"] == value] for value in (0, 1))
    assert len(without) == len(fitted) > 0
    assert (without["offset"] == 0).all()
    assert (fitted["offset"] != 0).all()
    np.testing.assert_allclose(without["balanced_accuracy"], without["accuracy"], rtol=1e-12)
    np.testing.assert_allclose(rows["mean_score"], 2 * rows["overlap"], rtol=1e-12)
    np.testing.assert_allclose(rows["score_sd"], rows["norm"], rtol=1e-12)
    assert fitted["kept_positive"].between(1, fitted["m"] - 1).all()
    if method == "simulation":
        assert fitted["accuracy_error"].isna().all()
        assert without["accuracy_error"].between(0, 1e-6).all()


@pytest.mark.parametrize("method", ["simulation", "theory"])
def test_rows_of_a_sweep_over_spectra(method):
    changes = {"run.method": method, "problem.d": 6, "generator.p": [0.2], "verifier.psi": [0.2]}
    rows = simulate(changed(COLOURED, changes))
    assert set(rows["eigenvalues"]) == {"2.0;0.2", "1.63636363636;0.818181818182;0.545454545455"}
    assert set(rows["shares"]) == {"0.5;0.5", "0.333333333333;0.333333333333;0.333333333333"}
    np.testing.assert_allclose(rows["signal"], 1, rtol=1e-11)
    assert "intercept" not in rows
    assert (rows["offset"] == 0).all()
    assert not np.isclose(rows["score_sd"], rows["norm"]).any()
    if method == "simulation":
        assert rows["accuracy_error"].between(0, 1e-6).all()


def test_one_label_kept_is_said():
    lost = {"generator.p": [[1.0, 0.0]], "training.intercept": True}
    rows = simulate(changed(INDEPENDENT, lost))
    assert set(rows["status"]) == {"one label kept"}
    assert rows["accuracy"].isna().all()


def test_rows_do_not_depend_on_what_shares_a_chunk():
    """Spectra of other lengths beside them, or none: bit for bit the same."""
    config = parse(changed(COLOURED, {"problem.d": 6, "training.loss": "squared"}))
    grid = cells(config)
    shape = next(iter(grid.values())).shape
    whole = run_chunk(Chunk(shape, tuple(Span(name, 0, 2) for name in grid)), grid, 0).to_pandas()
    parts = [run_chunk(Chunk(shape, (Span(name, 0, 2),)), grid, 0).to_pandas() for name in grid]
    pd.testing.assert_frame_equal(whole, pd.concat(parts, ignore_index=True), check_exact=True)


def test_a_folder_is_continued_and_a_plain_one_is_not(tmp_path):
    import pstar as ps

    document = changed(FITTED, {"training.loss": "squared", "verifier.psi": [0.2], "problem.d": 6, "run.seeds": 2})
    first = ps.sweep(document, tmp_path / "a", workers=1)
    again = ps.sweep(changed(document, {"run.seeds": 3}), tmp_path / "a", workers=1)
    pd.testing.assert_frame_equal(again[again["seed"] < 2].reset_index(drop=True), first)
    assert len(Store(tmp_path / "a").scan()[0]) >= 2
    plain = changed(document, {"training.intercept": REMOVED})
    ps.sweep(plain, tmp_path / "b", workers=1)
    with pytest.raises(ps.RunError, match=r"another configuration[\s\S]*training.intercept: null in the folder"):
        ps.sweep(document, tmp_path / "b", workers=1)
