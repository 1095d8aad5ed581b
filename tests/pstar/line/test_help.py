"""Help: every option stands in it once, it fits the terminal, and what it says to type can be typed."""

import shlex

import pytest

from pstar.cli import ABOUT, COMMANDS
from pstar.line import help as helping
from pstar.line.dispatch import dispatch
from pstar.line.options import options_of
from pstar.line.parts import EXAMPLES, PARTS, VERBS


def test_every_verb_has_a_heading_and_an_example():
    assert sorted(verb for verbs in VERBS.values() for verb in verbs) == sorted(COMMANDS)
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize("columns", ["80", "120"])
def test_help_of_all_fits_and_names_every_verb(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    text = helping.of_all(COMMANDS, ABOUT)
    assert max(map(len, text.splitlines())) < int(columns)
    assert [verb for verb in COMMANDS if f"\n  {verb} " not in text] == []
    assert "--version" in text


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("verb", COMMANDS)
def test_help_of_a_verb_has_every_option_once(verb, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    text = helping.of_verb(verb, COMMANDS[verb])
    body = text.partition("\nfor example:")[0]
    assert max(map(len, body.splitlines())) < int(columns)
    options = options_of(COMMANDS[verb])
    for option in options:
        assert sum(line.split()[:1] == [option.flag.split()[0]] for line in body.splitlines() if line[:2] == "  ") == 1
    assert "None" not in body
    assert {name for names in PARTS.get(verb, {}).values() for name in names} <= {option.name for option in options}


@pytest.mark.parametrize("line", sorted({line for lines in EXAMPLES.values() for line in lines}))
def test_examples_can_be_typed(line):
    words = shlex.split(line.partition(" > ")[0])
    assert words[0] == "pstar"
    dispatch(words[1:], COMMANDS, ABOUT)
