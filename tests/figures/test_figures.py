import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh

import figures
from figures import accuracy_against_p, marks, phase_diagram, residuals
from sims.comparison.compare import compare
from sims.comparison.tables import read_tables, write_comparison
from tests.small_sweep import INDEPENDENT, LINEAR, simulate

THEORY = {"run": {"method": "theory"}}
SWEEP = INDEPENDENT | THEORY | {"training": {"loss": "squared", "ridge": 0.1}}
SWEEP |= {"verifier": {"pairs": [[0.8, 0.1], [0.8, 0.4], [0.8, 0.8], [0.8, [0.2, 0.6]]]}}
"""Three verifiers that share a map, and one whose average over classes is the second's."""


def tables_of(document, folder):
    """Exact theory in the place of trials, dressed with intervals and residuals; through CSV and back."""
    found = compare(simulate(document))
    noise = np.random.default_rng(0).normal(size=len(found.cells))
    mean = found.cells["accuracy"]
    cells = found.cells.assign(error=0.01, low=mean - 0.02, high=mean + 0.02, z=noise, seeds=24)
    tables = {"cells": cells, "crossings": found.crossings, "lines": found.lines, "maps": found.maps}
    write_comparison(folder, tables, {}, {})
    return read_tables(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return tables_of(SWEEP, tmp_path_factory.mktemp("sweep"))


@pytest.fixture
def tables(made):
    """A copy to spoil."""
    return {name: table.copy() for name, table in made.items()}


def repeated(tables, column, values):
    """The sweep once for every value of a column; curves are numbered on, numbers stay what they were."""
    curves = tables["cells"]["curve"].max() + 1
    shift = lambda table, index: table.assign(curve=table["curve"] + index * curves) if "curve" in table else table
    return {
        name: pd.concat(
            [shift(table.assign(**{column: value}), index) for index, value in enumerate(values)], ignore_index=True
        )
        for name, table in tables.items()
    }


def texts(figure):
    """All that is written in a figure."""
    legends = [text for legend in figure.legends for text in (legend.get_title(), *legend.get_texts())]
    titles = [ax.title for ax in figure.axes]
    return [text.get_text() for text in (*figure.texts, *legends, *titles)]


def test_every_figure_is_drawn(tables, tmp_path):
    tables = repeated(tables, "loss", ["squared", "logistic"])
    written = figures.draw_all(tables, tmp_path / "out")
    assert {path.name for path in written} == {f"{name}.{kind}" for name in figures.NAMES for kind in ("png", "pdf")}
    assert all(path.stat().st_size > 5_000 for path in written)


def test_points_are_the_measured_cells_and_lines_the_theory(tables):
    ax = accuracy_against_p.draw(tables).axes[0]
    drawn = {tuple(np.round(np.asarray(line.get_ydata(), float), 12)) for line in ax.get_lines()}
    cells, lines = (tables[name].query("curve == 1") for name in ("cells", "lines"))
    assert tuple(np.round(cells["accuracy"], 12)) in drawn
    assert tuple(np.round(lines.sort_values("p")["accuracy"], 12)) in drawn


def test_failed_cells_leave_a_gap(tables):
    tables["cells"].loc[[3, 4, 21], ["accuracy", "low", "high", "z"]] = np.nan
    for name in figures.NAMES:
        assert figures.import_module(f"figures.{name}").draw(tables) is not None
    assert "a trial failed" in texts(phase_diagram.draw(tables))


def test_linear_sweeps_draw_what_applies(tmp_path):
    written = figures.draw_all(tables_of(LINEAR | THEORY, tmp_path), tmp_path / "out")
    missing = {"phase_diagram", "accuracy_against_scaled_p"}
    assert {path.stem for path in written} == set(figures.NAMES) - missing


@pytest.mark.parametrize("name", figures.NAMES)
def test_one_error_rate(name, tables, tmp_path):
    tables["cells"] = tables["cells"][tables["cells"]["p"] == tables["cells"]["p"].iloc[3]]
    assert len(figures.draw(name, tables, tmp_path)) == 2


def test_phase_diagram_shows_plain_verifiers_only(tables):
    meshes = [found for found in phase_diagram.draw(tables).axes[1].collections if isinstance(found, QuadMesh)]
    shown = np.asarray(meshes[-1].get_array()).reshape(3, 10)
    plain = tables["cells"].query("psi_negative == psi_positive").sort_values(["psi", "p"])
    np.testing.assert_allclose(shown.ravel(), plain["accuracy"])


@pytest.mark.parametrize(("count", "columns", "note"), [(1, 1, ""), (3, 3, ""), (5, 4, "1 more column not shown")])
def test_phase_diagram_has_a_column_for_every_phi(tables, count, columns, note):
    values = [0.8, 0.7, 0.6, 0.5, 0.4][:count]
    tables = repeated(tables, "phi", values)
    cells = tables["cells"]
    tables["cells"] = cells.assign(phi_negative=cells["phi"], phi_positive=cells["phi"])
    figure = phase_diagram.draw(tables)
    assert len(figure.axes) == 2 * columns + 1  # and the colour bar
    written = texts(figure)
    assert sum(f"φ = {value:g}" in text for value in values for text in written) == columns
    assert any(note in text for text in written)
    assert bool(note) == any("not shown" in text for text in written)


@pytest.mark.parametrize(
    ("column", "values", "names"),
    [
        ("ridge", [0.1, 1.0], ["λ = 0.1", "λ = 1"]),
        ("signal", [1.0, 2.0], ["r = 1", "r = 2"]),
        ("d", [20, 40], ["d = 20", "d = 40"]),
        ("prior", [0.5, 0.7], ["P(y = +1) = 0.5", "P(y = +1) = 0.7"]),
    ],
)
def test_titles_name_what_varies_between_panels(tables, column, values, names):
    shown, hidden = marks.panels(repeated(tables, column, values)["cells"])
    assert [panel.title for panel in shown] == [f"squared loss, n/d = 4\n{name}" for name in names]
    assert hidden == 0
    assert names[0] not in marks.panels(tables["cells"])[0][0].title


@pytest.mark.parametrize("name", figures.NAMES)
def test_panels_beyond_the_limit_are_announced(tables, name):
    most = {"phase_diagram": phase_diagram.MOST_COLUMNS, "residuals": residuals.MOST_COLUMNS}.get(name, 8)
    kind = "columns" if name == "phase_diagram" else "panels"
    many = repeated(tables, "ridge", np.arange(1, most + 3) / 10)
    written = texts(figures.import_module(f"figures.{name}").draw(many))
    assert f"2 more {kind} not shown: draw a smaller sweep" in written


def test_class_dependent_verifiers_are_told_apart(tables):
    labels = [marks.verifier_label(part) for _, part in tables["cells"].groupby("curve")]
    assert len(set(labels)) == 4
    assert "ψ = 0.2/0.6," in labels[3]
    one = tables["cells"].head(1).assign(phi_negative=0.9, phi_positive=0.6, psi_negative=0.1, psi_positive=0.4)
    assert marks.verifier_label(one).startswith("φ = 0.9/0.6, ψ = 0.1/0.4, p* = ")


def test_residuals_that_are_not_finite(tables):
    tables["cells"].loc[[0, 5, 9], "z"] = [np.inf, -np.inf, np.nan]
    figure = residuals.draw(tables)
    assert "infinite residuals, not drawn: 2" in texts(figure)
    assert figure.axes[1].get_ylim() == (-4, 4)
    tables["cells"]["z"] = np.inf
    assert residuals.draw(tables) is None


def test_names_are_checked_and_described():
    with pytest.raises(ValueError, match="'phase' does not exist.*phase_diagram"):
        figures.check_names(["phase"])
    assert set(figures.describe()) == set(figures.NAMES)
    assert all(len(caption) > 30 for caption in figures.describe().values())


def test_an_intercept_and_spectra_have_panels_of_their_own(tmp_path):
    """What varies is in their titles, what does not in the headline, equal shares in neither."""
    spectra = [{"decay": 1, "signal": 1.5, "signal_decay": decay, "levels": 5} for decay in (0, 2)]
    population = {"d": 20, "alpha": 4, "spectrum": spectra}
    training = {"loss": "squared", "ridge": 0.1, "intercept": [False, True]}
    tables = tables_of(SWEEP | {"problem": population, "training": training}, tmp_path)
    split, _ = marks.panels(tables["cells"])
    assert [panel.title.splitlines()[1] for panel in split] == [
        f"μ² = {levels}, {which} intercept"
        for which in ("without", "with")
        for levels in ("0.45, 0.45, …, 0.45", "1.54, 0.384, …, 0.0615")
    ]
    written = texts(accuracy_against_p.draw(tables))
    assert any("s = 2.19, 1.09, …, 0.438" in text and "f = " not in text for text in written)
    assert residuals.draw(tables) is not None
    assert phase_diagram.draw(tables) is not None
    one_level = SWEEP | {"problem": {**population, "spectrum": {"eigenvalues": [1], "signals_sq": [4]}}}
    assert accuracy_against_p.draw(tables_of(one_level, tmp_path)) is not None
