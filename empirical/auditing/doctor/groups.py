"""Records that belong together: which column looks like the prompt of several samples, how alike they are."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import fdtrc

from empirical.auditing.doctor.look import Column, Values, arrow, column
from empirical.auditing.doctor.names import CLASS, GROUP, PARTS, known

LEAST_PER_VALUE = 2.0
LEAST_BY_NAME = 1.5
"""The same, of a column with a usual name: some samples of a prompt may be missing."""
LEAST_VALUES = 5
"""Of a column whose name says nothing."""
MOST_PER_VALUE = 100
"""Of a column whose name says nothing: with more records per value it is a subject or a source, and no prompt."""
SURE = 1e-3
"""p-value below which records within a value are alike."""
EVEN = 0.5
"""Standard deviation of the records per value, over their mean, up to which these are even."""


@dataclass(frozen=True, kw_only=True)
class PromptLike:
    """A column that looks like an id of prompts with several samples each."""

    name: str
    values: int
    per_value: float
    """Records per value, on average."""
    alike: float
    """Intraclass correlation of the outcome, in [-1, 1]; NaN where no outcome is known."""
    by_name: bool
    """Whether its name is a usual one; else its records are alike, and in blocks or of even number."""


def looks_like_prompt(
    columns: Mapping[str, Values], outcome: NDArray[np.float64] | None = None, taken: Collection[str] = ()
) -> PromptLike | None:
    """The column that looks most like a prompt, although nobody said so; None where none does.

    A usual name and 1.5 records per value on average; or else 2 to 100 of them and at least 5 values, in which
    outcomes are alike (F test of one-way analysis of variance, p < 0.001) and which stand in blocks or, with many
    values, are even in number. A column of which few values repeat costs nothing.

    Args:
        columns: values by name, all of one length.
        outcome: whether each label is correct, as 1 and 0, NaN where unknown, shape (n,); None where nothing is known.
        taken: names of columns that are something else already.
    """
    free = (column(name, values) for name, values in columns.items() if name not in taken and _repeats(values))
    return most_like_prompt(free, outcome)


def _repeats(values: Values) -> bool:
    """Whether values repeat among 12 sqrt(n) records drawn at random.

    With 1.5 records per value on average or more none does with a probability below exp(-30).
    """
    array, _ = arrow(values)
    size = len(array)
    drawn = np.random.default_rng(0).choice(size, min(size, int(12 * np.sqrt(size))), replace=False)
    some = pc.drop_null(array.take(pa.array(drawn)))
    return pc.count_distinct(some).as_py() < len(some)


def most_like_prompt(columns: Iterable[Column], outcome: NDArray[np.float64] | None = None) -> PromptLike | None:
    """`looks_like_prompt` of columns that have been looked at: the usual name, else the one with most values.

    Where one lies within another, as pairs within a prompt, it is the other: what is drawn has to be independent.
    """
    looked = [(one, like) for one in columns if (like := prompt_like(one, outcome)) is not None]
    if not looked:
        return None
    chosen = max(looked, key=lambda pair: (pair[1].by_name, known(pair[0].name, GROUP), pair[1].values))
    wider = [pair for pair in looked if pair[1].by_name == chosen[1].by_name and _within(chosen[0], pair[0])]
    return min(wider, key=lambda pair: pair[1].values)[1]


def prompt_like(one: Column, outcome: NDArray[np.float64] | None = None) -> PromptLike | None:
    """One column, where it looks like a prompt."""
    by_name = known(one.name, GROUP) > 0
    if one.kind in ("flag", "constant", "empty") or one.distinct < (2 if by_name else LEAST_VALUES):
        return None
    present = one.code[one.code >= 0]
    per_value = len(present) / one.distinct
    if per_value < (LEAST_BY_NAME if by_name else LEAST_PER_VALUE):
        return None
    correlation, p_value = _alike(one.code, outcome)
    placed = _blocks(present, one.distinct) or (one.kind != "label" and _even(present))
    by_records = per_value <= MOST_PER_VALUE and p_value < SURE and placed and not known(one.name, (*CLASS, *PARTS))
    if not by_name and not by_records:
        return None
    return PromptLike(name=one.name, values=one.distinct, per_value=per_value, alike=correlation, by_name=by_name)


def _within(inner: Column, outer: Column) -> bool:
    """Whether records that share a value of one column share that of the other; of itself it is true."""
    some = (inner.code >= 0) & (outer.code >= 0)
    seen = np.full(inner.distinct, -1)
    seen[inner.code[some]] = outer.code[some]
    return bool((seen[inner.code[some]] == outer.code[some]).all())


def _alike(code: NDArray[np.int64], outcome: NDArray[np.float64] | None) -> tuple[float, float]:
    """Intraclass correlation by one-way analysis of variance, (MSB - MSW)/(MSB + (m - 1) MSW), and its p-value."""
    if outcome is None:
        return np.nan, 1.0
    some = (code >= 0) & ~np.isnan(outcome)
    value = outcome[some]
    size = np.bincount(code[some])
    total = np.bincount(code[some], value)
    total, size = total[size > 0], size[size > 0]
    groups, n = len(size), len(value)
    if groups < 2 or n <= groups or value.min() == value.max():
        return np.nan, 1.0
    means = total / size
    between = float(size @ (means - value.mean()) ** 2) / (groups - 1)
    within = float((value**2).sum() - (total * means).sum()) / (n - groups)
    typical = (n - float((size.astype(float) ** 2).sum()) / n) / (groups - 1)
    correlation = (between - within) / (between + (typical - 1) * within)
    p_value = float(fdtrc(groups - 1, n - groups, between / within)) if within > 0 else 0.0
    return correlation, p_value


def _blocks(code: NDArray[np.int64], distinct: int) -> bool:
    """Whether records with one value stand together."""
    return int((np.diff(code) != 0).sum()) + 1 == distinct


def _even(code: NDArray[np.int64]) -> bool:
    """Whether every value has about the same number of records; few values that have may be classes."""
    size = np.bincount(code)
    return bool(size.std() <= EVEN * size.mean())
