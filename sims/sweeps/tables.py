"""What a sweep file may hold: its tables as frozen dataclasses, the settings' columns taken from the vocabulary."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, make_dataclass
from typing import Any, ClassVar

from sims.losses import LOSSES, METHODS, PREDICTED
from sims.running.toml import PerClass, Range, choices, flags, grid, pairs, single
from sims.sweeps.spectra import spectra
from theory.columns import COLUMNS, POPULATION_MEANINGS, SETTINGS, Setting, settings_with
from theory.types import Spectrum


def _declared(table: str) -> list[tuple[str, Any, Any]]:
    """The settings' own columns that stand in a table of a sweep file, as fields that are left out by default."""
    found = []
    for name, column in COLUMNS.items():
        users = settings_with(name)
        if column.table == table and users:
            names = ", ".join(setting.name for setting in users)
            meaning = f"{column.meaning}, {names} setting{'s' if len(users) > 1 else ''}"
            sided = any(setting.by_class for setting in users)
            found.append((name, Any, grid(allowed(name), meaning, per_class=sided, default=None)))
    return found


def allowed(name: str) -> Range:
    """The numbers that a column can be."""
    column = COLUMNS[name]
    return Range(column.low, column.high, open_low=column.open_low)


SIGNAL, DEFAULT_SIGNAL = Range(0, 1e6, open_low=True), (2.0,)


@dataclass(frozen=True, kw_only=True)
class _Problem:
    setting: str = choices(
        tuple(SETTINGS), "where label errors come from (THEORY §2)", default="independent", many=False
    )
    d: tuple[int, ...] = grid(Range(1, 1_000_000, integer=True), "dimension", default=(100,))
    signal: tuple[float, ...] = grid(SIGNAL, COLUMNS["signal"].meaning, default=None)  # 2.0 without a spectrum
    spectrum: tuple[Spectrum, ...] | None = spectra(
        "coloured features in the place of signal, independent setting: a table of lists, a power law, or a CSV file"
    )
    alpha: tuple[float, ...] = grid(Range(0, 1e6, open_low=True), COLUMNS["alpha"].meaning)
    prior: float = single(allowed("prior"), "P(y = +1), independent setting", default=0.5)


def _table(name: str, bases: tuple[type, ...] = (), more: Iterable[tuple[str, Any, Any]] = ()) -> Any:
    """[name] as a dataclass: the fields of ``bases``, then the settings' own columns."""
    fields = [*_declared(name), *more]
    return make_dataclass(f"{name.title()}Table", fields, bases=bases, frozen=True, kw_only=True)


ProblemTable = _table("problem", (_Problem,))
"""[problem]: the population and the sizes."""

GeneratorTable = _table("generator")
"""[generator]: the labels."""

PAIRS = "explicit [phi, psi] (with cosines: [cos_verifier, cos_between]) instead of every combination"
VerifierTable = _table("verifier", more=[("pairs", Any, pairs(PAIRS))])
"""[verifier]: what is kept."""


@dataclass(frozen=True, kw_only=True)
class TrainingTable:
    """[training]: the classifier."""

    loss: tuple[str, ...] = choices(PREDICTED, "loss of the trained classifier", default=LOSSES, many=True)
    ridge: tuple[float, ...] = grid(Range(0, 1e12), COLUMNS["ridge"].meaning)
    intercept: tuple[bool, ...] | None = flags(f"{POPULATION_MEANINGS['intercept'].lower()}, independent setting")


@dataclass(frozen=True, kw_only=True)
class RunTable:
    """[run]: by which method, how often, and from which root seed."""

    retired: ClassVar[dict[str, str]] = {
        "draws": "is gone, as draws in float64 are now quicker than those in float32 were; remove the line"
    }

    method: str = choices(
        METHODS,
        "simulate trials, draw their rows from the exact law without data (squared loss; any d), or put the "
        "exact theory in their place (one row per cell)",
        default="simulation",
        many=False,
    )
    seeds: int = single(Range(1, 10_000_000, integer=True), "independent trials per cell", default=32)
    root_seed: int = single(Range(0, 2**31 - 1, integer=True), "root of all random numbers", default=0)


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """A whole sweep file. `config.load` and `config.parse` are the ways to make a checked one."""

    problem: Any
    generator: Any
    verifier: Any
    training: TrainingTable
    run: RunTable

    @property
    def trials(self) -> int:
        """Rows per cell: the seeds, or one where the exact theory stands in for them."""
        return 1 if self.run.method == "theory" else self.run.seeds

    @property
    def setting(self) -> Setting:
        """Where label errors come from."""
        return SETTINGS[self.problem.setting]

    def verifiers(self) -> tuple[tuple[float | PerClass, float | PerClass], ...]:
        """The (phi, psi), or (cos_verifier, cos_between), pairs of the sweep, in order."""
        if self.verifier.pairs is not None:
            found: tuple[tuple[float | PerClass, float | PerClass], ...] = self.verifier.pairs
            return found
        first, second = (self.values(name) for name in self.setting.verifier)
        return tuple((a, b) for a in first for b in second)

    def values(self, name: str) -> tuple[Any, ...]:
        """The grid of one of the setting's own columns."""
        found: tuple[Any, ...] = getattr(getattr(self, COLUMNS[name].table), name)
        return found


TABLES = {"problem": ProblemTable, "generator": GeneratorTable, "verifier": VerifierTable}
TABLES |= {"training": TrainingTable, "run": RunTable}


def size(config: SweepConfig) -> int:
    """How many cells the grid has, without making any."""
    problem, training, verifier, setting = config.problem, config.training, config.verifier, config.setting
    signals = problem.signal if problem.spectrum is None else problem.spectrum
    lists = [training.loss, problem.d, problem.alpha, training.intercept or (None,), signals, training.ridge]
    lists += [config.values(name) for name in (*setting.others, setting.generator)]
    lists += [config.values(name) for name in setting.verifier] if verifier.pairs is None else [verifier.pairs]
    return math.prod(map(len, lists))


def axes(config: SweepConfig) -> tuple[tuple[Any, ...], ...]:
    """The axes of the grid in nesting order, the generator's fastest; further columns of the setting are one axis.

    The first four are shapes.
    """
    problem, training, setting = config.problem, config.training, config.setting
    others = tuple(itertools.product(*(config.values(name) for name in setting.others)))
    signals = problem.signal if problem.spectrum is None else problem.spectrum
    shared = (training.loss, problem.d, problem.alpha, training.intercept or (None,), signals, training.ridge)
    return (*shared, others, config.verifiers(), config.values(setting.generator))
