"""Sweep files: strict TOML into frozen dataclasses, every fault reported at once.

A value outside its range, an unknown key or an impossible combination is refused with the key's path, the
value, the allowed range and the remedy, before anything runs.
"""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sims.losses import DRAWS, LOSSES, METHODS, PREDICTED
from sims.running.toml import PerClass, Range, choices, grid, pairs, read_tables, read_toml, read_value, single

MAX_CELLS = 10_000_000
MIN_RIDGE = 1e-6
"""Least ridge of the exact law: below, the number of blocks that it takes grows beyond what is tried."""
MAX_LINEAR = 10_000_000
"""Largest n of the exact law in the linear setting, where a draw takes n times three numbers."""
MAX_LINEAR_SIGNAL = 1e3
"""Largest signal there: the Gram matrix of the special columns loses digits with its square."""
MOST_OF_A_KIND = 5
PROBABILITY = Range(0, 1)
COSINE = Range(-1, 1)


@dataclass(frozen=True, kw_only=True)
class ProblemTable:
    """[problem]: the population and the sizes."""

    setting: str = choices(
        ("independent", "linear"),
        "where label errors come from (THEORY §2)",
        default="independent",
        many=False,
    )
    d: tuple[int, ...] = grid(Range(1, 1_000_000, integer=True), "dimension", default=(100,))
    signal: tuple[float, ...] = grid(Range(0, 1e6, open_low=True), "r = ||mu||", default=(2.0,))
    alpha: tuple[float, ...] = grid(Range(0, 1e6, open_low=True), "n/d, samples generated per dimension")
    prior: float = single(PROBABILITY, "P(y = +1), independent setting", default=0.5)


@dataclass(frozen=True, kw_only=True)
class GeneratorTable:
    """[generator]: the labels."""

    p: tuple[float | PerClass, ...] | None = grid(
        PROBABILITY, "error rate P(y' != y), independent setting", per_class=True, default=None
    )
    cos_generator: tuple[float, ...] | None = grid(COSINE, "cos(g, mu), linear setting", default=None)


@dataclass(frozen=True, kw_only=True)
class VerifierTable:
    """[verifier]: what is kept."""

    phi: tuple[float | PerClass, ...] | None = grid(
        PROBABILITY, "P(kept | label correct), independent setting", per_class=True, default=None
    )
    psi: tuple[float | PerClass, ...] | None = grid(
        PROBABILITY, "P(kept | label wrong), independent setting", per_class=True, default=None
    )
    cos_verifier: tuple[float, ...] | None = grid(COSINE, "cos(v, mu), linear setting", default=None)
    cos_between: tuple[float, ...] | None = grid(COSINE, "cos(g, v), linear setting", default=None)
    pairs: tuple[tuple[float | PerClass, float | PerClass], ...] | None = pairs(
        "explicit [phi, psi] (linear setting: [cos_verifier, cos_between]) instead of every combination"
    )


@dataclass(frozen=True, kw_only=True)
class TrainingTable:
    """[training]: the classifier."""

    loss: tuple[str, ...] = choices(PREDICTED, "loss of the trained classifier", default=LOSSES, many=True)
    ridge: tuple[float, ...] = grid(Range(0, 1e12), "L2 penalty relative to the mean over kept samples")


@dataclass(frozen=True, kw_only=True)
class RunTable:
    """[run]: by which method, how often, and from which root seed."""

    method: str = choices(
        METHODS,
        "simulate trials, draw their rows from the exact law without data (squared loss; any d), or put the "
        "exact theory in their place (one row per cell)",
        default="simulation",
        many=False,
    )
    draws: str = choices(
        DRAWS,
        "resolution of the simulated normal random numbers; float32 halves the time",
        default="float64",
        many=False,
    )
    seeds: int = single(Range(1, 10_000_000, integer=True), "independent trials per cell", default=32)
    root_seed: int = single(Range(0, 2**31 - 1, integer=True), "root of all random numbers", default=0)


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """A whole sweep file. `load` and `parse` are the ways to make a checked one."""

    problem: ProblemTable
    generator: GeneratorTable
    verifier: VerifierTable
    training: TrainingTable
    run: RunTable

    @property
    def trials(self) -> int:
        """Rows per cell: the seeds, or one where the exact theory stands in for them."""
        return 1 if self.run.method == "theory" else self.run.seeds

    def verifiers(self) -> tuple[tuple[float | PerClass, float | PerClass], ...]:
        """The (phi, psi), or (cos_verifier, cos_between), pairs of the sweep, in order."""
        if self.verifier.pairs is not None:
            return self.verifier.pairs
        if self.problem.setting == "independent":
            first, second = self.verifier.phi, self.verifier.psi
        else:
            first, second = self.verifier.cos_verifier, self.verifier.cos_between
        assert first is not None and second is not None
        return tuple((a, b) for a in first for b in second)


TABLES = {"problem": ProblemTable, "generator": GeneratorTable, "verifier": VerifierTable}
TABLES |= {"training": TrainingTable, "run": RunTable}


def load(path: str | Path) -> SweepConfig:
    """Read and check a sweep file.

    Raises:
        ConfigError: the file is missing, not TOML, or refused; all faults are listed.
    """
    remedy = "; `sweeps/phase_diagram.toml` is one to start from"
    return parse(read_toml(Path(path), str(path), remedy), source=str(path))


def parse(document: dict[str, Any], source: str = "sweep") -> SweepConfig:
    """Check a sweep given as nested dictionaries (the content of a TOML file).

    Raises:
        ConfigError: with every fault at once.
    """
    return SweepConfig(**read_tables(document, TABLES, source, _cross_faults))


def _cross_faults(read: dict[str, dict[str, Any]]) -> list[str]:
    """Faults that only show across keys: what the setting needs, impossible pairs, empty samples."""
    faults: list[str] = []
    problem, generator, verifier = read["problem"], read["generator"], read["verifier"]
    independent = problem["setting"] == "independent"
    names = ("phi", "psi") if independent else ("cos_verifier", "cos_between")
    needed = [("generator", generator, "p" if independent else "cos_generator")]
    foreign = [("generator", generator, "cos_generator" if independent else "p")]
    if verifier["pairs"] is None:
        needed += [("verifier", verifier, name) for name in names]
    else:
        faults += [
            f"verifier.{name}: given beside verifier.pairs; give one or the other"
            for name in names
            if verifier[name] is not None
        ]
    other = ("cos_verifier", "cos_between") if independent else ("phi", "psi")
    foreign += [("verifier", verifier, name) for name in other]
    for table, values, key in needed:
        if values[key] is None:
            meaning = next(f for f in fields(TABLES[table]) if f.name == key).metadata["meaning"]
            faults.append(f"{table}.{key}: missing in the {problem['setting']} setting; it is {meaning}")
    for table, values, key in foreign:
        if values[key] is not None:
            faults.append(f"{table}.{key}: has no meaning in the {problem['setting']} setting; remove it")
    if verifier["pairs"] is not None:
        verifier["pairs"] = _check_pairs(verifier["pairs"], names, independent, faults)
    faults += _method_faults(read["run"], read["training"])
    if faults:
        return faults

    config = SweepConfig(**{name: kind(**read[name]) for name, kind in TABLES.items()})
    count = _count_cells(config, names)
    if count > MAX_CELLS:
        return [f"the grid has {count:,} cells; at most {MAX_CELLS:,}. Split it over several files"]
    faults += _independent_faults(config) if independent else _linear_faults(config)
    faults += _few(
        f"problem.alpha = {alpha:g} with problem.d = {d}: n = round(alpha d) < 1; raise either"
        for alpha in config.problem.alpha
        for d in config.problem.d
        if round(alpha * d) < 1
    )
    return faults


def _method_faults(run: dict[str, Any], training: dict[str, Any]) -> list[str]:
    """What the method cannot do."""
    method, exact = run["method"], run["method"] == "exact-law"
    known = {"simulation": LOSSES, "exact-law": ("squared",), "theory": PREDICTED}[method]
    faults = [
        f"training.loss = {loss!r}: with run.method = {method!r} only {' and '.join(known)} "
        f"{'is' if len(known) == 1 else 'are'} known"
        for loss in training["loss"]
        if loss not in known
    ]
    if exact:
        faults += _few(
            f"training.ridge = {ridge:g}: run.method = 'exact-law' needs at least {MIN_RIDGE:g}; raise it or simulate"
            for ridge in training["ridge"]
            if ridge < MIN_RIDGE
        )
    if run["draws"] != "float64" and method != "simulation":
        faults.append(f"run.draws = {run['draws']!r}: run.method = {method!r} draws no data; remove it")
    return faults


def _few(faults: Iterable[str]) -> list[str]:
    """The first faults of a kind, of which a grid may hold millions."""
    shown = list(itertools.islice(faults, MOST_OF_A_KIND + 1))
    return [*shown[:MOST_OF_A_KIND], "... and more like it"] if len(shown) > MOST_OF_A_KIND else shown


def _count_cells(config: SweepConfig, names: tuple[str, str]) -> int:
    """Size of the grid without building it: two long axes alone would fill the memory."""
    verifier, training, problem = config.verifier, config.training, config.problem
    rates = [verifier.pairs] if verifier.pairs is not None else [getattr(verifier, name) for name in names]
    generator = config.generator.p if config.generator.p is not None else config.generator.cos_generator
    axes: list[Any] = [training.loss, problem.d, problem.alpha, problem.signal, training.ridge, generator, *rates]
    return math.prod(map(len, axes))


def _check_pairs(raw: Any, names: tuple[str, str], independent: bool, faults: list[str]) -> tuple[Any, ...]:
    checked = []
    for i, pair in enumerate(raw):
        about = {"range": PROBABILITY if independent else COSINE, "meaning": "", "per_class": independent}
        values = []
        for name, entry in zip(names, pair, strict=True):
            entry = list(entry) if isinstance(entry, tuple) else entry
            values.append(read_value(f"verifier.pairs[{i}].{name}", entry, about | {"meaning": name}, faults))
        checked.append(tuple(values))
    return tuple(dict.fromkeys(checked))


def _independent_faults(config: SweepConfig) -> list[str]:
    def zero(rate: Any) -> bool:
        return rate == 0 or rate == (0, 0)

    return [
        "verifier.phi = 0 with verifier.psi = 0: such a verifier keeps nothing; make one of them positive"
        for phi, psi in config.verifiers()
        if zero(phi) and zero(psi)
    ][:1]


def _linear_faults(config: SweepConfig) -> list[str]:
    faults = []
    if config.problem.prior != 0.5:
        faults.append(f"problem.prior = {config.problem.prior:g}: the linear setting has equal classes; remove it")
    faults += _few(
        f"problem.d = {d}: the linear setting needs d >= 3, room for three directions"
        for d in config.problem.d
        if d < 3
    )
    if config.run.method == "exact-law":
        faults += _few(
            f"problem.alpha = {alpha:g} with problem.d = {d}: in the linear setting run.method = 'exact-law' takes n = "
            f"round(alpha d) up to {MAX_LINEAR:,}; lower either"
            for alpha in config.problem.alpha
            for d in config.problem.d
            if round(alpha * d) > MAX_LINEAR
        )
        faults += _few(
            f"problem.signal = {signal:g}: in the linear setting run.method = 'exact-law' takes at most "
            f"{MAX_LINEAR_SIGNAL:g}; lower it"
            for signal in config.problem.signal
            if signal > MAX_LINEAR_SIGNAL
        )
    triples = ((g, v, b) for g in config.generator.cos_generator or () for v, b in config.verifiers())
    return faults + _few(fault for triple in triples if (fault := _impossible(*triple)))


def _impossible(g: float, v: Any, b: Any) -> str:
    """Why three cosines belong to no three unit vectors; empty where they do."""
    if 1 + 2 * g * v * b - g**2 - v**2 - b**2 >= -1e-12:
        return ""
    spread = math.sqrt((1 - g**2) * (1 - v**2))
    return (
        f"generator.cos_generator = {g:g}, verifier.cos_verifier = {v:g}, verifier.cos_between = {b:g}: no three "
        f"unit vectors have these cosines; with the first two, cos_between is in "
        f"[{g * v - spread:.6g}, {g * v + spread:.6g}] (use verifier.pairs to list only possible ones)"
    )


def axes(config: SweepConfig) -> tuple[tuple[Any, ...], ...]:
    """The axes of the grid in nesting order, the generator's fastest."""
    generator = config.generator.p if config.problem.setting == "independent" else config.generator.cos_generator
    assert generator is not None
    problem, training = config.problem, config.training
    return (
        training.loss,
        problem.d,
        problem.alpha,
        problem.signal,
        training.ridge,
        config.verifiers(),
        generator,
    )
