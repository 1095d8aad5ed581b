"""How the transition at p* sharpens as the sample ratio grows: exact theory for both losses, simulation beside it."""

import numpy as np
import pandas as pd

from sims.studies import simulate
from theory.limits import bayes_accuracy
from theory.table import predict_table

SIGNAL, RIDGE, PHI, PSI = 2.0, 0.1, 0.8, 0.2
ALPHAS = (0.5, 2.0, 8.0, 32.0, 128.0, 1024.0)
SIMULATED = [0.5, 2.0, 8.0]
LOSSES = ("squared", "logistic")


def tables(seeds: int) -> dict[str, pd.DataFrame]:
    """``lines``: accuracy along p for every n/d; ``cells``: simulation at d = 100 where it is cheap."""
    p = np.linspace(0, 1, 201)
    parts = []
    for loss in LOSSES:
        for alpha in ALPHAS:
            columns = {
                "signal": SIGNAL,
                "alpha": alpha,
                "ridge": RIDGE,
                "loss": loss,
                "p": p,
                "phi": PHI,
                "psi": PSI,
            }
            found = predict_table(columns)
            parts.append(pd.DataFrame({"loss": loss, "alpha": alpha} | found))
    lines = pd.concat(parts, ignore_index=True)
    cells = simulate(
        {
            "problem": {"d": 100, "signal": SIGNAL, "alpha": SIMULATED},
            "generator": {"p": {"start": 0.1, "stop": 0.95, "num": 18}},
            "verifier": {"pairs": [[PHI, PSI]]},
            "training": {"loss": list(LOSSES), "ridge": RIDGE},
            "run": {"seeds": seeds},
        }
    )
    return {"lines": lines.assign(bayes_accuracy=float(bayes_accuracy(SIGNAL))), "cells": cells}
