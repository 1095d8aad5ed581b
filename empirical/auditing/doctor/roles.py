"""Which column is likely what: by names, by values, and by what is left; each guess with its reason."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from empirical.auditing.doctor import names
from empirical.auditing.doctor.groups import PromptLike, most_like_prompt, prompt_like
from empirical.auditing.doctor.look import Column
from empirical.auditing.doctor.names import Role, known
from empirical.records.logs import Suggestion

MEANING: Mapping[Role, str] = {
    "correct": "which labels are correct",
    "kept": "what the verifier keeps",
    "score": "the verifier's score",
    "quality": "quality in [0, 1]",
    "classes": "the class of each record",
    "label": "the generator's label, one of several classes",
    "truth": "the true label",
    "group": "which records belong together",
    "weight": "how many records each stands for",
}
BY_NAME, BY_LOG, LEFT = "by its name", "by the kind of log", "the only flag left"

WHOLE = 1.0
"""What `names.known` exceeds where a name, or its part after a dot, is a usual one as a whole."""


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A column's likely role."""

    role: Role
    column: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Guesses:
    """All of them."""

    found: tuple[Guess, ...]
    like: PromptLike | None
    """Of the group, where one was found."""

    def named(self, role: Role) -> list[str]:
        """Columns that are likely of a role."""
        return [guess.column for guess in self.found if guess.role == role]

    def first(self, role: Role) -> str | None:
        """The column that is likely of a role."""
        return next(iter(self.named(role)), None)


def guess(columns: Sequence[Column], suggested: Suggestion | None = None) -> Guesses:
    """Roles of columns; what a log suggests comes first, then names, then values."""
    hint = suggested or Suggestion()
    found: list[Guess] = []
    taken: set[str] = set()

    def take(role: Role, chosen: Iterable[Column], why: str) -> list[Column]:
        listed = list(chosen)
        found.extend(Guess(role=role, column=one.name, why=why) for one in listed)
        taken.update(one.name for one in listed)
        return listed

    def best(role: Role, usual: Sequence[str], kinds: Callable[[Column], bool]) -> list[Column]:
        hinted = _hinted(columns, getattr(hint, role, ()), kinds)
        if hinted:
            return take(role, hinted[:1], BY_LOG)
        return take(role, _best(columns, usual, kinds, taken), BY_NAME)

    label = _best(columns, names.LABEL, _several, taken, least=WHOLE)
    truth = _best(columns, names.TRUTH, _several, {one.name for one in label}, least=WHOLE)
    if not hint.correct and label and truth and _same_values(label[0], truth[0]):
        take("label", label, BY_NAME)
        take("truth", truth, BY_NAME)
    best("correct", names.CORRECT, _is_flag)
    if not found:  # a word that is not known as a flag's, which --true has to say
        best("correct", names.CORRECT, _two_words)
    best("weight", names.WEIGHT, lambda one: one.numbers is not None)
    kept = _hinted(columns, hint.kept, _is_flag)
    if kept:
        take("kept", kept, BY_LOG)
    else:
        flags = [one for one in columns if _is_flag(one) and one.name not in taken]
        kept = take("kept", _all(flags, names.KEPT), BY_NAME)
        if not kept and found:
            kept = take("kept", _best(columns, names.KEPT, _two_words, taken), BY_NAME)
    outcome = _outcome(columns, found)
    like = _group(columns, hint, taken, outcome)
    if like is not None:
        reason = BY_NAME if like.by_name else "by its values, which repeat"
        take("group", (one for one in columns if one.name == like.name), reason)
    best("score", names.SCORE, _is_score)
    best("quality", names.QUALITY, _in_unit)
    best("classes", names.CLASS, _is_class)
    if not kept and not any(entry.role == "score" for entry in found):
        _left(columns, found, taken | set(hint.correct), take)
    return Guesses(found=tuple(found), like=like)


def _group(
    columns: Sequence[Column], hint: Suggestion, taken: Collection[str], outcome: np.ndarray | None
) -> PromptLike | None:
    free = [one for one in columns if one.name not in taken]
    hinted = (prompt_like(one, outcome) for one in free if one.name in hint.group)
    measured = {one.name for one in free if max(known(one.name, names.SCORE), known(one.name, names.QUALITY)) >= 2}
    others = [one for one in free if one.name not in measured]
    return next((like for like in hinted if like is not None), None) or most_like_prompt(others, outcome)


def _left(columns: Sequence[Column], found: list[Guess], taken: set[str], take: Callable) -> None:
    """Where the truth is known and nothing is named as a verifier: the flags that are left, else the only number."""
    if not any(entry.role in ("correct", "truth", "quality") for entry in found):
        return
    free = [one for one in columns if one.name not in taken and not known(one.name, names.INDEX)]
    flags, scores = ([one for one in free if one.kind == kind] for kind in ("flag", "number"))
    if flags:
        take("kept", flags, LEFT if len(flags) == 1 else "a flag, and nothing is named as kept")
    elif len(scores) == 1:
        take("score", scores, "the only number left")


def _outcome(columns: Sequence[Column], found: Sequence[Guess]) -> np.ndarray | None:
    """Correct or not, from the column of it, or from label and truth."""
    chosen = {entry.role: entry.column for entry in found}
    by_name = {one.name: one for one in columns}
    if "correct" in chosen and by_name[chosen["correct"]].flags is not None:
        return by_name[chosen["correct"]].flags
    if "label" in chosen:
        return agreement(by_name[chosen["label"]], by_name[chosen["truth"]])
    return None


def agreement(label: Column, truth: Column) -> np.ndarray:
    """Whether label and truth are the same, 1 or 0, NaN where one is missing."""
    place = {value.strip(): index for index, value in enumerate(truth.values)}
    table = np.array([*(place.get(value.strip(), -2) for value in label.values), -1])
    code = table[label.code]
    return np.where((label.code < 0) | (truth.code < 0), np.nan, code == truth.code)


def _hinted(columns: Sequence[Column], wanted: Sequence[str], kinds: Callable[[Column], bool]) -> list[Column]:
    by_name = {one.name: one for one in columns}
    return [by_name[name] for name in wanted if name in by_name and kinds(by_name[name])]


def _best(
    columns: Sequence[Column],
    usual: Sequence[str],
    kinds: Callable[[Column], bool],
    taken: Collection[str],
    least: float = 0.0,
) -> list[Column]:
    fits = [(known(one.name, usual), one) for one in columns if one.name not in taken and kinds(one)]
    strongest = max(fits, key=lambda pair: pair[0], default=None)
    return [strongest[1]] if strongest is not None and strongest[0] > least else []


def _all(columns: Sequence[Column], usual: Sequence[str]) -> list[Column]:
    """Every column whose name fits, in their order: several verifiers of the same records."""
    return [one for one in columns if known(one.name, usual) > 0]


def _is_flag(one: Column) -> bool:
    return one.flags is not None


def _two_words(one: Column) -> bool:
    return one.kind == "label" and one.distinct == 2


def _several(one: Column) -> bool:
    """Labels of classes, of which 0 and 1 may be two."""
    return one.kind in ("label", "flag") and one.distinct >= 2 and bool(one.values)


def _is_class(one: Column) -> bool:
    return one.kind in ("label", "flag")


def _is_score(one: Column) -> bool:
    return one.numbers is not None and one.kind in ("number", "label", "id")


def _in_unit(one: Column) -> bool:
    numbers = one.numbers
    return (
        one.kind in ("number", "label")
        and numbers is not None
        and bool(np.nanmin(numbers) >= 0 and np.nanmax(numbers) <= 1)
    )


def _same_values(label: Column, truth: Column) -> bool:
    """Whether most of the values of one occur in the other."""
    mine, other = ({value.strip() for value in one.values} for one in (label, truth))
    return 2 * len(mine & other) >= max(len(mine), len(other))
