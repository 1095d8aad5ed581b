"""What can be imported with what installed, and what importing does."""

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.test_architecture import FILES, within

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NEED_THE_EXTRA = ("empirical.eigenvalues", "empirical.summarization", "empirical.tensors", "empirical.threads")
"""Rooms that train models; all else comes with the base install."""
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


def test_everything_but_the_experiments_runs_without_an_extra():
    """Every module of the base imports with the extras' packages made unimportable."""
    modules = [name for name in FILES if not within(name, *NEED_THE_EXTRA) and name != "pstar.__main__"]
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


def test_importing_flips_no_global_flag():
    code = (
        "import jax, theory.prediction, sims.trial, sims.comparison.compare, pstar.predicting, pstar.simulating; "
        "assert not jax.config.jax_enable_x64"
    )
    environment = {"PATH": "", "HOME": str(ROOT), "JAX_ENABLE_X64": "0"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_console_script_is_the_command_line():
    module, _, function = PROJECT["project"]["scripts"]["pstar"].partition(":")
    assert (module, function) == ("pstar.cli", "main")
    assert within(module, *PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"])
