"""A folder with all that an audit found: report, JSON, Markdown, tables as CSV."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from empirical.auditing.files import FileAudit
from empirical.auditing.scores import ThresholdCurve
from theory.errors import InputError, RunError

OURS = ("audit.json", "report.txt")


def check_folder(folder: Path, source: Path) -> None:
    """Raise ValueError where the folder holds the records themselves, or what another command made."""
    for name in ("threshold_curve.csv", "quality_thresholds.csv", "classes.csv", "confusions.csv", *OURS):
        path = folder / name
        if path.exists() and source.exists() and path.samefile(source):
            raise InputError(f"--out {folder} would overwrite {source}, the records themselves; choose another folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "audit.json").exists():
        raise InputError(f"--out {folder} holds files that no audit made; choose an empty folder, or a new one")


def write(found: FileAudit, report: str, markdown: str, summary: dict[str, Any], folder: Path) -> list[Path]:
    """Write report.txt, report.md, audit.json, and tables as CSV; returns the paths.

    Raises RuntimeError where the folder cannot be made, FileError where the disk refuses.
    """
    from sims.running.files import write_atomic

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot make the output folder {folder}: {error.strerror}; choose another") from None
    contents = {"report.txt": report + "\n", "report.md": markdown + "\n"}
    contents |= {f"{name}.csv": table.to_csv(index=False) for name, table in tables(found).items()}
    contents["audit.json"] = json.dumps(summary, indent=1) + "\n"
    for name, content in contents.items():
        write_atomic(folder / name, content.encode())
    return [folder / name for name in contents]


def tables(found: FileAudit) -> dict[str, Any]:
    """As data frames: ``threshold_curve``, ``quality_thresholds``, ``classes`` and ``confusions``, where there are any.

    A curve has one line per threshold: threshold, the four counts, every rate with _low and _high at ``level``; that of
    a score also worth, guarded intervals, which hold for all thresholds together, and ``best``.
    """
    import pandas as pd

    made = {}
    for name, curve in (("threshold_curve", found.curve), ("quality_thresholds", found.graded)):
        if curve is None:
            continue
        columns: dict[str, Any] = {"threshold": curve.threshold} | curve.counts._asdict()
        estimates = curve.rates._asdict()
        if isinstance(curve, ThresholdCurve):
            estimates["worth"] = curve.worth
        for rate, estimate in estimates.items():
            columns |= {rate: estimate.value, f"{rate}_low": estimate.low, f"{rate}_high": estimate.high}
        if isinstance(curve, ThresholdCurve):
            for rate, guarded in (("p_star", curve.p_star_guarded), ("worth", curve.worth_guarded)):
                columns |= {f"{rate}_guarded_low": guarded.low, f"{rate}_guarded_high": guarded.high}
            places = np.arange(curve.threshold.size)
            columns |= {"best": places == curve.best, "best_worth": places == curve.best_worth}
            columns |= {"unverified": curve.unverified, "low_is_good": curve.low_is_good}
        else:
            columns["verdict"] = curve.verdict
        made[name] = pd.DataFrame(columns | {"level": curve.level})
    if found.binary is not None and found.binary.by_class:
        made["classes"] = pd.DataFrame([_class(name, part) for name, part in found.binary.by_class.items()])
    if found.confusions is not None:
        made["confusions"] = pd.DataFrame(
            [
                pair._asdict() | {"margin": pair.margin.value, "low": pair.margin.low, "high": pair.margin.high}
                for pair in found.confusions.pairs
            ]
        )
    return made


def _class(name: Any, part: Any) -> dict[str, Any]:
    line = {"class": name} | part.counts._asdict()
    for rate in ("p", "phi", "psi", "kept_rate", "purity", "p_star"):
        estimate = getattr(part, rate)
        line |= {rate: estimate.value, f"{rate}_low": estimate.low, f"{rate}_high": estimate.high}
    return line | {"verdict": part.decision.verdict, "level": part.level}
