"""`audit`: p* and the decision p < p* from records whose labels are correct or wrong (THEORY §1, §9, §10)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from empirical.auditing.checks import check_classes, check_level, flags, labels
from empirical.auditing.direction import Direction, direction
from empirical.auditing.rates import Counts, Decision, Estimate, Rates, Verdict, decide, rates
from theory.display import record
from theory.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What records say about a generator and its verifier; see `audit`."""

    counts: Counts
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
    by_class: Mapping[Any, "Audit"] = field(default_factory=dict)
    """The same, within each class."""
    classwise: Verdict | None = None
    """Whether p < p* within every class ("below"), or not in some class ("above"); None without classes."""
    direction: Direction | None = None
    """Of two classes: whether a classifier with an intercept learns the right direction; else None."""

    def __repr__(self) -> str:
        """A line per field, and the notes."""
        return "\n".join([record(self), *(f"  note: {note}" for note in self.notes)])

    @property
    def notes(self) -> tuple[str, ...]:
        """What is undefined, and why; what the records cannot tell."""
        return tuple(_notes(self.counts))


def audit(
    correct: ArrayLike,
    kept: ArrayLike,
    classes: ArrayLike | None = None,
    level: float = 0.95,
    *,
    n_classes: int | None = None,
) -> Audit:
    """Rates, p* and the decision p < p* from audited records.

    The records must be a random sample of **all** that the generator made, kept or not: what was kept alone
    tells purity, and neither p nor phi nor psi.

    Args:
        correct: whether each label is correct, booleans (or 0 and 1), shape (n,).
        kept: whether the verifier keeps it, likewise.
        classes: the true class of each record, shape (n,); adds the same within every class.
        level: of every interval (one at a time) and of the decisions, in (0, 1).
        n_classes: K; adds p*_K and its decision.

    Returns:
        `Audit`; values that the records leave undefined are NaN, their intervals say what is still known.

    Raises:
        ValueError: no records, unequal lengths, entries that are not 0 or 1, a missing class, a level outside (0, 1),
            K that is no whole number of 2 or more or less than the classes that occur.
    """
    right, retained = flags("correct", correct), flags("kept", kept)
    if right.shape != retained.shape:
        raise InputError(f"correct has {right.size} records, kept {retained.size}; give one entry per record to both")
    if right.size == 0:
        raise InputError("correct and kept are empty; an audit needs at least one record")
    check_level(level)
    whole = _audit(count(right, retained), level, check_classes(n_classes))
    return whole if classes is None else _with_classes(whole, right, retained, labels(classes, right.size))


def audit_counts(counts: Counts, level: float = 0.95, *, n_classes: int | None = None) -> Audit:
    """`audit` from the four counts. Raises ValueError where they are not whole numbers >= 0, or all 0."""
    check_level(level)
    if any(value < 0 or value % 1 != 0 for value in counts) or not counts.total:
        raise InputError(f"{counts} must be whole numbers of 0 or more, not all 0; count every record once")
    return _audit(Counts(*map(int, counts)), level, check_classes(n_classes))


def count(correct: np.ndarray, kept: np.ndarray) -> Counts:
    """The four counts of boolean arrays."""
    both, first, second = (int(np.sum(flag)) for flag in (correct & kept, correct, kept))
    return Counts(both, first - both, second - both, correct.size - first - second + both)


def of_classes(p_star: Estimate, n_classes: int) -> Estimate:
    """p*_K from p*: (K - 1) phi / ((K - 1) phi + psi), which is increasing in p*, at the value and both ends."""
    votes = n_classes - 1
    return Estimate(*(votes * star / (votes * star + 1 - star) for star in p_star))


def _audit(counts: Counts, level: float, n_classes: int | None) -> Audit:
    found = _plain(rates(counts, level))
    several: dict[str, Any] = {}
    if n_classes is not None:
        several = {"n_classes": n_classes, "p_star_classes": of_classes(found.p_star, n_classes)}
        several["decision_classes"] = decide(counts, level, 1 / n_classes)
    return Audit(counts=counts, level=level, **found._asdict(), decision=decide(counts, level), **several)


def _plain(found: Rates) -> Rates:
    return Rates(*(Estimate(*map(float, estimate)) for estimate in found))


def _with_classes(whole: Audit, correct: np.ndarray, kept: np.ndarray, classes: np.ndarray) -> Audit:
    names = np.unique(classes)
    if whole.n_classes is not None and len(names) > whole.n_classes:
        raise InputError(f"n_classes = {whole.n_classes}, but classes has {len(names)} values; K counts all of them")
    parts = {
        name: _audit(count(correct[classes == name], kept[classes == name]), whole.level, whole.n_classes)
        for name in names.tolist()
    }
    found: dict[str, Any] = {"by_class": parts, "classwise": _classwise(parts, whole.level)}
    if len(parts) == 2:
        first, second = (part.counts for part in parts.values())
        found["direction"] = direction(first, second, whole.level)
    return Audit(**(vars(whole) | found))


def _classwise(parts: Mapping[Any, Audit], level: float) -> Verdict:
    """Below where every class is (all must pass, so none needs a correction); above where one is, with Bonferroni's."""
    if all(part.decision.verdict == "below" for part in parts.values()):
        return "below"
    strict = 1 - (1 - level) / len(parts)
    return "above" if any(decide(part.counts, strict).verdict == "above" for part in parts.values()) else "undecided"


def missing_kinds(counts: Counts) -> Iterator[str]:
    """A line for wrong, and for correct, where there are none of them."""
    if counts.wrong == 0:
        yield "no record is wrong: psi, and with it p*, cannot be estimated; only bounds are given"
    if counts.correct == 0:
        yield "no record is correct: phi, and with it p*, cannot be estimated; only bounds are given"


def _notes(counts: Counts) -> Iterator[str]:
    yield from missing_kinds(counts)
    if counts.kept == 0:
        yield "nothing is kept: purity and p* are undefined (phi and psi are both estimated as 0)"
    if counts.kept == counts.total:
        yield (
            "every record is kept. Either the verifier drops nothing, or the file holds only what was kept: then "
            "purity can be trusted, and p, phi, psi and p* cannot"
        )
