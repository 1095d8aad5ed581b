"""Files of all that an audit found: one HTML page; or a folder of reports, JSON, tables as CSV and figures.

Beside the page is another, the explorer, on which the audited verifier can be moved.
"""

import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import figures
from empirical.auditing.files import FileAudit
from empirical.auditing.report.blocks import Report
from empirical.auditing.report.html import GENERATOR, Drawing, html
from empirical.auditing.report.plotted import shown
from empirical.auditing.report.text import markdown, text
from empirical.auditing.scores import ThresholdCurve
from empirical.forecasting.report import tables as forecast_tables
from figures import KINDS, explorer
from sims.running import certificates
from sims.running.certificates import Maker, claim, movable
from sims.running.files import write_atomic
from sims.running.fingerprint import fingerprint
from sims.running.pages import check_place, has_mark
from sims.running.spreadsheet import csv
from theory.errors import InputError

FIGURES = ("verifier", "threshold_curve", "forecast")
"""Modules of `figures`, which draw what `tables` has for them; a section names those that belong to it."""
PLANE = ("verifier", "verifier_region", "verifier_lines")
FORECAST = ("forecast", "curve", "pilot")
TABLES = (*PLANE, "threshold_curve", "quality_thresholds", "classes", "confusions", *FORECAST)
OURS = (
    *(f"{name}.csv" for name in TABLES),
    "audit.json",
    "report.txt",
    "report.md",
    "report.html",
    "report.explorer.html",
    *(f"figures/{name}.{kind}" for name in FIGURES for kind in KINDS),
)
"""What a folder of an audit may hold."""


def maker(command: str) -> Maker:
    """What certifies the folder of an audit."""
    return Maker("audit", movable(command), mark="audit.json")


def check_folder(folder: Path, inputs: Iterable[Path]) -> None:
    """Raise ValueError where the folder holds what the audit reads, or what another command made."""
    claim(folder, maker("pstar audit"), OURS, inputs)


def check_page(page: Path, source: Path) -> None:
    """Raise ValueError where a page would overwrite the records, or anything but a page of ours; or has no folder."""
    check_place("--html", page)
    if page.exists() and source.exists() and page.samefile(source):
        raise InputError(f"--html {page} would overwrite the records themselves; choose another name")
    for path, mark, maker in ((page, GENERATOR, "audit"), (beside(page), explorer.GENERATOR, "explorer")):
        if path.exists() and not has_mark(path, mark):
            raise InputError(
                f"--html {page}: {path} is there, and no {maker} made it; choose another name, or remove it"
            )


def beside(page: Path) -> Path:
    """The explorer that belongs to a page."""
    return page.with_suffix(f".explorer{page.suffix}")


def write(
    found: FileAudit,
    report: Report,
    summary: dict[str, Any],
    title: str,
    folder: Path | None = None,
    page: Path | None = None,
    command: str = "",
) -> list[Path]:
    """Write the page; and into the folder report.txt, .md and .html, audit.json, tables as CSV, figures as PNG and PDF.

    Beside either page is the explorer, where the audit has a verifier with all its rates. Returns the paths.
    ``summary`` is `as_json` of it, ``command`` what was typed. Raises FileError where the disk refuses, and what
    `check_folder` raises.
    """
    made = tables(found)
    made_by, drawings = version("pstar"), _drawings(made)
    mine = shown(summary) if found.binary is not None and (found.names.kept or found.names.score) else None
    mover = None if mine is None else explorer.build(mine, made_by)

    def pages(page: Path) -> dict[Path, str]:
        """The report; and the explorer beside it, where there is a verifier to move."""
        other = {} if mover is None else {beside(page): mover}
        name = beside(page).name if other else ""
        return {page: html(report, title, drawings, command, made_by, name), **other}

    paths = []
    if page is not None:
        for path, content in pages(page).items():
            write_atomic(path, content.encode())
            paths.append(path)
    if folder is not None:
        texts = {"report.txt": text(report) + "\n", "report.md": markdown(report, title) + "\n"}
        texts |= {path.name: content for path, content in pages(Path("report.html")).items()}
        texts |= {f"{name}.csv": csv(table) for name, table in made.items()}
        texts["audit.json"] = json.dumps(summary, indent=1) + "\n"
        drawn = {f"figures/{file}": data for name in FIGURES for file, data in figures.rendered(name, made).items()}
        contents = {name: content.encode() for name, content in texts.items()} | drawn
        about = {"program": fingerprint("empirical.auditing.files", __name__)}
        paths += certificates.write(folder, maker(command), contents, made=about)
    return paths


def _drawings(made: dict[str, Any]) -> dict[str, Drawing]:
    drawn = {name: figures.svg(name, made) for name in FIGURES}
    return {
        name: Drawing(figures.caption(name), figures.legend(name), svg)
        for name, svg in drawn.items()
        if svg is not None
    }


def tables(found: FileAudit) -> dict[str, Any]:
    """As data frames: ``threshold_curve``, ``quality_thresholds``, ``classes``, ``confusions``, where there are any.

    And those of `empirical.auditing.report.plane` and `empirical.forecasting.report`.
    A curve has one line per threshold: threshold, the four counts, every rate with _low and _high at ``level``; that of
    a score also worth, guarded intervals, which hold for all thresholds together, and ``best``.
    """
    import pandas as pd

    from empirical.auditing.report.plane import plane

    made = plane(found)
    if found.forecast is not None:
        made |= forecast_tables(found.forecast)
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
