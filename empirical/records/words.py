"""Which words mean yes, no and missing, and what a word means where a user says so."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

YES = frozenset(
    "1 true t yes y pass passed correct right on keep kept accept accepted good oui ja si sí sim tak evet да 是".split()
)
NO = frozenset(
    "0 -1 false f no n fail failed incorrect wrong off drop dropped reject rejected bad "
    "non nein não nie hayır нет 否".split()
)
MISSING = frozenset(("", "na", "n/a", "null", "none", "nan", "-"))
"""In columns of flags and numbers; a class may be called NA."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,15}(\.0*)?")


def key(word: str) -> str:
    """What a word is looked up by: no capitals, no outer blanks, 1.0 as 1."""
    word = word.strip().casefold()
    return str(int(word.partition(".")[0])) if _WHOLE.fullmatch(word) else word


@dataclass(frozen=True)
class Meaning:
    """What the words of one column mean. Keys that are in none of the sets are not understood."""

    yes: frozenset[str]
    no: frozenset[str]
    missing: frozenset[str]
    guessed: tuple[str, ...] = ()
    """Which of ``no`` (or of ``yes``) are there only because the user named all that is the other."""


def meaning(keys: Sequence[str], true: Iterable[str], false: Iterable[str]) -> Meaning:
    """What the words of a column mean, where a user has said that ``true`` are yes and ``false`` no.

    A column that holds none of the user's words is read by the common ones. In one that holds some, they decide: where
    only yes (or only no) was named, every other word is the opposite, unless it commonly means the same.
    """
    yes, no = frozenset(map(key, true)), frozenset(map(key, false))
    here = frozenset(keys)
    if not here & (yes | no):
        return Meaning(YES, NO, MISSING)
    missing = MISSING - yes - no
    if yes and no:
        return Meaning(yes, no, missing)
    said, same, opposite = (yes, YES, NO) if yes else (no, NO, YES)
    others = here - said - missing
    if not said & opposite:  # pass and 1 are both yes, whatever was named; 0 for yes turns all round
        others -= same
    guessed = tuple(sorted(others - opposite))
    return Meaning(said, others, missing, guessed) if yes else Meaning(others, said, missing, guessed)
