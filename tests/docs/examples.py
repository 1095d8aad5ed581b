"""What pages tell a reader to type: shell lines that begin with pstar, and blocks of Python, with what they print."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELLS = ("", "sh", "bash")

SLOW = {
    "pstar sweep sweeps/phase_diagram.toml": "the main sweep: 40 s on two idle cores",
    "pstar compare out/phase_diagram": "of the main sweep",
    "pstar figures out/phase_diagram": "of the main sweep",
}
"""Beginnings of commands that the slow tests run, and why they are slow."""
LEFT = {
    "pstar eigenvalues run": "minutes to hours; run at toy size by tests/empirical/eigenvalues/test_run.py",
    "pstar summarization": "minutes to hours; run at toy size by tests of empirical/summarization",
    "pstar verify out/phase_diagram": "a folder that is whole, and then damaged: tests/pstar/commands/test_verify.py",
    "from dask_jobqueue": "needs a cluster with Slurm",
}
"""Beginnings of commands and of blocks of Python that no test runs, and why."""


class Example(NamedTuple):
    """A command, or a block of Python, and the lines that the page shows below it."""

    typed: str
    printed: list[str]


def reason(table, typed):
    """What a table says of what is typed; None where it has no such beginning."""
    return next((why for beginning, why in table.items() if typed.startswith(beginning)), None)


def blocks(text):
    """Language and content of fenced blocks."""
    return FENCE.findall(text)


def commands(text):
    """Examples of a page that are typed into a shell; what follows a command in its block is what it prints."""
    found = []
    for language, block in blocks(text):
        mine = None
        for line in block.replace("\\\n", " ").splitlines() if language in SHELLS else ():
            if line.startswith("pstar "):
                found.append(mine := Example(line, []))
            elif mine and line.strip():
                mine.printed.append(line)
    return found


def programs(text):
    """Blocks of Python of a page; what the next block shows is what they print, where it follows at once."""
    found = []
    for match in FENCE.finditer(text):
        if match[1] == "python":
            below = re.match(r"\n\n```\n(.*?)^```$", text[match.end() :], re.MULTILINE | re.DOTALL)
            found.append(Example(match[2], below[1].splitlines() if below else []))
    return found


def in_order(wanted, printed):
    """The first of the wanted lines that is missing among the printed ones, or not in its place; None if none is."""
    lines = iter([line.rstrip() for line in printed.splitlines()])
    return next((line for line in wanted if not any(line.rstrip() == each for each in lines)), None)
