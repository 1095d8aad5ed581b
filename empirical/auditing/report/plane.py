"""Tables of the plane (psi, phi), as `figures.verifier` draws it: the verifiers, their regions, and the lines there."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from empirical.auditing.binary import Audit
from empirical.auditing.files import FileAudit
from empirical.auditing.rates import Estimate
from empirical.auditing.region import region
from empirical.auditing.resample import Numbers

POINTS = 201
STEPS = 17
"""Values of p within its interval, for the band of a line."""


def plane(found: FileAudit) -> dict[str, pd.DataFrame]:
    """Data frames ``verifier``, ``verifier_region`` and ``verifier_lines``; none where no label is correct or wrong.

    ``verifier`` has a line for each: its rates, p* and worth with _low and _high, ``given`` or made of those given,
    and ``answers`` for the one that the answers are of. ``verifier_region`` has the corners of the region of (psi, phi)
    of those given, at ``level``. ``verifier_lines`` has in ``part`` "line" the points where a verifier is worth as much
    as keeping everything, W(p, phi, psi) = W(p, 1, 1) (``line`` "worth"), and where p = p* ("p_star", for K classes
    "p_star_classes"); in ``part`` "band" the corners of where that may be, as p is within its interval.
    """
    made = {}
    audits = _audits(found)
    if audits:
        frames = []
        for name, (audit, given, chosen) in audits.items():
            line = {"verifier": name, "given": given, "answers": chosen}
            estimates = {rate: getattr(audit, rate) for rate in ("p", "phi", "psi", "kept_rate", "purity", "p_star")}
            for rate, estimate in (estimates | {"worth": audit.worth.verified}).items():
                line |= {rate: estimate.value, f"{rate}_low": estimate.low, f"{rate}_high": estimate.high}
            frames.append(line | {"better": audit.better.answer, "level": audit.level})
        made["verifier"] = pd.DataFrame(frames)
        regions = {
            name: region(audit.resampled, audit.level)._asdict() for name, (audit, given, _) in audits.items() if given
        }
        made["verifier_region"] = pd.concat(
            [pd.DataFrame({"verifier": name} | outline) for name, outline in regions.items()], ignore_index=True
        )
    p = found.binary.p if found.binary is not None else None
    if found.curve is not None:
        p = p or Estimate(*(float(end[0]) for end in found.curve.rates.p))
    if p is not None:
        made["verifier_lines"] = _lines(p, found.asked.n_classes, found.confusions is None)
    return made


def _audits(found: FileAudit) -> Mapping[str, tuple[Audit, bool, bool]]:
    """By name the audit, whether the verifier is given, and whether the four answers are of it."""
    if found.verifiers is not None:
        several = found.verifiers
        return {
            name: (audit, name in found.names.kept, name == several.best_given)
            for name, audit in several.audits.items()
        }
    return {} if found.binary is None else {found.verifier or "": (found.binary, True, True)}


def _lines(p: Estimate, classes: int | None, even: bool) -> pd.DataFrame:
    """Where p = p*; and where worth is that of no verifier, which rates say only where errors are spread evenly."""
    span = np.linspace(p.low, p.high, STEPS)
    parts: list[dict[str, Any]] = []
    for name, votes in (("p_star", 1), ("p_star_classes", (classes or 2) - 1)):
        if name == "p_star" or votes > 1:
            ends = [_ray(each, votes) for each in (p.low, p.high)]
            between = [(1.0, 1.0)] if ends[0][0] == 1 and ends[1][1] == 1 else []
            parts.append(_part(name, "line", np.array([(0.0, 0.0), _ray(p.value, votes)])))
            parts.append(_part(name, "band", np.array([(0.0, 0.0), ends[0], *between, ends[1]])))
    if even:
        psi = np.linspace(0.0, 1.0, POINTS)
        phi = equal_worth(p.value, psi, classes or 2)
        curves = np.array([equal_worth(each, psi, classes or 2) for each in span])
        edge = [np.column_stack([psi, np.minimum(end, 1.0)]) for end in (curves.min(axis=0), curves.max(axis=0))]
        parts.append(_part("worth", "line", np.column_stack([psi, phi])[~(phi > 1)]))
        parts.append(_part("worth", "band", np.concatenate([edge[0], edge[1][::-1]])))
    frame = pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)
    return frame.assign(classes=classes or 2, p=p.value)


def equal_worth(p: float, psi: Numbers, classes: int = 2) -> Numbers:
    """phi of the verifiers that are worth as much as none, W(p, phi, psi) = W(p, 1, 1) = w, for 0 <= psi <= 1.

    With a = (1-p) phi, b = p psi and c = 1/(K-1) it is (a - c b)^2 = w (a + b), a > c b. From (1-pK/(K-1))^2/(1-p) at
    psi = 0 to 1 at psi = 1. Where p is beyond its threshold, w = 0, and it is p = p*_K, which may leave the plane.
    """
    if not p < 1:
        return np.full(np.shape(psi), np.nan if np.isnan(p) else np.inf)
    share = 1 / (classes - 1)
    worth, wrong = max(1 - p * (1 + share), 0.0) ** 2, share * p * psi
    half = wrong + worth / 2
    return np.asarray((half + np.sqrt(half**2 - wrong**2 + worth * p * psi)) / (1 - p))


def _ray(p: float, votes: int) -> tuple[float, float]:
    """Where phi/psi = p/((K-1)(1-p)) leaves the unit square."""
    if np.isnan(p):
        return np.nan, np.nan
    right, wrong = votes * (1 - p), p
    return right / max(right, wrong), wrong / max(right, wrong)


def _part(line: str, part: str, points: Numbers) -> dict[str, Any]:
    return {"line": line, "part": part, "psi": points[:, 0], "phi": points[:, 1]}
