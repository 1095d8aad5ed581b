"""Made-up news with references of known content: nothing to download, and for every summary it is known what is right.

A story has seven slots: a person of an organisation did something (verb) to a number of objects in a place on a day.
Its article tells it in one of four wordings, at times beside a second story and background about other names. Its
reference takes one of three choices of them, and says verb and object by other words, which labels alone can teach.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from empirical.seeds import stream
from theory.errors import InputError

STEMS = "bar bren cal dal dor fen gar hal hol kel lan mar mel nor pel ros sal tar ver wil".split()


def _names(endings: str) -> tuple[str, ...]:
    return tuple(stem + ending for stem in STEMS for ending in endings.split())


VERBS = {
    "built": "constructs",
    "sold": "unloads",
    "repaired": "restores",
    "bought": "acquires",
    "lost": "misplaces",
    "painted": "decorates",
    "inspected": "examines",
    "donated": "gives",
}
"""Verb of the article: verb of the reference."""
OBJECTS = {
    "houses": "homes",
    "ships": "vessels",
    "cars": "vehicles",
    "schools": "academies",
    "farms": "ranches",
    "pictures": "artworks",
    "stores": "shops",
    "clinics": "hospitals",
}
"""Object of the article: object of the reference."""
LEXICON: dict[str, tuple[str, ...]] = {
    "person": _names("son man ley ard ett kins"),
    "place": _names("ton ford ville bury mouth"),
    "organisation": _names("corp bank tech works"),
    "number": tuple(str(number) for number in range(11, 101)),
    "day": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "verb": tuple(VERBS),
    "object": tuple(OBJECTS),
}
"""The words that fill each slot of an article; no word fills two."""
SLOTS = ("person", "place", "organisation", "number", "day", "event")
"""Columns of a story's content; the event is its verb and its object, in the words of the article."""

LEADS = (
    "{person} , head of {organisation} , {verb} {number} {object} in {place} on {day} .",
    "on {day} in {place} {person} from {organisation} {verb} {number} {object} , officials said .",
    "{organisation} reported that {person} , its director , {verb} {number} {object} in {place} on {day} .",
    "witnesses said {person} {verb} {number} {object} for {organisation} in {place} on {day} .",
)
SECOND = "elsewhere "
"""Begins the second story, so that it can be told from the first wherever it stands."""
BACKGROUND = (
    "{person} of {organisation} made no comment .",
    "last year {number} people moved to {place} .",
    "{organisation} was founded {number} years ago near {place} .",
    "{person} grew up not far away from {place} .",
)
WORDINGS = (
    "{person} {verb} {number} {object} in {place}",
    "{person} {verb} {number} {object} in {place} {day}",
    "{place} {organisation} {person} {verb} {number} {object}",
)
"""Of a reference, with the verbs and objects of references."""
TEASERS = (
    "everything readers should know about this week",
    "our reporters answer your most urgent questions",
    "five things we learned from recent events",
    "why nobody can stop talking about it",
    "a closer look behind todays big headlines",
    "watch the full interview here tonight",
    "what experts say could happen next year",
    "one remarkable decision and its many critics",
)
"""References that say nothing of the story."""
BACKGROUND_SHARE, SHUFFLED_SHARE, TEASER_SHARE = 0.5, 0.7, 0.5
"""Of articles with a sentence of background, of those whose sentences are shuffled, of noisy references."""
COLUMNS = ("id", "title", "text", "summary", "noisy", *SLOTS)
DRAWS = 40
"""Random numbers set aside for a row, more than the 33 that one takes at most."""


@dataclass(frozen=True)
class Recipe:
    """What is hard about a corpus."""

    noisy: float = 0.25
    """Share of references that do not tell the story: half are teasers, half tell another story."""
    second: float = 0.6
    """Share of articles with a second story."""

    def __post_init__(self) -> None:
        """Raises ValueError for what is no share."""
        for name, share in vars(self).items():
            if not 0 <= share <= 1:
                raise InputError(f"{name} is {share}; it is a share, choose one in [0, 1]")


def stories(count: int, seed: Sequence[int], recipe: Recipe, start: int = 0) -> pd.DataFrame:
    """Rows start, start + 1, ... of the corpus of a seed: id, title, text, summary, noisy and the columns of SLOTS.

    A row is the same whatever ``count`` and ``start``. The slots are those of the story that the article is about,
    also where the reference is noisy. Raises ValueError for a negative ``count`` or ``start``.
    """
    if count < 0 or start < 0:
        raise InputError(f"count is {count} and start is {start}; choose both at least 0")
    chances = stream(seed, start * DRAWS).random((count, DRAWS)).tolist()
    name = "-".join(map(str, seed))
    rows = [_row(f"story-{name}-{start + i}", recipe, iter(chances[i])) for i in range(count)]
    return pd.DataFrame(rows, columns=COLUMNS)


def vocabulary() -> list[str]:
    """All words of articles and references, full stop and comma included, sorted."""
    filled = {word for options in LEXICON.values() for word in options}
    fixed = " ".join([*LEADS, SECOND, *BACKGROUND, *WORDINGS, *TEASERS]).split()
    plain = {word for word in fixed if not word.startswith("{")}
    return sorted(filled | plain | set(VERBS.values()) | set(OBJECTS.values()))


def reference(slots: Mapping[str, str], wording: str) -> str:
    """What a reference of one of WORDINGS says of a story. ``slots`` has the names of LEXICON, or of SLOTS."""
    verb, object_ = slots["event"].split() if "event" in slots else (slots["verb"], slots["object"])
    return wording.format_map(dict(slots) | {"verb": VERBS[verb], "object": OBJECTS[object_]})


def _row(name: str, recipe: Recipe, chances: Iterator[float]) -> tuple[str | bool, ...]:
    story = {slot: _pick(options, chances) for slot, options in LEXICON.items()}
    other, third = _another(story, chances), _another(story, chances)
    sentences = [_pick(LEADS, chances).format_map(story)]
    if next(chances) < recipe.second:
        sentences.append(SECOND + _pick(LEADS, chances).format_map(other))
    if next(chances) < BACKGROUND_SHARE:
        sentences.append(_pick(BACKGROUND, chances).format_map(third))
    if next(chances) < SHUFFLED_SHARE:
        sentences.sort(key=lambda sentence: next(chances))
    noisy = next(chances) < recipe.noisy
    teaser = next(chances) < TEASER_SHARE
    told = other if noisy else story
    summary = _pick(TEASERS, chances) if noisy and teaser else reference(told, _pick(WORDINGS, chances))
    slots = story | {"event": f"{story['verb']} {story['object']}"}
    title = "{organisation} in {place}".format_map(story)
    return (name, title, " ".join(sentences), summary, noisy, *(slots[slot] for slot in SLOTS))


def _another(story: Mapping[str, str], chances: Iterator[float]) -> dict[str, str]:
    """A story that has no slot in common with this one."""
    return {
        slot: _pick([option for option in options if option != story[slot]], chances)
        for slot, options in LEXICON.items()
    }


def _pick(options: Sequence[str], chances: Iterator[float]) -> str:
    return options[int(next(chances) * len(options))]
