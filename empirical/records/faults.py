"""What is refused of a file of records: every fault with its place, as many as fit on a screen, in one error."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from theory.errors import InputError

MOST = 10
"""Faults that are told."""
KINDS = 1000
"""Different faults that are kept apart; what comes after is counted."""
WIDTH = 60
"""Characters of a value that are shown."""

T = TypeVar("T")


class RecordsError(InputError):
    """A file of records that cannot be used as it is. ``parts`` hold its faults, where they are those of records."""

    def __init__(self, message: str, parts: "tuple[Faults, ...]" = ()):
        """Keep the parts."""
        super().__init__(message)
        self.parts = parts


@dataclass
class _Fault:
    number: int
    where: str
    times: int


class Faults:
    """The faults of one file. Those that read alike are one, at the place of the first."""

    def __init__(self, source: str):
        """None as yet. ``source`` is what messages call the file."""
        self.source = source
        self._found: dict[str, _Fault] = {}
        self._beyond = 0

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._found) or self._beyond > 0

    def add(self, what: str, number: int = 0, where: str = "", times: int = 1) -> None:
        """One more, at ``where``, which is line or row ``number``; 0 where it is the whole file's."""
        known = self._found.get(what)
        if known is not None:
            known.times += times
            if number < known.number:
                known.number, known.where = number, where
        elif len(self._found) < KINDS:
            self._found[what] = _Fault(number, where, times)
        else:
            self._beyond += times

    def count(self, times: int) -> None:
        """So many more, of which nothing is told."""
        self._beyond += times

    @staticmethod
    def error(*parts: "Faults") -> RecordsError:
        """All of them, a part that is given twice once: one in a line, several in a list by their places."""
        whole = Faults(parts[0].source)
        for part in {id(part): part for part in parts}.values():
            for what, fault in part._found.items():
                whole.add(what, fault.number, fault.where, fault.times)
            whole.count(part._beyond)
        found = sorted(whole._found.items(), key=lambda item: item[1].number)
        count = sum(fault.times for _, fault in found) + whole._beyond
        if len(found) == 1 and not whole._beyond:
            [(what, fault)] = found
            place = f", {fault.where}" if fault.where else ""
            return RecordsError(f"{whole.source}{place}: {what}{_again(fault)}", parts)
        places = (f"{fault.where}: " if fault.where else "" for _, fault in found)
        lines = [
            f"  - {place}{what}{_again(fault)}" for place, (what, fault) in zip(places, found[:MOST], strict=False)
        ]
        left = count - sum(fault.times for _, fault in found[:MOST])
        lines += [f"  and {left:,} more"] if left else []
        return RecordsError("\n".join([f"{whole.source}: {count:,} faults, nothing was computed", *lines]), parts)

    @staticmethod
    def refuse(*parts: "Faults") -> None:
        """Raise RecordsError where there is a fault in any."""
        if any(parts):
            raise Faults.error(*(part for part in parts if part))


def _again(fault: _Fault) -> str:
    return f" (and {fault.times - 1:,} more like it)" if fault.times > 1 else ""


def together(tasks: Mapping[str, Callable[[], T]]) -> dict[str, T]:
    """What every task returns, by name. Raises one RecordsError with the faults of all tasks that are refused."""
    done: dict[str, T] = {}
    parts: dict[int, Faults] = {}  # what is wrong with the lines is wrong for every column, and told once
    for name, task in tasks.items():
        try:
            done[name] = task()
        except RecordsError as error:
            if not error.parts:
                raise
            parts |= {id(part): part for part in error.parts}
    Faults.refuse(*parts.values())
    return done


def shown(value: Any) -> str:
    """A value in a few characters: cut where it is long, control characters escaped."""
    if isinstance(value, (dict, list)):
        kind = "an object" if isinstance(value, dict) else "a list"
        return f"{kind} of {len(value)}"
    text = value if isinstance(value, str) else str(value)
    cut = text[:WIDTH]
    cut = repr(cut) if isinstance(value, str) else cut
    return f"{cut}... ({len(text):,} characters)" if len(text) > WIDTH else cut


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names of columns, in quotes, the first of many."""
    quoted = [shown(name) for name in names]
    more = f", ... ({len(quoted):,} in all)" if len(quoted) > most else ""
    return (", ".join(quoted[:most]) + more) if quoted else "none"
