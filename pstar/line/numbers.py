"""A word that should be a number: the number, or what is wrong with it and what to type instead."""

import math
import re
from typing import Any

from pstar.line.options import Option
from pstar.line.shown import shown

LONGEST = 300
"""Digits of the longest number."""
UNITS = {"k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9}


def number(option: Option, word: str) -> tuple[Any, str]:
    """The value of a word of a number option, and "" or what is wrong: option, value, range, remedy."""
    whole = option.kind is int
    kind = "a whole number" if whole else "a number"
    within = f" {range_of(option).replace('at least', 'of at least')}" if option.limits is not None else ""
    value = _value(word)
    if value is not None and math.isfinite(value) and not (whole and value != int(value)):
        if value == 0 and re.search(r"[1-9]", word.lower().partition("e")[0]):
            return None, f"{option.flag} = {shown(word, False)} is too small to be told from 0; type {option.flag} 0"
        if option.limits is None or value in option.limits:
            return _exact_int(word, value) if whole else value, ""
        share = option.limits.high == 1 and 1 < value <= 100
        remedy = f"for {value:g}% type {option.flag} {value / 100:.12g}" if share else _such_as(option)
        return None, f"{option.flag} = {shown(word, False)} {_outside(option)}; {remedy}"
    meant = _meant(option, word) if value is None else None
    if whole and value is not None and math.isfinite(value):
        meant = (
            f"{option.flag} {value:.0f}" if option.limits is None or float(f"{value:.0f}") in option.limits else None
        )
    remedy = f"type {meant}" if meant else _such_as(option)
    if value is not None and not math.isfinite(value):
        return None, f"{option.flag} = {shown(word, False)} is no finite number{within}; {remedy}"
    return None, f"{option.flag} {shown(word)} is not {kind}{within}; {remedy}"


def range_of(option: Option) -> str:
    """In words, between which numbers the option's lie: "in [0, 1]", or "at least 1"."""
    limits = option.limits
    assert limits is not None
    return f"at least {limits.low + limits.open_low:.0f}" if _counts(option) else f"in {limits}"


def _counts(option: Option) -> bool:
    """Whether it is a whole number without a most."""
    return option.kind is int and option.limits is not None and option.limits.high == math.inf


def _outside(option: Option) -> str:
    limits = option.limits
    assert limits is not None
    if _counts(option):
        return f"must be {range_of(option)}"
    return f"is outside {limits}{f' ({limits.meaning})' if limits.meaning else ''}"


def looks_like_one(word: str) -> bool:
    """Whether a word that begins with a minus is a number and no option."""
    return bool(re.match(r"[-+]?[.,]?\d", word)) or word.lower() in ("-inf", "-nan", "-infinity")


def _value(word: str) -> float | None:
    try:
        return float(word) if len(word) <= LONGEST else (math.inf if word.strip().isdigit() else None)
    except ValueError:
        return None


def _exact_int(word: str, value: float) -> int:
    """The number itself: above 2**53 a float has not its last digits."""
    try:
        return int(word)
    except ValueError:
        return int(value)


def _such_as(option: Option) -> str:
    example = option.limits.example if option.limits is not None else "1"
    return f"type one, such as {option.flag} {example}"


def _meant(option: Option, word: str) -> str | None:
    """What was probably meant by a word that is no number, where that is allowed."""
    text = word.strip().replace("\u2212", "-").replace("\u2013", "-")
    found: float | None = None
    if text.endswith("%"):
        found = _value(text[:-1].replace(",", "."))
        found = None if found is None else found / 100
    elif match := re.fullmatch(r"([-+]?[\d.]+)\s*/\s*([\d.]+)", text):
        above, below = map(_value, match.groups())
        found = above / below if above is not None and below else None
    elif re.fullmatch(r"[-+]?[1-9]\d{0,2}([,' ]\d{3})+(\.\d+)?", text):
        found = _value(re.sub(r"[,' ]", "", text))
    elif re.fullmatch(r"[-+]?\d*,\d+", text):
        found = _value(text.replace(",", "."))
    elif match := re.fullmatch(r"([-+]?[\d.]+)\s*([kKmMgGbB])", text):
        plain = _value(match.group(1))
        found = None if plain is None else plain * UNITS[match.group(2).lower()]
    elif text != word:
        found = _value(text)
    if found is None or not math.isfinite(found) or (option.kind is int and found != int(found)):
        return None
    if option.limits is not None and found not in option.limits:
        return None
    return f"{option.flag} {f'{found:.0f}' if found == int(found) and abs(found) < 1e15 else f'{found:.12g}'}"
