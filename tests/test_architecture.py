"""Who imports whom: no circles, and the layers that the README promises. Imports inside functions count."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("theory", "sims", "empirical", "figures", "pstar")
MEETING = ("sims.comparison", "sims.studies", "sims.sweeps.exact")
"""Where simulation reads more of theory than names: here the two roads meet."""
NAMES = {"theory.types", "theory.errors", "theory.columns", "theory.display", "theory.decimals", "theory.certified"}
"""What both roads may share: no formula. `theory.certified` computes nothing; it refuses finished rows."""


def module(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {module(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


def imports(name) -> Iterator[str]:
    """Dotted names that a module imports: a module, or a name in one."""
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(name) -> set[str]:
    """Modules of ours that a module imports."""
    targets = (target if target in FILES else target.rpartition(".")[0] for target in imports(name))
    return {target for target in targets if target in FILES} - {name}


GRAPH = {name: ours(name) for name in FILES}


def within(name, *places):
    return any(f"{name}.".startswith(f"{place}.") for place in places)


def test_no_circles():
    try:
        TopologicalSorter(GRAPH).prepare()
    except CycleError as circle:
        pytest.fail(" <- ".join(circle.args[1]))


def test_a_circle_would_be_found():
    with pytest.raises(CycleError):
        TopologicalSorter(GRAPH | {"theory.errors": {"pstar.cli"}}).prepare()


@pytest.mark.parametrize(
    ("package", "may"),
    [
        ("theory", {"theory"}),
        ("figures", {"figures", "theory.errors", "theory.columns"}),
        ("sims", {"sims", "theory"}),
        ("empirical", {"empirical", "sims", "theory", "figures"}),
        ("pstar", set(PACKAGES)),
    ],
)
def test_layers(package, may):
    """Lower rooms know nothing of higher ones; nobody imports the door."""
    for name in FILES:
        if within(name, package):
            assert {target for target in GRAPH[name] if not within(target, *may)} == set(), name


def test_simulation_shares_no_formula_with_theory():
    """Two roads that share code are one road."""
    for name in FILES:
        if within(name, "sims") and not within(name, *MEETING):
            assert {target for target in GRAPH[name] if within(target, "theory")} <= NAMES, name


def test_figures_compute_nothing():
    """Drawing needs tables, and no engine."""
    for name in FILES:
        if within(name, "figures"):
            assert {target.split(".")[0] for target in imports(name)} & {"jax", "scipy", "torch"} == set(), name
