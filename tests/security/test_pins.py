"""What is installed is what constraints.txt pins, each file by its sha256."""

import importlib.util
import re
import tomllib

import pytest
from packaging.dependency_groups import resolve_dependency_groups

from tests.test_architecture import ROOT

PARTS = ("core", "docs", "dev", "torch")


@pytest.fixture(scope="module")
def renew():
    about = importlib.util.spec_from_file_location("renew", ROOT / "pins" / "renew.py")
    module = importlib.util.module_from_spec(about)
    about.loader.exec_module(module)
    return module


def test_sums_and_constraints_agree(renew):
    hashed = [renew.hashed(part) for part in PARTS]
    assert sum(map(len, hashed)) == len(renew.constraints())
    found = {name: version for part in hashed for name, (version, _) in part.items()}
    assert found == renew.constraints()


def test_every_package_has_sums_and_nothing_else_is_in_the_files(renew):
    for part in PARTS:
        sums = [each for _, found in renew.hashed(part).values() for each in found]
        assert all(found for _, found in renew.hashed(part).values())
        assert len(set(sums)) == len(sums)
        lines = (ROOT / "pins" / f"{part}.txt").read_text().splitlines()
        kinds = r"#.*|[a-z0-9-]+==[^ ]+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?"
        assert [line for line in lines if not re.fullmatch(kinds, line)] == []
        assert sum("--hash" in line for line in lines) == len(sums)


def test_the_files_hold_what_the_project_asks_for(renew):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    name = lambda line: re.match(r"[A-Za-z0-9._-]+", line)[0].lower().replace("_", "-")
    core, everything = renew.hashed("core"), renew.constraints()
    for line in [*project["project"]["dependencies"], *project["build-system"]["requires"], "pip"]:
        assert name(line) in core
    for line in resolve_dependency_groups(project["dependency-groups"], "dev"):
        assert everything[name(line)] == line.partition("==")[2]
    for extra in ("cluster", "empirical", "features"):
        for line in project["project"]["optional-dependencies"][extra]:
            assert name(line) in everything


def test_what_the_base_needs_here_is_in_its_file(renew):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert renew.closure(project["project"]["dependencies"]) <= set(renew.hashed("core"))


def test_make_checks_sums():
    text = (ROOT / "Makefile").read_text()
    assert "HASHED := $(PIP) --no-deps --require-hashes" in text
    assert [part for part in PARTS if f"--requirement pins/{part}.txt" in text] == list(PARTS)
    unchecked = [line.strip() for line in text.splitlines() if "$(PIP)" in line and "HASHED" not in line]
    assert unchecked == [
        "$(PIP) --no-deps --no-build-isolation --editable .",
        "$(PIP) --constraint constraints.txt --group dev",
    ]
