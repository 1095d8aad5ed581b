"""Which verifier is best? The plane of its rates (psi, phi), with p* and exact accuracy at two sample sizes.

A verifier with a score has a curve in this plane, one point per threshold: here the binormal one,
phi = Phi(t), psi = Phi(t - s), whose strictest end has the largest p* and keeps the least.
"""

import numpy as np
import pandas as pd
from scipy.special import ndtr

from sims.studies import simulate
from theory.table import predict_table

P, SIGNAL, RIDGE, LOSS = 0.4, 2.0, 0.1, "logistic"
ALPHAS = (2.0, 50.0)
SEPARATION = 1.5
"""s, the distance between the verifier's scores of correct and of wrong labels, in standard deviations."""
POINTS = 81
SIMULATED = np.linspace(-2.5, 2.5, 11)


def tables(seeds: int) -> dict[str, pd.DataFrame]:
    """``maps``: accuracy over the plane; ``curve``: along the verifier's thresholds; ``cells``: simulated there."""
    fixed = {"signal": SIGNAL, "ridge": RIDGE, "loss": LOSS, "p": P}
    rate = np.linspace(1 / POINTS, 1, POINTS)
    psi, phi = (axis.ravel() for axis in np.meshgrid(rate, rate))
    threshold = np.linspace(-3, 3, 241)
    maps, curves, cells = [], [], []
    for alpha in ALPHAS:
        found = predict_table(fixed | {"alpha": alpha, "phi": phi, "psi": psi})
        maps.append(pd.DataFrame({"alpha": alpha} | found))
        rates = {"phi": ndtr(threshold), "psi": ndtr(threshold - SEPARATION)}
        found = predict_table(fixed | {"alpha": alpha} | rates)
        curves.append(pd.DataFrame({"alpha": alpha, "threshold": threshold} | found))
        d = 100 if alpha < 10 else 30
        pairs = [[float(ndtr(t)), float(ndtr(t - SEPARATION))] for t in SIMULATED]
        cells.append(
            simulate(
                {
                    "problem": {"d": d, "signal": SIGNAL, "alpha": alpha},
                    "generator": {"p": P},
                    "verifier": {"pairs": pairs},
                    "training": {"loss": LOSS, "ridge": RIDGE},
                    "run": {"seeds": seeds},
                }
            ).assign(threshold=SIMULATED)
        )
    tables = {"maps": maps, "curve": curves, "cells": cells}
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
