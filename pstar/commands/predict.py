"""`pstar predict`: one problem from the options, or every line of a table; options are columns of the vocabulary."""

import inspect
import sys
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import FlagCreatePairsOff, arg

from pstar.commands import predict_classes
from pstar.commands.options import Json, choice, flag
from pstar.commands.output import SWAPPED, on_disk, one_thread, show
from sims.losses import PREDICTED
from theory.columns import (
    CLASS_RATES,
    COLUMNS,
    OTHER_NAMES,
    POPULATION,
    POPULATION_MEANINGS,
    RECORDED,
    SETTINGS,
    SHARED,
    SIDES,
    SPECTRUM,
    Column,
    settings_with,
)
from theory.errors import InputError

DEFAULT = "independent"
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
    json: bool,
    **numbers: Any,
) -> None:
    """Does training on verified labels help at this error rate? p*, what is kept, and the accuracy after training.

    One problem from the options, or a table: its columns carry the names of the options (with underscores), any
    subset of them; what is no column is taken from the options. Columns of a table that are results are computed
    anew; what they were is kept as given_NAME.
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
    if d is not None and (table is not None or not intercept):
        raise InputError("--d averages one prediction over small samples with --intercept; without it, leave --d out")
    if table is not None:
        _predict_file(table, out, given, setting, json, classes)
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
            raise InputError(f"{flag(name)} has no meaning in the {setting} setting; see --setting")
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
    lines = Annotated[Path | None, arg(metavar="CSV", help="Predict every line of a table instead.")]
    target = Annotated[Path | None, arg(metavar="CSV", help="Where the table goes, with the predictions appended.")]
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
        arg(metavar="K", help="Predict for K classes; no number where a table says it in a column classes."),
    ]
    rest = [
        ("loss", what, "squared"),
        ("classes", several, None),
        ("table", lines, None),
        ("out", target, None),
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


def _predict_file(
    table: Path,
    out: Path | None,
    given: dict[str, Any],
    setting: str,
    json: bool,
    classes: tuple[int, ...] | None,
) -> None:
    """Append predictions to a CSV, in one call."""
    import pandas as pd

    from sims.running.files import write_atomic
    from sims.running.spreadsheet import csv
    from theory.table import predict_table

    if out is None:
        raise InputError("--table needs --out, where the predictions go")
    if out.absolute() == table.absolute():
        raise InputError(f"--out {out} is the table itself, which stays as it is; give another file")
    if not table.exists():
        raise InputError(f"--table {table} is not there")
    if not out.absolute().parent.is_dir():
        raise InputError(f"--out {out}: there is no folder {out.parent}; make it first")
    try:
        lines = pd.read_csv(table)
    except (OSError, ValueError) as error:
        raise InputError(f"{table} cannot be read as CSV: {error}") from None
    if lines.empty:
        raise InputError(f"{table} has no lines below its header")
    _refuse_misspelt(lines.columns)
    implied = classes is None and "classes" not in lines and _implied(lines, given)
    if classes is None and "classes" in lines:
        classes = ()
    if classes is not None:
        columns = predict_classes.table_columns(lines, classes, given)
        found = predict_classes.predict_table(columns)
    else:
        columns = _table_columns(lines, given, setting)
        found = predict_table(columns)
    if "intercept" in columns and "intercept" not in lines:
        lines = lines.assign(intercept=columns["intercept"])  # so that the table says it when it is read again
    result, replaced = _with_results(lines, columns, found)
    with on_disk():
        write_atomic(out, csv(result).encode())
    failed = found["status"][~found["converged"]]
    summary = {"written": str(out), "lines": len(lines), "not_converged": len(failed)}
    summary["statuses"] = {str(why): int((failed == why).sum()) for why in dict.fromkeys(failed)}
    summary |= {"differences": replaced, "intercept_from": "offset" if implied else None}
    show(summary, json, _file_text)


def _refuse_misspelt(names: Any) -> None:
    """Raise InputError for a column that is almost one that predictions read, which is not there."""
    from difflib import get_close_matches

    from theory.prediction import Prediction

    known = {*COLUMNS, *CLASS_RATES, *OTHER_NAMES, *POPULATION, "loss", "setting", "classes"}
    for name in names:
        if str(name) in known or str(name).removeprefix("given_") in Prediction._fields:
            continue
        near = [other for other in get_close_matches(str(name).strip().lower(), known, 1, 0.8) if other not in names]
        if near:
            raise InputError(f"column {name!r} is not read; did you mean {near[0]}? Rename it, or drop it")


def _with_results(lines: Any, columns: dict[str, Any], found: dict[str, Any]) -> tuple[Any, dict[str, float | None]]:
    """The table with every result as computed; what it had under that name, as given_NAME, and how far that was off."""
    added = {name: values for name, values in found.items() if not _is_given(columns.get(name), values)}
    replaced = [name for name in added if name in lines]
    kept = lines.drop(columns=[f"given_{name}" for name in replaced if f"given_{name}" in lines])
    renamed = kept.rename(columns={name: f"given_{name}" for name in replaced})
    return renamed.assign(**added), {name: _difference(lines[name], added[name]) for name in replaced}


def _difference(given: Any, computed: Any) -> float | None:
    """The largest, where both have a number."""
    import pandas as pd

    numbers = [pd.to_numeric(pd.Series(column), errors="coerce").astype(float) for column in (given, computed)]
    apart = (numbers[0].reset_index(drop=True) - numbers[1]).abs()
    return None if apart.isna().all() else float(apart.max())


def _implied(lines: Any, given: dict[str, Any]) -> bool:
    """Whether a table that does not say so is of classifiers with an intercept: it has a value of it that is not 0."""
    if "offset" not in lines or "intercept" in lines or "intercept" in given:
        return False
    import pandas as pd

    return bool((pd.to_numeric(lines["offset"], errors="coerce").fillna(0.0) != 0).any())


def _is_given(column: Any, values: Any) -> bool:
    """Whether a column of the table says the same as the prediction; lines of a setting with other columns may not."""
    return column is not None and bool((column == values).all())


def _file_text(result: dict[str, Any]) -> str:
    why = ", ".join(f"{count} {status}" for status, count in result["statuses"].items())
    failed = f"{result['not_converged']} without solution{f' ({why})' if why else ''}"
    text = [f"{result['lines']} lines, {failed}", f"written: {result['written']}"]
    if result["intercept_from"]:
        text.append("an intercept was fitted, as the table has a column offset; a column intercept of 0 fits none")
    if result["differences"]:
        text.append("computed anew, what was there is kept as given_NAME; largest difference:")
        shown = {name: "-" if gap is None else f"{gap:.2g}" for name, gap in result["differences"].items()}
        text += [f"  {name:18} {gap}" for name, gap in shown.items()]
    return "\n".join(text)


def _table_columns(lines: Any, given: dict[str, Any], setting: str) -> dict[str, Any]:
    """What is predicted from: the table's own columns, else the options; a setting that is no default is asked for."""
    if setting != DEFAULT:
        _refuse_other_setting(lines, setting)
        given = given | {"setting": setting}
    given = given | ({"intercept": 1.0} if _implied(lines, given) else {})
    given = {name: value for name, value in given.items() if name != "signal" or SPECTRUM[0] not in lines}
    known = (*COLUMNS, *CLASS_RATES, *OTHER_NAMES, *POPULATION, "loss", "setting")
    return {name: lines[name] if name in lines else given[name] for name in known if name in lines or name in given}


def _refuse_other_setting(lines: Any, setting: str) -> None:
    """Raise InputError for a table that speaks of another setting than the option does."""
    if "setting" in lines:
        raise InputError(f"--setting {setting}, but the table has a column setting; leave the option out")
    mine = SETTINGS[setting].columns
    found = [name for name in (*COLUMNS, *CLASS_RATES) if name in lines and name not in (*SHARED, "prior")]
    alien = [name for name in found if name not in (*RECORDED, *mine)]
    if found and (alien or not set(found) & set(mine)):
        found = alien or found
        other = settings_with(found[0])[0].name if found[0] in COLUMNS else DEFAULT
        raise InputError(f"--setting {setting}, but the table has columns of the {other} setting ({', '.join(found)})")
