"""The program's fingerprint: which state of our own code a number came from, whatever the version says.

It covers a module and all of ours that it imports, as Python reads them: comments, docstrings and line breaks do not
count. Another Python may read the same file otherwise, and then has another fingerprint.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

DIGITS = 16
OURS = ("theory", "sims", "empirical", "figures", "pstar")


@cache
def fingerprint(*modules: str) -> str:
    """The first DIGITS of a sha256 over the named modules and what they import of ours; nothing is executed."""
    seen: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if name in seen or path is None:
            continue
        tree = ast.parse(path.read_bytes())
        waiting += _imported(tree)
        seen[name] = _content(tree)
    lines = "\n".join(f"{name} {content}" for name, content in sorted(seen.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:DIGITS]


@cache
def _room(package: str) -> Path | None:
    spec = find_spec(package)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _file(name: str) -> Path | None:
    """Where a module of ours is; None for a name that is none, such as that of a function."""
    package, *rest = name.split(".")
    room = _room(package) if package in OURS else None
    if room is None:
        return None
    place = room.joinpath(*rest)
    candidates = (place / "__init__.py", place.with_suffix(".py")) if rest else (place / "__init__.py",)
    return next((path for path in candidates if path.is_file()), None)


def _imported(tree: ast.AST) -> Iterator[str]:
    """Names that may be modules: what is imported, where from, and the packages around it, which run as well."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.JoinedStr):
            names = _named(node)
        for name in names:
            parts = name.split(".")
            if parts[0] in OURS:
                yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _named(text: ast.JoinedStr) -> list[str]:
    """Modules of a room that is named in part, as in f"sims.settings.{module}": any of them may be imported."""
    first = text.values[0]
    package = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    if package.count(".") < 2 or not package.endswith("."):
        return []
    path = _file(package[:-1])
    return [] if path is None else [package + found.stem for found in sorted(path.parent.glob("*.py"))]


def _content(tree: ast.Module) -> str:
    """What a module says, without its docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
