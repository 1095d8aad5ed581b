"""What the explorer shows of an audit: each given verifier with its uncertainty, and the curve of its thresholds."""

import json
import math
from pathlib import Path
from typing import Any

from empirical.auditing import saved
from empirical.auditing.region import region
from empirical.auditing.report.html import printed
from empirical.auditing.resample import from_json
from theory.errors import InputError

RATES = ("p", "phi", "psi", "p_star")


def plotted(path: Path) -> dict[str, Any]:
    """`shown` of the audit.json of `pstar audit --out`, or of its folder.

    Raises:
        ValueError: no such file, no audit, or one in which no verifier has all its rates.
        StoreError: it is not as it was written.
    """
    path = saved.path_of(path)
    text = saved.read(path)
    try:
        whole = json.loads(text)
        for audit in whole["verifiers"]["audits"].values() if whole.get("verifiers") else [whole["audit"]]:
            saved.check_rates(path, audit)
        found = shown(whole)
    except InputError:
        raise
    except saved.BROKEN:
        raise InputError(f"--audit {path} is no audit of a verifier; make one: {saved.REMEDY}") from None
    if found is None:
        raise InputError(f"--audit {path} leaves p, phi or psi undefined; judge more records, correct and wrong ones")
    return found


def shown(found: dict[str, Any]) -> dict[str, Any] | None:
    """From the JSON values of an audit of one or more verifiers, or of a score.

    Returns:
        JSON values; None where no verifier has all its rates. ``verifiers``, a list with the ``name``, each of `RATES`
        as {"value", "low", "high"}, and ``region``, the corners [psi, phi] of where the verifier is at the audit's
        level, null where the file has no draws. ``curve``: [psi, phi] of every threshold of its score, null without a
        score. ``start``: p, phi and psi of the verifier that the answers are of.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: these are no values of such an audit.
    """
    several = found.get("verifiers")
    name = _only(found)
    chosen = several["best_given"] if several else name
    given = found["columns"]["kept"] if several else [name]
    verifiers = [_verifier(each, several["audits"][each] if several else found["audit"]) for each in given]
    known = [each for each in verifiers if all(_whole(each[rate]) for rate in RATES)]
    if not known:
        return None
    first = next((each for each in known if each["name"] == printed(str(chosen))), known[0])
    start = {rate: first[rate]["value"] for rate in RATES[:3]}
    return {"verifiers": known, "curve": _curve(found.get("threshold_curve")), "start": start}


def _only(found: dict[str, Any]) -> str:
    """The column of the one verifier, or of its score."""
    kept = found["columns"].get("kept")
    return str(kept[0] if kept else found["columns"]["score"])


def _verifier(name: str, audit: dict[str, Any]) -> dict[str, Any]:
    draws = audit.get("resampled")
    outline = None
    if draws is not None:
        corners = region(from_json(draws), audit["level"])
        outline = [[float(psi), float(phi)] for psi, phi in zip(corners.psi, corners.phi, strict=True)]
    rates = {rate: {end: audit[rate][end] for end in ("value", "low", "high")} for rate in RATES}
    return {"name": printed(name), "region": outline} | rates


def _whole(estimate: dict[str, Any]) -> bool:
    return all(isinstance(number, int | float) and math.isfinite(number) for number in estimate.values())


def _curve(found: dict[str, Any] | None) -> list[list[float]] | None:
    """The thresholds whose rates are known."""
    if found is None:
        return None
    pairs = zip(found["psi"]["value"], found["phi"]["value"], strict=True)
    return [[float(psi), float(phi)] for psi, phi in pairs if psi is not None and phi is not None]
