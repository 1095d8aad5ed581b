"""Which threshold? A classifier without intercept asks for purity, one with an intercept for the odds of both classes.

Equal classes, a verifier that lets pass more of one class's wrong labels than of the other's, and an error rate p that
is common to both. Three values of p matter: purity is 1/2 (no intercept: accuracy falls through 1/2), the odds of a
correct label multiply to 1 (with an intercept: balanced accuracy does, at any n/d), the odds of one class are 1 (with
an intercept: that class is lost as data grow).
"""

import numpy as np
import pandas as pd

from sims.running.progress import progress
from sims.studies import simulate
from theory.table import predict_table

SIGNAL, RIDGE, LOSS, PHI, PSI = 2.5, 0.02, "logistic", 0.9, (0.2, 0.8)
"""psi of y = -1 and of y = +1."""
SIZES = {4.0: 100, 100.0: 30}
"""Dimension of the simulation at each n/d."""
LINE = np.linspace(0, 1, 201)
SIMULATED = np.linspace(0.05, 0.95, 10)


def tables(seeds: int) -> dict[str, pd.DataFrame]:
    """Accuracy along p, without and with an intercept.

    ``lines``: by the exact theory; ``cells``: simulated; ``findings``: what came out, in words.
    """
    fixed = {"signal": SIGNAL, "ridge": RIDGE, "loss": LOSS, "prior": 0.5}
    sides = {"phi_negative": PHI, "phi_positive": PHI, "psi_negative": PSI[0], "psi_positive": PSI[1]}
    curves = [(alpha, intercept) for alpha in SIZES for intercept in (0, 1)]
    lines = []
    with progress("theory", len(curves), "curves") as advance:
        for alpha, intercept in curves:
            known = fixed | sides | {"alpha": alpha, "intercept": intercept}
            found = predict_table(known | {"p_negative": LINE, "p_positive": LINE})
            lines.append(pd.DataFrame(known | found | {"p": LINE}))
            advance(1)
    cells = pd.concat([_cells(alpha, d, seeds) for alpha, d in SIZES.items()], ignore_index=True)
    found = {"lines": pd.concat(lines, ignore_index=True), "cells": cells}
    return {"findings": pd.DataFrame({"finding": findings(found["lines"])})} | found


def findings(lines: pd.DataFrame) -> list[str]:
    """What the curves say, in words."""
    few, many = SIZES
    middle = lines.iloc[len(LINE) // 2]
    worse = lines[["accuracy_minus", "accuracy_plus"]].min(axis=1)
    fitted = lines["intercept"] == 1
    between = (middle["p_star_each_class"] + middle["p_star"]) / 2
    at = lambda alpha: np.interp(between, LINE, worse[fitted & (lines["alpha"] == alpha)])
    return [
        f"Without an intercept accuracy falls through 1/2 at p = {middle['p_star']:.3f}, where half of the kept labels "
        f"are wrong; with one, balanced accuracy does at p = {middle['p_star_direction']:.3f}, where the odds of a "
        f"correct label among the kept, multiplied over both classes, are 1: at n/d = {few:g} and at {many:g} alike.",
        f"From p = {middle['p_star_each_class']:.3f} on, where these odds are 1 in the class whose wrong labels pass "
        f"more often, an intercept loses that class as data grow: at p = {between:.2f} its accuracy is {at(few):.2f} "
        f"at n/d = {few:g} and {at(many):.2f} at {many:g}.",
    ]


def _cells(alpha: float, d: int, seeds: int) -> pd.DataFrame:
    """Simulation at one n/d, without and with an intercept."""
    document = {
        "problem": {"d": d, "signal": SIGNAL, "alpha": alpha},
        "generator": {"p": SIMULATED.tolist()},
        "verifier": {"pairs": [[PHI, list(PSI)]]},
        "training": {"loss": LOSS, "ridge": RIDGE, "intercept": [False, True]},
        "run": {"seeds": seeds},
    }
    return simulate(document, f"simulation at n/d = {alpha:g}")
