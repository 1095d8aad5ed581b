"""The help of every verb, as `pstar VERB --help` prints it now."""

import os
from contextlib import redirect_stdout
from io import StringIO

from pstar.cli import ABOUT, COMMANDS
from pstar.line.dispatch import dispatch
from pstar.line.parts import VERBS

WIDTH = "80"
"""Columns of the help."""


def made() -> dict[str, str]:
    """One page, verbs below the headings of `pstar --help`."""
    os.environ["COLUMNS"] = WIDTH
    parts = ["# Commands", "What `--help` prints, made when this site was built.", _block("pstar --help", [])]
    for heading, verbs in VERBS.items():
        parts.append(f"## {heading[0].upper()}{heading[1:]}")
        for verb in verbs:
            parts.append(f"### pstar {verb}")
            parts.append(_block(f"pstar {verb} --help", [verb]))
    return {"commands.md": "\n\n".join(parts) + "\n"}


def _block(line: str, words: list[str]) -> str:
    page = StringIO()
    with redirect_stdout(page):
        _, call = dispatch([*words, "--help"], COMMANDS, ABOUT)
        call()
    return f"```text\n$ {line}\n{page.getvalue().strip()}\n```"
