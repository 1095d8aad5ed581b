"""What is a verified sample worth? The plane of a verifier's rates by worth, and students of equal worth side by side.

Of n generated samples some are kept, with some purity: little but pure, or much but dirty. Where
W = ((1-p) phi - p psi)^2 / ((1-p) phi + p psi) is the same, n W clean samples do the same as they, at the best penalty.
"""

import numpy as np
import pandas as pd
from scipy.special import ndtr

from sims.running.progress import progress
from sims.studies import simulate
from theory.ceilings import ceiling
from theory.table import predict_table
from theory.threshold import p_star, purity
from theory.types import Problem, Rates
from theory.worth import best_point, worth

P, SIGNAL, ALPHA, D = 0.3, 1.5, 5.0, 200
LEVELS = (0.16, 0.3, 0.5)
"""W of the students; the first is that of no verifier, (1 - 2p)^2."""
TRAINING = {"best": ("squared", 1e3), "fixed": ("logistic", 1e-2)}
"""Loss and ridge: as good as averaging, which is the best penalty, and a small one that many would take."""
SEPARATION = 1.5
"""Distance between the verifier's scores of correct and of wrong labels, in standard deviations."""
POINTS = 201
"""Rates per axis of the plane, and points of a line."""
THRESHOLDS = np.linspace(-4, 4, 401)
PAIRS = 6
"""Simulated points of a level."""


def tables(seeds: int) -> dict[str, pd.DataFrame]:
    """The plane, a verifier's curve in it, lines of equal worth with the accuracy along them, and simulations there.

    ``plane``: worth and that of no verifier. ``curve``: a binormal verifier's thresholds, phi = Phi(t) and
    psi = Phi(t - s); ``best`` names the largest worth and the largest p*. ``lines``: exact accuracy by the level of
    worth and the training; ``ceiling`` is what the law says. ``cells``: simulated at d = D.
    """
    levels = pd.concat([_level(value, POINTS) for value in LEVELS], ignore_index=True)
    shown = pd.concat([_level(value, PAIRS) for value in LEVELS], ignore_index=True)
    lines, cells = [], []
    with progress("theory", len(TRAINING), "tables") as advance:
        for name, (loss, ridge) in TRAINING.items():
            fixed = {"signal": SIGNAL, "alpha": ALPHA, "p": P, "loss": loss, "ridge": ridge}
            found = predict_table(fixed | {"phi": levels["phi"], "psi": levels["psi"]})
            at_best = ceiling(Problem(SIGNAL, _rates(levels), ridge), ALPHA)
            part = levels.assign(training=name, accuracy=found["accuracy"], ceiling=at_best)
            lines.append(part.assign(purity=found["purity"]))
            advance(1)
    for name, (loss, ridge) in TRAINING.items():
        measured = simulate(
            {
                "problem": {"d": D, "signal": SIGNAL, "alpha": ALPHA},
                "generator": {"p": P},
                "verifier": {"pairs": shown[["phi", "psi"]].to_numpy().tolist()},
                "training": {"loss": loss, "ridge": ridge},
                "run": {"seeds": seeds},
            },
            f"simulation, {loss} loss, ridge {ridge:g}",
        )
        cells.append(measured.assign(training=name, level=shown["level"], purity=purity(_rates(shown))))
    measured = pd.concat(cells, ignore_index=True)
    found = {"plane": _plane(), "curve": _curve(), "lines": pd.concat(lines, ignore_index=True), "cells": measured}
    return {"findings": pd.DataFrame({"finding": findings(found)})} | found


def findings(tables: dict[str, pd.DataFrame]) -> list[str]:
    """What came out, in words."""
    lines, curve = tables["lines"], tables["curve"]
    best, fixed = (tables["cells"][tables["cells"]["training"] == name] for name in TRAINING)
    law = lines.drop_duplicates("level").set_index("level")["ceiling"]
    off = float((best["accuracy"] - best["level"].map(law)).abs().max())
    spread = lines[lines["training"] == "fixed"].groupby("level")["accuracy"].agg(["min", "max"])
    ranges = ", ".join(f"{row['min']:.2f} to {row['max']:.2f}" for _, row in spread.iterrows())
    chosen = curve[curve["best"] == "worth"].iloc[0]
    loss, ridge = TRAINING["fixed"]
    return [
        f"Verifiers of one worth W, be it much but dirty or little but pure, give students of one accuracy at the best "
        f"penalty: the {len(best)} simulated are within {off:.3f} of the law. At a small penalty they do not: the "
        f"accuracies at W = {', '.join(f'{level:g}' for level in LEVELS)} then range over {ranges} ({loss} loss, "
        f"lambda = {ridge:g}), and purity is what counts.",
        f"One verifier's best threshold by worth keeps {chosen['phi']:.0%} of the correct and {chosen['psi']:.0%} of "
        f"the wrong labels; p* is largest where it keeps next to nothing.",
    ]


def _rates(table: pd.DataFrame) -> Rates:
    return Rates(P, table["phi"].to_numpy(), table["psi"].to_numpy())


def _level(value: float, points: int) -> pd.DataFrame:
    """Verifiers of one worth, by purity: kappa = W/(2 pi - 1)^2, from the least purity, where phi = 1, to psi = 0."""
    correct = 1 - P
    wrong = correct + value / 2 - np.sqrt(value**2 + 8 * correct * value) / 2
    share = np.linspace(correct / (correct + wrong), 1.0, points)
    kept = value / (2 * share - 1) ** 2
    rates = np.clip([kept * share / (1 - P), kept * (1 - share) / P], 0, 1)  # of rounding
    return pd.DataFrame({"level": value, "phi": rates[0], "psi": rates[1]})


def _plane() -> pd.DataFrame:
    rate = np.linspace(1 / POINTS, 1, POINTS)
    psi, phi = (axis.ravel() for axis in np.meshgrid(rate, rate))
    everything = float(worth(Rates(P, 1.0, 1.0)))
    return pd.DataFrame({"p": P, "phi": phi, "psi": psi, "worth": worth(Rates(P, phi, psi)), "unverified": everything})


def _curve() -> pd.DataFrame:
    phi, psi = ndtr(THRESHOLDS), ndtr(THRESHOLDS - SEPARATION)
    rates = Rates(P, phi, psi)
    curve = pd.DataFrame({"phi": phi, "psi": psi, "worth": worth(rates), "p_star": p_star(rates), "best": ""})
    curve.loc[int(best_point(P, phi, psi).at), "best"] = "worth"
    curve.loc[int(np.argmax(curve["p_star"])), "best"] = "p_star"
    return curve
