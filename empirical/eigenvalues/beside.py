"""The noisy verifier's crossing, and collapse, each beside what theories predict of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from empirical.eigenvalues import predictions as theory
from empirical.eigenvalues.estimates import crossing, difference
from empirical.eigenvalues.measured import Read, gain
from empirical.eigenvalues.plan import contrasts

PUBLISHED_CROSSING = 0.65
THEORY = ("theory", "theory_low", "theory_high")
STARS = np.linspace(0.5, 1.0, 101)


def predictions(profile: Mapping[str, Any], points: pd.DataFrame, read: Read) -> pd.DataFrame:
    """Predicted gains over the generator in points, along p* at phi = 1: worth, and learned errors with their range.

    That is over signals and penalties, and over the 95 % interval of the gain that n/d is fitted to.
    Worth needs the clean curve (``curve.true``); without one it is NaN.
    """
    first = points.iloc[0]
    psi, p, generator = 1 / STARS - 1, first["p_hat"], first["generator_accuracy"] / 100
    sizes, accuracy = _clean(profile, read)
    labels = profile["selection"]["matrices"]
    worth = (
        theory.by_worth(p, psi, labels, sizes, accuracy) - generator if len(sizes) > 1 else np.full(len(psi), np.nan)
    )
    mean, low, high = _spanned(_learned(points), generator, psi)
    lines = [
        pd.DataFrame({"kind": "worth", "p_star": STARS, "gain": 100 * worth}),
        pd.DataFrame({"kind": "learned", "p_star": STARS, "gain": 100 * mean, "low": 100 * low, "high": 100 * high}),
    ]
    return pd.concat(lines, ignore_index=True)


def _clean(profile: Mapping[str, Any], read: Read) -> tuple[np.ndarray, np.ndarray]:
    """Clean sizes and mean accuracies at the verifier's tolerance: students of true labels, some and all."""
    tolerance = profile["selection"]["tolerance"]
    models = {count: f"retrain-true-{count}" for count in sorted(profile["curve"]["true"])}
    models[profile["selection"]["matrices"]] = "retrain-true"
    return np.array(list(models), float), np.array([read(name).hits(tolerance).mean() for name in models.values()])


def _learned(points: pd.DataFrame) -> list[theory.Learned]:
    """Fitted to the student of all labels, the only one with psi = phi: to its gain, and to both ends of that."""
    whole = points[points["student"] == "none"].iloc[0]
    gains = (whole[name] / 100 for name in ("difference", "difference_low", "difference_high"))
    return [theory.learned(whole["generator_accuracy"] / 100, gain) for gain in gains]


def _spanned(fits: list[theory.Learned], generator: float, psi: Any, times: float = 1.0) -> tuple[np.ndarray, ...]:
    """(mean of the first's gains, least and largest of all), as far as there are any; else NaN."""
    found = [fit.gains(generator, psi, times) for fit in fits]
    found = [gains[~np.isnan(gains).any(1)] for gains in found]
    if not len(found[0]):
        return (np.full(np.size(psi), np.nan),) * 3
    every = np.concatenate(found)
    return found[0].mean(0), every.min(0), every.max(0)


def crossings(points: pd.DataFrame, gains: pd.DataFrame, beside: pd.DataFrame) -> pd.DataFrame:
    """Where students begin to beat the generator, along verifiers that keep every correct answer, as published.

    Beside it: p = p* (``rule``), and where the predicted gains cross; ``*_words`` says so where one does not. Of
    learned errors the mean over signals and penalties, and the crossings at the ends of their range.
    """
    curve = points[points["phi"] == 1.0]
    x, along = curve["p_star_hat"].to_numpy(), gains[list(curve["student"])].to_numpy()
    whole = [("all seeds", crossing(x, along))]
    whole += [(f"seed {seed}", crossing(x, along[seed : seed + 1])) for seed in range(len(along)) if len(along) > 1]
    about: dict[str, Any] = {"published": PUBLISHED_CROSSING, "rule": points["p_hat"].iloc[0]}
    for kind, part in beside.groupby("kind", sort=False):
        stars = part["p_star"].to_numpy()
        found = theory.tie(stars, part["gain"].to_numpy())
        about |= {str(kind): found.x, f"{kind}_words": found.words}
        if kind == "learned":  # the higher the gain, the earlier the crossing
            about |= {f"learned_{end}": theory.tie(stars, part[of].to_numpy()).x for end, of in _ENDS.items()}
    return pd.DataFrame([{"of": name} | found._asdict() | about for name, found in whole])


_ENDS = {"low": "high", "high": "low"}


def collapse(profile: Mapping[str, Any], points: pd.DataFrame, read: Read) -> pd.DataFrame:
    """Students without selection against their generators: in the main run, with other steps, and with fewer labels.

    ``theory``: learned errors at the verifier's tolerance, n/d as fitted to the main run and then in proportion to
    the steps of both (``by`` steps; the generator as accurate as measured) or to the labels (``by`` labels). ``told``:
    whether the line is at that tolerance.
    """
    training, contrast, curve = profile["training"], profile["contrast"], profile["curve"]
    pairs, steps, labels = training["generator_pairs"], training["steps"], profile["selection"]["matrices"]
    runs = [("main", "generator", "retrain-none", pairs, steps, labels)]
    if contrast["generator_pairs"]:
        for prefix, count in contrasts(tuple(contrast["steps"]), steps).items():
            names = f"{prefix}generator", f"{prefix}retrain-none"
            runs.append(("steps", *names, contrast["generator_pairs"], count, labels))
    runs += [("labels", "generator", f"retrain-none-{count}", pairs, steps, count) for count in curve["unverified"]]
    fitted, lines = _learned(points), []
    for by, generator, student, its_pairs, its_steps, count in runs:
        times = its_steps / steps * count / labels
        for tolerance in profile["evaluation"]["tolerances"]:
            theirs, ours = read(generator).hits(tolerance), read(student).hits(tolerance)
            line = {"by": by, "generator_pairs": its_pairs, "steps": its_steps, "batch": training["batch"]}
            line |= {"labels": count, "seeds": len(ours), "tolerance_percent": round(100 * tolerance, 6)}
            line |= {"generator": 100 * theirs.mean(), "student": 100 * ours.mean()} | gain(difference(ours, theirs))
            told = tolerance == profile["selection"]["tolerance"]
            fits = told and its_pairs == pairs and theirs.mean() > 0.5
            ends = _spanned(fitted, theirs.mean(), 1.0, times) if fits else (np.full(1, np.nan),) * 3
            line |= {"told": told}
            lines.append(line | {name: 100 * end[0] for name, end in zip(THEORY, ends, strict=True)})
    return pd.DataFrame(lines)
