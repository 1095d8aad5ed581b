"""The last stage: evaluations, selections and scores of all seeds become tables, and the tables a report.

ROUGE is in points (0 to 100) in all tables; shares, p* and purity are in [0, 1].
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from empirical.reports import write_report
from empirical.summarization import kept, tables
from empirical.summarization.beside import beside, clean_curve
from empirical.summarization.collapse import collapse
from empirical.summarization.evaluations import Source, evaluated
from empirical.summarization.findings import claims, contrasts, verdicts
from empirical.summarization.report.text import text
from empirical.summarization.verifiers import grouped


def report(settings: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path, runtime: Mapping[str, Any]) -> None:
    """Write tables/*.csv, report.json and report.txt.

    Raises ValueError where files of a stage do not speak of the same examples.
    """
    source = Source(settings["profile"], grouped(settings["verifiers"]), inputs)
    found = evaluated(source)
    rouge1 = found.arms["rouge1"]
    generated = [kept.generated(source, seed) for seed in source.seeds]
    points, curve = kept.p_star(source, generated)
    selections = kept.selections(source, generated)
    margin = source.profile["evaluation"]["margin"]
    lines = contrasts(rouge1, claims(found.about, source.groups, source.rates), margin)
    rows = tables.rows(source, found, selections, points)
    shown = {
        "rows": rows,
        "seeds": tables.seeds(source, found, selections),
        "p_star": points,
        "threshold": curve,
        "contrasts": lines,
        "findings": verdicts(lines),
        "orders": tables.orders(rouge1, source.groups, tables.stars(rows)),
        "noise": tables.noise(source, found),
        "beside": beside(source, found, points, generated),
        "curve": clean_curve(source, found),
        "pool": tables.pool(source, generated),
        "collapse": collapse(source, found),
        "gates": tables.gates(source),
    }
    about = {"profile": source.profile, "corpus": [source.facts(seed, "prepare")["corpus"] for seed in source.seeds]}
    write_report(folder, shown, about, text(shown, source.profile))
