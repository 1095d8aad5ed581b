"""`audit_file`: everything that the named columns of a file of records allow."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from empirical import records
from empirical.auditing import binary, confusion, scores, verifiers
from empirical.auditing.binary import Audit
from empirical.auditing.budget import Budget, Cost, budget, check_costs, cost
from empirical.auditing.checks import check_classes, check_level, check_seed
from empirical.auditing.confusion import Confusions
from empirical.auditing.design import CORRECT, UNJUDGED, WRONG, Grouping, grouping
from empirical.auditing.doctor.groups import looks_like_prompt
from empirical.auditing.quality import SoftAudit, ThresholdReading, soft_reading, threshold_reading
from empirical.auditing.scores import ThresholdCurve
from empirical.auditing.verifiers import Verifiers
from theory.decimals import typed
from theory.errors import InputError

if TYPE_CHECKING:
    from empirical.forecasting.sentences import Forecast

LOOKED_AT = 20_000
"""Records that are looked at for a column of prompts."""
TWO_CLASSES = (
    "labels are taken as right or wrong, of two classes. Where a wrong label may be one of many, wrong ones "
    "disagree and "
    "do less harm: give --classes K, as the answers may change"
)
DEPENDS = (
    "given what {0} keeps, who is judged depends on what {1} keeps: rates of {0} may be off. Judge records drawn at "
    "random, or give --weight"
)
BEST_OF = "the best of {} given, at a level that holds for all of them"
PER = 1_000.0
"""Generated samples that a budget is for where nobody says how many."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """Names of columns, None where there is no such column."""

    correct: str | None = None
    kept: tuple[str, ...] = ()
    score: str | None = None
    classes: str | None = None
    quality: str | None = None
    label: str | None = None
    truth: str | None = None
    group: str | None = None
    weight: str | None = None

    def given(self) -> dict[str, str]:
        """Role and name of the columns there are; verifiers are kept, kept 2, and so on."""
        found = {role: name for role, name in vars(self).items() if role != "kept" and name is not None}
        verifiers = {f"kept {place}" if place > 1 else "kept": name for place, name in enumerate(self.kept, 1)}
        return verifiers | found


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of the columns."""

    level: float = 0.95
    n_classes: int | None = None
    true: tuple[str, ...] = ()
    """Words that mean yes, beside the common ones."""
    false: tuple[str, ...] = ()
    """Likewise no."""
    low_is_good: bool = False
    generated: float = PER
    pilot: Path | None = None
    """Accuracy of one's learner at three clean sizes or more, for a forecast."""
    errors: str = "learned"
    """Of the labels, for the forecast: "learned" or "spread"."""
    cost_generate: float | None = None
    cost_verify: float | None = None
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class FileAudit:
    """What a file of records says; None where its columns are not given."""

    path: Path
    names: Names
    asked: Asked
    records: int
    binary: Audit | None = None
    """Of the verifier, or of the best of several, at a level that holds for all of them."""
    verifier: str | None = None
    """Whose audit `binary` is: the column, or the rule on a score."""
    confusions: Confusions | None = None
    verifiers: Verifiers | None = None
    curve: ThresholdCurve | None = None
    soft: SoftAudit | None = None
    graded: ThresholdReading | None = None
    budget: Budget | None = None
    cost: Cost | None = None
    forecast: Forecast | None = None
    """With a pilot."""
    notes: tuple[str, ...] = field(default=())
    """What was found out about the file, and what to beware of."""


def audit_file(path: Path, names: Names, asked: Asked = Asked()) -> FileAudit:
    """Read and audit a file.

    ``correct``, or ``label`` and ``truth``, with ``kept`` gives rates, worth, p* and the decisions, with ``score`` the
    curve over thresholds; ``quality`` with ``kept`` both readings of graded quality. ``correct`` and ``truth`` may be
    missing in some records, the rest may not. Raises ValueError for columns that do not go together, and
    `records.RecordsError` for a file that cannot be used.
    """
    _check(names, asked)
    column, notes = _read(path, names, asked)
    size = len(next(iter(column.values())))
    by = grouping(column.get("weight"), column.get("group"), size)
    judged = column.get("correct")
    found: dict[str, Any] = {}
    kept = {names.given()[role]: flags for role, flags in column.items() if role.startswith("kept")}
    if judged is not None and "score" in column:
        found["curve"] = scores.of_scores(
            judged,
            column["score"],
            by,
            asked.level,
            low_is_good=asked.low_is_good,
            n_classes=asked.n_classes,
            seed=asked.seed,
        )
    level = asked.level
    if judged is not None and not kept and "score" in column:
        kept, level, note = _chosen(found["curve"], column["score"])
        notes += (note,)
    if judged is not None and kept:
        meant = asked
        if "label" in column and asked.n_classes is not None and asked.n_classes < len(_classes(column, judged)):
            many = len(_classes(column, judged))
            raise InputError(f"--classes {asked.n_classes}, but label and truth have {many} classes; leave it out")
        if "label" in column and asked.n_classes is None:
            meant = replace(asked, n_classes=max(len(_classes(column, judged)), 2))
        found |= _binary(judged, kept, by, column.get("classes"), meant, level)
        if "label" in column:
            found["confusions"] = _confusions(column, judged, found["kept"], by, asked, found["binary"].level)
        elif asked.n_classes is None:
            notes += (TWO_CLASSES,)
        if len(kept) > 1:
            pair = verifiers.judging_follows(judged, kept)
            if pair is not None:
                notes += (DEPENDS.format(*map(repr, pair)),)
            notes += (f"the answers are of {found['verifiers'].best_given!r}, {BEST_OF.format(len(kept))}",)
    if "quality" in column:
        [retained] = kept.values()
        found["soft"] = soft_reading(column["quality"], retained, asked.level, seed=asked.seed)
        found["graded"] = threshold_reading(column["quality"], retained, asked.level)
    notes += (found.pop("note"),) if "note" in found else ()
    found.pop("kept", None)
    if judged is not None and "group" not in column and str(path) != "-":
        notes += _prompt(path, judged, names)
    return FileAudit(path=path, names=names, asked=asked, records=size, notes=notes, **found)


def _chosen(curve: ThresholdCurve, score: NDArray[np.float64]) -> tuple[dict[str, Any], float, str]:
    """What the threshold that is best for the worth keeps, the level that holds for the best of all, and a note."""
    place = curve.best if curve.best_worth is None else curve.best_worth
    threshold, rule = curve.threshold[place], "<=" if curve.low_is_good else ">="
    keep = score <= threshold if curve.low_is_good else score >= threshold
    name = f"score {rule} {typed(threshold)}"
    return (
        {name: keep},
        scores.guarded_level(curve.level, curve.threshold.size),
        (
            f"the answers are of the rule {name}, the best of {curve.threshold.size} thresholds for the worth, at a "
            f"level that "
            "holds for all of them"
        ),
    )


def _binary(
    judged: NDArray[np.int8], kept: Mapping[str, Any], by: Grouping, classes: Any, asked: Asked, level: float
) -> dict[str, Any]:
    """The audit, of several verifiers that of the best; budget and cost."""
    found: dict[str, Any] = {}
    name = next(iter(kept))
    if len(kept) > 1:
        several = verifiers.of_flags(judged, kept, by, level, asked.n_classes, asked.seed)
        found["verifiers"], name = several, several.best_given
        level = scores.guarded_level(level, len(kept))
    found |= {"kept": kept[name], "verifier": name}
    audit = binary.of_records(judged, kept[name], by, level, asked.n_classes, classes, asked.seed)
    found |= {"binary": audit, "budget": budget(audit, asked.generated)}
    if asked.cost_generate is not None and asked.cost_verify is not None:
        found["cost"] = cost(audit, asked.cost_generate, asked.cost_verify)
    if asked.pilot is not None:
        from empirical.forecasting.forecast import forecast

        if math.isnan(audit.p.value):
            found["note"] = "no forecast: what is dropped is not judged, so that the generator's error rate is unknown"
            return found
        found["forecast"] = forecast(
            asked.pilot, audit, [asked.generated], errors=asked.errors, level=level, seed=asked.seed
        )
    return found


def _classes(column: Mapping[str, Any], judged: NDArray[np.int8]) -> set[str]:
    some = judged != UNJUDGED
    return {*column["label"][some].tolist(), *column["truth"][some].tolist()}


def _confusions(
    column: Mapping[str, Any], judged: Any, kept: Any, by: Grouping, asked: Asked, level: float
) -> Confusions:
    """Of the judged records, weighed so that kept and dropped ones stand for all that are."""
    some = judged != UNJUDGED
    label, truth = column["label"], column["truth"]
    classes, code = np.unique(np.concatenate([label[some], truth[some]]), return_inverse=True)
    count = int(some.sum())
    if count < judged.size:
        weight = np.ones(judged.size) if by.weight is None else by.weight
        for side in (kept, ~kept):
            seen = float(weight[side & some].sum())
            weight = np.where(side, weight * (float(weight[side].sum()) / seen if seen else 0.0), weight)
        by = Grouping(weight, by.group)
    names = tuple(map(str, classes.tolist()))
    return confusion.of_codes(code[:count], code[count:], kept[some], names, by.of(some), level, asked.seed)


def _read(path: Path, names: Names, asked: Asked) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Columns by role as arrays, ``correct`` as judgements; and what was noticed."""
    given = names.given()
    raw = records.read(path, given.values())
    _check_words(raw, [given[role] for role in given if role == "correct" or role.startswith("kept")], asked)
    notes = list(raw.notes)

    def flags(column: records.Column, missing: bool = False) -> Any:
        found = records.as_flags(column, asked.true, asked.false, missing)
        notes.extend(found.notes)
        return found.known.astype(np.int8) + found.values  # UNJUDGED, WRONG, CORRECT

    def named(column: records.Column, missing: bool = False) -> Any:
        found = records.as_labels(column, missing=missing)
        notes.extend(found.notes)
        return np.array([*found.names, ""], object)[found.codes]

    converters: dict[str, Callable[[records.Column], Any]] = {
        "correct": partial(flags, missing=True),
        "score": records.as_numbers,
        "weight": records.as_numbers,
        "quality": records.as_quality,
        "classes": named,
        "label": named,
        "truth": partial(named, missing=True),
        "group": lambda column: records.as_labels(column).codes,
    }
    kept = lambda column: flags(column) == CORRECT
    column = records.together({role: partial(converters.get(role, kept), raw[name]) for role, name in given.items()})
    if "truth" in column:
        same = np.where(column["label"] == column["truth"], CORRECT, WRONG)
        column["correct"] = np.where(column["truth"] == "", UNJUDGED, same).astype(np.int8)
    if "correct" in column and not (column["correct"] != UNJUDGED).any():
        name = given.get("correct", given.get("truth"))
        raise InputError(f"column {name!r} is missing in every record; judge some of them, drawn at random")
    return column, tuple(dict.fromkeys(notes))


def _check_words(raw: records.Columns, flags: list[str], asked: Asked) -> None:
    """Raise ValueError where no column of flags holds any word of --true, or of --false."""
    if not asked.true and not asked.false:
        return
    held = {records.key(str(word)) for name in flags for word in raw[name].values.unique().to_pylist()[:LOOKED_AT]}
    for option, words in (("--true", asked.true), ("--false", asked.false)):
        if words and not held & set(map(records.key, words)):
            columns = ", ".join(map(repr, flags))
            raise InputError(f"{option} {','.join(words)}: no record has such a word in {columns}; give one of theirs")


def _prompt(path: Path, judged: NDArray[np.int8], names: Names) -> tuple[str, ...]:
    """A warning where a column looks like a prompt and nobody named it."""
    looked = records.peek(path, LOOKED_AT)
    outcome = np.where(judged == UNJUDGED, np.nan, judged == CORRECT)[: looked.rows]
    seen = {name: one.values for name, one in looked.items()}
    found = looks_like_prompt(seen, outcome, tuple(names.given().values()))
    if found is None:
        return ()
    return (
        f"column {found.name!r} looks like a prompt: {found.values:,} values in {looked.rows:,} records. If "
        f"records of one "
        f"belong together these intervals are too short; give --group {shlex.quote(found.name)}",
    )


def _check(names: Names, asked: Asked) -> None:
    check_level(asked.level)
    check_seed(asked.seed)
    check_classes(asked.n_classes)
    given = names.given()
    for role, name in given.items():
        twins = [other.split()[0] for other, same in given.items() if same == name]
        if len(twins) > 1:
            raise InputError(
                f"column {name!r} is given as {' and as '.join(twins)}; {role.split()[0]} needs a column of its own"
            )
    _check_roles(set(given))
    judged = given.keys() & {"correct", "label"}
    if names.classes and not (judged and names.kept):
        raise InputError("--class needs --correct (or --label and --truth) and --kept")
    if asked.n_classes is not None and not judged:
        raise InputError("--classes needs --correct, or --label and --truth; graded quality knows no classes")
    if asked.low_is_good and "score" not in given:
        raise InputError("--low-is-good is about --score; name the column of the verifier's score")
    if asked.pilot is not None and not (judged and names.kept):
        raise InputError("--pilot needs --correct (or --label and --truth) and --kept: it forecasts a verifier")
    check_costs(asked.cost_generate, asked.cost_verify)


def _check_roles(given: set[str]) -> None:
    if len(given & {"label", "truth"}) == 1:
        raise InputError("--label and --truth go together: what the generator says, and the true class")
    if {"correct", "label"} <= given:
        raise InputError("--correct and --label with --truth say the same; give one of them")
    judged = given & {"correct", "label"}
    if not judged and "quality" not in given:
        raise InputError(
            "no column says which labels are correct; name one with --correct, or --label and --truth, or --quality"
        )
    if not given & {"kept", "score"}:
        raise InputError("no column says what the verifier keeps; name one with --kept (or --score)")
    if "quality" in given and "kept" not in given:
        raise InputError("--quality needs --kept, the column that says what the verifier keeps")
    if "quality" in given and given & {"group", "weight", "kept 2"}:
        raise InputError("--quality goes with one --kept, and without --group and --weight; use --correct for those")
    if "score" in given and not judged:
        raise InputError("--score needs --correct: the curve over thresholds is that of labels correct or wrong")
