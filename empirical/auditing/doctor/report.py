"""Findings as text, what to type first, and as JSON values."""

import math
import shlex
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.auditing.doctor.examine import Findings
from empirical.auditing.doctor.faults import by_column
from empirical.auditing.doctor.look import Column
from empirical.auditing.doctor.proposal import Option
from empirical.auditing.doctor.roles import MEANING
from sims.running.text import layout, say

WIDEST = 36
"""Characters of a name or a value in a table."""
MOST_VALUES = 6
RANDOM = "The records must be a random sample of all that was generated, kept or not: kept ones alone tell only purity."


def text(found: Findings, path: str) -> str:
    """The page: the command, what was guessed, what the file supports, its columns."""
    blocks = ["\n".join(_answer(found, path)), "\n".join(_guessed(found))]
    supports = found.proposal.supports
    if supports:
        blocks.append("\n".join(_supports(found, path)))
    blocks.append("\n".join(_columns(found)))
    return "\n\n".join([*(block for block in blocks if block), say(RANDOM)])


def as_json(found: Findings, path: str) -> dict[str, Any]:
    """The same as JSON values; ``command`` is null where a column is lacking."""
    proposal = found.proposal
    return {
        "file": path,
        "records": found.records,
        "log": found.log,
        "command": None if proposal.options is None else words(path, proposal.options),
        "lacks": list(proposal.lacks),
        "guessed": [vars(entry) | {"meaning": MEANING[entry.role]} for entry in found.guesses.found],
        "supports": [
            {"what": one.what, "detail": one.detail, "command": one.options and words(path, one.options)}
            for one in proposal.supports
        ],
        "columns": [_column_json(found, one) for one in found.columns],
        "faults": list(found.faults[""]),
        "notes": list(found.notes),
    }


def words(path: str, options: Iterable[Option]) -> list[str]:
    """The words of a command; a name that begins with - is joined to its option."""
    found = ["pstar", "audit", f"./{path}" if path.startswith("-") else path]
    for option, *values in options:
        if len(values) == 1 and values[0].startswith("-"):
            found.append(f"{option}={values[0]}")
        else:
            found += [option, *values]
    return found


def command(path: str, options: Iterable[Option]) -> str:
    """A command as it can be pasted into a shell."""
    return " ".join(map(_quoted, words(path, options)))


def _quoted(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    inner = (letter if letter.isprintable() and letter not in "'\\" else _escaped(letter) for letter in word)
    return f"$'{''.join(inner)}'"


def _escaped(letter: str) -> str:
    return f"\\{letter}" if letter in "'\\" else "".join(f"\\x{byte:02x}" for byte in letter.encode())


def _answer(found: Findings, path: str) -> list[str]:
    proposal = found.proposal
    if proposal.options is not None:
        lines = ["Type this, if the guesses below are right:", "", f"  {command(path, proposal.options)}"]
        return [*lines, *_unsure(proposal.options)]
    lines = [*proposal.lacks, "Once it is there, or if one of the columns below is it, type:", ""]
    return [*lines, f"  {command(path, proposal.template)}"]


def _unsure(options: Iterable[Option]) -> list[str]:
    """That a word for yes was guessed."""
    words = [value for option, *values in options if option == "--true" for value in values]
    return [f"  with the word that means yes after --true; is it {words[0]}? The file does not say."] if words else []


def _guessed(found: Findings) -> list[str]:
    lines = [] if found.log is None else [say(f"This is a log of {found.log}. {_sentence(found.why)}")]
    guesses = found.guesses.found
    used = {value for option in found.proposal.template for value in option[1:]}
    others = {value for one in found.proposal.supports for option in one.options or () for value in option[1:]}
    chosen = [entry for entry in guesses if entry.column in used | others]
    if not chosen:
        return lines
    table = [[_short(entry.column), MEANING[entry.role], entry.why] for entry in chosen]
    return [
        *lines,
        "Guessed, nothing is computed yet:",
        _indented(layout(zip(("", "", ""), "<<<", strict=True), table)),
    ]


def _supports(found: Findings, path: str) -> list[str]:
    lines = [f"What these {found.records:,} records support:"]
    width = max(len(one.what) for one in found.proposal.supports)
    for one in found.proposal.supports:
        lines.append(say(one.detail, f"  {one.what:{width}}  "))
        if one.options is not None:
            lines.append(f"  {'':{width}}  {command(path, one.options)}")
    return lines


def _columns(found: Findings) -> list[str]:
    roles = {entry.column: entry.role for entry in found.guesses.found}
    table = []
    for one in found.columns:
        missing = f"{one.missing / found.records:.1%}" if one.missing else "-"
        row = [_short(one.name), _looks(one, found.areas.get(one.name, math.nan)), missing, roles.get(one.name, "")]
        table.append([*row, _plain(by_column(found.faults, one.name))])
    headings = ["column", "looks like", "missing", "taken as", "what is wrong"]
    lines = [layout(zip(headings, "<<><<", strict=True), table)]
    return [*lines, *(say(_plain(fault), "! ") for fault in [*found.faults[""], *found.notes])]


def _looks(one: Column, area: float) -> str:
    """What a column looks like, in a cell."""
    if one.kind == "flag":
        yes, no = ("|".join(map(_short, side)) for side in (one.yes, one.no))
        return f"flag {yes}/{no}, {one.share:.1%} {yes}"
    if one.kind == "constant":
        return f"always {_short(one.values[0])}"
    if one.kind == "number" and one.numbers is not None:
        least, largest = (f"{end:.0f}" if end % 1 == 0 else repr(end) for end in _ends(one.numbers))
        ends = f"number {least} .. {largest}"
        return ends if math.isnan(area) else f"{ends}, AUC {area:.2f}"
    if one.kind == "label":
        shown = [_short(value if value == value.strip() else repr(value)) for value in one.values]
        fits = [place for place in range(1, MOST_VALUES + 1) if len(" ".join(shown[:place])) <= WIDEST][-1:] or [1]
        more = " .." if one.distinct > fits[0] else ""
        return f"label, {one.distinct} values: {' '.join(shown[: fits[0]])}{more}"
    if one.kind in ("text", "id"):
        return f"{one.kind}, {one.distinct:,} values"
    return one.kind


def _column_json(found: Findings, one: Column) -> dict[str, Any]:
    roles = {entry.column: entry.role for entry in found.guesses.found}
    numbers = one.numbers if one.kind in ("number", "label") else None
    return {
        "name": one.name,
        "kind": one.kind,
        "values": one.distinct,
        "missing": one.missing / found.records,
        "yes": list(one.yes),
        "no": list(one.no),
        "share": None if math.isnan(one.share) else one.share,
        "least": None if numbers is None else _ends(numbers)[0],
        "largest": None if numbers is None else _ends(numbers)[1],
        "auc": None if math.isnan(found.areas.get(one.name, math.nan)) else found.areas[one.name],
        "role": roles.get(one.name),
        "faults": list(found.faults[one.name]),
    }


def _ends(numbers: NDArray[np.float64]) -> tuple[float, float]:
    return float(np.nanmin(numbers)), float(np.nanmax(numbers))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _short(word: str) -> str:
    shown = _plain(word)
    return shown if len(shown) <= WIDEST else f"{shown[: WIDEST - 2]}.."


def _plain(word: str) -> str:
    """No control characters."""
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in word)


def _indented(table: str) -> str:
    """A table without its empty headings, two blanks in."""
    return "\n".join(f"  {line}" for line in table.splitlines()[1:])
