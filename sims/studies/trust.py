"""When can p* be trusted? The linear setting, where label errors and verdicts depend on x, against the rule.

There p < p* says no more than cos(g,mu) + cos(v,mu) > 0. At equality accuracy is 1/2 by symmetry, at any size; but
below p* infinite data do not give the Bayes classifier, and where generator and verifier lie on different sides of
chance the sign itself may be wrong. Better verifiers may have a lower p*: those closer to the generator.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from scipy.special import ndtr

from sims.running.intervals import mean_over
from sims.running.progress import progress
from sims.trial import make_trials
from theory.geometry import rates
from theory.limits import linear_infinite_data
from theory.prediction import predict
from theory.types import Cosines, Problem, Rates

LOSS, SIGNAL, RIDGE, ROOT_SEED = "squared", 1.5, 0.1, 0
ALPHAS = (4.0, 1000.0)
SIZES = {4.0: 100, 1000.0: 20}
"""Dimension of the simulation at each n/d."""
PARTIALS = (-0.8, 0.0, 0.8)
"""(cos(g,v) - cos(g,mu) cos(v,mu)) / (sin sin): what g and v share beside the mean."""
GRID = np.linspace(-0.98, 0.98, 50)
SLICE = 0.4
"""cos(v,mu) of the simulated cells."""
SIMULATED = np.linspace(-0.9, 0.9, 10)
OPPOSING = Cosines(0.9, -0.95, -0.9)
OPPOSED = Problem(2.5, OPPOSING, 1e-3)
"""A good generator with a verifier well below chance: p > p*."""
OPPOSED_ALPHAS = (16.0, 64.0, 256.0, 1024.0)
OPPOSED_D = 60
LEVELS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.95)
GENERATOR = 0.7
"""cos(g,mu) in the verifiers' panel."""


def tables(seeds: int) -> dict[str, pd.DataFrame]:
    """Predictions and simulation side by side.

    ``maps``: over both cosines at each partial correlation; ``slices``: finely along cos(g,mu) at cos(v,mu) = SLICE;
    ``cells``: simulated there; ``opposed``: one problem against n/d, theory and simulation; ``verifiers``: p*
    against a verifier's accuracy at fixed cos(g,v), and along one path (``level`` empty); ``summary``: shares.
    """
    fine = np.linspace(-0.98, 0.98, 197)
    pairs = ((GRID, GRID), (fine, np.array([SLICE])), (SIMULATED, np.array([SLICE])))
    grids = [[axis.ravel() for axis in np.meshgrid(g, v, np.array(PARTIALS))] for g, v in pairs]
    whole = _table(*(np.concatenate(columns) for columns in zip(*grids, strict=True)))  # one call, one compilation
    parts = np.split(np.arange(len(whole)), np.cumsum([len(grid[0]) for grid in grids])[:-1])
    maps, slices, cells = (whole.iloc[rows].reset_index(drop=True) for rows in parts)
    found = {"maps": maps, "slices": slices, "cells": _cells(cells, seeds), "opposed": _opposed(seeds)}
    return found | {"verifiers": _verifiers(), "summary": _summary(maps)}


def _table(g: np.ndarray, v: np.ndarray, partial: np.ndarray) -> pd.DataFrame:
    """Rates, the rule, and exact accuracy at every n/d and in the limit, for a list of triples."""
    cosines = Cosines(g, v, g * v + partial * np.sqrt((1 - g**2) * (1 - v**2)))
    problem = Problem(SIGNAL, cosines, RIDGE)
    columns: dict[str, Any] = cosines._asdict() | {"partial": partial}
    columns |= {"signal": SIGNAL, "ridge": RIDGE, "loss": LOSS}
    for alpha in ALPHAS:
        exact = predict(problem, alpha, LOSS)
        columns[f"exact_{alpha:g}"] = np.asarray(exact.accuracy)
    columns |= {name: np.asarray(getattr(exact, name)) for name in ("p", "phi", "psi", "p_star", "purity")}
    columns["generator_accuracy"] = np.asarray(exact.generator_accuracy)
    columns["rule"] = _rule(columns["purity"], SIGNAL)
    columns["infinite"] = np.asarray(linear_infinite_data(problem))
    return pd.DataFrame(columns)


def _rule(purity: np.ndarray, signal: float) -> np.ndarray:
    """What the theorem promises of infinite data: Phi(r) for p < p*, Phi(-r) for p > p*, 1/2 at equality."""
    return ndtr(signal * np.where(np.abs(purity - 0.5) < 1e-12, 0.0, np.sign(purity - 0.5)))


def _simulate(problem: Problem, n: int, d: int, seeds: int, cell: int) -> dict[str, Any]:
    """Mean accuracy of one problem with its t interval; NaN where any trial failed."""
    words = np.stack([np.full(seeds, n), np.full(seeds, cell), np.arange(seeds)], axis=1).astype(np.uint32)
    one = jax.tree.map(lambda field: jnp.full(1, float(field)), problem)
    run = make_trials(n, d, LOSS)  # one trial at a time: the largest is 60,000 points
    accuracy = np.concatenate([run(jnp.asarray(ROOT_SEED), word[None], one).accuracy for word in words])
    failed, found = int(np.isnan(accuracy).sum()), mean_over(accuracy)
    counts = {"n": n, "d": d, "seeds": seeds, "failed": failed}
    return counts | {"accuracy": found.mean, "error": found.error, "low": found.low, "high": found.high}


def _cells(table: pd.DataFrame, seeds: int) -> pd.DataFrame:
    """Simulation of every line of a `_table` at every n/d, beside the predictions."""
    lines = []
    with progress("simulation of the slices", len(table) * len(ALPHAS), "points") as advance:
        for index, row in enumerate(table.itertuples()):
            problem = Problem(SIGNAL, Cosines(row.cos_generator, row.cos_verifier, row.cos_between), RIDGE)
            for alpha in ALPHAS:
                d = SIZES[alpha]
                measured = _simulate(problem, round(alpha * d), d, seeds, index)
                exact = getattr(row, f"exact_{alpha:g}")
                lines.append({"row": index, "alpha": alpha, "exact": exact} | measured)
                advance(1)
    return table.join(pd.DataFrame(lines).set_index("row"))


def _opposed(seeds: int) -> pd.DataFrame:
    """OPPOSED against n/d: exact, exact with errors independent of x at the same rates, the rule, simulation."""
    at = np.union1d(np.geomspace(1, 1e5, 101), OPPOSED_ALPHAS)
    known = rates(OPPOSED.signal, OPPOSING)
    exact = predict(OPPOSED, at, LOSS)
    independent = predict(OPPOSED._replace(curation=Rates(*known)), at, LOSS)
    table = pd.DataFrame({"alpha": at, "exact": exact.accuracy, "independent": independent.accuracy})
    table = table.assign(rule=_rule(np.asarray(exact.purity), OPPOSED.signal), p_star=np.asarray(exact.p_star))
    table = table.assign(p=float(known.p), infinite=float(linear_infinite_data(OPPOSED)), **_constants(OPPOSED))
    d = OPPOSED_D
    measured = []
    with progress("simulation of the wrong sign", len(OPPOSED_ALPHAS), "points") as advance:
        for a in OPPOSED_ALPHAS:
            measured.append(_simulate(OPPOSED, round(a * d), d, seeds, 0) | {"alpha": a})
            advance(1)
    return table.merge(pd.DataFrame(measured), on="alpha", how="left")


def _constants(problem: Problem) -> dict[str, float]:
    return {"signal": problem.signal, "ridge": problem.ridge} | problem.curation._asdict()


def _verifiers() -> pd.DataFrame:
    """p* against the verifier's accuracy, at LEVELS of cos(g,v); and a path on which the one rises, the other falls."""
    parts = []
    for level in LEVELS:
        reach = np.sqrt((1 - GENERATOR**2) * (1 - level**2)) * (1 - 1e-9)
        v = GENERATOR * level + reach * np.linspace(-1, 1, 121)
        parts.append(pd.DataFrame({"level": level, "cos_verifier": v, "cos_between": level}))
    share = np.linspace(0, 1, 9)
    path = {"cos_verifier": 0.6 + 0.25 * share, "cos_between": 0.2 + 0.75 * share}
    table = pd.concat([*parts, pd.DataFrame({"level": np.nan} | path)], ignore_index=True)
    cosines = Cosines(np.full(len(table), GENERATOR), table["cos_verifier"].to_numpy(), table["cos_between"].to_numpy())
    problem = Problem(SIGNAL, cosines, RIDGE)
    for alpha in ALPHAS:
        exact = predict(problem, alpha, LOSS)
        table[f"exact_{alpha:g}"] = np.asarray(exact.accuracy)
    named = {name: np.asarray(getattr(exact, name)) for name in ("p", "phi", "psi", "p_star", "kept_rate")}
    accuracy = ndtr(SIGNAL * table["cos_verifier"])
    return table.assign(cos_generator=GENERATOR, signal=SIGNAL, verifier_accuracy=accuracy, **named)


def _summary(maps: pd.DataFrame) -> pd.DataFrame:
    """How far the rule is from exact theory with both cosines positive, one line per partial correlation.

    ``shortfall_*``: rule minus exact accuracy. ``worse_*``: share of triples whose training loses accuracy against
    the generator, although p < p*.
    """
    lines = []
    for partial, part in maps[(maps["cos_generator"] > 0) & (maps["cos_verifier"] > 0)].groupby("partial"):
        line: dict[str, Any] = {
            "partial": partial,
            "triples": len(part),
            "below": (part["p"] < part["p_star"]).mean(),
        }
        for name in [*(f"exact_{alpha:g}" for alpha in ALPHAS), "infinite"]:
            shortfall = part["rule"] - part[name]
            line |= {f"shortfall_{name}": shortfall.mean(), f"largest_{name}": shortfall.max()}
            line |= {f"worse_{name}": (part[name] < part["generator_accuracy"]).mean()}
        lines.append(line)
    return pd.DataFrame(lines)
