"""Cells per second of the exact theory, beside a straightforward SciPy solver of the same equations, in one run.

    python benchmarks/theory_speed.py [--cells 100000] [--reference 20]

The reference is what one would write first (`plain_scipy`). It is run on the first cells of the same table. Both are
judged by the same certificate, so that a fast wrong answer does not count.
Machines differ and are shared: the ratio is the result, not the seconds.
"""

import argparse
import os
import time

os.environ["JAX_ENABLE_X64"] = "1"

import numpy as np  # noqa: E402
from plain_scipy import scipy_reference  # noqa: E402
from record import record  # noqa: E402

from theory.table import predict_table  # noqa: E402


def diagram(cells, loss):
    """A phase diagram: p x psi at phi = 0.8, r = 2, n/d = 4, ridge 0.1."""
    side = int(np.sqrt(cells))
    p, psi = (axis.ravel() for axis in np.meshgrid(np.linspace(0.01, 0.99, side), np.linspace(0.01, 1, side)))
    return {"signal": 2.0, "alpha": 4.0, "ridge": 0.1, "p": p, "phi": 0.8, "psi": psi, "loss": loss}


def box(cells, loss, seed=0):
    """Random cells of the whole box in which the solver is certified (log-uniform in delta and ridge)."""
    rng = np.random.default_rng(seed)
    log = lambda low, high: np.exp(rng.uniform(np.log(low), np.log(high), cells))
    draws = {"signal": rng.uniform(0.1, 6, cells), "alpha": log(0.1, 1000), "ridge": log(1e-5, 100)}
    return draws | {"p": 1 - rng.uniform(0.01, 0.99, cells), "phi": 1.0, "psi": 1.0, "loss": loss}


def linear(cells, loss, seed=0):
    """Random cells of the linear setting."""
    rng = np.random.default_rng(seed)
    g, v, part = (rng.uniform(-0.9, 0.9, cells) for _ in range(3))
    between = g * v + part * np.sqrt((1 - g**2) * (1 - v**2))
    log = lambda low, high: np.exp(rng.uniform(np.log(low), np.log(high), cells))
    table = {"signal": rng.uniform(0.1, 4, cells), "alpha": log(0.2, 200), "ridge": log(1e-4, 10), "loss": loss}
    return table | {"cos_generator": g, "cos_verifier": v, "cos_between": between}


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def report(name, table):
    found, first = timed(predict_table, table)
    found, again = timed(predict_table, table)
    cells = len(found["accuracy"])
    share = found["converged"].mean()
    print(f"{name:34}{cells:9d}{first:9.2f}{again:9.2f}{cells / again:12.0f}{share:12.5f}", flush=True)
    return found, cells / again


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=100_000, help="cells of the large tables")
    parser.add_argument("--reference", type=int, default=20, help="cells given to the SciPy solver")
    options = parser.parse_args()
    print(f"{'':34}{'cells':>9}{'first s':>9}{'again s':>9}{'cells/s':>12}{'converged':>12}")
    report("squared, diagram", diagram(options.cells, "squared"))
    report("logistic, diagram", diagram(options.cells, "logistic"))
    report("hinge, diagram", diagram(options.cells // 10, "hinge"))
    for loss in ("squared", "logistic", "hinge"):
        found, speed = report(f"{loss}, box", table := box(20_000, loss))
        if loss == "logistic":
            ours, ours_speed, ours_table = found["accuracy"], speed, table
    report("linear setting, squared", linear(1_000, "squared"))
    report("linear setting, logistic", linear(1_000, "logistic"))

    count = options.reference
    cells = zip(*(ours_table[name][:count] for name in ("signal", "p", "alpha", "ridge")), strict=True)
    theirs, seconds = timed(lambda: np.array([scipy_reference(r, 1 - p, delta, lam) for r, p, delta, lam in cells]))
    solved = np.isfinite(theirs)
    reference = "scipy root + quad, logistic, box"
    print(f"{reference:34}{count:9d}{'':9}{seconds:9.2f}{count / seconds:12.2f}{solved.mean():12.5f}")
    print(f"ratio of cells per second: {ours_speed / (count / seconds):,.0f}")
    row = {"name": "logistic, cells/s", "cells_per_second": ours_speed}
    record("theory_speed", [row | {"ratio": ours_speed / (count / seconds), "against": "scipy root + quad"}])
    gap = np.abs(theirs - ours[:count])[solved]
    wrong = np.sum(gap > 1e-6)
    print(
        f"where the reference claims success it differs by {gap.max():.2e} at most, by more than 1e-6 in {wrong} cells"
    )


if __name__ == "__main__":
    main()
