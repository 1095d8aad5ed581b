import numpy as np
import pytest

import figures
from sims.compare import compare
from sims.tables import read_tables, write_tables
from tests.small_sweep import INDEPENDENT, LINEAR, independent_rows, simulate


def tables_of(rows, folder):
    """Through CSV and back, as the command line does."""
    found = compare(rows)
    write_tables(folder, {name: getattr(found, name) for name in ("cells", "crossings", "lines", "maps")})
    return read_tables(folder)


@pytest.fixture
def tables(tmp_path):
    return tables_of(independent_rows(), tmp_path)


def test_every_figure_is_drawn(tables, tmp_path):
    written = figures.draw_all(tables, tmp_path / "out")
    assert {path.name for path in written} == {f"{name}.{kind}" for name in figures.NAMES for kind in ("png", "pdf")}
    assert all(path.stat().st_size > 5_000 for path in written)


def test_points_are_the_measured_cells_and_lines_the_theory(tables):
    figure = figures.import_module("figures.accuracy_against_p").draw(tables)
    ax = figure.axes[0]
    drawn = {tuple(np.round(np.asarray(line.get_ydata(), float), 12)) for line in ax.get_lines()}
    cells, lines = (tables[name].query("curve == 1") for name in ("cells", "lines"))
    assert tuple(np.round(cells["accuracy"], 12)) in drawn
    assert tuple(np.round(lines.sort_values("p")["accuracy"], 12)) in drawn


def test_failed_cells_leave_a_gap(tables, tmp_path):
    tables["cells"].loc[[3, 4, 21], ["accuracy", "low", "high"]] = np.nan
    assert len(figures.draw_all(tables, tmp_path / "gaps")) == 2 * len(figures.NAMES)


@pytest.mark.parametrize(
    "document",
    [
        LINEAR,
        INDEPENDENT | {"verifier": {"pairs": [[0.8, 0.2]]}},
        INDEPENDENT
        | {"problem": {"d": [10, 20], "alpha": [1, 2], "signal": [1.0, 2.0, 3.0]}, "run": {"seeds": 2}}
        | {"training": {"loss": "squared", "ridge": 0.1}},
    ],
)
def test_other_sweeps_draw_what_applies(document, tmp_path):
    written = figures.draw_all(tables_of(simulate(document), tmp_path), tmp_path / "out")
    assert any(path.name == "accuracy_against_p.png" for path in written)


def test_names_are_checked_and_described():
    with pytest.raises(ValueError, match="'phase' does not exist.*phase_diagram"):
        figures.check_names(["phase"])
    assert set(figures.describe()) == set(figures.NAMES)
    assert all(len(caption) > 30 for caption in figures.describe().values())


def test_figures_compute_nothing():
    """Drawing needs neither JAX nor theory nor sims: only tables."""
    import ast
    from pathlib import Path

    for path in Path(figures.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            assert not {name.split(".")[0] for name in names} & {"jax", "theory", "sims", "scipy"}, path
