"""`audit_file`: everything that the named columns of a file of records allow, and its artefacts in a folder."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from empirical import records
from empirical.auditing.binary import Audit, audit
from empirical.auditing.checks import check_classes, check_level
from empirical.auditing.quality import SoftAudit, ThresholdReading, soft_reading, threshold_reading
from empirical.auditing.scores import ThresholdCurve, threshold_curve
from theory.errors import InputError, RunError


@dataclass(frozen=True, kw_only=True)
class Names:
    """Names of columns, None where there is no such column."""

    correct: str | None = None
    kept: str | None = None
    score: str | None = None
    classes: str | None = None
    quality: str | None = None

    def given(self) -> dict[str, str]:
        """Role and name of the columns there are."""
        return {role: name for role, name in vars(self).items() if name is not None}


@dataclass(frozen=True, kw_only=True)
class FileAudit:
    """What a file of records says: with correct and kept `binary`, and so on; None where a column is not given."""

    path: Path
    records: int
    level: float
    binary: Audit | None = None
    curve: ThresholdCurve | None = None
    soft: SoftAudit | None = None
    graded: ThresholdReading | None = None


def audit_file(
    path: Path,
    names: Names,
    level: float = 0.95,
    n_classes: int | None = None,
    seed: int = 0,
    true: Sequence[str] = (),
) -> FileAudit:
    """Read and audit a file.

    ``correct`` with ``kept`` gives rates, p* and the decision, ``correct`` with ``score`` the curve over thresholds,
    ``quality`` with ``kept`` both readings of graded quality. ``seed`` is that of the bootstrap of the soft reading,
    ``true`` the words that mean yes, beside the common ones.
    Raises ValueError for columns that do not go together, and `records.RecordsError` for a file that cannot be used.
    """
    _check_roles(names, n_classes)
    check_level(level)
    check_classes(n_classes)
    given = names.given()
    raw = records.read(path, given.values())
    converters: dict[str, Callable[[records.Column], Any]] = {
        "score": records.as_numbers,
        "quality": records.as_quality,
        "classes": lambda column: _names(records.as_labels(column)),
    }
    flags = lambda column: records.as_flags(column, true).values
    column = records.together({role: partial(converters.get(role, flags), raw[name]) for role, name in given.items()})
    found: dict[str, Any] = {}
    if "correct" in column and "kept" in column:
        found["binary"] = audit(column["correct"], column["kept"], column.get("classes"), level, n_classes=n_classes)
    if "correct" in column and "score" in column:
        found["curve"] = threshold_curve(column["correct"], column["score"], level)
    if "quality" in column:
        found["soft"] = soft_reading(column["quality"], column["kept"], level, seed=seed)
        found["graded"] = threshold_reading(column["quality"], column["kept"], level)
    return FileAudit(path=path, records=len(next(iter(column.values()))), level=level, **found)


def _names(labels: records.Labels) -> Any:
    return np.array(labels.names)[labels.codes]


def _check_roles(names: Names, n_classes: int | None) -> None:
    given = names.given()
    for role, name in given.items():
        twins = [other for other, same in given.items() if same == name]
        if len(twins) > 1:
            raise InputError(f"column {name!r} is given as {' and as '.join(twins)}; {role} needs a column of its own")
    if "correct" not in given and "quality" not in given:
        raise InputError("no column says which labels are correct; name one with --correct (or --quality)")
    if "kept" not in given and "score" not in given:
        raise InputError("no column says what the verifier keeps; name one with --kept (or --score)")
    if "quality" in given and "kept" not in given:
        raise InputError("--quality needs --kept, the column that says what the verifier keeps")
    if "score" in given and "correct" not in given:
        raise InputError("--score needs --correct: the curve over thresholds is that of labels correct or wrong")
    if ("classes" in given or n_classes is not None) and not {"correct", "kept"} <= set(given):
        raise InputError("--class and --classes need both --correct and --kept")


def write(found: FileAudit, report: str, summary: dict[str, Any], folder: Path) -> list[Path]:
    """Write report.txt, audit.json, and the curves as CSV; returns the paths.

    Raises RuntimeError where the folder cannot be made, FileError where the disk refuses.
    """
    from sims.running.files import write_atomic

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot make the output folder {folder}: {error.strerror}; choose another") from None
    contents = {"report.txt": report + "\n", "audit.json": json.dumps(summary, indent=1) + "\n"}
    contents |= {f"{name}.csv": table.to_csv(index=False) for name, table in tables(found).items()}
    for name, content in contents.items():
        write_atomic(folder / name, content.encode())
    return [folder / name for name in contents]


def tables(found: FileAudit) -> dict[str, Any]:
    """The curves as data frames: ``threshold_curve`` over the score, ``quality_thresholds`` over the quality.

    One line per threshold: threshold, the four counts, every rate with _low and _high at ``level``, and for the score
    p_star_guarded_low and _high, which hold for all thresholds together, and ``best``.
    """
    import pandas as pd

    made = {}
    for name, curve in (("threshold_curve", found.curve), ("quality_thresholds", found.graded)):
        if curve is None:
            continue
        columns: dict[str, Any] = {"threshold": curve.threshold} | curve.counts._asdict()
        for rate, estimate in curve.rates._asdict().items():
            columns |= {rate: estimate.value, f"{rate}_low": estimate.low, f"{rate}_high": estimate.high}
        if isinstance(curve, ThresholdCurve):
            guarded = curve.p_star_guarded
            columns |= {"p_star_guarded_low": guarded.low, "p_star_guarded_high": guarded.high}
            columns["best"] = np.arange(curve.threshold.size) == curve.best
        else:
            columns["verdict"] = curve.verdict
        made[name] = pd.DataFrame(columns | {"level": curve.level})
    return made
