"""`audit`: what records with labels correct or wrong say about a generator and its verifier (THEORY §1, §9, §28)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from empirical.auditing.checks import check_classes, check_level, check_seed, flags, judgements, labels
from empirical.auditing.design import CORRECT, UNJUDGED, WRONG, Design, Grouping, grouping, units
from empirical.auditing.direction import Direction, direction
from empirical.auditing.estimates import decide_by, rates_by
from empirical.auditing.rates import Counts, Decision, Estimate, Verdict, decide, rates
from empirical.auditing.resample import DRAWS, Resampled, resample
from empirical.auditing.value import Better, Worth, better, worth_estimate
from theory.display import record
from theory.errors import InputError

CLASS_DRAWS = 2_000
"""Of the bootstrap within each class."""


@dataclass(frozen=True, kw_only=True)
class ClassAudit:
    """The rates of some records, and the decision p < p*."""

    counts: Counts
    """Of the judged records, each counted once, whatever its weight."""
    level: float
    p: Estimate
    phi: Estimate
    psi: Estimate
    kept_rate: Estimate
    purity: Estimate
    p_star: Estimate
    decision: Decision
    """p < p*, equivalently purity > 1/2: the criterion for two classes, sufficient for any number."""
    n_classes: int | None = None
    p_star_classes: Estimate | None = None
    """p*_K = 1/(1 + psi/((K - 1) phi)), for wrong labels spread evenly over the K - 1 others."""
    decision_classes: Decision | None = None
    """p < p*_K, equivalently purity > 1/K."""

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)


@dataclass(frozen=True, kw_only=True, repr=False)
class Audit(ClassAudit):
    """What records say about a generator and its verifier; see `audit`."""

    design: Design
    worth: Worth
    """Per generated sample, with the verifier and without: for K classes where K is given, else for two."""
    better: Better
    """Whether the verifier is better than none."""
    resampled: Resampled = field(compare=False)
    """Of anything else that is computed from the rates: its interval."""
    by_class: Mapping[Any, ClassAudit] = field(default_factory=dict)
    """The same, within each class."""
    classwise: Verdict | None = None
    """Whether p < p* within every class ("below"), or not in some class ("above"); None without classes."""
    direction: Direction | None = None
    """Of two classes, all judged and drawn one by one: whether a classifier with an intercept learns the right
    direction; else None."""

    def __repr__(self) -> str:
        """A line per field, and the notes."""
        return "\n".join([record(self), *(f"  note: {note}" for note in self.notes)])

    @property
    def notes(self) -> tuple[str, ...]:
        """What is undefined, and why; what the records cannot tell."""
        return tuple(_notes(self.counts, self.kept_rate.value))


def audit(
    correct: ArrayLike,
    kept: ArrayLike,
    classes: ArrayLike | None = None,
    level: float = 0.95,
    *,
    n_classes: int | None = None,
    weight: ArrayLike | None = None,
    group: ArrayLike | None = None,
    seed: int = 0,
) -> Audit:
    """Rates, p*, worth, and whether the verifier is better than none, from audited records.

    The records must be a random sample of **all** that the generator made, kept or not: what was kept alone
    tells purity, and neither p nor phi nor psi. Not all of them need be judged: of those that are not (None or NaN in
    ``correct``) it is known what is kept, which sharpens all rates but purity. Who is judged may depend on what is
    kept, and on nothing else that matters.

    Args:
        correct: whether each label is correct, booleans (or 0 and 1), shape (n,); None or NaN where nobody judged.
        kept: whether the verifier keeps it, likewise, known of all.
        classes: the true class of each record, shape (n,); adds the same within every class.
        level: of every interval (one at a time) and of the decisions, in (0, 0.9999].
        n_classes: K; adds p*_K and its decision, and worth is that of K classes, errors spread evenly.
        weight: how many records each stands for, 0 or more, where some were drawn more readily than others, (n,).
        group: which records belong together, as answers to one prompt do, (n,). Groups must be independent.
        seed: of the bootstrap of worth, and of all intervals where not every record is judged, weighs the same and
            stands alone.

    Returns:
        `Audit`; values that the records leave undefined are NaN, their intervals say what is still known.

    Raises:
        ValueError: no records, unequal lengths, entries that are not 0 or 1, nothing judged, a missing class or
            group, a weight below 0, a level outside (0, 1), K that is no whole number of 2 or more or less than the
            classes that occur.
    """
    judged, retained = judgements("correct", correct), flags("kept", kept)
    if judged.shape != retained.shape:
        raise InputError(f"correct has {judged.size} records, kept {retained.size}; give one entry per record to both")
    if judged.size == 0:
        raise InputError("correct and kept are empty; an audit needs at least one record")
    if not (judged != UNJUDGED).any():
        raise InputError("correct is missing in every record; judge some of them, drawn at random")
    check_level(level)
    check_seed(seed)
    by = grouping(weight, group, judged.size)
    known = check_classes(n_classes)
    names = None if classes is None else labels(classes, judged.size)
    return of_records(judged, retained, by, level, known, names, seed)


def audit_counts(counts: Counts, level: float = 0.95, *, n_classes: int | None = None) -> Audit:
    """`audit` from the four counts. Raises ValueError where they are not whole numbers >= 0, or all 0."""
    check_level(level)
    if any(value < 0 or value % 1 != 0 for value in counts) or not counts.total:
        raise InputError(f"{counts} must be whole numbers of 0 or more, not all 0; count every record once")
    whole = Counts(*map(int, counts))
    judged = np.repeat(np.array([CORRECT, CORRECT, WRONG, WRONG], np.int8), whole)
    retained = np.repeat(np.array([True, False, True, False]), whole)
    return of_records(judged, retained, Grouping(None, None), level, check_classes(n_classes))


def of_records(
    judged: NDArray[np.int8],
    kept: NDArray[np.bool_],
    by: Grouping,
    level: float,
    n_classes: int | None = None,
    classes: NDArray[Any] | None = None,
    seed: int = 0,
) -> Audit:
    """`audit` of arrays that have been checked."""
    made = units(judged, kept[:, None], by, seed)
    design = Design.of(judged, by)
    [found] = resample(made, design.whole, DRAWS, seed)
    return of_resampled(found, design, count(judged, kept), level, n_classes, (judged, kept, by, classes, seed))


def of_resampled(
    found: Resampled,
    design: Design,
    counts: Counts,
    level: float,
    n_classes: int | None = None,
    within: tuple[Any, ...] | None = None,
) -> Audit:
    """An audit of what has been resampled; ``within`` has the arguments of `of_records` where classes are asked for."""
    shared = _class_audit(found, design, counts, level, n_classes)
    value = worth_estimate(found, level, n_classes or 2, counts if design.plain else None)
    sizes = found.observed[0], found.observed[1]
    helps = better(value, shared["p_star"], *sizes, found, level, n_classes or 2)
    whole = Audit(**shared, design=design, worth=value, better=helps, resampled=found)
    if within is None or within[3] is None:
        return whole
    return _with_classes(whole, *within)


def count(judged: NDArray[np.int8], kept: NDArray[np.bool_]) -> Counts:
    """The four counts of judged records."""
    table = np.bincount(2 * judged + kept, minlength=6)
    return Counts(*map(int, (table[5], table[4], table[3], table[2])))


def of_classes(p_star: Estimate, n_classes: int) -> Estimate:
    """p*_K from p*: (K - 1) phi / ((K - 1) phi + psi), which is increasing in p*, at the value and both ends."""
    votes = n_classes - 1
    return Estimate(*(votes * star / (votes * star + 1 - star) for star in p_star))


def _class_audit(
    found: Resampled | None, design: Design, counts: Counts, level: float, n_classes: int | None
) -> dict[str, Any]:
    """Fields of `ClassAudit`: exact where four counts are all there is to know, else by the bootstrap."""
    if design.plain or found is None:
        exact = rates(counts, level)
        fields = {name: Estimate(*map(float, estimate)) for name, estimate in exact._asdict().items()}
        judge = lambda threshold: decide(counts, level, threshold)
    else:
        fields = rates_by(found, level)._asdict()
        judge = lambda threshold: decide_by(found, design, counts, level, threshold)
    shared: dict[str, Any] = {"counts": counts, "level": level, **fields, "decision": judge(0.5)}
    if n_classes is not None:
        shared |= {"n_classes": n_classes, "p_star_classes": of_classes(fields["p_star"], n_classes)}
        shared["decision_classes"] = judge(1 / n_classes)
    return shared


def _with_classes(
    whole: Audit, judged: NDArray[np.int8], kept: NDArray[np.bool_], by: Grouping, classes: NDArray[Any], seed: int
) -> Audit:
    names, place = np.unique(classes, return_inverse=True)
    if whole.n_classes is not None and len(names) > whole.n_classes:
        raise InputError(f"n_classes = {whole.n_classes}, but classes has {len(names)} values; K counts all of them")
    parts: dict[Any, ClassAudit] = {}
    if whole.design.plain:
        tables = np.bincount(6 * place + 2 * judged + kept, minlength=6 * len(names)).reshape(-1, 6)
        counts = Counts(*(tables[:, column] for column in (5, 4, 3, 2)))
        parts = dict(zip(names.tolist(), _plain_parts(counts, whole.level, whole.n_classes), strict=True))
    else:
        for index, name in enumerate(names.tolist()):
            some = place == index
            part = judged[some], kept[some]
            design, made = Design.of(part[0], by.of(some)), units(part[0], part[1][:, None], by.of(some), seed)
            [found] = resample(made, design.whole, CLASS_DRAWS, seed)
            parts[name] = ClassAudit(**_class_audit(found, design, count(*part), whole.level, whole.n_classes))
    more: dict[str, Any] = {"by_class": parts, "classwise": _classwise(parts, whole)}
    if len(parts) == 2 and whole.design.plain:
        first, second = (part.counts for part in parts.values())
        more["direction"] = direction(first, second, whole.level)
    return Audit(**(vars(whole) | more))


def _plain_parts(counts: Counts, level: float, n_classes: int | None) -> Iterator[ClassAudit]:
    """Each entry of arrays of counts as a `ClassAudit`, the intervals of all at once; equal counts share one."""
    distinct, place = np.unique(np.column_stack(counts), axis=0, return_inverse=True)
    one = Counts(*distinct.T)
    found = rates(one, level)
    ends = {name: np.column_stack(value).tolist() for name, value in found._asdict().items()}
    parts: list[ClassAudit] = []
    for index, some in enumerate(Counts(*values) for values in distinct.tolist()):
        fields = {name: Estimate(*values[index]) for name, values in ends.items()}
        shared: dict[str, Any] = {"counts": some, "level": level, **fields, "decision": decide(some, level)}
        if n_classes is not None:
            shared |= {"n_classes": n_classes, "p_star_classes": of_classes(fields["p_star"], n_classes)}
            shared["decision_classes"] = decide(some, level, 1 / n_classes)
        parts.append(ClassAudit(**shared))
    return (parts[index] for index in place.ravel().tolist())


def _classwise(parts: Mapping[Any, ClassAudit], whole: Audit) -> Verdict:
    """Below where every class is (all must pass, so none needs a correction); above where one is, with Bonferroni's."""
    if all(part.decision.verdict == "below" for part in parts.values()):
        return "below"
    strict = (1 - whole.level) / len(parts)
    sure = (part.decision.p_value < strict and part.purity.high < 0.5 for part in parts.values())
    return "above" if any(sure) else "undecided"


def missing_kinds(counts: Counts) -> Iterator[str]:
    """A line for wrong, and for correct, where there are none of them."""
    if counts.wrong == 0:
        yield "no record is wrong: psi, and with it p*, cannot be estimated; only bounds are given"
    if counts.correct == 0:
        yield "no record is correct: phi, and with it p*, cannot be estimated; only bounds are given"


def _notes(counts: Counts, kept_rate: float) -> Iterator[str]:
    yield from missing_kinds(counts)
    if kept_rate == 0:
        yield "nothing is kept: purity and p* are undefined (phi and psi are both estimated as 0)"
    elif not counts.kept:
        yield "of what is kept nothing is judged: purity is not known"
    if kept_rate == 1:
        yield (
            "every record is kept. Either the verifier drops nothing, or the file holds only what was kept: then "
            "purity can be trusted, and p, phi, psi and p* cannot"
        )
    elif counts.kept == counts.total:
        yield "of what is dropped nothing is judged: p, phi and psi are known within bounds only"
