"""K classes as they are: labels beside true classes, which confusions hurt, and the criterion without even errors.

With endless data class k is learned iff its correct label is the most frequent among its kept samples (THEORY §10).
Of kept samples of class k let pi_kl be the share labelled l. The smallest margin

    a = min over k and l != k of  pi_kk - pi_kl

is above 0 iff all classes are learned, and kappa a^2 is the worth of a generated sample: exact for evenly spread errors
(`theory.worth`), else that of the class that is worst off.

Each margin has an interval of its own, from the share of the pair (k, l) in its class and the share of k in the pair,
melded (fay2015combining). a lies above the smallest low end; it lies below the smallest high end if those hold
together (Bonferroni). Where records are weighed or grouped, a count stands for as many as its variance says
(korn1998confidence).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from empirical.auditing.checks import check_level, check_seed, flags
from empirical.auditing.checks import labels as check_labels
from empirical.auditing.design import CORRECT, Design, Grouping, grouping, together
from empirical.auditing.margins import Effect, Margins, wrong_labels_lead
from empirical.auditing.margins import table as cells_of
from empirical.auditing.rates import Estimate
from empirical.auditing.resample import DRAWS, gamma_sums
from empirical.auditing.scores import guarded_level
from empirical.auditing.value import Answer, Worth
from sims.running.intervals import clopper_pearson
from theory.display import inline, record
from theory.errors import InputError

MOST_CLASSES = 1_000
Numbers = NDArray[np.float64]


class Pair(NamedTuple):
    """One confusion: samples of class ``truth`` that are labelled ``label``."""

    truth: str
    label: str
    generated: float
    """How many, by weight."""
    kept: float
    correct_kept: float
    """How many of the class are kept with the right label."""
    margin: Estimate
    """pi_kk - pi_kl among the kept of the class; the class is learned only if it is above 0 for every label."""

    def __repr__(self) -> str:
        """All in one line."""
        return inline(self)


@dataclass(frozen=True, kw_only=True)
class Confusions:
    """What labels beside true classes say; see `confusions`."""

    classes: tuple[str, ...]
    design: Design
    table: Numbers
    """(K, K) weights by true class and label, of all judged records."""
    kept: Numbers
    """The same, of the kept."""
    plurality: Answer
    """Whether in every class the correct label leads among the kept, a > 0."""
    margin: Estimate
    """a, in [-1, 1]; NaN where nothing of some class is kept."""
    margin_unverified: Estimate
    """The same of all labels, kept or not."""
    worth: Worth
    """kappa a^2, 0 where a <= 0, and the same of all labels; the ends put those of both factors together. Their
    difference is at the two confusions that are worst here, by the bootstrap."""
    p_star: float
    """Common error rate that every class could bear if its errors were spread as they are; NaN where unknown."""
    pairs: tuple[Pair, ...]
    """Confusions, the worst 100 first: by margin."""
    level: float

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)


def confusions(
    label: ArrayLike,
    truth: ArrayLike,
    kept: ArrayLike,
    level: float = 0.95,
    *,
    weight: ArrayLike | None = None,
    group: ArrayLike | None = None,
    seed: int = 0,
) -> Confusions:
    """The confusions of generator and verifier, and whether every class would be learned.

    Args:
        label: what the generator says, shape (n,); truth: the true class; kept: whether the verifier keeps it. Leave
            out records that nobody judged.
        level: of the intervals, one at a time, and of the decision. weight, group, seed: as for `empirical.audit`.

    Raises:
        ValueError: unequal lengths, a missing label or class, fewer than two classes or more than 1,000.
    """
    said, true, retained = np.asarray(label), np.asarray(truth), flags("kept", kept)
    if not said.shape == true.shape == retained.shape:
        raise InputError(f"label has {said.size} records, truth {true.size}, kept {retained.size}; give each the same")
    names = check_labels(np.concatenate([said, true]), 2 * retained.size, "label and truth")
    check_level(level)
    check_seed(seed)
    classes, code = np.unique(names.astype(str), return_inverse=True)
    by = grouping(weight, group, retained.size)
    return of_codes(code[: retained.size], code[retained.size :], retained, tuple(classes.tolist()), by, level, seed)


def of_codes(
    label: NDArray[Any],
    truth: NDArray[Any],
    kept: NDArray[np.bool_],
    classes: tuple[str, ...],
    by: Grouping,
    level: float,
    seed: int = 0,
) -> Confusions:
    """`confusions` of class numbers 0 to K - 1."""
    size = len(classes)
    if not 2 <= size <= MOST_CLASSES:
        raise InputError(f"label and truth have {size} classes; 2 to {MOST_CLASSES:,} can be audited")
    weight = np.ones(label.size) if by.weight is None else by.weight
    cell = truth * size + label
    table, among = (cells_of(cell, weight * part, size) for part in (1.0, kept))
    effect = Effect(truth, label, kept, by, weight)
    every = Effect(truth, label, np.ones(label.size, bool), by, weight)
    found = Margins(among, effect)
    worst = found.worst()
    pairs = []
    for place, value, *ends in zip(worst, found.value[worst], *found.ends(level, worst), strict=True):
        k, rival = found.pairs[place]
        seen = float(table[k, rival]), float(among[k, rival]), float(among[k, k])
        pairs.append(Pair(classes[k], classes[rival], *seen, Estimate(*map(float, (value, *ends)))))
    margin = found.smallest(level)
    lost = margin.high < 0 or wrong_labels_lead(label, truth, by, effect, size, level)
    plurality: Answer = "yes" if margin.low > 0 else "no" if lost else "undecided"
    square = lambda value: max(value, 0.0) ** 2
    share, records = float(among.sum() / table.sum()), effect.records(kept, float(weight.sum()))
    half = guarded_level(level, 2)
    both = found.smallest(half)
    low, high = (float(end) for end in clopper_pearson(share * records, records, half))
    verified = Estimate(share * square(margin.value), low * square(both.low), high * square(both.high))
    before = Margins(table, every)
    unverified = before.smallest(level)
    places = [margins.pairs[int(margins.worst()[0])] for margins in (found, before)]
    gain = _gain(label, truth, kept, places, by, level, seed)
    return Confusions(
        classes=classes,
        design=Design.of(np.full(label.size, CORRECT, np.int8), by),
        table=table,
        kept=among,
        plurality=plurality,
        margin=margin,
        margin_unverified=unverified,
        worth=Worth(
            verified,
            Estimate(*(square(end) for end in unverified)),
            Estimate(verified.value - square(unverified.value), *gain),
        ),
        p_star=_p_star(table, among),
        pairs=tuple(pairs),
        level=level,
    )


def _gain(
    label: Any, truth: Any, kept: Any, places: list[tuple[int, int]], by: Grouping, level: float, seed: int
) -> tuple[float, float]:
    """Ends of kappa a^2 less that of all labels, at one confusion (k, l) each, with one more unit in either of them."""
    flags = [np.ones(label.size, bool), kept]
    for (k, rival), some in zip(places, (kept, np.ones(label.size, bool)), strict=True):
        flags += [some & (truth == k), some & (truth == k) & (label == k), some & (truth == k) & (label == rival)]
    code, kind = np.unique(sum(flag * 2**place for place, flag in enumerate(flags)), return_inverse=True)
    sums = (code[:, None] >> np.arange(len(flags)) & 1).astype(float)
    sums, number, exact = together(kind, sums, by, seed)
    rng = np.random.default_rng(seed)
    drawn, size = gamma_sums(sums, number, exact, DRAWS, rng), sums.max(0)
    further = rng.standard_exponential(DRAWS)[:, None] * (size if not exact else 1.0)
    values = []
    for column in (None, 3, 4, 6, 7):
        more = np.zeros(len(flags))
        if column is not None:
            more[[column, 2 if column < 5 else 5]] = 1.0
        values.append(_difference(drawn + further * more))
    tail = (1 - level) / 2
    low = np.quantile(np.nan_to_num(np.min(values, axis=0), nan=-1.0), tail, method="inverted_cdf")
    high = np.quantile(np.nan_to_num(np.max(values, axis=0), nan=1.0), 1 - tail, method="inverted_cdf")
    return float(low), float(high)


def _difference(sums: Numbers) -> Numbers:
    with np.errstate(invalid="ignore", divide="ignore"):
        kept = (sums[:, 3] - sums[:, 4]) / sums[:, 2]
        every = (sums[:, 6] - sums[:, 7]) / sums[:, 5]
    return np.asarray(sums[:, 1] / sums[:, 0] * np.maximum(kept, 0) ** 2 - np.maximum(every, 0) ** 2)


def _p_star(table: Numbers, among: Numbers) -> float:
    """min_k 1/(1 + max_l S_kl Q_kl/Q_kk), as `theory.classes.threshold.p_star_shares`, of the classes that err."""
    rows = table.sum(1) > np.diagonal(table)
    rows &= np.diagonal(table) > 0
    if not rows.any():
        return float("nan")
    wrong = np.where(np.eye(len(table), dtype=bool), 0.0, table)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares, keep = wrong / wrong.sum(1, keepdims=True), np.where(table > 0, among / table, 0.0)
    correct = np.diagonal(keep)[rows]
    rival = (shares * keep)[rows].max(1)
    with np.errstate(invalid="ignore"):
        return float(np.min(correct / (correct + rival)))
