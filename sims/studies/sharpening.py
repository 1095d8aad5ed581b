"""How the transition at p* sharpens as the sample ratio grows: exact theory for both losses, simulation beside it."""

import numpy as np
import pandas as pd

from sims.running.progress import progress
from sims.studies import simulate
from theory.limits import bayes_accuracy
from theory.table import predict_table

SIGNAL, RIDGE, PHI, PSI = 2.0, 0.1, 0.8, 0.2
ALPHAS = (0.5, 2.0, 8.0, 32.0, 128.0, 1024.0)
"""n/d of the theory."""
SIMULATED = (0.5, 2.0, 8.0)
"""n/d of the simulation, where it is cheap."""
LOSSES = ("squared", "logistic")
D = 100
LINE = np.linspace(0, 1, 201)
"""Error rates p of the theory."""
ERRORS = np.linspace(0.1, 0.95, 18)
"""Error rates p of the simulation."""


def tables(seeds: int) -> dict[str, pd.DataFrame]:
    """``lines``: accuracy along p for every n/d; ``cells``: simulation at d = D."""
    fixed = {"signal": SIGNAL, "ridge": RIDGE, "p": LINE, "phi": PHI, "psi": PSI}
    curves = [(loss, alpha) for loss in LOSSES for alpha in ALPHAS]
    parts = []
    with progress("theory", len(curves), "curves") as advance:
        for loss, alpha in curves:
            found = predict_table(fixed | {"loss": loss, "alpha": alpha})
            parts.append(pd.DataFrame({"loss": loss, "alpha": alpha} | found))
            advance(1)
    lines = pd.concat(parts, ignore_index=True)
    cells = simulate(
        {
            "problem": {"d": D, "signal": SIGNAL, "alpha": list(SIMULATED)},
            "generator": {"p": ERRORS.tolist()},
            "verifier": {"pairs": [[PHI, PSI]]},
            "training": {"loss": list(LOSSES), "ridge": RIDGE},
            "run": {"seeds": seeds},
        }
    )
    return {"lines": lines.assign(bayes_accuracy=float(bayes_accuracy(SIGNAL))), "cells": cells}
