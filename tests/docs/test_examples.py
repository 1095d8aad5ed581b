"""What the pages tell a reader to type runs, and prints what they show."""

import os
import shlex
import subprocess
import sys

import pytest

from tests.docs.examples import LEFT, PAGES, ROOT, SLOW, Example, commands, in_order, programs, reason
from tests.processes import PATIENCE

TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
TYPED = {page: commands(text) for page, text in TEXTS.items()}
PROGRAMS = {page: programs(text) for page, text in TEXTS.items()}


class Desk:
    """A folder where a reader works: the project's files are there, and what was typed before has left its own."""

    def __init__(self, folder):
        self.folder, self.printed = folder, {}
        for name in ("docs", "sweeps"):
            (folder / name).symlink_to(ROOT / name)

    def type(self, line):
        """What a command prints; the same line of another page is not run again."""
        if line not in self.printed:
            words = shlex.split(line, comments=True)[1:]
            done = subprocess.run(
                [sys.executable, "-m", "pstar", *words],
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
            assert done.returncode == 0, f"{line}\n{done.stderr}"
            self.printed[line] = done.stdout
        return self.printed[line]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return Desk(tmp_path_factory.mktemp("desk"))


def wrong(desk, examples):
    """Lines that a page shows and a command does not print, each below its command."""
    missing = ((each.typed, in_order(each.printed, desk.type(each.typed))) for each in examples)
    return [(typed, line) for typed, line in missing if line is not None]


def quick(examples):
    return [each for each in examples if not reason(SLOW, each.typed) and not reason(LEFT, each.typed)]


@pytest.mark.parametrize("page", [page for page, examples in TYPED.items() if quick(examples)])
def test_commands_of_a_page(page, desk):
    assert wrong(desk, quick(TYPED[page])) == []


@pytest.mark.slow
def test_slow_commands(tmp_path):
    examples = [each for page in TYPED.values() for each in page if reason(SLOW, each.typed)]
    assert wrong(Desk(tmp_path), examples) == []


RUN = [
    (page, number)
    for page, examples in PROGRAMS.items()
    for number, example in enumerate(examples)
    if not reason(LEFT, example.typed)
]


@pytest.mark.parametrize(("page", "number"), RUN)
def test_programs_of_a_page(page, number, capsys, monkeypatch):
    """Each of them stands alone."""
    example = PROGRAMS[page][number]
    monkeypatch.chdir(ROOT)
    exec(compile(example.typed, page, "exec"), {})
    assert capsys.readouterr().out.splitlines() == example.printed


def test_every_exception_is_still_needed():
    typed = [each.typed for page in (*TYPED.values(), *PROGRAMS.values()) for each in page]
    idle = [start for start in (*SLOW, *LEFT) if not any(each.startswith(start) for each in typed)]
    assert idle == []


def test_examples_are_found():
    shell = "```\npstar a \\\n  --b   # why\n\nout\nmore\npstar c\n```\n\n```toml\npstar d\n```\n"
    page = shell + "\n```python\nx\n```\n\n```\n1\n```\n"
    assert commands(page) == [Example("pstar a    --b   # why", ["out", "more"]), Example("pstar c", [])]
    assert programs(page) == [Example("x\n", ["1"])]


def test_a_line_that_is_not_printed_is_seen():
    assert in_order(["a", "c"], "a\nb\nc\n") is None
    assert in_order(["a", "x"], "a\nb\n") == "x"
    assert in_order(["b", "a"], "a\nb\n") == "a"
