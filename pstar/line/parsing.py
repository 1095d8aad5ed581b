"""A call of a verb: its values, or all that is wrong with it at once."""

import re
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from pstar.line.near import COMPLEMENTS, near_option
from pstar.line.numbers import looks_like_one, number, range_of
from pstar.line.options import Option
from pstar.line.shown import listed, shown


class Call:
    """What the words of a call say. ``faults`` is empty where it can be run with ``values``."""

    def __init__(self, verb: str, options: Sequence[Option], words: Sequence[str]) -> None:
        """``words`` are those after the verb."""
        self.verb, self.options = verb, options
        self.values: dict[str, Any] = {}
        self.faults: list[str] = []
        self.given: dict[str, list[str]] = {}
        self.meant: set[str] = set()
        self._flags = {option.flag: option for option in options if not option.positional}
        self._read(list(words))
        self._convert()

    def _read(self, words: list[str]) -> None:
        """Give every word to an option."""
        free: list[str] = []
        while words:
            word = words.pop(0)
            if word == "--":
                free += words
                break
            if not _is_option(word):
                free.append(word)
                continue
            flag, equals, value = word.partition("=")
            flag = f"--{flag[2:].replace('_', '-')}"
            option = self._flags.get(flag) if word.startswith("--") else None
            lone = self._flags.get(f"--{flag[5:]}") if flag.startswith("--no-") else None
            if option is None and lone is not None and lone.pair:
                option = lone
            if option is None:
                self._unknown(word.partition("=")[0], value if equals else None, words)
            elif option.kind is bool:
                if equals:
                    self.faults.append(f"{flag} takes no value: type {flag} alone")
                self._give(option, ["" if option is lone else "yes"])
            else:
                self._give(option, [value] if equals else _values(option, words))
        self._give_free(free)

    def _give(self, option: Option, words: list[str]) -> None:
        if option.name in self.given:
            if option.kind is bool and self.given[option.name] == words:
                return
            both = listed(tuple(shown(word) for word in (*self.given[option.name], *words)) or ("nothing",), "and")
            remedy = f"name all after one, as {option.flag} A B" if option.many else "give it once"
            self.faults.append(f"{option.flag} is given twice ({both}); {remedy}")
        self.given[option.name] = words

    def _give_free(self, words: list[str]) -> None:
        """Words without an option, to the positional ones in their order."""
        for option in (option for option in self.options if option.positional):
            if words:
                self.given[option.name] = words if option.many else words[:1]
                words = [] if option.many else words[1:]
        if words:
            takes = " ".join(option.flag for option in self.options if option.positional)
            too = "is a word too many" if len(words) == 1 else "are words too many"
            expected = f"it takes {takes} and options" if takes else "it takes options only, which begin with --"
            meant = [f"--{word}" for word in words if f"--{word.partition('=')[0]}" in self._flags]
            expected = f"perhaps you meant {' '.join(map(quote, meant))}" if meant else expected
            quoted = tuple(map(shown, words[:5]))
            self.faults.append(f"{listed(quoted, 'and')} {too} for pstar {self.verb}; {expected}")

    def _unknown(self, word: str, value: str | None, words: list[str]) -> None:
        """An option that is none; what follows it is its value."""
        if value is None and words and not _is_option(words[0]):
            value = words.pop(0)
        said = f"{shown(word, False)} is no option of pstar {self.verb}"
        bare = word.lstrip("-").lower()
        if bare in COMPLEMENTS and "--p" in self._flags:
            self.meant.add("p")
            example = ""
            try:
                share = float(value or "")
                example = f": --p {1 - share:.12g}" if 0 <= share <= 1 else ""
            except ValueError:
                pass
            self.faults.append(f"{said}; the generator's error rate is 1 - accuracy{example or ', as --p 0.3'}")
            return
        near = near_option(word, self.options)
        if near is None:
            self.faults.append(said)
            return
        self.meant.add(near.name)
        typed = near.flag if near.kind is bool else f"{near.flag} {_repeatable(value) or near.metavar}"
        self.faults.append(f"{said}. Perhaps you meant {typed}")

    def _convert(self) -> None:
        """Words to values; what is missing, empty or no choice is a fault."""
        for option in self.options:
            words = self.given.get(option.name)
            if words is None:
                self.values[option.name] = option.default
                if option.required and option.name not in self.meant:
                    self.faults.append(f"{option.shown} is missing{_about(option)}{self._eaten(option)}")
                continue
            if not words and option.kind is not bool and not (option.many and option.default is None):
                self.faults.append(f"{option.flag} has no value; type {option.shown}{_range(option)}")
                continue
            found = [self._one(option, word) for word in words]
            self.values[option.name] = tuple(found) if option.many else found[0]

    def _eaten(self, missing: Option) -> str:
        """Where a word that is missing may have gone: to an option that takes several."""
        greedy = [each for each in self.options if each.many and len(self.given.get(each.name, ())) > 1]
        if not missing.positional or not greedy:
            return ""
        flag, words = greedy[0].flag, self.given[greedy[0].name]
        return f"; {listed(tuple(map(shown, words)), 'and')} belong to {flag}: put {missing.flag} before it"

    def _one(self, option: Option, word: str) -> Any:
        if option.kind is bool:
            return word == "yes"
        if option.kind in (int, float):
            value, fault = number(option, word)
            self.faults += [fault] if fault else []
            return value
        if option.choices and word not in option.choices:
            what = "" if option.positional else f"{option.flag} "
            self.faults.append(
                f"{what}{shown(word)} is none of {listed(option.choices, 'and')}{_closest(option, word)}"
            )
        elif not word and option.default != "":
            self.faults.append(f"{option.flag} is empty (''); give one")
        elif "\0" in word:
            self.faults.append(f"{option.flag} {shown(word)} has a null character")
        return Path(word) if option.kind is Path else word


def _is_option(word: str) -> bool:
    return len(word) > 1 and word.startswith("-") and not looks_like_one(word)


def _values(option: Option, words: list[str]) -> list[str]:
    """The words that follow an option and belong to it; they leave the list."""
    taken: list[str] = []
    while words and (option.many or not taken) and not _is_option(words[0]):
        taken.append(words.pop(0))
    return taken


def _repeatable(value: str | None) -> str:
    return quote(value) if value is not None and len(value) <= 60 and value.isprintable() else ""


def _about(option: Option) -> str:
    if option.choices:
        return f": {listed(option.choices)}"
    first = re.split(r"[.:;]( |$)", option.help)[0]
    return f": {first[:1].lower()}{first[1:]}" if first else ""


def _range(option: Option) -> str:
    return f" with a number {range_of(option)}" if option.limits is not None else ""


def _closest(option: Option, word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), option.choices, 1, 0.7)
    return f". Perhaps you meant {near[0]}" if near else ""
