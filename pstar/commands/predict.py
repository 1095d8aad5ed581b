"""`pstar predict`: one problem from the options, or every line of a table; options are columns of the vocabulary."""

import inspect
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from pstar.commands import predict_classes
from pstar.commands.options import Json, choice, flag
from pstar.commands.output import on_disk, one_thread, show
from sims.losses import PREDICTED
from theory.columns import CLASS_RATES, COLUMNS, RECORDED, SETTINGS, SHARED, Column, settings_with
from theory.errors import InputError

DEFAULT = "independent"
SHARED_DEFAULTS = {"signal": 2.0, "alpha": 10.0, "ridge": 0.1}


def predict(
    setting: str,
    loss: str,
    classes: tuple[int, ...] | None,
    table: Path | None,
    out: Path | None,
    json: bool,
    **numbers: float | None,
) -> None:
    """Predict p*, the kept data, and the accuracy of the classifier trained on it.

    One problem from the options, or a table: its columns carry the names of the options (with underscores), any
    subset of them; what is no column is taken from the options.
    """
    one_thread()
    own = SETTINGS[setting].columns
    given: dict[str, Any] = {name: value for name, value in numbers.items() if value is not None} | {"loss": loss}
    if table is not None:
        _predict_file(table, out, given, setting, json, classes)
        return
    for name in given:
        if name in COLUMNS and name not in (*SHARED, *own):
            raise InputError(f"{flag(name)} has no meaning in the {setting} setting; see --setting")
    if out is not None:
        raise InputError("--out goes with --table")
    if classes is not None:
        from theory.classes.describe import text as text_of_classes

        show(predict_classes.described(classes, given), json, text_of_classes)
        return
    missing = [flag(name) for name in own if name not in given]
    if missing:
        needed = ", ".join(map(flag, own))
        raise InputError(f"{', '.join(missing)} missing; the {setting} setting needs {needed}")
    from theory.describe import describe, text

    show(describe(given | {"setting": setting}), json, text)


def _option(column: Column) -> inspect.Parameter:
    """A number of the command line; those of settings are left out by default."""
    ends = (
        f"{'(' if column.open_low else '['}{column.low:g}, {column.high:g}{')' if column.high == float('inf') else ']'}"
    )
    users = ", ".join(setting.name for setting in settings_with(column.name))
    about = f"{column.meaning}, in {ends}{f'; {users}' if users else ''}."
    kind: Any = Annotated[float, arg(help=about)]
    if users:
        kind = Annotated[float | None, arg(metavar="FLOAT", help=about)]
    return _parameter(column.name, kind, SHARED_DEFAULTS.get(column.name))


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
    return inspect.Signature(
        [_parameter("setting", where, DEFAULT), *own, *shared, *(_parameter(*each) for each in rest)]
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
    from theory.table import predict_table

    if out is None:
        raise InputError("--table needs --out, where the predictions go")
    if not out.absolute().parent.is_dir():
        raise InputError(f"--out {out}: there is no folder {out.parent}; make it first")
    try:
        lines = pd.read_csv(table)
    except (OSError, ValueError) as error:
        raise InputError(f"{table} cannot be read as CSV: {error}") from None
    if lines.empty:
        raise InputError(f"{table} has no lines below its header")
    if classes is not None:
        columns = predict_classes.table_columns(lines, classes, given)
        found = predict_classes.predict_table(columns)
    else:
        columns = _table_columns(lines, given, setting)
        found = predict_table(columns)
    added = {name: values for name, values in found.items() if not _is_given(columns.get(name), values)}
    result = lines.assign(**{name if name not in lines else f"predicted_{name}": v for name, v in added.items()})
    with on_disk():
        write_atomic(out, result.to_csv(index=False).encode())
    failed = found["status"][~found["converged"]]
    summary = {"written": str(out), "lines": len(lines), "not_converged": len(failed)}
    summary["statuses"] = {str(why): int((failed == why).sum()) for why in dict.fromkeys(failed)}
    show(summary, json, _file_text)


def _is_given(column: Any, values: Any) -> bool:
    """Whether a column of the table says the same as the prediction; lines of a setting with other columns may not."""
    return column is not None and bool((column == values).all())


def _file_text(result: dict[str, Any]) -> str:
    why = ", ".join(f"{count} {status}" for status, count in result["statuses"].items())
    failed = f"{result['not_converged']} without solution{f' ({why})' if why else ''}"
    return f"{result['lines']} lines, {failed}\nwritten: {result['written']}"


def _table_columns(lines: Any, given: dict[str, Any], setting: str) -> dict[str, Any]:
    """What is predicted from: the table's own columns, else the options; a setting that is no default is asked for."""
    if setting != DEFAULT:
        _refuse_other_setting(lines, setting)
        given = given | {"setting": setting}
    known = (*COLUMNS, *CLASS_RATES, "loss", "setting")
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
