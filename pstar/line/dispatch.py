"""From the words of a command line to a call of a verb; help, versions and refusals on the way."""

import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from pstar.line import help as helping
from pstar.line.near import near_verb
from pstar.line.options import options_of
from pstar.line.parsing import Call
from pstar.line.shown import shown

Verb = Callable[..., Any]
HELP = ("-h", "--help")


def dispatch(words: Sequence[str], commands: Mapping[str, Verb], about: str) -> tuple[str, Callable[[], Any]]:
    """The verb of a call, and the call itself, checked. Exits with 0 after help, and with 2 after a refusal."""
    first = words[0] if words else ""
    if first in HELP or list(words) == ["help"]:
        return "help", lambda: print(helping.of_all(commands, about))
    if first in ("-V", "--version"):
        from pstar.line.version import text

        return "version", lambda: print(text())
    if first == "help":
        words = [words[1], "--help"]
        first = words[0]
    if first not in commands:
        _refuse([_no_verb(words, commands)], "pstar --help")
    verb, rest = commands[first], list(words[1:])
    if any(word in HELP for word in (rest[: rest.index("--")] if "--" in rest else rest)):
        return first, lambda: print(helping.of_verb(first, verb))
    call = Call(first, options_of(verb), rest)
    if call.faults:
        _refuse(call.faults, f"pstar {first} --help")
    return first, lambda: verb(**call.values)


def _no_verb(words: Sequence[str], commands: Mapping[str, Verb]) -> str:
    known = ", ".join(commands)
    if not words:
        return f"no command; begin with pstar audit RECORDS, pstar predict or pstar explore; there are {known}"
    if words[0].startswith("--tyro"):
        return f"{shown(words[0], False)} is not for typing; completion is pstar completion bash (or zsh, or fish)"
    if words[0].lower() in ("-v", "--v", "-version", "--ver") or get_close_matches(words[0], ["--version"], 1, 0.8):
        return f"{shown(words[0], False)} is no option. Perhaps you meant pstar --version"
    if words[0].startswith("-"):
        found = next((word for word in words if word in commands), None)
        return (
            f"{shown(words[0], False)} stands before the command; type pstar {found or 'COMMAND'} first, then options"
        )
    near = near_verb(words[0], commands)
    return f"{shown(words[0])} is no command. " + (f"Perhaps you meant pstar {near}" if near else f"There are {known}")


def _refuse(faults: Sequence[str], command: str) -> NoReturn:
    """Say all that is wrong in one line, and where help is."""
    numbered = faults if len(faults) == 1 else [f"({count}) {fault}" for count, fault in enumerate(faults, 1)]
    print(f"error: {'; '.join(numbered)}; help: {command}", file=sys.stderr)
    raise SystemExit(2)
