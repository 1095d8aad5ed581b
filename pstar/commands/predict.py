"""`pstar predict`: one problem from the options, or every line of a table."""

from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import arg

from pstar.commands.options import Json, choice
from pstar.commands.output import on_disk, show
from pstar.float64 import float64
from sims.losses import PREDICTED
from theory.errors import InputError

Rate = Annotated[float | None, arg(metavar="FLOAT")]


def predict(
    setting: Annotated[Literal["independent", "linear"], arg(help="Where label errors come from.")] = "independent",
    p: Annotated[Rate, arg(help="Generator error rate P(y' != y), in [0, 1].")] = None,
    phi: Annotated[Rate, arg(help="P(kept | label correct), in [0, 1].")] = None,
    psi: Annotated[Rate, arg(help="P(kept | label wrong), in [0, 1].")] = None,
    cos_generator: Annotated[Rate, arg(help="cos(g, mu), linear setting.")] = None,
    cos_verifier: Annotated[Rate, arg(help="cos(v, mu), linear setting.")] = None,
    cos_between: Annotated[Rate, arg(help="cos(g, v), linear setting.")] = None,
    signal: Annotated[float, arg(help="r, norm of the class mean.")] = 2.0,
    alpha: Annotated[float, arg(help="n/d, samples generated per dimension.")] = 10.0,
    ridge: Annotated[float, arg(help="L2 penalty relative to the mean loss over kept samples.")] = 0.1,
    loss: Annotated[str, choice(PREDICTED), arg(help="Loss of the trained classifier.")] = "squared",
    table: Annotated[Path | None, arg(metavar="CSV", help="Predict every line of a table instead.")] = None,
    out: Annotated[Path | None, arg(metavar="CSV", help="Where the table goes, with the predictions appended.")] = None,
    json: Json = False,
) -> None:
    """Predict p*, the kept data, and the accuracy of the classifier trained on it.

    One problem from the options, or a table: its columns carry the names of the options (with underscores), any
    subset of them; what is no column is taken from the options.
    """
    given: dict[str, Any] = {"signal": signal, "alpha": alpha, "ridge": ridge, "loss": loss}
    rates = {"p": p, "phi": phi, "psi": psi}
    cosines = {"cos_generator": cos_generator, "cos_verifier": cos_verifier, "cos_between": cos_between}
    mine, foreign = (cosines, rates) if setting == "linear" else (rates, cosines)
    for name, value in foreign.items():
        if value is not None:
            raise InputError(f"--{name.replace('_', '-')} has no meaning in the {setting} setting; see --setting")
    given |= {name: value for name, value in mine.items() if value is not None}
    if table is not None:
        _predict_file(table, out, given, tuple(mine), json)
        return
    if out is not None:
        raise InputError("--out goes with --table")
    missing = [f"--{name.replace('_', '-')}" for name in mine if name not in given]
    if missing:
        raise InputError(f"{', '.join(missing)} missing; the {setting} setting needs all three")
    from sims.comparison.report import prediction
    from theory.describe import describe

    with float64():
        found = describe(given)
    show(found, json, prediction)


def _predict_file(table: Path, out: Path | None, given: dict[str, Any], names: tuple[str, ...], json: bool) -> None:
    """Append predictions to a CSV, in one call."""
    import pandas as pd

    from sims.running.files import write_atomic
    from theory.table import predict_table

    if out is None:
        raise InputError("--table needs --out, where the predictions go")
    try:
        lines = pd.read_csv(table)
    except (OSError, ValueError) as error:
        raise InputError(f"{table} cannot be read as CSV: {error}") from None
    if lines.empty:
        raise InputError(f"{table} has no lines below its header")
    columns = _table_columns(lines, given, names)
    with float64():
        found = predict_table(columns)
    added = {name: values for name, values in found.items() if name not in columns}
    result = lines.assign(**{name if name not in lines else f"predicted_{name}": v for name, v in added.items()})
    with on_disk():
        write_atomic(out, result.to_csv(index=False).encode())
    failed = int((~found["converged"]).sum())
    summary = {"written": str(out), "lines": len(lines), "not_converged": failed}
    show(summary, json, lambda r: f"{r['lines']} lines, {failed} without solution\nwritten: {r['written']}")


def _table_columns(lines: Any, given: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """What is predicted from: the table's own columns (cosines before rates per class before rates), else options."""
    from theory.table import CLASS_RATES, COSINES, RATES, SHARED

    present = [group for group in (COSINES, CLASS_RATES, RATES) if any(name in lines for name in group)]
    if present and names == COSINES and present[0] != COSINES:
        raise InputError("--setting linear, but the table has columns of the independent setting (p, phi, psi)")
    group = present[0] if present else names
    wanted = (*SHARED, "loss", *group, *(("prior",) if group == CLASS_RATES else ()))
    return {name: lines[name] if name in lines else given[name] for name in wanted if name in lines or name in given}
