"""The explorer: one HTML file, no network, that computes what theory predicts as its sliders are moved.

`build` puts it together from the modules beside this file, plain JavaScript. What a module exports has a name that no
other has, so that all of them are one script.
"""

import base64
import hashlib
import json
import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from theory.columns import COLUMNS, SETTINGS

GENERATOR = '<meta name="generator" content="pstar explore'
"""By it a page of ours is known."""
FIRST = "app.js"
SHOWN = ("independent", "linear", "learned")
"""Settings that the page knows; squared loss has a closed form in all of them."""
_HERE = Path(__file__).parent
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w]+\.js)";\n', re.MULTILINE)


def build(audit: dict[str, Any] | None = None, version: str = "") -> str:
    """The page.

    Args:
        audit: one's own verifiers, as `empirical.auditing.report.plotted.plotted` reads them: ``verifiers``, ``curve``
            and ``start``.
        version: of the program, which the page names.
    """
    script, style = _script(), (_HERE / "page.css").read_text(encoding="utf-8")
    data = {"columns": _columns(), "audit": audit}
    allowed = f"script-src {_digest(script)}; style-src {_digest(style)}"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    parts = {
        "policy": policy,
        "style": style,
        "script": script,
        "data": json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
        "version": version,
    }
    page = (_HERE / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], page)


def _columns() -> dict[str, dict[str, Any]]:
    """Ranges of the numbers that its settings have, as the vocabulary says them; no end is null."""
    own = {name for setting in SHOWN for name in SETTINGS[setting].columns}
    shared = ("signal", "alpha", "ridge")
    return {
        column.name: {
            "name": column.name,
            "low": column.low,
            "high": None if column.high == float("inf") else column.high,
            "open_low": column.open_low,
        }
        for column in COLUMNS.values()
        if column.name in (*own, *shared)
    }


def _script() -> str:
    """All modules that `FIRST` needs, in an order in which each follows what it imports, as one module."""
    sources: dict[str, str] = {}
    waiting = [FIRST]
    while waiting:
        name = waiting.pop()
        if name not in sources:
            sources[name] = (_HERE / name).read_text(encoding="utf-8")
            waiting += _IMPORT.findall(sources[name])
    order = TopologicalSorter({name: _IMPORT.findall(source) for name, source in sources.items()}).static_order()
    exports = {name: re.findall(r"^export (?:const|function) (\w+)", sources[name], re.MULTILINE) for name in sources}
    parts = []
    for name in order:
        body = re.sub(r"^export ", "", _IMPORT.sub("", sources[name]), flags=re.MULTILINE)
        given = ", ".join(exports[name])
        parts.append(f"// {name}\nconst {{ {given} }} = (() => {{\n{body}return {{ {given} }};\n}})();\n")
    return "\n" + "\n".join(parts)


def _digest(content: str) -> str:
    """What a content security policy calls an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
