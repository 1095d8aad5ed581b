"""`forecast`: accuracy of a student of what a verifier keeps of n samples, from an audit and a pilot."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from empirical.auditing.checks import check_classes, check_level
from empirical.forecasting import ERRORS, FARTHEST, LEARNERS, ties, trust
from empirical.forecasting.curves import Curves
from empirical.forecasting.evidence import Evidence, ends, evidence
from empirical.forecasting.judge import Judge, Range
from empirical.forecasting.pilot import Pilot
from empirical.forecasting.pilot import pilot as checked
from empirical.forecasting.readings import Reading
from empirical.forecasting.sentences import Forecast
from empirical.forecasting.setup import Setup, setup
from theory.decimals import echoed, typed
from theory.errors import InputError

GENERATED = (1000, 10_000, 100_000)
"""Default sizes."""
SHOWN = 121
"""Points of the clean curve that is drawn."""


def forecast(
    pilot: Any,
    audit: Any,
    generated: Sequence[float] = GENERATED,
    *,
    errors: str = "learned",
    learner: str = "tuned",
    unverified: tuple[float, float] | None = None,
    classes: int | None = None,
    level: float = 0.95,
    seed: int = 0,
    ignore: Collection[str] = (),
) -> Forecast:
    """How accurate will my learner be, trained on what my verifier keeps of n generated samples? Does it win?

        n generated samples are worth n W clean ones, W = ((1-p) phi - p psi/(K-1))^2 / ((1-p) phi + p psi),

    and the learner's own clean learning curve is read there. Intervals are of the mean over training sets: every draw
    of the pilot's means goes with one of the audit's rates, and of several families of curves the ends are those of
    all.

    Args:
        pilot: accuracy of the learner on three clean sizes or more: a path, a data frame, a dict of columns, or an
            array (rows, 2) of n and accuracy. See `empirical.forecasting.pilot.pilot`.
        audit: `Audit`, the path of its JSON, or `Rates`, which are taken as known.
        generated: numbers n of generated samples.
        errors: "spread", labels err independently of x: the law. "learned", the generator is a trained model, whose
            errors a student can learn: the answer reaches from the law to "student = generator".
        learner: "tuned", regularisation chosen on held-out data; "interpolating", trained to fit wrong labels too: the
            answer then reaches from a^2 to a^14, unless the pilot has runs with p > 0, which tell the exponent.
        unverified: (N, accuracy) of one student trained on N unverified labels: how much of the errors is learned.
        classes: K; default that of the audit, or 2.
        level: of the intervals and the verdicts.
        seed: of the draws.
        ignore: columns of the pilot that are not read.

    Raises:
        ValueError: an argument outside its range, a pilot or audit that does not suffice. TypeError: another kind.
    """
    _check(generated, errors, learner, unverified)
    check_level(level)
    given, known = checked(pilot, ignore), evidence(audit)
    k = check_classes(classes) or known.classes or 2
    _check_classes(k, known, given, unverified)
    made = setup(given, k, learner, errors, unverified, seed)
    judge = Judge(known, level, made.readings)
    return _result(given, known, k, judge, made, generated, errors, learner, unverified)


def _result(
    given: Pilot,
    known: Evidence,
    k: int,
    judge: Judge,
    made: Setup,
    generated: Sequence[float],
    errors: str,
    learner: str,
    unverified: tuple[float, float] | None,
) -> Forecast:
    import pandas as pd

    rows = [_row(judge, float(n), given) for n in sorted(set(generated))]
    most = FARTHEST * given.clean[-1].n
    return Forecast(
        rates=known.rates,
        audited=known.audited,
        source=known.source,
        classes=k,
        level=judge.level,
        errors=errors,
        learner=learner,
        unverified=unverified,
        pilot=given,
        families=tuple(family.name for family in made.families),
        generator=judge.measure(lambda reading, p, phi, psi, which: 1 - p),
        from_n=judge.measure(lambda reading, *rates: ties.from_n(reading, most, *rates)),
        exponent=judge.measure(lambda reading, p, phi, psi, which: reading.exponent[which]) if made.fitted else None,
        exponent_failed=made.fitted is False,
        run_share=None if unverified is None else judge.measure(_share_of_run, ("still",)),
        table=pd.DataFrame(rows),
        curve=_curve(made.families, given, judge.level),
        clean=_clean(given, made),
    )


def _share_of_run(reading: Reading, p: Any, phi: Any, psi: Any, which: Any) -> Any:
    return reading.share_of_run(p, which)


def _row(judge: Judge, n: float, given: Pilot) -> dict[str, Any]:
    """One line of the table."""
    p, phi, psi = judge.known.rates
    some = [kind for kind in dict.fromkeys(reading.kind for reading in judge.readings) if kind != "copy"]
    worth = judge.measure(lambda reading, *rates: reading.worth(n, *rates), some)
    student = judge.measure(lambda reading, *rates: reading.student(n, *rates))
    gain = judge.measure(lambda reading, p, *rest: reading.student(n, p, *rest) - (1 - p))
    none = judge.measure(lambda reading, p, phi, psi, which: reading.student(n, p, phi * 0 + 1, psi * 0 + 1, which))
    state = trust.status(worth.most, given.clean[0].n, given.clean[-1].n)
    nothing = Range(*[np.nan] * 4)  # another p is another generator, of which the unverified run says nothing
    tie_p = judge.measure(lambda reading, *rates: ties.in_p(reading, n, *rates)) if "law" in some else nothing
    tie_star = judge.measure(lambda reading, *rates: ties.in_p_star(reading, n, *rates))
    return {
        "n": n,
        "kept": n * ((1 - p) * phi + p * psi),
        **_columns("worth", worth),
        **_columns("student", student),
        "gain_low": gain.low,
        "gain_high": gain.high,
        "beats": trust.verdict(gain.low, gain.high, state),
        **_columns("unverified", none),
        **_columns("tie_p", tie_p),
        **_columns("tie_p_star", tie_star),
        "status": state,
    }


def _columns(name: str, found: Range) -> dict[str, float]:
    return {
        f"{name}_least": found.least,
        f"{name}_most": found.most,
        f"{name}_low": found.low,
        f"{name}_high": found.high,
    }


def _curve(families: Sequence[Curves], given: Pilot, level: float) -> Any:
    """The clean learning curve with its band, from a fourth of the smallest size to FARTHEST times the largest."""
    import pandas as pd

    sizes = np.geomspace(given.clean[0].n / FARTHEST, FARTHEST * given.clean[-1].n, SHOWN)
    lines = []
    for n in sizes:
        drawn = [family.at(np.full(len(family.accuracy), n), np.arange(len(family.accuracy))) for family in families]
        sides = np.transpose([ends(found[:-1], found[:-1], level) for found in drawn])
        value = float(np.median([found[-1] for found in drawn]))
        lines.append({"n": n, "accuracy": value, "low": sides[0].min(), "high": sides[1].max()})
    return pd.DataFrame(lines)


def _clean(given: Pilot, made: Setup) -> Any:
    """The pilot's clean sizes, with one standard error."""
    import pandas as pd

    table = pd.DataFrame([size._asdict() for size in given.clean])
    return table.drop(columns="p").assign(error=made.error)


def _check(generated: Any, errors: str, learner: str, unverified: Any) -> None:
    sizes = np.asarray(generated, float)
    if sizes.ndim != 1 or not sizes.size or np.any((sizes < 1) | (sizes % 1 != 0) | ~np.isfinite(sizes)):
        raise InputError(f"generated = {generated} must be whole numbers of 1 or more; they count generated samples")
    if errors not in ERRORS:
        raise InputError(
            f"errors = {errors!r} is not one of {', '.join(ERRORS)}; learned where a model made the labels"
        )
    if learner not in LEARNERS:
        raise InputError(f"learner = {learner!r} is not one of {', '.join(LEARNERS)}; tuned where a penalty is chosen")
    if unverified is None:
        return
    if np.shape(unverified) != (2,) or not unverified[0] >= 1 or not 0 <= unverified[1] <= 1:
        raise InputError(f"unverified = {unverified} must be N, ACCURACY: samples of 1 or more, accuracy in [0, 1]")
    if errors == "spread":
        raise InputError("unverified says how much of the errors is learned; it goes with errors = learned")


def _check_classes(k: int, known: Evidence, given: Pilot, unverified: Any) -> None:
    most = 1 - 1 / k
    for size in given.noisy:
        if size.p >= most:
            raise InputError(
                f"pilot: p = {typed(size.p)} of a noisy run is {echoed(most)} or more, which teaches nothing; take less"
            )
    if unverified is not None and not 0 < known.rates.p < most:
        raise InputError(
            f"p = {typed(known.rates.p)} leaves an unverified run nothing to tell; it takes 0 < p < {echoed(most)} = "
            "1 - 1/K"
        )
    if given.clean[-1].accuracy <= 1 / k:
        raise InputError(
            f"the pilot's largest size is no better than a guess among {k} classes; train on more, or see --classes"
        )
