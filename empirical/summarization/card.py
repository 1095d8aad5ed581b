"""Where a result comes from: provenance.json and README.md in every folder, passed on from stage to stage."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sims.running.files import write_atomic, write_json
from sims.running.sealed import digest
from sims.running.text import markdown

PROVENANCE, README = "provenance.json", "README.md"


def write(
    folder: Path,
    title: str,
    settings: Mapping[str, Any],
    inputs: Mapping[str, Path],
    facts: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
    model: Mapping[str, Any] | None = None,
) -> None:
    """Write both files.

    ``data`` and ``model`` (name, revision, licence) are what this folder brings in; those of its inputs are added.
    ``facts`` is what a reader wants to know of this folder.
    """
    read = [json.loads((path / PROVENANCE).read_bytes()) for path in inputs.values() if (path / PROVENANCE).exists()]
    body: dict[str, Any] = {"title": title, "settings": digest(dict(settings)), "facts": dict(facts)}
    for kind, own in (("data", data), ("models", model)):
        entries = [*([dict(own)] if own else []), *(entry for found in read for entry in found[kind])]
        body[kind] = [entry for index, entry in enumerate(entries) if entry not in entries[:index]]
    write_json(folder / PROVENANCE, body)
    write_atomic(folder / README, _readme(body).encode())


def _readme(body: Mapping[str, Any]) -> str:
    lines = [f"# {markdown(body['title'])}", "", "Made by `pstar summarization`; nothing was uploaded anywhere.", ""]
    lines += [
        "| | |",
        "|---|---|",
        *(f"| {markdown(name)} | {_shown(value)} |" for name, value in body["facts"].items()),
    ]
    lines += [f"| hash of the settings | {body['settings'][:12]} |", "", "Made from, and bound by the licences of:", ""]
    for kind in ("data", "models"):
        lines += [f"* {kind.removesuffix('s')}: {_source(entry)}" for entry in body[kind]]
    return "\n".join([*lines, ""])


def _source(entry: Mapping[str, Any]) -> str:
    revision = f" at revision {entry['revision']}" if entry.get("revision") else ""
    return markdown(f"{entry['name']}{revision}. Licence: {entry.get('licence') or 'unknown, see its source'}")


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else markdown(str(value))
