"""`pstar predict --classes`: one problem with K classes from the options, or every line of a table."""

from collections.abc import Mapping
from typing import Any

from theory.columns import RATES
from theory.errors import InputError

OPTIONS = ("signal", "alpha", "ridge", "loss", "intercept", *RATES)
"""Options that have a meaning for K classes."""


def number_of(classes: tuple[int, ...]) -> int | None:
    """K, where one number stands after --classes; none does where a table says it."""
    if len(classes) > 1:
        raise InputError(f"--classes {' '.join(map(str, classes))}: one K at a time; for several give --table")
    return classes[0] if classes else None


def described(classes: tuple[int, ...], given: dict[str, Any]) -> dict[str, Any]:
    """Everything about one problem. Raises InputError for options that are missing or have no meaning here."""
    from theory.classes.describe import describe
    from theory.types import ClassesProblem, Rates

    k = number_of(classes)
    if k is None:
        raise InputError("--classes needs K, the number of classes (as in --classes 10), unless there is a --table")
    alien = [name for name in given if name not in OPTIONS]
    if alien:
        raise InputError(f"--{alien[0].replace('_', '-')} has no meaning with --classes")
    missing = [name for name in RATES if name not in given]
    if missing:
        raise InputError(f"{', '.join(f'--{name}' for name in missing)} missing; --classes needs --p, --phi, --psi")
    problem = ClassesProblem(given["signal"], Rates(*(given[name] for name in RATES)), given["ridge"])
    return describe(problem, given["alpha"], given["loss"], classes=k, intercept="intercept" in given)


def table_columns(lines: Any, classes: tuple[int, ...], given: dict[str, Any]) -> dict[str, Any]:
    """What is predicted from: the table's own columns, else the options; ``delta`` and a Gram matrix stand for two."""
    from theory.classes.table import COLUMN_NAMES

    k = number_of(classes)
    options = {name: value for name, value in given.items() if name in OPTIONS} | ({} if k is None else {"classes": k})
    if "delta" in lines:
        options.pop("alpha", None)
    if "gram" in lines and not lines["gram"].astype(str).str.isalpha().any():  # numbers, which need no norm
        options.pop("signal", None)
    if "label" in lines:
        options = {name: value for name, value in options.items() if name not in RATES}
    return {
        name: lines[name] if name in lines else options[name]
        for name in COLUMN_NAMES
        if name in lines or name in options
    }


def predict_table(columns: Mapping[str, Any]) -> dict[str, Any]:
    """`theory.classes.table.predict_table`, imported when it is asked."""
    from theory.classes.table import predict_table

    return predict_table(columns)


def check_table(columns: Mapping[str, Any]) -> None:
    """`theory.classes.table.check_table`, likewise."""
    from theory.classes.table import check_table

    check_table(columns)
