"""The spectrum of a sweep file: a table of lists, a power law, the path of a CSV file, or a list of any of these."""

import itertools
from dataclasses import field
from pathlib import Path
from typing import Any

from sims.running.toml import Range, read_value, shown, unknown
from sims.running.twins import merged
from sims.spectra import COLUMNS, MAX_LEVELS, equal_shares, faults, power_law, read_csv
from theory.errors import InputError
from theory.types import Spectrum

FORMS = (
    "give {eigenvalues = [...], shares = [...], signals_sq = [...]}, a power law {decay = 1, signal = 2}, or the path "
    "of a CSV file with these columns"
)
NUMBERS = Range(0, 1e12)
POWER_LAW = {
    "decay": (Range(-20, 20), "how eigenvalues fall: j^-decay", None),
    "signal": (Range(0, 1e6, open_low=True), "||mu||", None),
    "signal_decay": (Range(-20, 20), "how mu_j^2 falls: j^-signal_decay", 0.0),
    "levels": (Range(1, MAX_LEVELS, integer=True), "number of levels, of equal shares", 20),
}
"""Range, meaning and default of the keys of a power law."""


def spectra(meaning: str) -> Any:
    """A field that holds a tuple of spectra, or None where it is left out."""
    return field(default=None, metadata={"read": _read_spectra, "meaning": meaning})


def beside(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A sweep file's content with the paths of spectra taken from its folder."""
    problem = document.get("problem")
    if not isinstance(problem, dict) or "spectrum" not in problem:
        return document
    given = problem["spectrum"]
    placed = lambda item: str(folder / item) if isinstance(item, str) else item
    moved = list(map(placed, given)) if isinstance(given, list) else placed(given)
    return {**document, "problem": {**problem, "spectrum": moved}}


def _read_spectra(path: str, raw: Any, about: Any, found: list[str]) -> tuple[Spectrum, ...] | None:
    items = raw if isinstance(raw, list) else [raw]
    if not items:
        found.append(f"{path} = []: empty; {FORMS}")
    before = len(found)
    read = [_read_one(f"{path}[{i}]" if isinstance(raw, list) else path, item, found) for i, item in enumerate(items)]
    if len(found) > before:
        return None
    return merged(path, (one for one in read if one is not None), lambda one: tuple(itertools.chain(*one)))


def _read_one(path: str, raw: Any, found: list[str]) -> Spectrum | None:
    if isinstance(raw, str):
        try:
            spectrum: Spectrum | None = read_csv(Path(raw))
        except InputError as error:
            found.append(f"{path} = {shown(raw)}: {error}")
            return None
    elif isinstance(raw, dict):
        spectrum = (_read_power_law if "decay" in raw else _read_lists)(path, raw, found)
    else:
        found.append(f"{path} = {shown(raw)}: {FORMS}")
        return None
    if spectrum is None:
        return None
    if len(spectrum.eigenvalues) > MAX_LEVELS:
        found.append(f"{path}: {len(spectrum.eigenvalues)} levels; at most {MAX_LEVELS} in a sweep. Merge some")
        return None
    wrong = [f"{path}: {fault}" for fault in faults(spectrum)]
    found += wrong
    return None if wrong else spectrum


def _read_power_law(path: str, raw: dict[str, Any], found: list[str]) -> Spectrum | None:
    before = len(found)
    found += [unknown(f"{path}.{key}", POWER_LAW, "key of a power law") for key in raw if key not in POWER_LAW]
    values: dict[str, Any] = {}
    for key, (allowed, meaning, default) in POWER_LAW.items():
        if key in raw or default is not None:
            about = {"range": allowed, "meaning": meaning}
            values[key] = read_value(f"{path}.{key}", raw.get(key, default), about, found)
        else:
            found.append(f"{path}.{key}: missing; it is {meaning}")
    return None if len(found) > before else power_law(**values)


def _read_lists(path: str, raw: dict[str, Any], found: list[str]) -> Spectrum | None:
    before = len(found)
    found += [unknown(f"{path}.{key}", (*COLUMNS, "decay"), "key of a spectrum") for key in raw if key not in COLUMNS]
    lists: dict[str, Any] = {}
    for name in COLUMNS:
        entries = raw.get(name)
        if entries is None and name == "shares" and lists.get("eigenvalues"):
            lists[name] = equal_shares(len(lists["eigenvalues"]))
        elif entries is None:
            found.append(f"{path}.{name}: missing; {FORMS}")
        elif not isinstance(entries, list) or not entries:
            found.append(f"{path}.{name} = {shown(entries)}: must be a list of numbers, one per level")
        else:
            about = {"range": NUMBERS, "meaning": f"an entry of {name}"}
            read = [read_value(f"{path}.{name}[{i}]", entry, about, found) for i, entry in enumerate(entries)]
            lists[name] = tuple(read)
    return None if len(found) > before else Spectrum(**lists)
