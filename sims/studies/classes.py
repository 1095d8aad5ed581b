"""How many classes? Where training breaks down for K = 2, 3, 5, 10: binary p* against p*_K (THEORY §10, §12)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from sims.classes.trial import Measurement, make_trials
from sims.losses import Loss
from sims.running.intervals import mean_over
from sims.running.progress import Advance, progress
from theory.classes.prediction import predict
from theory.classes.threshold import infinite_data, p_star_classes
from theory.threshold import p_star
from theory.types import ClassesProblem, Rates

CLASSES = (2, 3, 5, 10)
SIGNAL, PHI, PSI, RIDGE, D = 3.0, 1.0, 0.5, 0.1, 40
ERRORS = np.linspace(0.4, 1.0, 16)
"""Error rates p of the generator."""
LANES = 8
"""Trials computed together; the last batch is padded, so that a trial's bits do not depend on ``seeds``."""


class Curve(NamedTuple):
    """One curve: loss and sample ratio n/d."""

    loss: Loss
    alpha: int


CURVES = (Curve("squared", 10), Curve("logistic", 10), Curve("squared", 100))
BETWEEN = 2
"""Points of an exact curve for each error rate."""


def tables(seeds: int) -> dict[str, pd.DataFrame]:
    """``cells``: one row per (K, curve, p); ``curves``: exact as d -> inf at the same n/d; ``lines``: infinite data.

    Cells have the mean accuracy with its interval, and ``predicted``, what the curve has there; they differ by O(1/d).
    Every point has its own ``seeds`` independent trials. accuracy is NaN where any trial failed. ``kept`` is the
    share kept and ``kept_purity`` its correct share, both counted; ``measurement_error`` is the largest error of a
    trial's accuracy given its weights.
    """
    curves = [(classes, curve) for classes in CLASSES for curve in CURVES]
    exact = [_exact(classes, curve) for classes, curve in curves]
    cells = []
    with progress("simulation", len(curves) * len(ERRORS) * seeds, "trials") as advance:
        for (classes, curve), line in zip(curves, exact, strict=True):
            cells.append(_cells(classes, curve, seeds, advance))
            cells[-1]["predicted"] = line["accuracy"].to_numpy()[::BETWEEN]
    return {
        "cells": pd.concat(cells, ignore_index=True),
        "curves": pd.concat(exact, ignore_index=True),
        "lines": pd.concat([_limit(classes) for classes in CLASSES], ignore_index=True),
    }


def _exact(classes: int, curve: Curve) -> pd.DataFrame:
    """A curve as d -> inf, at every error rate and between them."""
    p = np.interp(np.arange((len(ERRORS) - 1) * BETWEEN + 1) / BETWEEN, np.arange(len(ERRORS)), ERRORS)
    problem = ClassesProblem(SIGNAL, Rates(p, PHI, PSI), RIDGE)
    found = predict(problem, float(curve.alpha), curve.loss, classes=classes, effort="coarse")
    return pd.DataFrame({"classes": classes, **curve._asdict(), "p": p, "accuracy": np.asarray(found.accuracy)})


def _limit(classes: int) -> pd.DataFrame:
    """The step of infinite data: its two plateaus and the value at p*_K."""
    star = float(p_star_classes(Rates(0.5, PHI, PSI), classes))
    p = np.array([0.0, star - 1e-9, star + 1e-9, 1.0])
    accuracy = infinite_data(SIGNAL, Rates(p, PHI, PSI), classes)
    step = pd.DataFrame({"classes": classes, "p": p, "accuracy": np.asarray(accuracy)})
    tie = pd.DataFrame({"classes": [classes], "p": [star], "accuracy": [1 / classes]})
    return pd.concat([step, tie], ignore_index=True).sort_values("p", ignore_index=True)


def _cells(classes: int, curve: Curve, seeds: int, advance: Advance) -> pd.DataFrame:
    n = curve.alpha * D
    found = _simulate(classes, curve.loss, n, seeds, advance)
    rates = Rates(ERRORS, PHI, PSI)
    cells = pd.DataFrame({"classes": classes, "loss": curve.loss, "n": n, "d": D, "alpha": curve.alpha, "p": ERRORS})
    cells = cells.assign(signal=SIGNAL, ridge=RIDGE, phi=PHI, psi=PSI, p_star=float(p_star(rates)))
    cells["p_star_classes"] = float(p_star_classes(rates, classes))
    cells["infinite_data"] = np.asarray(infinite_data(SIGNAL, rates, classes))
    cells["seeds"] = seeds
    cells["failed"] = np.sum(~found.converged, axis=1)
    cells["kept"] = found.m.sum(axis=1) / (n * seeds)
    cells["kept_purity"] = 1 - found.kept_wrong.sum(axis=1) / np.maximum(found.m.sum(axis=1), 1)
    cells["accuracy"], cells["error"], cells["low"], cells["high"] = mean_over(found.accuracy)
    cells["measurement_error"] = found.accuracy_error.max(axis=1)
    return cells


def _simulate(classes: int, loss: Loss, n: int, seeds: int, advance: Advance = lambda units: None) -> Measurement:
    """Trials of every p in ERRORS: leaves (p, seed, ...). A trial's key is named by (K, index of p, seed)."""
    run = make_trials(n, D, classes, loss)
    index, seed = (grid.ravel() for grid in np.meshgrid(np.arange(len(ERRORS)), np.arange(seeds), indexing="ij"))
    words = np.stack([np.full_like(index, classes), index, seed], axis=1).astype(np.uint32)
    constant = jnp.ones(LANES)
    parts = []
    for start in range(0, len(index), LANES):
        rows = np.minimum(np.arange(start, start + LANES), len(index) - 1)
        rates = Rates(jnp.asarray(ERRORS[index[rows]]), PHI * constant, PSI * constant)
        problem = ClassesProblem(SIGNAL * constant, rates, RIDGE * constant)
        parts.append(jax.device_get(run(0, jnp.asarray(words[rows]), problem)))
        advance(min(LANES, len(index) - start))
    flat = jax.tree.map(lambda *leaves: np.concatenate(leaves)[: len(index)], *parts)
    return jax.tree.map(lambda leaf: leaf.reshape(len(ERRORS), seeds, *leaf.shape[1:]), flat)
