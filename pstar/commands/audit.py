"""`pstar audit`: is a verifier good enough, better than none, what is it worth: from a file of one's records."""

import sys
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from empirical.forecasting import ERRORS
from pstar.commands.options import Json, choice
from pstar.commands.output import on_disk, one_thread, show, typed
from theory.errors import InputError


def audit(
    records: Annotated[
        Positional[Path],
        arg(
            metavar="RECORDS",
            help="A row per label: .csv, .tsv, .json, .jsonl, .parquet, .arrow, also .gz or .zst; a folder of "
            "datasets; "
            "a log of an evaluation program; - for standard input.",
        ),
    ],
    correct: Annotated[
        str | None, arg(metavar="COL", help="Column: is the generated label correct? Empty where nobody judged.")
    ] = None,
    kept: Annotated[
        tuple[str, ...], arg(metavar="COL", help="Column: does the verifier keep it? Several are compared: --kept A B.")
    ] = (),
    score: Annotated[str | None, arg(metavar="COL", help="Column: the verifier's score, high is kept.")] = None,
    low_is_good: Annotated[bool, arg(help="Low scores are kept, as of perplexity.")] = False,
    label: Annotated[str | None, arg(metavar="COL", help="Column: the generated label, in place of --correct.")] = None,
    truth: Annotated[str | None, arg(metavar="COL", help="Column: the true class, with --label.")] = None,
    quality: Annotated[str | None, arg(metavar="COL", help="Column: quality in [0, 1], as ROUGE.")] = None,
    class_column: Annotated[str | None, arg(name="class", metavar="COL", help="Column: a class; adds a table.")] = None,
    classes: Annotated[int | None, arg(metavar="K", help="Number of classes: adds p*_K, worth for K.")] = None,
    group: Annotated[
        str | None, arg(metavar="COL", help="Column: which records belong together, as several samples of a prompt.")
    ] = None,
    weight: Annotated[str | None, arg(metavar="COL", help="Column: how many records each stands for.")] = None,
    true: Annotated[str, arg(metavar="WORDS", help="Words that mean yes, with commas, as A,win.")] = "",
    false: Annotated[str, arg(metavar="WORDS", help="Words that mean no, likewise.")] = "",
    generated: Annotated[float, arg(metavar="N", help="Samples generated, for what they are worth.")] = 1000,
    cost_generate: Annotated[float | None, arg(metavar="COST", help="Of generating one sample, any unit.")] = None,
    cost_verify: Annotated[float | None, arg(metavar="COST", help="Of verifying one, in the same unit.")] = None,
    pilot: Annotated[
        Path | None, arg(metavar="FILE", help="Accuracy of your learner at 3 or more clean sizes: forecasts a student.")
    ] = None,
    errors: Annotated[
        str, choice(ERRORS), arg(help="For --pilot: errors of a trained model, or independent of the inputs.")
    ] = "learned",
    level: Annotated[float, arg(help="Confidence of the intervals and the decisions.")] = 0.95,
    seed: Annotated[int, arg(help="Of the bootstrap.")] = 0,
    out: Annotated[Path | None, arg(metavar="DIR", help="Folder for reports, JSON, tables and figures.")] = None,
    html: Annotated[Path | None, arg(metavar="FILE", help="The report as one page; the explorer beside it.")] = None,
    markdown: Annotated[bool, arg(help="Print the report as Markdown.")] = False,
    json: Json = False,
) -> None:
    """Does my verifier help, by how much, and what will training on what it keeps give? From your own records.

    Judge a random sample of all that your generator made, kept or not: is the label correct, does the verifier keep it
    (0/1, yes/no, pass/fail and the like)? With the file alone, says what is in it and what to type.
    """
    if sys.argv.count("--kept") > 1:
        raise InputError("--kept is given twice; name all columns after one, as --kept A B")
    one_thread()
    from empirical.auditing.files import Asked, Names, audit_file
    from empirical.auditing.report import artefacts, as_json, build
    from empirical.auditing.report import markdown as as_markdown
    from empirical.auditing.report import text as as_text

    roles = (correct, score, label, truth, quality, class_column, group, weight)
    if not kept and all(role is None for role in roles):
        if out is not None or html is not None or pilot is not None or markdown:
            raise InputError("name the columns first: pstar audit RECORDS alone says which they may be")
        _doctor(records, json)
        return
    names = Names(
        correct=correct,
        kept=kept,
        score=score,
        classes=class_column,
        quality=quality,
        label=label,
        truth=truth,
        group=group,
        weight=weight,
    )
    yes, no = (tuple(filter(None, map(str.strip, words.split(",")))) for words in (true, false))
    asked = Asked(
        level=level,
        n_classes=classes,
        true=yes,
        false=no,
        low_is_good=low_is_good,
        generated=generated,
        pilot=pilot,
        errors=errors,
        cost_generate=cost_generate,
        cost_verify=cost_verify,
        seed=seed,
    )
    if json and markdown:
        raise InputError("--json and --markdown are two ways of printing; give one of them")
    with on_disk():
        if out is not None:
            artefacts.check_folder(out, [records, *([] if pilot is None else [pilot])])
        if html is not None:
            artefacts.check_page(html, records)
        found = audit_file(records, names, asked)
        report, paths = build(found), []
        summary = as_json(found) if json or out is not None or html is not None else {}
        title = f"Audit of {records.name}"
        if out is not None or html is not None:
            paths = artefacts.write(found, report, summary, title, out, html, typed("audit"))
            summary |= {"written": [str(path) for path in paths]}
    printed = as_markdown(report, title) if markdown else as_text(report)
    show(summary, json, lambda _: "\n".join([printed, *(f"written: {path}" for path in paths)]))


def _doctor(records: Path, json: bool) -> None:
    """What the file is good for, and what to type."""
    from empirical.auditing.doctor import report as page
    from empirical.auditing.doctor.of_file import of_file

    with on_disk():
        looked = of_file(records)
    show(page.as_json(looked, str(records)), json, lambda _: page.text(looked, str(records)))
