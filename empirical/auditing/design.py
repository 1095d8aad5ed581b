"""From records to the units of `resample`: who is judged, with which weight, and which records belong together."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from empirical.auditing.checks import finite, labels
from empirical.auditing.resample import Numbers, Units, effective
from theory.decimals import typed
from theory.display import record
from theory.errors import InputError

MOST_UNITS = 1_000
"""More units than these are put together at random, which leaves the variance of their sums as it is."""
UNJUDGED, WRONG, CORRECT = range(3)
KINDS = np.zeros((3, 2, 6))
"""By judgement and by kept: what a record of weight 1 adds to the six sums."""
KINDS[:, 1, 0] = KINDS[:, 0, 1] = 1
KINDS[CORRECT, 1, 2] = KINDS[CORRECT, 0, 3] = KINDS[WRONG, 1, 4] = KINDS[WRONG, 0, 5] = 1


class Design(NamedTuple):
    """How records were drawn and judged."""

    records: int
    judged: int
    groups: int | None = None
    """How many groups there are, where records belong together: they are the units, and must be independent."""
    weighted: bool = False

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)

    @classmethod
    def of(cls, judgement: NDArray[np.int8], by: "Grouping") -> "Design":
        """Of records ``judgement`` (n,)."""
        groups = None if by.group is None else int(by.group.max()) + 1
        return cls(judgement.size, int((judgement != UNJUDGED).sum()), groups, by.weight is not None)

    @property
    def whole(self) -> bool:
        """Whether rates are shares of what is there: all is judged, of equal weight. Else post-stratified."""
        return self.judged == self.records and not self.weighted

    @property
    def plain(self) -> bool:
        """Whether all records are judged, of equal weight, and drawn one by one: exact intervals from four counts."""
        return self.whole and self.groups is None


class Grouping(NamedTuple):
    """Weight of each record, and the number of its group; None where all weigh the same or stand alone."""

    weight: NDArray[np.float64] | None
    group: NDArray[np.intp] | None

    def of(self, some: NDArray[np.bool_]) -> "Grouping":
        """The same for some of the records."""
        weight = None if self.weight is None else self.weight[some]
        return Grouping(weight, None if self.group is None else places(self.group[some]))


def grouping(weight: ArrayLike | None, group: ArrayLike | None, size: int) -> Grouping:
    """Weights and groups of records, checked.

    Raises:
        ValueError: weights that are negative, not finite, all 0 or not one per record; a missing group.
    """
    heavy = None if weight is None else _weights(weight, size)
    if group is None:
        return Grouping(heavy, None)
    names = labels(group, size, "group")
    return Grouping(heavy, places(names))


def places(names: NDArray[Any]) -> NDArray[np.intp]:
    """Of each entry its place among the distinct ones, ascending; small whole numbers are not sorted for that."""
    if names.dtype.kind in "iu" and names.size and names.min() >= 0 and names.max() < 4 * names.size:
        there = np.zeros(int(names.max()) + 1, bool)
        there[names] = True
        return names.astype(np.intp) if there.all() else (np.cumsum(there) - 1)[names]
    return np.unique(names, return_inverse=True)[1]


def _weights(weight: ArrayLike, size: int) -> NDArray[np.float64] | None:
    found = finite("weight", weight)
    if found.size != size:
        raise InputError(f"weight has {found.size} entries for {size} records; give one entry per record")
    if (found < 0).any() or not found.any():
        raise InputError(
            f"weight: {typed(found.min())} is the least of them; a weight is the number of records that one stands "
            "for, 0 or more, and some are more"
        )
    return None if (found == found[0]).all() else found / found.mean()


def units(judgement: NDArray[np.int8], kept: NDArray[np.bool_], by: Grouping, seed: int = 0) -> Units:
    """Units from ``judgement`` (n,), UNJUDGED, WRONG or CORRECT, and ``kept`` (n, v) of v verifiers."""
    kind, kinds = _kinds(judgement, kept)
    return of_kinds(kind, KINDS[kinds[:, :1], kinds[:, 1:]], by, seed)


def of_kinds(kind: NDArray[np.intp], sums: Numbers, by: Grouping, seed: int = 0) -> Units:
    """Units from the kind of each record (n,), and what one of each kind adds to the sums, (kinds, v, 6)."""
    verifiers = range(sums.shape[1])
    if by.group is None:
        number = squares = _summed_by(kind, by.weight, len(sums))
        if by.weight is not None:
            squares = _summed_by(kind, by.weight**2, len(sums))
        known = tuple(effective(sums[:, v], number, squares, weighed=by.weight is not None) for v in verifiers)
        gathered, number, exact = together(kind, sums, by, seed)
        return Units(gathered, number, known, float(len(kind)), exact)
    count = int(by.group.max()) + 1
    by_group, ones = _summed(by.group, count, kind, sums, by.weight), np.ones(count)
    factor, weighed = count / max(count - 1, 1), by.weight is not None
    known = tuple(effective(by_group[:, v], ones, ones, factor, weighed) for v in verifiers)
    if count > MOST_UNITS:
        columns, place = by_group.reshape(count, -1).T, _mixed(count, seed)
        by_group = np.column_stack([_summed_by(place, column, MOST_UNITS) for column in columns])
        by_group = by_group.reshape(-1, *sums.shape[1:])
    return Units(by_group, np.ones(len(by_group)), known, float(count), False)


def together(kind: NDArray[np.intp], sums: Numbers, by: Grouping, seed: int = 0) -> tuple[Numbers, Numbers, bool]:
    """Sums of units (m, ...), how many there are of each, and whether they are single records of equal weight."""
    if by.group is None and by.weight is None:
        return sums, _summed_by(kind, None, len(sums)), True
    place = np.arange(len(kind)) if by.group is None else by.group
    count = int(place.max()) + 1
    if count > MOST_UNITS:
        place, count = _mixed(count, seed)[place], MOST_UNITS
    return _summed(place, count, kind, sums, by.weight), np.ones(count), False


def _mixed(count: int, seed: int) -> NDArray[np.intp]:
    """(count,) which of `MOST_UNITS` units each belongs to, at random, as many to each."""
    return np.random.default_rng(seed).permutation(count) % MOST_UNITS


def _kinds(judgement: NDArray[np.int8], kept: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The kind of each record (n,), and of each kind its judgement and what verifiers keep of it (types, 1 + v)."""
    verifiers = kept.shape[1]
    code = judgement.astype(np.intp)
    for column in kept.T:
        code *= 2
        code += column
    there = np.bincount(code) > 0
    bits = np.flatnonzero(there)[:, None] >> np.arange(verifiers, -1, -1)
    bits[:, 1:] &= 1
    return code if there.all() else (np.cumsum(there) - 1)[code], bits


def _summed_by(place: Any, values: Any, size: int) -> Numbers:
    """(size,): the sums of values, which are 1 where there are none, by place."""
    return np.bincount(place, values, size).astype(np.float64, copy=False)


def _summed(place: Any, groups: int, kind: Any, sums: Any, weight: Any) -> NDArray[np.float64]:
    """(groups, ...): the sums of each group, over its records of each kind; weight may be None."""
    if len(sums) <= 64:
        cell = place * len(sums)
        cell += kind
        table = _summed_by(cell, weight, groups * len(sums)).reshape(groups, len(sums))
        found: Numbers = np.tensordot(table, sums, 1)
        return found
    columns = sums.reshape(len(sums), -1)
    heavy = 1.0 if weight is None else weight
    by_column = np.column_stack([np.bincount(place, heavy * column[kind], groups) for column in columns.T])
    return np.reshape(by_column, (groups, *sums.shape[1:]))
