"""What the tests of both experiments do: run the command line, look at folders, change and write configurations."""

import copy
import json
import sys

from pstar import cli


def main(monkeypatch, *words):
    """The command line in this process, where torch is imported already; returns the exit code."""
    monkeypatch.setattr(sys, "argv", ["pstar", *map(str, words)])
    try:
        cli.main()
    except SystemExit as end:
        return end.code
    return 0


def snapshot(root):
    """Every file of a folder, and when and how it was made."""
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_ino)
        for path in root.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def toml(document):
    """A configuration as a file."""
    lines = []
    for table, values in document.items():
        lines += [f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return "\n".join(lines)


def changed(document, **changes):
    """A copy of a configuration with table__key=value applied."""
    made = copy.deepcopy(document)
    for path, value in changes.items():
        table, key = path.split("__")
        made.setdefault(table, {})[key] = value
    return made
