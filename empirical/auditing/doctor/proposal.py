"""The command that fits a file, and what else the file supports, each with the options for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from empirical.auditing.doctor.faults import low_is_good
from empirical.auditing.doctor.look import MOST_CLASSES, Column
from empirical.auditing.doctor.roles import Guesses

Option = tuple[str, ...]
"""An option and its values."""


@dataclass(frozen=True, kw_only=True)
class Support:
    """Something that can be asked of the file."""

    what: str
    detail: str
    options: tuple[Option, ...] | None
    """Of a command of its own; None where the proposed command does it, or nothing has to be typed."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What to type."""

    options: tuple[Option, ...] | None
    """None where a column is lacking."""
    lacks: tuple[str, ...]
    """What is lacking, a sentence each."""
    template: tuple[Option, ...]
    """What to type once it is there, COL where a column has to be named."""
    supports: tuple[Support, ...]


def propose(columns: Sequence[Column], guesses: Guesses, outcome: NDArray[np.float64] | None) -> Proposal:
    """The proposal for columns whose roles were guessed; options of `pstar audit`."""
    by_name = {one.name: one for one in columns}
    shared = _shared(by_name, guesses)
    truth = _truth(by_name, guesses)
    kept, score, quality = guesses.named("kept"), guesses.first("score"), guesses.first("quality")
    verifier: list[Option] = [("--kept", *kept)] if kept else []
    curve: list[Option] = []
    if score is not None:
        curve = [("--score", score), *([("--low-is-good",)] if low_is_good(by_name[score], outcome) else [])]
    graded: list[Option] = [("--quality", quality)] if quality is not None else []
    if truth and (verifier or curve):
        options: list[Option] | None = [*truth, *(verifier or curve), *shared]
    elif graded and verifier:
        options = [*graded, *verifier, *shared]
    else:
        options = None
    lacks = [] if options is not None else list(_lacking(truth or graded, verifier or curve))
    gaps = [_gap(by_name[name]) for option in verifier or curve for name in option[1:] if by_name[name].missing]
    if gaps:
        options, lacks = None, [*lacks, *gaps]
    template = [*(truth or graded or [("--correct", "COL")]), *(verifier or curve or [("--kept", "COL")]), *shared]
    supports = list(_main(by_name, guesses, options))
    correct = guesses.first("correct")
    plain: list[Option] = [("--correct", correct)] if correct is not None else truth
    if plain and verifier and curve and score is not None and not by_name[score].missing:
        supports.append(_curve(score, [*plain, *curve, *shared]))
    if truth and graded and verifier:
        supports.append(_graded(quality, [*graded, *verifier, *shared]))
    if correct is not None and truth and truth[0][0] == "--label" and verifier:
        detail = f"{correct} in place of label and truth: two kinds of label, correct and wrong"
        supports.append(_support("two classes", detail, [*plain, *verifier, *shared]))
    return Proposal(
        options=None if options is None else tuple(options),
        lacks=tuple(lacks),
        template=tuple(template),
        supports=tuple(supports),
    )


def _truth(by_name: dict[str, Column], guesses: Guesses) -> list[Option]:
    label, truth, correct = (guesses.first(role) for role in ("label", "truth", "correct"))
    if label is not None and truth is not None:
        return [("--label", label), ("--truth", truth)]
    return [("--correct", correct)] if correct is not None else []


def _shared(by_name: dict[str, Column], guesses: Guesses) -> list[Option]:
    """Options that go with every kind of audit."""
    classes, group, weight = (guesses.first(role) for role in ("classes", "group", "weight"))
    found: list[Option] = []
    if classes is not None and by_name[classes].distinct <= MOST_CLASSES and guesses.first("label") is None:
        found.append(("--class", classes))
    if group is not None:
        found.append(("--group", group))
    if weight is not None and by_name[weight].kind != "constant":
        found.append(("--weight", weight))
    unknown = [by_name[name] for role in ("correct", "kept") for name in guesses.named(role)]
    words: list[str] = []
    for one in unknown:
        if one.flags is None and not set(map(str.strip, one.values)) & set(words):
            words.append(one.values[0].strip())
    return [*found, ("--true", ",".join(words))] if words else found


def _lacking(truth: Sequence[Option], verifier: Sequence[Option]) -> list[str]:
    found = []
    if not truth:
        found.append("Nothing says which labels are correct: a column of 0/1, or the label and the true label.")
    if not verifier:
        found.append("Nothing says what the verifier keeps: a column of 0/1, or its score.")
    return found


def _gap(one: Column) -> str:
    first = int(np.argmax(one.code < 0)) + 1
    return (
        f"{one.missing:,} of {len(one.code):,} records have no {one.name!r}, the first of them record {first:,}. Where "
        "such a record is not trained on, write no there; where the verifier failed by chance, take it out."
    )


def _main(by_name: dict[str, Column], guesses: Guesses, options: Sequence[Option] | None) -> list[Support]:
    found: list[Support] = []
    correct, label, truth = (guesses.first(role) for role in ("correct", "label", "truth"))
    if options is not None:
        names = {option[0] for option in options}
        score, kind = guesses.first("score"), "plain audit"
        detail = "p, phi, psi, p* and whether p < p*"
        if "--quality" in names:
            kind, detail = "graded quality", f"{guesses.first('quality')} in [0, 1], in two readings"
        elif "--score" in names:
            kind, detail = "threshold curve", f"p* at every threshold of {score}"
        found.append(_support(kind, detail))
        if label is not None and truth is not None:
            classes = {value.strip() for name in (label, truth) for value in by_name[name].values}
            found.append(_support(f"{len(classes)} classes", f"{label} against {truth}: where errors go"))
    judged = [by_name[name] for name in (correct,) if name is not None and by_name[name].missing]
    found += [_support("partly judged", _partly(one)) for one in judged]
    if guesses.like is not None:
        like = guesses.like
        detail = f"{like.name} has {like.values:,} values, {like.per_value:.1f} records each"
        alike = "" if np.isnan(like.alike) else f"; their correctness correlates by {like.alike:.2f}"
        found.append(_support("several samples a prompt", detail + alike))
    if guesses.first("weight") is not None:
        found.append(_support("weights", f"{guesses.first('weight')}: records that stand for several"))
    if len(guesses.named("kept")) > 1:
        found.append(_support("several verifiers", f"{', '.join(guesses.named('kept'))}: audited side by side"))
    return found


def _partly(one: Column) -> str:
    total = len(one.code)
    return (
        f"{one.name} is missing in {one.missing:,} of {total:,} records, which still tell what is kept; who was judged "
        "may depend on what is kept, on nothing else"
    )


def _curve(score: str | None, options: Sequence[Option]) -> Support:
    return _support("threshold curve", f"p* at every threshold of {score}", options)


def _graded(quality: str | None, options: Sequence[Option]) -> Support:
    return _support("graded quality", f"{quality} in [0, 1] in place of correct or wrong", options)


def _support(what: str, detail: str, options: Sequence[Option] | None = None) -> Support:
    return Support(what=what, detail=detail, options=None if options is None else tuple(options))
