"""p, phi and psi, known or audited, and the interval of anything that is computed from them."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from empirical.auditing import saved
from empirical.auditing.binary import Audit
from empirical.auditing.resample import Function, from_json
from empirical.auditing.resample import Resampled as Drawn
from empirical.forecasting import DRAWS
from empirical.forecasting.pilot import Numbers
from theory._check import check_rates
from theory.errors import InputError, KindError
from theory.types import Rates


class Resampled(Protocol):
    """What an audit says of rates other than the counted ones."""

    def interval(self, function: Function, level: float) -> tuple[Any, Any]:
        """Conservative ends of a function of the rates."""


class Evidence(NamedTuple):
    """The rates, and what is known of them."""

    rates: Rates
    resampled: Resampled
    audited: bool
    """Whether they were counted, and may be otherwise."""
    classes: int | None
    """K, where the audit says it."""
    source: str


def evidence(given: Any) -> Evidence:
    """From an `Audit`, the path of an audit's JSON, or `Rates`, which are taken as known.

    Raises:
        ValueError: a rate that the audit leaves undefined, rates outside [0, 1] or by class, no such file.
        StoreError: a file that is not as it was written.
        TypeError: another kind of object.
    """
    if isinstance(given, (str, Path)):
        return _of_file(Path(given))
    if isinstance(given, Rates):
        if any(np.ndim(rate) for rate in given):
            raise InputError("rates by class have no one worth; give p, phi and psi over all classes")
        check_rates(given)
        return Evidence(Rates(*map(float, given)), Known(Rates(*map(float, given))), False, None, "rates")
    if isinstance(given, Audit):
        values = {name: getattr(given, name).value for name in Rates._fields}
        return audited(values, given.resampled, given.n_classes, "audit")
    raise KindError(f"audit is of kind {type(given).__name__}; give ps.audit(correct, kept), its JSON, or ps.Rates")


def _of_file(path: Path) -> Evidence:
    path = saved.path_of(path)
    text = saved.read(path)
    try:
        found = json.loads(text)["audit"]
        values = {name: found[name]["value"] for name in Rates._fields}
        resampled, classes = from_json(found["resampled"]), found.get("n_classes")
        saved.check_rates(path, found)
    except InputError:
        raise
    except saved.BROKEN:
        raise InputError(
            f"{path} is no audit with p, phi, psi and their draws; make one: "
            "pstar audit RECORDS --correct COL --kept COL --out DIR"
        ) from None
    return audited(values, resampled, classes, str(path))


def audited(values: dict[str, Any], resampled: Drawn, classes: int | None, source: str) -> Evidence:
    """The first DRAWS of an audit's draws, each of which goes with one of the curve's."""
    for name, value in values.items():
        if value is None or not np.isfinite(value):
            raise InputError(
                f"{name} is undefined in the audit; judge more records, or give p, phi and psi as they are"
            )
    few = replace(resampled, sums=resampled.sums[:DRAWS], extra=resampled.extra[:DRAWS])
    return Evidence(Rates(**values), few, True, classes, source)


@dataclass(frozen=True)
class Known:
    """Rates without an error."""

    rates: Rates

    def interval(self, function: Function, level: float) -> tuple[Any, Any]:
        """Of what else the function draws."""
        found = function(*(np.full(DRAWS, rate) for rate in self.rates))
        return ends(found, found, level)


def ends(low: Numbers, high: Numbers, level: float) -> tuple[float, float]:
    """Quantiles of draws, that are among them: an infinite one is no reason for NaN."""
    tail = (1 - level) / 2
    return (
        float(np.quantile(low, tail, method="lower")),
        float(np.quantile(high, 1 - tail, method="higher")),
    )
