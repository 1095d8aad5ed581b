"""Studies: one question each, answered by tables that theory and simulation fill side by side.

A study is a module here with ``tables(seeds) -> dict[str, DataFrame]`` and a figure of the same name in `figures`
that draws them; a table ``findings`` says in words what came out, one sentence a line. ``seeds`` is the number of
independent trials behind every simulated point. Like `sims.comparison`, and unlike the rest of `sims`, studies may
import all of `theory`.
"""

from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import pandas as pd

from sims.comparison.cells import summarise
from sims.sweeps.config import parse
from theory.errors import InputError

NAMES: tuple[str, ...] = (
    "sharpening",
    "roc",
    "classes",
    "rounds",
    "trust",
    "intercept",
    "equal_worth",
    "poster",
)


def check_name(name: str, more: Iterable[str] = ()) -> None:
    """Raise ValueError for a study that does not exist, naming those that do: here, and ``more`` elsewhere."""
    if name not in (*NAMES, *more):
        raise InputError(f"study {name!r} does not exist; choose from {', '.join((*NAMES, *more))}")


def run(name: str, seeds: int, more: Mapping[str, str] = MappingProxyType({})) -> dict[str, pd.DataFrame]:
    """Tables of a study; ``more`` has the modules of studies elsewhere.

    Raises ValueError for an unknown name or seeds < 2.
    """
    check_name(name, more)
    if seeds < 2:
        raise InputError(f"seeds = {seeds} must be at least 2, or there is no interval")
    tables: dict[str, pd.DataFrame] = import_module(more.get(name, f"sims.studies.{name}")).tables(seeds)
    return tables


def simulate(document: dict[str, Any], label: str = "simulation") -> pd.DataFrame:
    """Measured cells of a sweep given as the content of a sweep file, computed in this process and not stored.

    ``label`` is what the progress on standard error is called.
    """
    from sims.sweeps.memory import compute

    return summarise(compute(parse(document), label).to_pandas())
