"""Simulation for a notebook: trials and sweeps in float64 whatever JAX is set to, with seeds instead of JAX's keys."""

import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import jax
import numpy as np
import pandas as pd

from pstar.float64 import float64
from pstar.numbers import plain
from pstar.predicting import checked
from sims.comparison.tables import read_rows
from sims.losses import LOSSES, Loss
from sims.measure import Measurement
from sims.spectra import check_spectrum
from sims.sweeps.rows import schema
from sims.sweeps.store import table_of
from theory.columns import SETTINGS, setting_of
from theory.errors import InputError, KindError, RunError
from theory.settings import check_problem
from theory.types import Problem, Spectrum

if TYPE_CHECKING:
    from sims.comparison.compare import Comparison
    from sims.sweeps.tables import SweepConfig


def trial(problem: Problem, n: int, d: int, loss: Loss = "squared", seed: int = 0) -> Measurement:
    """Train one classifier on verified synthetic data and measure it.

    Args:
        problem: single numbers; for many of them see `sweep`. A `Spectrum` as signal and an intercept go with Rates and
            ClassRates.
        n: samples generated, at least 1.
        d: dimension, at least 1 (3 where directions have cosines).
        loss: "squared" or "logistic".
        seed: of all random numbers, 0 or more.

    Raises:
        InputError: a number outside its range, an array, or an unknown loss.
    """
    given = checked(problem)
    check_problem(given)
    least = SETTINGS[given.curation.setting].least_d
    for name, value, low in (("n", n, 1), ("d", d, least), ("seed", seed, 0)):
        if not isinstance(value, (int, np.integer)) or not low <= value < 2**31:
            raise InputError(f"{name} = {value!r} must be a whole number of at least {low}")
    if loss not in LOSSES:
        raise InputError(f"loss = {loss!r} must be one of {', '.join(LOSSES)}")
    depth = 1 if hasattr(given.curation, "prior") else 0
    spectrum = given.signal if isinstance(given.signal, Spectrum) else None
    signals = [np.ndim(given.signal) > 0] if spectrum is None else [np.ndim(level) > 1 for level in spectrum]
    if any(np.ndim(value) > depth for value in given.curation) or any(signals) or np.ndim(given.ridge):
        raise InputError("a trial is of one problem, and this one holds arrays; call it for each, or use sweep")
    if spectrum is not None:
        check_spectrum(spectrum, d)
    with float64():
        run = _compiled(n, d, loss, bool(given.intercept))
        found: Measurement = plain(run(jax.random.key(seed), given._replace(intercept=None)))
    return found


@cache
def _compiled(n: int, d: int, loss: Loss, intercept: bool) -> Callable[..., Measurement]:
    from sims.trial import trial

    return jax.jit(lambda key, problem: trial(key, problem._replace(intercept=intercept), n=n, d=d, loss=loss))


def sweep(
    what: str | Path | Mapping[str, Any],
    out: str | Path | None = None,
    *,
    workers: int | None = None,
    memory: str | None = None,
    device: Literal["auto", "cpu", "gpu"] = "auto",
    scheduler: str | None = None,
) -> pd.DataFrame:
    """Simulate a sweep; returns its raw rows, one per trial.

    Args:
        what: path of a sweep file, or its content as nested dictionaries.
        out: result folder or URL, created, or continued where it left off; None computes in this process and stores
            nothing. The other arguments go with it.
        workers: processes, each with one thread; default one per core or GPU.
        memory: for all workers together, as "8GB"; default half of what is free.
        device: "auto" is the GPU where JAX would see one.
        scheduler: address of a Dask scheduler, tcp://HOST:8786, or "local".

    Raises:
        InputError: a sweep that is refused, with every fault at once.
        RunError: a folder of another sweep, or trials that could not be computed.
    """
    from sims.sweeps.config import load, parse

    config = parse(dict(what)) if isinstance(what, Mapping) else load(what)
    if out is None:
        given = {"workers": workers, "memory": memory, "scheduler": scheduler}
        named = [name for name, value in given.items() if value is not None]
        if named or device != "auto":
            raise InputError(
                f"{', '.join(named) or 'device'} goes with out, the result folder; without it, leave it out"
            )
        return _here(config)
    from sims.running.machine import Resources, parse_bytes

    resources = Resources(workers, None if memory is None else parse_bytes(memory), device, scheduler)
    return _stored(config, out, resources)


def _here(config: "SweepConfig") -> pd.DataFrame:
    """In this process, the rows in the order of a result folder: by cell, then by seed."""
    from sims.sweeps.grid import cells
    from sims.sweeps.memory import compute

    with float64():
        rows = compute(config, "simulating").to_pandas()
    place = rows["cell"].map({name: index for index, name in enumerate(cells(config))})
    return rows.iloc[np.lexsort((rows["seed"], place))].reset_index(drop=True)


def _stored(config: "SweepConfig", out: str | Path, resources: Any) -> pd.DataFrame:
    from sims.sweeps import run as sweeps
    from sims.sweeps.outlook import plan

    outlook = plan(config, out)
    _, fewer = sweeps.hire(outlook, resources)
    for line in (*outlook.warnings, *filter(None, [fewer])):
        warnings.warn(line, stacklevel=3)
    with float64():  # for what is seen by this process alone, and so computed here
        outcome = sweeps.run(config, out, resources, outlook)
    if outcome.set_aside:
        aside = "\n".join(f"  {job}" for job in outcome.set_aside)
        raise RunError(f"set aside after three failures each (the rest is kept; call it again):\n{aside}")
    return table_of(outcome.store.read_rows()).to_pandas()


def compare(sweep: pd.DataFrame | str | Path) -> "Comparison":
    """A finished sweep beside what theory says of it; nothing is fitted.

    Args:
        sweep: its raw rows, or its result folder.

    Raises:
        InputError: rows that lack a column. RunError: a folder without rows, or damaged ones.
    """
    from sims.comparison.compare import compare

    if isinstance(sweep, (str, Path)):
        sweep = read_rows(Path(sweep))
    if not isinstance(sweep, pd.DataFrame):
        raise KindError(f"compare takes the rows of a sweep or its folder, not {type(sweep).__name__}")
    named = str(sweep["setting"].iloc[0]) if "setting" in sweep and not sweep.empty else ""
    missing = [name for name in schema(setting_of([], named).name).names if name not in sweep]
    if missing or sweep.empty:
        lacking = f"the rows have no column {missing[0]!r}" if missing else "there are no rows"
        raise InputError(f"{lacking}; give what `sweep` returns, as it is")
    return compare(sweep)
