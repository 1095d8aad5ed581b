"""Which verifier is best? The plane of its rates (psi, phi), with p* and exact accuracy at two sample sizes.

A verifier with a score has a curve in this plane, one point per threshold: here the binormal one,
phi = Phi(t), psi = Phi(t - s), whose strictest end has the largest p* and keeps the least.
"""

import numpy as np
import pandas as pd
from scipy.special import ndtr

from sims.running.progress import progress
from sims.studies import simulate
from theory.table import predict_table

P, SIGNAL, RIDGE, LOSS = 0.4, 2.0, 0.1, "logistic"
SIZES = {2.0: 100, 50.0: 30}
"""Dimension of the simulation at each n/d."""
SEPARATION = 1.5
"""s, the distance between the verifier's scores of correct and of wrong labels, in standard deviations."""
POINTS = 81
"""Rates per axis of the plane."""
THRESHOLDS = np.linspace(-3, 3, 241)
"""Thresholds t of the exact theory along the verifier's curve."""
SIMULATED = np.linspace(-2.5, 2.5, 11)
"""Thresholds of the simulation."""


def tables(seeds: int) -> dict[str, pd.DataFrame]:
    """``maps``: accuracy over the plane; ``curve``: along the verifier's thresholds; ``cells``: simulated there."""
    fixed = {"signal": SIGNAL, "ridge": RIDGE, "loss": LOSS, "p": P}
    rate = np.linspace(1 / POINTS, 1, POINTS)
    psi, phi = (axis.ravel() for axis in np.meshgrid(rate, rate))
    regions = {"maps": {"phi": phi, "psi": psi}, "curve": _rates(THRESHOLDS)}
    found: dict[str, list[pd.DataFrame]] = {"maps": [], "curve": [], "cells": []}
    with progress("theory", len(SIZES) * len(regions), "tables") as advance:
        for alpha in SIZES:
            for name, rates in regions.items():
                exact = predict_table(fixed | {"alpha": alpha} | rates)
                found[name].append(pd.DataFrame({"alpha": alpha} | exact))
                advance(1)
    found["curve"] = [curve.assign(threshold=THRESHOLDS) for curve in found["curve"]]
    found["cells"] = [_cells(alpha, d, seeds) for alpha, d in SIZES.items()]
    return {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}


def _rates(threshold: np.ndarray) -> dict[str, np.ndarray]:
    """The binormal verifier at its thresholds."""
    return {"phi": ndtr(threshold), "psi": ndtr(threshold - SEPARATION)}


def _cells(alpha: float, d: int, seeds: int) -> pd.DataFrame:
    """Simulation along the verifier's curve at one n/d."""
    rates = _rates(SIMULATED)
    document = {
        "problem": {"d": d, "signal": SIGNAL, "alpha": alpha},
        "generator": {"p": P},
        "verifier": {"pairs": np.stack([rates["phi"], rates["psi"]], axis=1).tolist()},
        "training": {"loss": LOSS, "ridge": RIDGE},
        "run": {"seeds": seeds},
    }
    return simulate(document, f"simulation at n/d = {alpha:g}").assign(threshold=SIMULATED)
