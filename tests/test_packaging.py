"""What imports what: the layout that the README promises."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXTRA = {
    "torch",
    "transformers",
    "datasets",
    "accelerate",
    "peft",
    "safetensors",
    "tokenizers",
    "rouge_score",
    "sklearn",
    "statsmodels",
    "distributed",
    "dask",
    "fsspec",
    "s3fs",
}
OURS = {"theory", "sims", "empirical", "figures"}


def imports(path):
    """Modules that a file imports, as (dotted name, imported names)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, tuple(alias.name for alias in node.names)


def files(package):
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", ["theory", "sims", "figures"])
def test_core_runs_without_the_empirical_extra(package):
    """Every module of the core imports with the extra's packages made unimportable."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files(package)
    ]
    script = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {sorted(EXTRA)}: raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
for name in {modules}: __import__(name)
"""
    environment = {"JAX_ENABLE_X64": "1", "PATH": "", "HOME": str(ROOT), "MPLCONFIGDIR": "/dev/null"}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_theory_imports_nothing_of_ours():
    for path in files("theory"):
        assert not {name.split(".")[0] for name, _ in imports(path)} & (OURS - {"theory"}), path


def test_simulation_takes_only_types_from_theory():
    """Two roads that share code are one road. They meet in compare.py, in studies/, and in exact.py, which puts
    theory in the place of simulation on request."""
    meeting = {"compare.py", "exact.py"}
    for path in files("sims"):
        if path.name in meeting or path.parent.name == "studies":
            continue
        used = {name for name, _ in imports(path) if name.split(".")[0] == "theory"}
        assert used <= {"theory.types"}, path


def test_theory_flips_no_global_flag():
    code = "import jax, theory.prediction, sims.trial, sims.comparison.compare; assert not jax.config.jax_enable_x64"
    environment = {"PATH": "", "HOME": str(ROOT), "JAX_ENABLE_X64": "0"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
