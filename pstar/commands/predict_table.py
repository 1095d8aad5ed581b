"""`pstar predict --table`: every line of a table is predicted, and the predictions are appended to it."""

import os
from io import BytesIO
from pathlib import Path
from typing import Any

from pstar.commands import predict_classes
from pstar.commands.output import on_disk, show
from sims.running.spreadsheet import csv
from theory.columns import CLASS_RATES, COLUMNS, OTHER_NAMES, POPULATION, RECORDED, SETTINGS, SHARED, SPECTRUM
from theory.columns import settings_with as having
from theory.errors import InputError

DEFAULT = "independent"
OUT = (".csv", ".parquet", "")


def predict_file(
    table: Path,
    out: Path | None,
    given: dict[str, Any],
    setting: str,
    json: bool,
    classes: tuple[int, ...] | None,
    ignored: tuple[str, ...],
) -> None:
    """Append predictions to a table of any kind that `empirical.records` reads, in one call."""
    out = _checked_out(table, out)
    from pstar import table_file
    from sims.running.files import write_atomic
    from theory.table import check_table, predict_table

    with on_disk():
        lines = table_file.read(table, classes is not None, ignored)
    implied = not lines.of_classes and _implied(lines.frame, given)
    if lines.of_classes:
        choose: Any = lambda cells: predict_classes.table_columns(cells, classes or (), given)
        columns, found = lines.predicted(choose, predict_classes.check_table, predict_classes.predict_table)
    else:
        choose = lambda cells: _table_columns(cells, given | ({"intercept": 1.0} if implied else {}), setting)
        columns, found = lines.predicted(choose, check_table, predict_table)
    frame = lines.frame
    if "intercept" in columns and "intercept" not in frame:
        frame = frame.assign(intercept=columns["intercept"])  # so that the table says it when it is read again
    result, replaced = _with_results(frame, columns, found)
    with on_disk():
        write_atomic(out, _written(result, out))
    failed = found["status"][~found["converged"]]
    summary = {"written": str(out), "lines": len(frame), "not_converged": len(failed)}
    summary["statuses"] = {str(why): int((failed == why).sum()) for why in dict.fromkeys(failed)}
    summary |= {"differences": replaced, "intercept_from": "offset" if implied else None, "notes": list(lines.notes)}
    show(summary, json, _text)


def _checked_out(table: Path, out: Path | None) -> Path:
    """Raise InputError for a place where nothing can be written, or something would be lost."""
    if out is None:
        raise InputError("--table needs --out, where the predictions go")
    if out.absolute() == table.absolute() or (out.exists() and table.exists() and os.path.samefile(out, table)):
        raise InputError(f"--out {out} is the table itself, which stays as it is; give another file")
    if out.suffix.lower() not in OUT:
        raise InputError(f"--out {out} ends in {out.suffix!r}; predictions are written as .csv or .parquet")
    if not out.absolute().parent.is_dir():
        raise InputError(f"--out {out}: there is no folder {out.parent}; make it first")
    return out


def _written(result: Any, out: Path) -> bytes:
    """As CSV, or as Parquet where the name says so."""
    if out.suffix.lower() != ".parquet":
        return csv(result).encode()
    buffer = BytesIO()
    result.to_parquet(buffer, index=False)
    return buffer.getvalue()


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


def _text(result: dict[str, Any]) -> str:
    why = ", ".join(f"{count} {status}" for status, count in result["statuses"].items())
    failed = f"{result['not_converged']} without solution{f' ({why})' if why else ''}"
    text = [f"{result['lines']} lines, {failed}", f"written: {result['written']}"]
    text += [f"note: {note}" for note in result["notes"]]
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
        other = having(found[0])[0].name if found[0] in COLUMNS else DEFAULT
        raise InputError(f"--setting {setting}, but the table has columns of the {other} setting ({', '.join(found)})")
