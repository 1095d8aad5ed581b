"""`pstar forecast`: what training on what one's verifier keeps will give, from an audit and a pilot."""

from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from empirical.forecasting import ERRORS, LEARNERS
from pstar.commands.options import Json, choice
from pstar.commands.output import on_disk, one_thread, show, typed
from pstar.line.shown import listed
from theory.errors import InputError


def forecast(
    pilot: Annotated[
        Path,
        arg(
            metavar="FILE",
            help="Your learner on three clean sizes or more: columns n and accuracy, a line per run (or repeats, sd); "
            "tested, the size of the test set; p, the share of labels made wrong, for noisy runs.",
        ),
    ],
    generated: Annotated[
        str, arg(metavar="N,N,...", help="Numbers of generated samples, as 1000,10000.")
    ] = "1000,10000,100000",
    audit: Annotated[Path | None, arg(metavar="DIR", help="Folder of pstar audit --out.")] = None,
    p: Annotated[float | None, arg(metavar="FLOAT", help="Or: the generator's error rate, taken as known.")] = None,
    phi: Annotated[float | None, arg(metavar="FLOAT", help="P(kept | label correct), likewise.")] = None,
    psi: Annotated[float | None, arg(metavar="FLOAT", help="P(kept | label wrong), likewise.")] = None,
    classes: Annotated[int | None, arg(metavar="K", help="Number of classes. Default: the audit's, or 2.")] = None,
    errors: Annotated[
        str,
        choice(ERRORS),
        arg(help="learned: a trained model made the labels. spread: they err independently of the inputs."),
    ] = "learned",
    learner: Annotated[
        str,
        choice(LEARNERS),
        arg(help="tuned: its penalty is chosen on held-out data. interpolating: it fits every label."),
    ] = "tuned",
    unverified: Annotated[
        str | None,
        arg(metavar="N,ACCURACY", help="One student of N unverified labels: how much of the errors is learned."),
    ] = None,
    ignore: Annotated[
        tuple[str, ...], arg(metavar="COL", help="Columns of --pilot that are not read, as --ignore date note.")
    ] = (),
    level: Annotated[float, arg(help="Confidence of the intervals and the verdicts.")] = 0.95,
    seed: Annotated[int, arg(help="Of the draws behind the intervals.")] = 0,
    out: Annotated[Path | None, arg(metavar="DIR", help="Folder for report, JSON, tables and figure.")] = None,
    json: Json = False,
) -> None:
    """How accurate will my learner be, trained on what my verifier keeps of n samples? Does it beat the generator?

    n generated samples are worth n W clean ones, W from p, phi and psi; your learner's own clean learning curve, from a
    few pilot runs, is read there. Nothing is trained.
    """
    one_thread()
    from empirical.forecasting import report
    from empirical.forecasting.forecast import forecast as forecasts
    from sims.running.certificates import Maker, claim, movable, write
    from sims.running.fingerprint import fingerprint
    from theory.types import Rates

    given = {"--p": p, "--phi": phi, "--psi": psi}
    missing = [name for name, value in given.items() if value is None]
    if audit is not None and len(missing) < 3:
        raise InputError("--audit goes without --p, --phi and --psi: it has them")
    if audit is None and missing:
        raise InputError(f"{listed(tuple(missing), 'and')} missing: give --audit JSON, or all of --p, --phi and --psi")
    known: Any = Rates(*given.values()) if audit is None else audit
    sizes = _numbers("--generated", generated)
    run: Any = None if unverified is None else _numbers("--unverified", unverified)
    maker = Maker("forecast", movable(typed("forecast")), mark="forecast.json")
    if out is not None:
        claim(out, maker, inputs=[pilot, *([] if audit is None else [audit])])
    with on_disk():
        found = forecasts(
            pilot,
            known,
            sizes,
            errors=errors,
            learner=learner,
            unverified=run,
            classes=classes,
            level=level,
            seed=seed,
            ignore=ignore,
        )
    words, summary = report.text(found), report.as_json(found)
    summary |= {"pilot_file": str(pilot)}
    paths: Any = []
    if out is not None:
        with on_disk():
            made = {"program": fingerprint("empirical.forecasting.report", "empirical.forecasting.forecast")}
            paths = write(out, maker, report.files(found, words), made=made)
        summary |= {"written": [str(path) for path in paths]}
    show(summary, json, lambda _: "\n".join([words, *(f"written: {path}" for path in paths)]))


def _numbers(option: str, words: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in words.replace("_", "").split(","))
    except ValueError:
        example = "10000,0.8" if option == "--unverified" else "1000,10000"
        raise InputError(f"{option} {words} is no list of numbers; give them with commas, as {example}") from None
