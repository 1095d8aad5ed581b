"""`pstar predict`: one problem from the options, or every line of a table; options are columns of the vocabulary."""

import inspect
import sys
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import FlagCreatePairsOff, arg

from pstar.commands import predict_classes
from pstar.commands.options import Json, choice, flag
from pstar.commands.output import SWAPPED, one_thread, show
from pstar.commands.predict_table import DEFAULT, predict_file
from pstar.line.limits import Limits
from sims.losses import PREDICTED
from theory.columns import (
    CLASS_RATES,
    COLUMNS,
    MOST_CLASSES,
    POPULATION,
    POPULATION_MEANINGS,
    SETTINGS,
    SHARED,
    SIDES,
    SPECTRUM,
    Column,
    settings_with,
)
from theory.errors import InputError

SHARED_DEFAULTS = {"ridge": 0.1}
SIGNAL, ALPHA = 2.0, 10.0
"""Defaults of the signal, in whose place a spectrum may stand, and of alpha, in whose place n and d may."""


def predict(
    setting: str,
    loss: str,
    classes: tuple[int, ...] | None,
    intercept: bool,
    n: float | None,
    d: int | None,
    table: Path | None,
    out: Path | None,
    ignore: tuple[str, ...],
    json: bool,
    **numbers: Any,
) -> None:
    """Does training on verified labels help at this error rate? p*, what is kept, and the accuracy after training.

    One problem from the options, or a table: its columns carry the names of the options (with underscores), any
    subset of them; what is no column is taken from the options. Columns of a table that are results are computed
    anew; what they were is kept as given_NAME. Any other column is refused, unless you --ignore it.
    """
    one_thread()
    given: dict[str, Any] = {name: value for name, value in numbers.items() if value is not None} | {"loss": loss}
    given |= {"intercept": 1.0} if intercept else {}
    if n is not None:
        d = _size(n, d, given, intercept)
    given.setdefault("alpha", ALPHA)
    _note_swapped(given)
    if "signal" in given and any(name in given for name in SPECTRUM):
        raise InputError("--signal and a spectrum are two ways to say where the class mean lies; give one of them")
    if not any(name in given for name in SPECTRUM):
        given.setdefault("signal", SIGNAL)
    if ignore and table is None:
        raise InputError("--ignore goes with --table, whose columns it names")
    if d is not None and (table is not None or not intercept):
        raise InputError("--d averages one prediction over small samples with --intercept; without it, leave --d out")
    if table is not None:
        predict_file(table, out, given, setting, json, classes, ignore)
        return
    _refuse_meaningless(setting, given)
    if out is not None:
        raise InputError("--out goes with --table")
    if classes is not None:
        from theory.classes.describe import text as text_of_classes

        show(predict_classes.described(classes, given), json, text_of_classes)
        return
    from theory.describe import describe, text

    show(describe(given | {"setting": setting}, d), json, text)


def _size(n: float, d: int | None, given: dict[str, Any], intercept: bool) -> int | None:
    """Put alpha = n/d among the numbers; d, where it is asked for by itself as well."""
    if d is None:
        raise InputError(f"--n {n:.15g} needs --d, the dimension: predictions are for alpha = n/d, as --n 1000 --d 100")
    if "alpha" in given:
        raise InputError(f"--alpha and --n with --d are two ways to say n/d, here {n / d:.12g}; give one of them")
    given["alpha"] = n / d
    print(f"note: --n {n:.15g} --d {d} is --alpha {n / d:.12g}", file=sys.stderr)
    return d if intercept else None


def _note_swapped(given: dict[str, Any]) -> None:
    """Say that a verifier is worse than none, in case its two rates are in each other's place."""
    pairs = [("phi", "psi"), *((f"phi_{side}", f"psi_{side}") for side in SIDES)]
    if any(good in given and bad in given and given[bad] > given[good] for good, bad in pairs):
        print(SWAPPED, file=sys.stderr)


def _refuse_meaningless(setting: str, given: dict[str, Any]) -> None:
    """Raise InputError for options that the setting has not, and for those that are missing."""
    own = SETTINGS[setting].columns
    by_class = SETTINGS[setting].by_class
    extra = (*CLASS_RATES, *POPULATION, "prior") if by_class else ()
    for name in given:
        if name in (*COLUMNS, *CLASS_RATES, *POPULATION) and name not in (*SHARED, *own, *extra):
            raise InputError(
                f"{flag(name)} has no meaning in the {setting} setting, which has {', '.join(map(flag, own))}; help: "
                "pstar predict --help"
            )
    sides = by_class and any(name in given for name in CLASS_RATES)
    if sides and any(name in given for name in own):
        raise InputError("rates by class (--p-negative, --p-positive, ...) stand in the place of --p, --phi and --psi")
    needed = CLASS_RATES if sides else own
    missing = [flag(name) for name in needed if name not in given]
    if missing:
        raise InputError(f"{', '.join(missing)} missing; the {setting} setting needs {', '.join(map(flag, needed))}")


def _option(column: Column) -> inspect.Parameter:
    """A number of the command line; those of settings are left out by default."""
    ends = (
        f"{'(' if column.open_low else '['}{column.low:g}, {column.high:g}{')' if column.high == float('inf') else ']'}"
    )
    users = ", ".join(setting.name for setting in settings_with(column.name))
    usual = {"signal": SIGNAL, "alpha": ALPHA}.get(column.name)
    default = f" Default: {usual:g}." if usual is not None else ""
    about = f"{column.meaning}, in {ends}{f'; {users}' if users else ''}.{default}"
    kind: Any = Annotated[float, arg(help=about)]
    if column.name not in SHARED_DEFAULTS:
        kind = Annotated[float | None, arg(metavar="FLOAT", help=about)]
    return _parameter(column.name, kind, SHARED_DEFAULTS.get(column.name))


def _of_class(name: str) -> inspect.Parameter:
    """A rate of one class."""
    rate, side = name.split("_")
    about = f"{COLUMNS[rate].meaning} where y = {'+1' if side == 'positive' else '-1'}; in the place of --{rate}."
    return _parameter(name, Annotated[float | None, arg(metavar="FLOAT", help=about)], None)


def _list_option(name: str) -> inspect.Parameter:
    """A list of a spectrum, in the place of the signal."""
    kind = Annotated[str | None, arg(metavar="LIST", help=f"{POPULATION_MEANINGS[name]}; in the place of --signal.")]
    return _parameter(name, kind, None)


def _parameter(name: str, kind: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _signature() -> inspect.Signature:
    """Of `predict`, as the command line has it."""
    meanings = "; ".join(f"{setting.name}: {setting.meaning}" for setting in SETTINGS.values())
    where = Annotated[str, choice(SETTINGS), arg(help=f"Where label errors come from. {meanings}.")]
    what = Annotated[str, choice(PREDICTED), arg(help="Loss of the trained classifier.")]
    lines = Annotated[
        Path | None,
        arg(metavar="FILE", help="Predict every line of a table instead: any kind of file that pstar audit reads."),
    ]
    target = Annotated[
        Path | None,
        arg(metavar="FILE", help="Where the table goes, with the predictions appended: .csv or .parquet."),
    ]
    carried = Annotated[
        tuple[str, ...],
        arg(metavar="COL", help="Columns of --table that are not read and carried along, as --ignore id note."),
    ]
    own = [_option(column) for column in COLUMNS.values() if settings_with(column.name)]
    shared = [_option(COLUMNS[name]) for name in SHARED]
    small = Annotated[
        int | None,
        arg(
            metavar="INT",
            help="Dimension, with --n. With --intercept: averages over how many of each kind are kept at that d.",
        ),
    ]
    samples = Annotated[
        float | None, arg(metavar="N", help="Samples generated, before the verifier: with --d in the place of --alpha.")
    ]
    several = Annotated[
        tuple[int, ...] | None,
        Limits(2, MOST_CLASSES, example="10"),
        arg(metavar="K", help="Predict for K classes; no number where a table says it in a column classes."),
    ]
    rest = [
        ("loss", what, "squared"),
        ("classes", several, None),
        ("table", lines, None),
        ("out", target, None),
        ("ignore", carried, ()),
        ("json", Json, False),
    ]
    fitted = Annotated[bool, FlagCreatePairsOff, arg(help=f"{POPULATION_MEANINGS['intercept']}.")]
    return inspect.Signature(
        [
            *(_parameter("setting", where, DEFAULT), *own, *shared),
            *(*map(_of_class, CLASS_RATES), _option(COLUMNS["prior"]), *map(_list_option, SPECTRUM)),
            *(
                _parameter("intercept", fitted, False),
                _parameter("n", samples, None),
                _parameter("d", small, None),
                *(_parameter(*each) for each in rest),
            ),
        ]
    )


SIGNATURE = _signature()
predict.__signature__ = SIGNATURE  # type: ignore[attr-defined]
predict.__annotations__ = {name: each.annotation for name, each in SIGNATURE.parameters.items()} | {"return": None}
