"""Reading sweep files: every fault reported at once.

A value outside its range, an unknown key or an impossible combination is refused with the key's path, the
value, the allowed range and the remedy, before anything runs.
"""

import itertools
import math
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from sims.losses import LOSSES, PREDICTED
from sims.running.toml import read_tables, read_toml, read_value
from sims.running.twins import merged
from sims.spectra import room_fault
from sims.sweeps.spectra import beside
from sims.sweeps.tables import DEFAULT_SIGNAL, TABLES, SweepConfig, allowed, size
from theory.columns import COLUMNS, COSINES, EXACT_LAW, SETTINGS, Setting, settings_with
from theory.decimals import between, typed

MAX_CELLS = 10_000_000
MIN_RIDGE = 1e-6
"""Least ridge of the exact law: below, the number of blocks that it takes grows beyond what is tried."""
MAX_LINEAR = 10_000_000
"""Largest n of the exact law in the linear setting, where a draw takes n times three numbers."""
MAX_LINEAR_SIGNAL = 1e3
"""Largest signal there: the Gram matrix of the special columns loses digits with its square."""
MOST_OF_A_KIND = 5


def load(path: str | Path) -> SweepConfig:
    """Read and check a sweep file.

    Raises:
        ConfigError: the file is missing, not TOML, or refused; all faults are listed.
    """
    remedy = "; pstar init DIR writes one to start from, DIR/sweep.toml"
    document = read_toml(Path(path), str(path), remedy)
    return parse(beside(document, Path(path).parent), source=str(path))


def parse(document: dict[str, Any], source: str = "sweep") -> SweepConfig:
    """Check a sweep given as nested dictionaries (the content of a TOML file).

    Raises:
        ConfigError: with every fault at once.
    """
    return SweepConfig(**read_tables(document, TABLES, source, _cross_faults))


def _cross_faults(read: dict[str, dict[str, Any]]) -> list[str]:
    """Faults that only show across keys: what the setting needs, impossible pairs, empty samples."""
    faults: list[str] = []
    verifier, setting = read["verifier"], SETTINGS[read["problem"]["setting"]]
    listed = verifier["pairs"] is not None
    needed = [name for name in setting.columns if not (listed and name in setting.verifier)]
    if listed:
        faults += [
            f"verifier.{name}: given beside verifier.pairs; give one or the other"
            for name in setting.verifier
            if verifier[name] is not None
        ]
    for name in needed:
        if read[COLUMNS[name].table][name] is None:
            faults.append(f"{_path(name)}: missing in the {setting.name} setting; it is {_meaning(name)}")
    for name, column in COLUMNS.items():
        if name not in setting.columns and read[column.table].get(name) is not None and settings_with(name):
            faults.append(f"{_path(name)}: has no meaning in the {setting.name} setting; remove it")
    if listed:
        verifier["pairs"] = _check_pairs(verifier["pairs"], setting, faults)
    faults += _method_faults(read["run"], read["training"], setting)
    faults += _population_faults(read["problem"], read["training"], read["run"], setting)
    if faults:
        return faults

    config = SweepConfig(**{name: kind(**read[name]) for name, kind in TABLES.items()})
    count = size(config)
    if count > MAX_CELLS:
        return [f"the grid has {count:,} cells; at most {MAX_CELLS:,}. Split it over several files"]
    faults += _setting_faults(config)
    faults += _few(
        f"problem.spectrum{f'[{i}]' if len(config.problem.spectrum) > 1 else ''}: {fault}"
        for i, spectrum in enumerate(config.problem.spectrum or ())
        for d in config.problem.d
        if (fault := room_fault(spectrum, d))
    )
    faults += _few(
        f"problem.alpha = {typed(alpha)} with problem.d = {d}: n = round(alpha d) < 1; raise either"
        for alpha in config.problem.alpha
        for d in config.problem.d
        if round(alpha * d) < 1
    )
    return faults


def _path(name: str) -> str:
    return f"{COLUMNS[name].table}.{name}"


def _meaning(name: str) -> str:
    declared = next(field for field in fields(TABLES[COLUMNS[name].table]) if field.name == name)
    return str(declared.metadata["meaning"])


def _method_faults(run: dict[str, Any], training: dict[str, Any], setting: Setting) -> list[str]:
    """What the method cannot do."""
    method, exact = run["method"], run["method"] == "exact-law"
    known = {"simulation": LOSSES, "exact-law": ("squared",), "theory": PREDICTED}[method]
    faults = [
        f"training.loss = {loss!r}: with run.method = {method!r} only {' and '.join(known)} "
        f"{'is' if len(known) == 1 else 'are'} known"
        for loss in training["loss"]
        if loss not in known
    ]
    if method not in setting.methods:
        able = " or ".join(map(repr, setting.methods))
        faults.append(f"run.method = {method!r}: not known in the {setting.name} setting; use {able}")
    if exact:
        faults += _few(
            f"training.ridge = {typed(ridge)}: run.method = 'exact-law' needs at least {typed(MIN_RIDGE)}; raise it or "
            "simulate"
            for ridge in training["ridge"]
            if ridge < MIN_RIDGE
        )
    return faults


def _population_faults(
    problem: dict[str, Any], training: dict[str, Any], run: dict[str, Any], setting: Setting
) -> list[str]:
    """What an intercept or a spectrum does not go with. Fills in the signal where there is no spectrum either."""
    faults = []
    given = {"problem.spectrum": problem["spectrum"], "training.intercept": training["intercept"]}
    for name in [name for name, value in given.items() if value is not None]:
        if not setting.by_class:
            faults.append(f"{name}: known in the independent setting only; remove it, or change problem.setting")
        if run["method"] == EXACT_LAW:
            faults.append(f"{name}: run.method = {EXACT_LAW!r} has white features and no intercept; simulate")
    if problem["spectrum"] is not None and problem["signal"] is not None:
        faults.append("problem.signal: given beside problem.spectrum, whose signals_sq says it; give one or the other")
    if True in (training["intercept"] or ()) and problem["prior"] in (0, 1):
        faults.append(
            f"problem.prior = {typed(problem['prior'])}: with training.intercept both classes must occur; give one in "
            "(0, 1)"
        )
    if problem["spectrum"] is None and problem["signal"] is None:
        problem["signal"] = DEFAULT_SIGNAL
    return faults


def _few(faults: Iterable[str]) -> list[str]:
    """The first faults of a kind, of which a grid may hold millions."""
    shown = list(itertools.islice(faults, MOST_OF_A_KIND + 1))
    return [*shown[:MOST_OF_A_KIND], "... and more like it"] if len(shown) > MOST_OF_A_KIND else shown


def _check_pairs(raw: Any, setting: Setting, faults: list[str]) -> tuple[Any, ...]:
    checked: Any = []
    for i, pair in enumerate(raw):
        values = []
        for name, entry in zip(setting.verifier, pair, strict=True):
            entry = list(entry) if isinstance(entry, tuple) else entry
            about = {"range": allowed(name), "meaning": name, "per_class": setting.by_class}
            values.append(read_value(f"verifier.pairs[{i}].{name}", entry, about, faults))
        checked.append(tuple(values))
    return checked if faults else merged("verifier.pairs", checked, _numbers)


def _numbers(pair: tuple[Any, Any]) -> tuple[float, ...]:
    return tuple(number for entry in pair for number in (entry if isinstance(entry, tuple) else (entry, entry)))


def _setting_faults(config: SweepConfig) -> list[str]:
    """What the setting cannot do, judged by its columns."""
    setting, faults = config.setting, []
    if setting.verifier == ("phi", "psi") and any(_zero(phi) and _zero(psi) for phi, psi in config.verifiers()):
        faults.append(
            "verifier.phi = 0 with verifier.psi = 0: such a verifier keeps nothing; make one of them positive"
        )
    if config.problem.prior != 0.5 and not setting.by_class:
        prior = f"problem.prior = {typed(config.problem.prior)}"
        faults.append(f"{prior}: the {setting.name} setting has equal classes; remove it")
    faults += _few(
        f"problem.d = {d}: the {setting.name} setting needs d >= {setting.least_d}, room for three directions"
        for d in config.problem.d
        if d < setting.least_d
    )
    if config.run.method == EXACT_LAW and setting.least_d > 1:
        faults += _exact_law_faults(config)
    if set(COSINES) <= set(setting.columns):
        triples = ((g, v, b) for g in config.values(setting.generator) for v, b in config.verifiers())
        faults += _few(fault for triple in triples if (fault := _impossible(*triple)))
    return faults


def _zero(rate: Any) -> bool:
    return rate == 0 or rate == (0, 0)


def _exact_law_faults(config: SweepConfig) -> list[str]:
    """What is too much where the exact law sums up samples."""
    faults = _few(
        f"problem.alpha = {typed(alpha)} with problem.d = {d}: in the linear setting run.method = 'exact-law' takes "
        f"n = round(alpha d) up to {MAX_LINEAR:,}; lower either"
        for alpha in config.problem.alpha
        for d in config.problem.d
        if round(alpha * d) > MAX_LINEAR
    )
    return faults + _few(
        f"problem.signal = {typed(signal)}: in the linear setting run.method = 'exact-law' takes at most "
        f"{typed(MAX_LINEAR_SIGNAL)}; lower it"
        for signal in config.problem.signal or ()
        if signal > MAX_LINEAR_SIGNAL
    )


def _impossible(g: float, v: Any, b: Any) -> str:
    """Why three cosines belong to no three unit vectors; empty where they do."""
    if 1 + 2 * g * v * b - g**2 - v**2 - b**2 >= -1e-12:
        return ""
    spread = math.sqrt((1 - g**2) * (1 - v**2))
    return (
        f"generator.cos_generator = {typed(g)}, verifier.cos_verifier = {typed(v)}, verifier.cos_between = {typed(b)}: "
        f"no three unit vectors have these cosines; with the first two, cos_between is in "
        f"{between(g * v - spread, g * v + spread)} (use verifier.pairs to list only possible ones)"
    )
