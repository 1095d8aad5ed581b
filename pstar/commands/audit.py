"""`pstar audit`: p* and the decision p < p* from a file of one's own records."""

from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from pstar.commands.options import Json
from pstar.commands.output import on_disk, show


def audit(
    records: Annotated[Positional[Path], arg(metavar="RECORDS", help="A .csv, .jsonl or .parquet, a row per label.")],
    correct: Annotated[str | None, arg(metavar="COL", help="Column: is the generated label correct?")] = None,
    kept: Annotated[str | None, arg(metavar="COL", help="Column: does the verifier keep it?")] = None,
    score: Annotated[str | None, arg(metavar="COL", help="Column: the verifier's score, high is kept.")] = None,
    class_column: Annotated[str | None, arg(name="class", metavar="COL", help="Column: the true class.")] = None,
    quality: Annotated[str | None, arg(metavar="COL", help="Column: quality in [0, 1], as ROUGE.")] = None,
    classes: Annotated[int | None, arg(metavar="K", help="Number of classes: adds p*_K.")] = None,
    level: Annotated[float, arg(help="Confidence of the intervals and the decision.")] = 0.95,
    seed: Annotated[int, arg(help="Of the bootstrap, which only --quality uses.")] = 0,
    out: Annotated[Path | None, arg(metavar="DIR", help="Folder for report, JSON, curves and figure.")] = None,
    json: Json = False,
) -> None:
    """Is my verifier good enough? p, phi, psi, p* and the decision p < p* from your own records, with intervals.

    Judge a random sample of all that your generator made, kept or not: is the label correct, does the verifier keep it
    (0/1, true/false or yes/no)? --correct with --kept is the usual audit; --correct with --score looks at every
    threshold on a score; --quality with --kept takes a graded quality instead of correct or wrong. With no column named
    it says what the file is good for, and what to type.
    """
    from empirical.auditing import files
    from empirical.auditing.report import as_json, text

    if correct is kept is score is class_column is quality is classes is None:
        from empirical.auditing.doctor import report as page
        from empirical.auditing.doctor.of_file import of_file

        with on_disk():
            looked = of_file(records)
        show(page.as_json(looked, str(records)), json, lambda _: page.text(looked, str(records)))
        return
    names = files.Names(correct=correct, kept=kept, score=score, classes=class_column, quality=quality)
    with on_disk():
        found = files.audit_file(records, names, level, classes, seed)
        report, summary = text(found), as_json(found)
        paths: Any = []
        if out is not None:
            paths = files.write(found, report, summary, out)
            if found.curve is not None:
                import figures as package

                paths += package.draw("threshold_curve", files.tables(found), out / "figures")
            summary |= {"written": [str(path) for path in paths]}
    show(summary, json, lambda _: "\n".join([report, *(f"written: {path}" for path in paths)]))
