"""Where do repeated rounds of training on one's own verified labels end? Four generators, with and without verifier.

The last two share one weak verifier and differ in the generator alone: two stable ends lie on the two sides of an
unstable one. ``branches`` follows these fixed points as the verifier gets better.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from sims.rounds import Round, make_rounds
from sims.running.intervals import mean_over
from sims.running.progress import Advance, progress
from theory.fixed_points import FixedPoints, fixed_points
from theory.rounds import trajectory
from theory.types import Cosines, Problem

LOSS, ROOT_SEED = "squared", 0
D = 200
"""Dimension of the simulation. At 150 the noise already carries a trial over the unstable point now and then."""


class Case(NamedTuple):
    """A generator with its verifier, and what is repeated."""

    name: str
    problem: Problem
    alpha: float
    rounds: int


CASES = (
    Case("fair verifier, poor generator", Problem(2.0, Cosines(0.3, 0.6, 0.2), 1.0), 4.0, 8),
    Case("weak verifier, good generator", Problem(1.0, Cosines(0.8, 0.3, 0.24), 0.5), 2.0, 12),
    Case("weak verifier, generator below", Problem(3.0, Cosines(0.45, 0.1, 0.8), 0.2), 8.0, 14),
    Case("weak verifier, generator above", Problem(3.0, Cosines(0.58, 0.1, 0.8), 0.2), 8.0, 14),
)
BATCH = 8
"""Trials per call, between which progress is shown."""

BRANCHES = np.linspace(-0.1, 0.4, 101)
"""cos(v, mu) along the branches of fixed points, all else as in the last case."""


def tables(seeds: int) -> dict[str, pd.DataFrame]:
    """``lines``: theory by round; ``cells``: simulated likewise; ``fixed``: ends; ``branches``: ends by verifier."""
    runs = [(case, verified) for case in CASES for verified in (True, False)]
    found: dict[str, list[pd.DataFrame]] = {}
    with progress("theory", 2 * len(runs), "tables") as advance:
        for name, block in (("lines", _predicted), ("fixed", _ends)):
            found[name] = []
            for case, verified in runs:
                found[name].append(block(case, verified))
                advance(1)
    with progress("simulation", len(runs) * seeds, "trials") as advance:
        found["cells"] = [_measured(case, verified, seeds, advance) for case, verified in runs]
    found["branches"] = []
    with progress("fixed points by verifier", len(BRANCHES), "verifiers") as advance:
        for cos_verifier in BRANCHES:
            found["branches"].append(_branch(cos_verifier))
            advance(1)
    return {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}


def _constants(case: Case, verified: bool) -> dict[str, object]:
    problem = case.problem
    fixed = {"case": case.name, "verified": verified, "signal": problem.signal, "ridge": problem.ridge}
    start = {f"start_{name}": value for name, value in problem.curation._asdict().items()}
    return fixed | {"alpha": case.alpha, "loss": LOSS} | start


def _predicted(case: Case, verified: bool) -> pd.DataFrame:
    """Theory, rounds 0 to the last."""
    found = trajectory(case.problem, case.alpha, case.rounds, LOSS, verified)
    columns = {name: np.asarray(field) for name, field in found._asdict().items()}
    return pd.DataFrame(_constants(case, verified) | {"round": np.arange(case.rounds + 1)} | columns)


def _measured(case: Case, verified: bool, seeds: int, advance: Advance) -> pd.DataFrame:
    """Simulation, rounds 1 to the last, with t intervals; NaN where any trial failed.

    Trial i of every case draws from the same key, with and without verification: common random numbers.
    """
    problem = jax.tree.map(lambda field: jnp.asarray(field, float), case.problem)
    run = make_rounds(round(case.alpha * D), D, LOSS, case.rounds, verified)
    parts = []
    for start in range(0, seeds, BATCH):  # one width, one compilation
        seed = np.minimum(np.arange(start, start + BATCH), seeds - 1)
        words = np.stack([np.zeros(BATCH), np.zeros(BATCH), seed], axis=1).astype(np.uint32)
        parts.append(jax.device_get(run(jnp.asarray(ROOT_SEED), words, problem)))
        advance(min(BATCH, seeds - start))
    found: Round = jax.tree.map(lambda *leaves: np.concatenate(leaves)[:seeds], *parts)
    accuracy = mean_over(np.asarray(found.measurement.accuracy), axis=0)
    kept, wrong = (np.asarray(field).sum(axis=0) for field in (found.measurement.m, found.measurement.kept_wrong))
    columns = {
        "round": np.arange(1, case.rounds + 1),
        "n": round(case.alpha * D),
        "d": D,
        "seeds": seeds,
        "failed": np.sum(~np.asarray(found.measurement.converged), axis=0),
        "kept": kept / (round(case.alpha * D) * seeds),
        "kept_purity": 1 - wrong / np.maximum(kept, 1),
        "cos_generator": np.asarray(found.cos_generator).mean(axis=0),
        "cos_between": np.asarray(found.cos_between).mean(axis=0),
    }
    columns |= {"accuracy": accuracy.mean, "error": accuracy.error, "low": accuracy.low, "high": accuracy.high}
    return pd.DataFrame(_constants(case, verified) | columns)


def _table(constants: dict[str, object], found: FixedPoints) -> pd.DataFrame:
    arrays = found._asdict()
    complete = arrays.pop("complete")
    return pd.DataFrame(arrays).assign(**constants, complete=complete)


def _ends(case: Case, verified: bool) -> pd.DataFrame:
    return _table(_constants(case, verified), fixed_points(case.problem, case.alpha, LOSS, verified))


def _branch(cos_verifier: float) -> pd.DataFrame:
    case = CASES[-1]
    problem = case.problem._replace(curation=Cosines(0.0, cos_verifier, 0.0))
    constants = {
        "cos_verifier": cos_verifier,
        "signal": problem.signal,
        "ridge": problem.ridge,
        "alpha": case.alpha,
    }
    return _table(constants, fixed_points(problem, case.alpha, LOSS))
