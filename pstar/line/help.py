"""`pstar --help` and `pstar VERB --help`: plain text, as wide as the terminal."""

import inspect
import re
import shutil
import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pstar.line.numbers import range_of
from pstar.line.options import Option, options_of
from pstar.line.parts import EXAMPLES, PARTS, VERBS

WIDEST = 110
LEFT = 26
"""Columns of what is typed, before what it means."""


def of_all(commands: Mapping[str, Callable[..., Any]], about: str) -> str:
    """Which verbs there are, and what each answers."""
    width = _width()
    lines = ["usage: pstar COMMAND ...", "", *_paragraphs(about, width)]
    for heading, verbs in VERBS.items():
        rows = [(verb, _sentences(commands[verb])[0]) for verb in verbs if verb in commands]
        lines += ["", f"{heading}:", *_table(rows, width, 16)]
    more = [
        ("pstar COMMAND --help", "what it does, its options, and a call to copy"),
        ("pstar --version", "versions of pstar, Python, JAX and NumPy"),
        ("pstar completion SHELL", "completion by the tab key, for bash, zsh or fish"),
        ("PSTAR_QUIET=1", "in the environment: no sign of life on standard error while a command is at work"),
    ]
    return "\n".join([*lines, "", "more:", *_table(more, width)])


def of_verb(name: str, verb: Callable[..., Any]) -> str:
    """What a verb is for, its options, and a call to copy."""
    width, options = _width(), options_of(verb)
    lines = [*_usage(name, options, width), "", *_paragraphs(inspect.getdoc(verb) or "", width)]
    words = [option for option in options if option.positional]
    if words:
        lines += ["", "words:", *_table([(option.flag, _about(option)) for option in words], width)]
    for heading, members in _parts(name, options):
        lines += ["", f"{heading}:", *_table([(_left(option), _about(option)) for option in members], width)]
    examples = [f"  {example}" for example in EXAMPLES.get(name, ())]
    return "\n".join([*lines, "", "for example:", *examples] if examples else lines)


def _usage(name: str, options: Iterable[Option], width: int) -> list[str]:
    words = [option.flag if option.required else f"[{option.flag}]" for option in options if option.positional]
    needed = [option.shown for option in options if option.required and not option.positional]
    line = " ".join(["usage: pstar", name, *words, *needed, "[options]"])
    return textwrap.wrap(line, width, subsequent_indent=" " * 13, break_on_hyphens=False, break_long_words=False)


def _parts(name: str, options: Iterable[Option]) -> list[tuple[str, list[Option]]]:
    left = {option.name: option for option in options if not option.positional}
    parts = [(heading, [left.pop(each) for each in members]) for heading, members in PARTS.get(name, {}).items()]
    return [*parts, ("options" if not parts else "others", list(left.values()))] if left else parts


def _left(option: Option) -> str:
    return f"{option.shown} ..." if option.many else option.shown


def _about(option: Option) -> str:
    """Meaning, range and default."""
    text = option.help.strip()
    if text.split(" ")[0].isalpha() and text[1:2].isalpha():  # else it is a symbol, or the name of a choice
        text = f"{text[:1].upper()}{text[1:]}"
    if option.limits is not None and str(option.limits) not in text:
        before, default, after = text.partition("Default")
        text = f"{before.rstrip()} {range_of(option).capitalize()}. {default}{after}".rstrip()
    if option.positional and option.choices:
        text = f"{' | '.join(option.choices)}. {text}"
    if option.required:
        return text if option.positional else f"{text} Must be given."
    if option.default in (None, "", (), False) or "Default" in text:
        return text
    shown = f"{option.default:g}" if isinstance(option.default, float) else option.default
    return f"{text} Default: {shown}."


def _sentences(verb: Callable[..., Any]) -> list[str]:
    return (inspect.getdoc(verb) or "").split("\n\n")


def _paragraphs(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for paragraph in text.split("\n\n"):
        lines += ["", *textwrap.wrap(" ".join(paragraph.split()), width)]
    return lines[1:]


def _table(rows: Iterable[tuple[str, str]], width: int, left: int = LEFT) -> list[str]:
    """What is typed, and beside it what it means; below it where it is long."""
    lines = []
    for typed, meaning in rows:
        indent = " " * (left + 2)
        body = _wrapped(meaning, width, indent)
        if len(typed) < left and body:
            body[0] = f"  {typed:{left}}{body[0].lstrip()}"
        else:
            body.insert(0, f"  {typed}")
        lines += body
    return lines


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    """Lines of a text, in which no interval is broken."""
    whole = re.sub(r"([\[(]\S+), (\S+[\])])", "\\1,\N{NO-BREAK SPACE}\\2", text)
    lines = textwrap.wrap(whole, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _width() -> int:
    return max(min(shutil.get_terminal_size().columns, WIDEST), 60) - 1
