"""No pickle, no code that data bring along: by the syntax tree of every module, and by folders of strangers."""

import ast
import json
import sys

import numpy as np
import pytest

from empirical.features.files import read
from empirical.stages.artefact import home
from pstar import verifying
from sims.running.sealed import seal
from sims.running.sums import sha256
from tests.test_architecture import ROOT
from theory.errors import InputError

PACKAGES = ("theory", "sims", "empirical", "figures", "pstar", "pins")
PICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle", "yaml"}
RUNNING = {"eval", "exec", "__import__"}
CALLED = {
    "read_pickle",
    "to_pickle",
    "exec_module",
    "run_module",
    "run_path",
    "spec_from_file_location",
}
DYNAMIC = {
    "theory/__init__.py": 1,
    "theory/settings/__init__.py": 1,
    "theory/classes/__init__.py": 1,
    "sims/settings/__init__.py": 1,
    "sims/studies/__init__.py": 1,
    "empirical/__init__.py": 1,
    "empirical/stages/artefact.py": 1,
    "figures/__init__.py": 4,
    "pstar/__init__.py": 2,
    "pstar/features.py": 1,
}
"""Where modules are imported by a name that is put together: always from a table of the program's own."""
EVALUATED = {"sims/sweeps/cluster.py": 1}
"""A Dask task, by a constant text."""


def faults(source):
    """What a module does that none may, and how often it imports by name, and evaluates."""
    found, dynamic, evaluated = [], 0, 0
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found += [f"imports {name}" for name in names if name.split(".")[0] in PICKLING]
        elif isinstance(node, ast.Name) and node.id in RUNNING:
            evaluated += 1
        elif isinstance(node, ast.Call):
            name, owner = _called(node.func)
            given = {each.arg: getattr(each.value, "value", ...) for each in node.keywords}
            dynamic += name == "import_module"
            found += [f"calls {name}"] * (name in CALLED or (owner == "os" and name in ("system", "popen")))
            found += ["shell"] * (given.get("shell", False) is not False)
            found += ["remote code"] * (given.get("trust_remote_code", False) is not False)
            if name == "load" and owner in ("np", "numpy"):
                found += ["np.load"] * (given.get("allow_pickle") is not False)
            if name == "load" and owner == "torch":
                found += ["torch.load"] * (given.get("weights_only") is not True)
            if name == "from_pretrained" and owner.startswith("Auto"):
                found += ["from_pretrained"] * (given.get("trust_remote_code") is not False)
                found += ["weights"] * ("Model" in owner and given.get("use_safetensors") is not True)
    return found, dynamic, evaluated


def _called(function):
    if isinstance(function, ast.Attribute):
        owner = function.value
        return function.attr, owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
    return getattr(function, "id", ""), ""


def test_no_module_runs_what_data_say():
    wrong, dynamic, evaluated = {}, {}, {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            found, imports, evaluations = faults(path.read_text())
            wrong |= {name: found} if found else {}
            dynamic |= {name: imports} if imports else {}
            evaluated |= {name: evaluations} if evaluations else {}
    assert wrong == {}
    assert dynamic == DYNAMIC
    assert evaluated == EVALUATED


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "import yaml",
        "np.load(file)",
        "np.load(file, allow_pickle=True)",
        "np.load(file, allow_pickle=flag)",
        "torch.load(file)",
        "torch.load(file, weights_only=False)",
        "AutoTokenizer.from_pretrained(name)",
        "AutoModelForCausalLM.from_pretrained(name, trust_remote_code=False)",
        "anything(trust_remote_code=flag)",
        "pd.read_pickle(file)",
        "os.system(words)",
        "subprocess.run(words, shell=True)",
        "importlib.util.spec_from_file_location(name, path)",
    ],
)
def test_each_of_them_would_be_found(source):
    assert faults(source)[0]


@pytest.mark.parametrize("source", ["eval(words)", "exec(words)", "__import__(name)", "submit(eval, words)"])
def test_evaluation_would_be_counted(source):
    assert faults(source)[2] == 1


class Told:
    """What says so when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was opened",)


@pytest.mark.parametrize("name", ["X.npy", "X.npz"])
def test_an_array_of_objects_is_refused_unopened(tmp_path, name):
    path = tmp_path / name
    array = np.array([Told()], object)
    (np.save if name.endswith("npy") else np.savez)(path, array, allow_pickle=True)
    with pytest.raises(InputError, match="no array of numbers"):
        read(path)


def test_a_function_that_a_folder_names_is_not_imported(tmp_path, monkeypatch):
    """A stage's manifest of somebody else: it is read, and what it names is not."""
    module = "a_module_of_a_stranger"
    (tmp_path / f"{module}.py").write_text("raise SystemExit('it was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    body = {"format": 1, "stage": "report", "function": f"{module}:run", "settings": {}, "inputs": {}}
    folder = tmp_path / "out" / "stages" / home(body, tmp_path)
    folder.mkdir(parents=True)
    (folder / "data.csv").write_text("a\n1\n")
    body |= {"files": {"data.csv": sha256(b"a\n1\n")}, "made": {"program": f"{module}"}}
    (folder / "manifest.json").write_bytes(seal(body))
    found = verifying.check(tmp_path / "out")
    assert found.files == 2
    assert not found.faults
    assert module not in sys.modules


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "pipe"])
def test_a_manifest_reaches_no_file_outside_its_folder_and_waits_for_none(tmp_path, name):
    """A pipe would never answer."""
    import os

    folder = tmp_path / "out" / "stages" / "report-0123456789ab"
    folder.mkdir(parents=True)
    (folder.parent / "secret").write_text("a")
    os.mkfifo(folder / "pipe")
    (folder / "manifest.json").write_bytes(seal({"files": {name: sha256(b"a")}}))
    assert [fault.what for fault in verifying.check(tmp_path / "out").faults] == ["damaged"]


def test_repair_runs_no_configuration_of_accelerate(tmp_path):
    """Which names programs to start; the folder may be somebody else's."""
    from sims.running.certificates import Certificate, path_of

    for words, expected in (("--accelerate there.yaml ", 0), ("", 1)):
        made = Certificate("summarization", f"pstar summarization run {words}--out {{folder}}", {"a.txt": sha256(b"a")})
        place = path_of(tmp_path, "summarization")
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(made.to_bytes())
        assert json.loads(place.read_bytes())
        assert len(verifying.plan(tmp_path, verifying.check(tmp_path))) == expected
