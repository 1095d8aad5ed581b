"""The notebooks: run as Jupyter runs them, in a folder of their own; what they computed is what they say.

Their seeds are fixed, so that these tests hold always or never. Where a limit would hold with fresh seeds too, its
false-failure rate is stated.
"""

import ast
import json
import re
import shlex
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from scipy.special import ndtr
from scipy.stats import t

from tests.processes import PATIENCE
from tests.pstar.command import ROOT, pstar
from theory.crossings import predicted_crossings

FOLDER = ROOT / "docs" / "notebooks"
ASKED = {
    "phase_diagram": "dict(sizes=sizes.tolist(), needed=needed, one=float(one.accuracy), other=float(other.accuracy))",
    "audit_csv": (
        "dict(folder=str(folder), checked=checked.to_dict('index'), reached=reached, inside=inside.tolist(), "
        "worth=budget.worth, student=[last['student_low'], last['student_high']], beats=list(rows['beats']))"
    ),
    "own_simulation": (
        "dict(distance=[*distance, *distance_logistic], holds=int(holds.sum() + holds_logistic.sum()), "
        "mistaken=[*distance_mistaken], mistaken_holds=int(holds_mistaken.sum()))"
    ),
}
"""What the tests ask of each notebook after its last cell."""
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
NEEDED = {"pstar", "numpy", "scipy", "pandas", "matplotlib", "sklearn", "threadpoolctl"}
"""What `pip install '.[features]'` brings."""


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """A function: the notebook of this name after it ran, and what was asked of it.

    Its first output is words, its figures are there, and nothing warned.
    """
    for variable in ("TMPDIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    options = {"timeout": PATIENCE, "startup_timeout": PATIENCE, "resources": {"metadata": {"path": str(tmp_path)}}}
    options["coalesce_streams"] = True  # on a busy machine a kernel sends one cell's words in several pieces

    def run(name):
        notebook = jupytext.read(FOLDER / f"{name}.py")
        question = nbformat.v4.new_code_cell(f"import json\nprint(json.dumps({ASKED[name]}, default=float))")
        notebook.cells.append(question)
        NotebookClient(notebook, kernel_name="python3", **options).execute()
        [answer] = notebook.cells.pop().outputs
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        assert outputs[0].output_type == "stream"
        assert {output.get("name", "stdout") for output in outputs} == {"stdout"}
        assert sum("image/png" in output.get("data", {}) for output in outputs) >= 2
        return notebook, json.loads(answer.text)

    return run


def test_every_notebook_is_asked():
    assert sorted(ASKED) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_valid_says_how_to_install_and_needs_no_more(name, tmp_path):
    notebook = jupytext.read(FOLDER / f"{name}.py")
    nbformat.validate(notebook)
    nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    again = nbformat.read(tmp_path / f"{name}.ipynb", as_version=4)
    assert [cell.source for cell in again.cells] == [cell.source for cell in notebook.cells]
    first = again.cells[0]
    assert first.cell_type == "markdown"
    assert "pip install" in first.source
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.split(".")[0] for module in modules} - {"tempfile", "pathlib"} <= NEEDED
    assert "pstar" in modules


def test_phase_diagram(ran):
    """The verifiers that it finds have p_gain = .3, by the root finder along p; and what the text says holds."""
    notebook, found = ran("phase_diagram")
    rows = {"alpha": found["sizes"][:3], "psi": [0.9 * ratio for ratio in found["needed"][:3]]}
    same = {"signal": 1.0, "p": 0.3, "phi": 0.9, "ridge": 1.0, "loss": "squared"}
    columns = {name: np.asarray(values) for name, values in rows.items()}
    columns |= {name: np.array([value] * 3) for name, value in same.items()}
    gains = predicted_crossings(columns, "p_gain")
    for curve in range(3):
        assert np.abs(gains.x[gains.curve == curve] - 0.3).min() < 1e-3  # the ratio is read off a grid of .001
    assert found["needed"][3] == 1
    assert found["one"] == pytest.approx(found["other"], abs=1e-12)
    assert f"{ndtr(1):.2f}" == "0.84"
    diagram = next(cell for cell in notebook.cells if cell.cell_type == "code")
    lines = [line for line in diagram.source.splitlines() if line and not line.startswith("import")]
    assert len(lines) <= 10
    assert diagram.outputs[0].text == f"At p = 0.3 you need a ψ/φ of at most {found['needed'][1]:.2f}\n"


def test_audit_csv(ran):
    """Every interval holds the truth, plain ones are too short, and the command in the text says the same."""
    notebook, found = ran("audit_csv")
    for name, row in found["checked"].items():
        assert row["low"] <= row["truth"] <= row["high"], name
    assert len(found["checked"]) == 6
    assert found["reached"]["plain"] < 0.85
    assert found["reached"]["with group"] > 0.9
    assert found["inside"] == [True] * 5
    assert set(found["beats"]) == {"undecided", "yes"}
    text = "\n".join(cell.source for cell in notebook.cells).replace("\\\n", "")
    [command] = re.findall(r"^pstar (audit .*)$", text, re.MULTILINE)
    words = [str(Path(found["folder"]) / word) if word.endswith(".csv") else word for word in shlex.split(command)]
    printed = pstar(*words)
    assert printed.returncode == 0, printed.stderr
    value, low, high = found["worth"]
    assert f"2,000 generated train like {value:,.0f} [{low:,.0f}, {high:,.0f}] clean ones" in printed.stdout
    low, high = found["student"]
    assert f"[{100 * low:.1f}, {100 * high:.1f}] correct from 2,000 generated" in printed.stdout


def test_own_simulation(ran):
    """Twenty points within a distance that they leave with a probability of 1e-6; a wrong penalty leaves it."""
    _, found = ran("own_simulation")
    limit = t.isf(1e-6 / 20 / 2, 19)
    assert len(found["distance"]) == 20
    assert np.abs(found["distance"]).max() < limit
    assert found["holds"] >= 12  # fewer have a probability of 2e-7
    assert np.abs(found["mistaken"]).max() > limit
    assert found["mistaken_holds"] < 5
