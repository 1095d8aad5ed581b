"""Names of columns, one rule for every kind of file: outer blanks do not count, twins are refused, near ones named."""

import difflib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from empirical.records.faults import listed, shown


@dataclass(frozen=True)
class All:
    """Every column of a file is wanted, and none may be left out in silence."""

    hints: Collection[str] = ()
    """Names that are likely, by which the separator of a CSV is found."""
    lists: Callable[[str], bool] = lambda name: False
    """Whether a column of that name may hold lists of numbers."""


def steady(name: str, present: Iterable[str]) -> str:
    """A name as the file has it, where the two differ by outer blanks alone; else as it is."""
    present = list(present)
    if name in present:
        return name
    return next((other for other in present if other.strip() == name.strip()), name)


def times(name: str, present: Iterable[str]) -> int:
    """How many columns have a name."""
    return sum(other.strip() == name.strip() for other in present)


def twice(present: Sequence[str]) -> list[str]:
    """Names that several columns have."""
    plain = [name.strip() for name in present]
    return [name for name, count in Counter(plain).items() if count > 1 and name]


def twins(name: str, present: Iterable[str]) -> str:
    """The fault of a name that several columns have."""
    return f"has {times(name, present)} columns {shown(name)}; rename all but one"


def odd(present: Sequence[str]) -> list[str]:
    """Faults of the names themselves."""
    found = [twins(name, present) for name in twice(present)]
    empty = [str(place) for place, name in enumerate(present, 1) if not name.strip()]
    if empty:
        where = f"column {empty[0]} has" if len(empty) == 1 else f"columns {', '.join(empty[:6])} have"
        found.append(f"{where} no name; give one, or leave it out (pandas writes its index so without index=False)")
    for name in present:
        if any(not character.isprintable() for character in name.strip()):
            found.append(f"column {shown(name)} has a control character in its name; rename it")
    return found


def notes(present: Iterable[str]) -> list[str]:
    """What is to be said of names that have outer blanks."""
    blank = [name for name in present if name != name.strip()]
    return [f"outer blanks of names do not count, as of {listed(blank, 6)}"] if blank else []


def nearest(name: str, known: Iterable[str], also: Mapping[str, str] | None = None) -> str | None:
    """The known name that is meant, if any: capitals, blanks and signs aside, by another name of it, or by letters."""
    known = list(known)
    plain = {_plain(other): other for other in reversed(known)}
    plain = {_plain(word): meant for word, meant in (also or {}).items()} | plain
    if _plain(name) in plain:
        return plain[_plain(name)]
    close = difflib.get_close_matches(_plain(name), list(plain), n=1, cutoff=0.7)
    return plain[close[0]] if close else None


def unknown(name: str, known: Iterable[str], remedy: str, also: Mapping[str, str] | None = None) -> str:
    """The fault of a column that is not read, with the nearest that is."""
    near = nearest(name, known, also)
    hint = f"did you mean {shown(near)}? Rename it, or else " if near is not None else ""
    return f"column {shown(name)} is not known; {hint}{remedy}"


def absent(name: str, present: Iterable[str]) -> str:
    """The fault of a column that is not there, with the nearest that is: capitals count."""
    present = list(present)
    plain = {other.strip().casefold(): other for other in reversed(present)}
    near = plain.get(name.strip().casefold())
    if near is None:
        close = difflib.get_close_matches(name, present, n=1, cutoff=0.6)
        near = close[0] if close else None
    hint = f"did you mean {shown(near)}? " if near is not None else ""
    return f"has no column {shown(name)}; {hint}it has {listed(present)}"


def _plain(name: str) -> str:
    return name.strip().casefold().replace("-", "_").replace(" ", "_")
