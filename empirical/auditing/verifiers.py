"""Several verifiers of the same records, and what can be made of them: AND, OR, majority. Compared pair by pair."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from empirical.auditing.binary import Audit, count, of_resampled
from empirical.auditing.checks import check_classes, check_level, check_seed, flags, judgements
from empirical.auditing.design import UNJUDGED, Design, Grouping, grouping, units
from empirical.auditing.rates import Estimate
from empirical.auditing.resample import DRAWS, Function, Resampled, resample
from empirical.auditing.scores import guarded_level
from empirical.auditing.value import worth_of
from theory.display import record
from theory.errors import InputError

AND, OR, MAJORITY = "all keep it (AND)", "any keeps it (OR)", "most keep it"
MOST = 12
"""Verifiers that are compared at once."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Of two verifiers, the first less the second, with intervals of the paired difference."""

    first: str
    second: str
    worth: Estimate
    """Per generated sample."""
    p_star: Estimate
    purity: Estimate

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)


@dataclass(frozen=True, kw_only=True)
class Verifiers:
    """Audits of several verifiers, and how they differ; see `audit_verifiers`."""

    audits: Mapping[str, Audit]
    """Each verifier, and those made of them: `AND`, `OR`, and of three or more `MAJORITY`. At ``level``."""
    differences: tuple[Difference, ...]
    """Of every pair of those given; and of each that is made of them, less the best given one. One at a time."""
    best: str
    """The one with the largest worth, of all."""
    best_given: str
    """Of those that were given."""
    decided: bool
    """Whether the best of those given is worth more than every other given, with intervals that hold together."""
    made_decided: Mapping[str, bool]
    """Whether one that is made of them is worth more than the best given, likewise."""
    level: float

    def __repr__(self) -> str:
        """A line per verifier."""
        return record(self)


def audit_verifiers(
    correct: ArrayLike,
    kept: Mapping[str, ArrayLike],
    level: float = 0.95,
    *,
    n_classes: int | None = None,
    weight: ArrayLike | None = None,
    group: ArrayLike | None = None,
    seed: int = 0,
) -> Verifiers:
    """Audit two or more verifiers of the same records, and compare them.

    Differences are paired: both verifiers are seen on the same resampled records, so that what they agree on does not
    widen the interval.

    Args:
        correct: as for `empirical.audit`. kept: by name of the verifier, whether it keeps each record, all of one
            length. The others: as there.

    Raises:
        ValueError: as `empirical.audit`; fewer than two verifiers, or more than 12.
    """
    if not 2 <= len(kept) <= MOST:
        raise InputError(f"kept has {len(kept)} verifiers; give 2 to {MOST} to compare, or one to `audit`")
    judged = judgements("correct", correct)
    given = {name: flags(name, column) for name, column in kept.items()}
    for name, column in given.items():
        if column.shape != judged.shape:
            raise InputError(f"{name} has {column.size} records, correct {judged.size}; give one entry per record")
    check_level(level)
    check_seed(seed)
    by = grouping(weight, group, judged.size)
    return of_flags(judged, given, by, level, check_classes(n_classes), seed)


def of_flags(
    judged: NDArray[np.int8],
    given: Mapping[str, NDArray[np.bool_]],
    by: Grouping,
    level: float,
    n_classes: int | None = None,
    seed: int = 0,
) -> Verifiers:
    """`audit_verifiers` of arrays that have been checked."""
    every = dict(given) | _made_of(given)
    made = units(judged, np.column_stack(list(every.values())), by, seed)
    design = Design.of(judged, by)
    found = dict(zip(every, resample(made, design.whole, DRAWS, seed), strict=True))
    audits = {
        name: of_resampled(found[name], design, count(judged, column), level, n_classes)
        for name, column in every.items()
    }
    worth_of_each = {name: np.nan_to_num(audit.worth.verified.value, nan=-1.0) for name, audit in audits.items()}
    best = max(given, key=worth_of_each.__getitem__)
    pairs = [*combinations(given, 2), *((name, best) for name in every if name not in given)]
    differences = tuple(_difference(first, second, found, audits, level, n_classes or 2) for first, second in pairs)
    winner = max(every, key=worth_of_each.__getitem__)
    strict, worth = guarded_level(level, len(every) - 1), worth_of(n_classes or 2)
    beats = lambda name, other: paired(found[name], found[other], worth, strict)[0] > 0
    decided = all(beats(best, name) for name in given if name != best)
    made_decided = {name: beats(name, best) for name in every if name not in given}
    return Verifiers(
        audits=audits,
        differences=differences,
        best=winner,
        best_given=best,
        decided=decided,
        made_decided=made_decided,
        level=level,
    )


def judging_follows(judged: NDArray[np.int8], given: Mapping[str, NDArray[np.bool_]]) -> tuple[str, str] | None:
    """A pair of verifiers where, given what the first keeps, who is judged depends on what the second keeps; or None.

    Then rates of the first, post-stratified by what it keeps alone, may be off. By a test of two shares, z > 4.
    """
    seen = judged != UNJUDGED
    for first, other in permutations(given, 2):
        for side in (given[first], ~given[first]):
            parts = [seen[side & flag] for flag in (given[other], ~given[other])]
            if min(map(len, parts)) == 0:
                continue
            share = float(seen[side].mean())
            error = np.sqrt(share * (1 - share) * sum(1 / len(part) for part in parts))
            if abs(parts[0].mean() - parts[1].mean()) > 4 * error:
                return first, other
    return None


def _made_of(given: Mapping[str, NDArray[np.bool_]]) -> dict[str, NDArray[np.bool_]]:
    columns = np.column_stack(list(given.values()))
    made: dict[str, NDArray[np.bool_]] = {
        AND: np.all(columns, axis=1),
        OR: np.any(columns, axis=1),
    }
    if len(given) > 2:
        made[MAJORITY] = 2 * columns.sum(1) > len(given)
    return {name: column for name, column in made.items() if name not in given}


def _difference(
    first: str,
    second: str,
    found: Mapping[str, Resampled],
    audits: Mapping[str, Audit],
    level: float,
    classes: int,
) -> Difference:
    one, other = audits[first], audits[second]
    pairs: dict[str, tuple[Function, float]] = {
        "worth": (worth_of(classes), one.worth.verified.value - other.worth.verified.value),
        "p_star": (lambda p, phi, psi: phi / (phi + psi), one.p_star.value - other.p_star.value),
        "purity": (_purity, one.purity.value - other.purity.value),
    }
    fields = {
        name: Estimate(value, *paired(found[first], found[second], function, level))
        for name, (function, value) in pairs.items()
    }
    return Difference(first=first, second=second, **fields)


def _purity(p: np.ndarray, phi: np.ndarray, psi: np.ndarray) -> np.ndarray:
    right, wrong = np.where(p < 1, (1 - p) * phi, 0.0), np.where(p > 0, p * psi, 0.0)
    with np.errstate(invalid="ignore"):
        return right / (right + wrong)


def paired(one: Resampled, other: Resampled, function: Function, level: float) -> tuple[float, float]:
    """Ends of the difference: by draw the worst of the one less the best of the other, and the other way round."""
    with np.errstate(invalid="ignore"):
        (least, largest), (rival_least, rival_largest) = one.extremes(function), other.extremes(function)
    return one.ends(least - rival_largest, largest - rival_least, level, (-1.0, 1.0))
