"""What is wrong with columns, or will surprise: each fault a sentence."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from empirical.auditing.doctor.look import Column, alike
from empirical.auditing.doctor.names import LOW_IS_GOOD, known
from empirical.auditing.doctor.roles import Guesses, agreement
from empirical.auditing.scores import exceeds

CLEARLY = 3.0
"""Standard errors by which an area under the curve lies off 1/2."""


def faults(columns: Sequence[Column], guesses: Guesses, outcome: NDArray[np.float64] | None) -> dict[str, list[str]]:
    """Faults by column, those of the whole file under ""."""
    by_name = {one.name: one for one in columns}
    found: dict[str, list[str]] = {one.name: list(_of_values(one)) for one in columns}
    found[""] = [f"columns {_listed(group)} differ by blanks or case only" for group in alike([*by_name])]
    found[""] += _repeated_header(columns)
    for name in guesses.named("correct"):
        found[name] += _of_flag(by_name[name], "every label is correct", "no label is correct")
    for name in guesses.named("kept"):
        every = "every record is kept: if what was dropped is not in the file, it tells purity alone"
        found[name] += _of_flag(by_name[name], every, "nothing is kept")
        if by_name[name].missing:
            found[name].append("missing: whether it is kept must be known of every record")
        kept = by_name[name].flags
        if outcome is not None and kept is not None and _same(kept, outcome):
            found[name].append("says the same as the truth in every record: is it a copy?")
    for name in guesses.named("weight"):
        found[name] += _of_weights(by_name[name])
    for name in guesses.named("score"):
        found[name] += _of_score(by_name[name], outcome)
    for name in [*guesses.named("classes"), *guesses.named("label"), *guesses.named("truth")]:
        if by_name[name].missing:
            found[name].append("missing in some records, which will be refused")
    label, truth, correct = (guesses.first(role) for role in ("label", "truth", "correct"))
    if label is not None and truth is not None:
        pair = by_name[label], by_name[truth]
        spelt = alike(list(dict.fromkeys([*pair[0].values, *pair[1].values])))
        if spelt and not (alike(pair[0].values) or alike(pair[1].values)):
            found[label].append(f"{_listed(spelt[0])} differ from {truth} by blanks or case only")
        flags = None if correct is None else by_name[correct].flags
        if correct is not None and flags is not None:
            found[correct] += _against(flags, agreement(*pair), label, truth)
    return found


def area(score: Column, outcome: NDArray[np.float64] | None) -> tuple[float, float]:
    """P(score of a correct record > that of a wrong one), ties half, and its distance from 1/2 in standard errors.

    NaN where there is no number, or only one kind of record. The standard error is that of no difference.
    """
    if outcome is None or score.numbers is None:
        return math.nan, math.nan
    some = ~np.isnan(outcome) & ~np.isnan(score.numbers)
    right, number = outcome[some] == 1, score.numbers[some]
    first, second = int(right.sum()), int((~right).sum())
    if not first or not second:
        return math.nan, math.nan
    value = exceeds(number[right], number[~right])
    return value, (value - 0.5) / math.sqrt((first + second + 1) / (12 * first * second))


def low_is_good(score: Column, outcome: NDArray[np.float64] | None) -> bool:
    """Whether a small score is likely the good one: by the records where they say so clearly, else by the name."""
    _, off = area(score, outcome)
    if abs(off) > CLEARLY:
        return off < 0
    return known(score.name, LOW_IS_GOOD) > 0


def _of_values(one: Column) -> list[str]:
    found = []
    if one.kind == "empty":
        found.append("empty")
    elif one.kind == "constant":
        found.append("constant")
    found += [f"{_listed(group)} differ by blanks or case only" for group in alike(one.values)]
    if one.kind == "nested":
        found.append("holds objects or lists, of which nothing is used")
    return found


def _repeated_header(columns: Sequence[Column]) -> list[str]:
    """Where files with a header each were put together."""
    repeats = [one.name for one in columns if any(value.strip() == one.name.strip() for value in one.values)]
    if not repeats:
        return []
    place = next(one for one in columns if one.name == repeats[0])
    code = [value.strip() for value in place.values].index(place.name.strip())
    row = int(np.argmax(place.code == code)) + 1
    return [f"record {row} repeats the header ({', '.join(map(repr, repeats[:3]))}): take it out"]


def _of_flag(one: Column, every: str, none: str) -> list[str]:
    if one.flags is None:
        return [f"which of {_listed(one.values)} means yes is not known: --true says it"]
    return [every] if one.share == 1 else [none] if one.share == 0 else []


def _of_weights(one: Column) -> list[str]:
    assert one.numbers is not None
    found = ["negative weights"] if float(np.nanmin(one.numbers)) < 0 else []
    if one.missing:
        found.append("missing: every record needs a weight")
    return found + (["all weights are equal, and change nothing"] if one.kind == "constant" else [])


def _of_score(one: Column, outcome: NDArray[np.float64] | None) -> list[str]:
    value, off = area(one, outcome)
    found = ["missing: every record needs a score"] if one.missing else []
    if off < -CLEARLY:
        found.append(f"low seems good: a correct record scores higher than a wrong one with probability {value:.2f}")
    if off > CLEARLY and known(one.name, LOW_IS_GOOD):
        found.append(f"its name says that low is good, the records that high is ({value:.2f})")
    return found


def _against(correct: NDArray[np.float64], same: NDArray[np.float64], label: str, truth: str) -> list[str]:
    off = int((~np.isnan(correct) & ~np.isnan(same) & (correct != same)).sum())
    return [f"is not {label} = {truth} in {off:,} records"] if off else []


def _same(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    some = ~np.isnan(first) & ~np.isnan(second)
    return bool(some.any() and (first[some] == second[some]).all())


def _listed(values: Sequence[str]) -> str:
    return ", ".join(map(repr, values[:4]))


def by_column(found: Mapping[str, Sequence[str]], name: str) -> str:
    """The faults of one column in one cell."""
    return "; ".join(found.get(name, ()))
