"""Words of a user as they are shown to a user: quoted, without control characters, not at any length."""

import re
from collections.abc import Iterable

from sims.running.text import printable

LONGEST = 60


def shown(word: str, quoted: bool = True) -> str:
    """A word in quotes, with its middle left out where it is long."""
    if len(word) > LONGEST:
        word = f"{word[: LONGEST // 2]}... ({len(word):,} characters)"
    text = repr(word)
    return text if quoted or text[1:-1] != word else word


def listed(words: tuple[str, ...], last: str = "or") -> str:
    """a, b or c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def unbroken(message: str, words: Iterable[str]) -> str:
    """A message in which no line ends within a word of the user, such as the name of a folder that has two lines.

    Lines of the message itself, one per fault, stay.
    """
    parts = {part for word in words for part in re.split("[/=]", word) if part.splitlines() not in ([], [part])}
    for part in sorted(parts, key=len, reverse=True):
        message = message.replace(part, printable(part))
    return message
