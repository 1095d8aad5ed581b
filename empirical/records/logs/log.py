"""What a kind of evaluation log is: how it is known, its flat rows, and which of their columns are likely what."""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Document = list[Any] | dict[str, Any]
"""One JSON value, or the objects of JSON lines."""


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """Columns that are likely the roles of an audit, the likeliest first; a guess, to be said and not to be used."""

    correct: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    score: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    why: str = ""
    """What tells the scorer that compares with the truth from the one that judges; one sentence."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """Evaluation logs of one program."""

    name: str
    recognises: Callable[[Document], bool]
    """Whether a document is such a log, by the keys that it has."""
    rows: Callable[[Document], Iterator[Row]]
    """Flat rows, one per generated sample: ``prompt``, ``sample``, ``score.NAME``, ``passed.NAME`` and more."""
    suggest: Callable[[Collection[str]], Suggestion]
    """Roles of the columns that there are."""


def first(document: Document, *keys: str) -> dict[str, Any]:
    """The first object of a list, or of the list under the first of ``keys`` that a document has; {} where none is."""
    for entry in listed(document, *keys)[:1]:
        if isinstance(entry, dict):
            return entry
    return {}


def listed(document: Document, *keys: str) -> list[Any]:
    """A list as it is, or the list under the first of ``keys`` that a document has; [] where there is none."""
    if isinstance(document, list):
        return document
    found = next((document[key] for key in keys if isinstance(document.get(key), list)), None)
    return found if found is not None else []


def scalars(prefix: str, values: Any) -> Row:
    """The plain values of an object as PREFIX.KEY, those of objects within it as PREFIX.KEY.KEY; no lists."""
    row: Row = {}
    for key, value in values.items() if isinstance(values, Mapping) else ():
        name = f"{prefix}.{key}"
        if isinstance(value, Mapping):
            row |= scalars(name, value)
        elif not isinstance(value, list):
            row[name] = value
    return row


def verdict(name: str, value: Any) -> Row:
    """One scorer's value: a boolean as passed.NAME, a number as score.NAME, an object by its keys; else nothing."""
    if isinstance(value, bool):
        return {f"passed.{name}": value}
    if isinstance(value, (int, float)):
        return {f"score.{name}": None if math.isnan(value) else value}
    if isinstance(value, Mapping):
        return {key: entry for part in value for key, entry in verdict(f"{name}.{part}", value[part]).items()}
    return {}


def named(names: Iterable[str], words: Collection[str]) -> tuple[str, ...]:
    """Columns in whose scorer's name one of ``words`` occurs, in the order of ``words``."""
    known = [(name, scorer(name)) for name in names]
    found = (name for word in words for name, tail in known if word in tail)
    return tuple(dict.fromkeys(found))


def scorer(name: str) -> str:
    """NAME of score.NAME or passed.NAME in small letters, with _ for every other mark; "" of other columns."""
    kind, _, tail = name.partition(".")
    if kind not in ("score", "passed"):
        return ""
    return "".join(letter if letter.isalnum() else "_" for letter in tail.lower())


def split(names: Iterable[str], gold: tuple[str, ...], judging: tuple[str, ...]) -> Suggestion:
    """A suggestion from scorers that compare with the truth and scorers that judge: passed.* keep, score.* score."""
    others = [name for name in judging if name not in gold]
    return Suggestion(
        correct=gold,
        kept=tuple(name for name in others if name.startswith("passed.")),
        score=tuple(name for name in others if name.startswith("score.")),
        group=("prompt",) if "prompt" in names else (),
    )
