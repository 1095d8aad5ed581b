"""The reference: pages that mkdocstrings fills from signatures and docstrings, one for `pstar`, others by room.

`pstar` has the names of its docstring below the headings of it. A room has a page for its own modules and one for each
of its packages, modules in the order of their names.
"""

import re

import tree

import pstar
from theory.columns import COLUMNS, SETTINGS

ROOMS = {
    "theory": "what is predicted",
    "sims": "what is simulated",
    "empirical": "what is measured on records and real models",
    "figures": "what is drawn",
}
MADE = {setting.parameters: setting for setting in SETTINGS.values()}
"""Parameter objects, some of which `theory.types` makes from the vocabulary; they have no source to read."""
WHOLE_MODULE = "\n    options:\n      show_root_heading: false\n      show_root_toc_entry: false\n"


def made() -> dict[str, str]:
    """All pages of the reference."""
    pages = {"reference/pstar.md": _door()}
    for room in ROOMS:
        pages |= {f"reference/{name}.md": _page(name, modules) for name, modules in _modules(room).items()}
    return pages | {"reference/index.md": _contents(pages)}


def _door() -> str:
    """`import pstar as ps`, by the headings of its docstring."""
    head, *groups = re.split(r"\n\n(?=[A-Z][\w ,']*\n    \w+ {2,})", pstar.__doc__ or "")
    parts = ["# pstar", head.replace("\n    import", "\n```python\nimport").replace("alpha=4)", "alpha=4)\n```", 1)]
    parts[1] = re.sub(r"^    ", "", parts[1], flags=re.MULTILINE)
    for group in groups:
        heading, *lines = group.splitlines()
        parts.append(f"## {heading}")
        names = [line.split()[0] for line in lines if re.match(r"    \w", line)]
        parts += [_made_object(name) if _is_made(name) else f"::: pstar.{name}" for name in names]
    return "\n\n".join(parts) + "\n"


def _is_made(name: str) -> bool:
    return name in MADE and f"\nclass {name}(" not in (tree.ROOT / "theory" / "types.py").read_text(encoding="utf-8")


def _made_object(name: str) -> str:
    """A parameter object that is made from the vocabulary: its meaning and its fields."""
    setting = MADE[name]
    fields = [f"* `{field}`: {COLUMNS[field].meaning}" for field in setting.columns]
    return "\n\n".join([f"### {name}", f"Setting {setting.name}: {setting.meaning}.", "\n".join(fields)])


def _modules(room: str) -> dict[str, list[str]]:
    """Modules by page: the room's own, and those of each of its packages."""
    found: dict[str, list[str]] = {}
    for path in sorted((tree.ROOT / room).rglob("*.py")):
        names = path.relative_to(tree.ROOT).with_suffix("").parts
        names = names[:-1] if names[-1] == "__init__" else names
        if not any(name.startswith("_") for name in names):
            packaged = (tree.ROOT.joinpath(*names[:2])).is_dir()
            found.setdefault(".".join(names[:2]) if packaged else room, []).append(".".join(names))
    return found


def _page(name: str, modules: list[str]) -> str:
    """A page of modules, each below its name."""
    parts = [f"# {name}"]
    for module in modules:
        heading = [] if module == name else [f"## {module}"]
        parts += [*heading, f"::: {module}{WHOLE_MODULE}"]
    return "\n\n".join(parts) + "\n"


def _contents(pages: dict[str, str]) -> str:
    """What there is, and where to begin."""
    lines = ["# Reference", "From signatures and docstrings, when this site was built. Begin with [pstar](pstar.md),"]
    lines[1] += " which has all that notebooks need; the rooms behind it are for programs."
    for room, what in ROOMS.items():
        names = [page.removeprefix("reference/").removesuffix(".md") for page in pages]
        mine = [name for name in names if name == room or name.startswith(f"{room}.")]
        lines.append(f"**{room}**, {what}: " + ", ".join(f"[{name}]({name}.md)" for name in mine))
    return "\n\n".join(lines) + "\n"
