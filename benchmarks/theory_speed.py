"""Cells per second of the exact theory on whole tables: as it is, by JAX, and beside a plain SciPy solver, in one run.

    python benchmarks/theory_speed.py [--cells 100000] [--reference 20] [--jax 20000]

``numbers`` is `theory.table.predict_table`, all cells of a table at once in NumPy, on all cores. ``jax`` is the
compiled program that serves what JAX traces, on the first cells of the same table: its first call, which compiles, and
its second. The SciPy solver is what one would write first (`plain_scipy`). All are judged by certificates, so that a
fast wrong answer does not count. Machines differ and are shared: ratios are the result, not seconds.
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


def coloured(cells, loss):
    """The diagram with an intercept, unequal classes and features of three levels: four unknowns for three."""
    spectrum = {"eigenvalues": "10;1;0.05", "shares": "0.1;0.4;0.5", "signals_sq": "4;0.5;0.1"}
    table = diagram(cells, loss) | spectrum | {"intercept": 1, "prior": 0.7}
    return {name: column for name, column in table.items() if name != "signal"}


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


def by_jax(table):
    """The same table by the program that JAX compiles, independent and linear settings."""
    import jax

    from theory.laws import Independent, Wedge
    from theory.losses import LOSSES
    from theory.solvers import states

    cells = len(table["p"] if "p" in table else table["cos_generator"])
    column = lambda name: np.broadcast_to(np.asarray(table[name], float), cells)
    if "p" in table:
        p, phi, psi = (column(name) for name in ("p", "phi", "psi"))
        kept = (1 - p) * phi + p * psi
        law = Independent(column("signal"), (1 - p) * phi / kept)
    else:
        law = Wedge(*(column(name) for name in ("signal", *COSINES)), np.zeros(cells))
        kept = law.kept_rate()
    law, delta, ridge = jax.tree.map(jax.numpy.asarray, (law, column("alpha") * kept, column("ridge")))
    found = states(LOSSES[table["loss"]], law, delta, ridge)
    return {"accuracy": np.asarray(found.accuracy(law.signal)), "converged": np.asarray(found.converged)}


def first(table, count):
    """Its first lines."""
    return {name: column[:count] if np.ndim(column) else column for name, column in table.items()}


def report(name, table, jax_cells):
    """One line: cells per second as it is, and by JAX; how far the two results are apart."""
    found, seconds = timed(predict_table, table)
    cells = len(found["accuracy"])
    line = {"name": name, "cells": cells, "seconds": seconds, "cells/s": cells / seconds}
    line |= {"converged": found["converged"].mean()}
    if jax_cells:
        part = first(table, min(cells, jax_cells))
        (there, compiled), (_, again) = timed(by_jax, part), timed(by_jax, part)
        count = len(there["accuracy"])
        line |= {"jax first s": compiled, "jax cells/s": count / again, "ratio": cells / seconds * again / count}
        line |= {
            "against": "JAX, compiled",
            "apart": float(np.nanmax(np.abs(there["accuracy"] - found["accuracy"][:count]))),
        }
    shown = (f"{line.get(column, float('nan')):{form}}" for column, form in COLUMNS.items())
    print(f"{name:26}" + "".join(shown), flush=True)
    return found, line


COLUMNS = {
    "cells": "9d",
    "seconds": "9.2f",
    "cells/s": "11.0f",
    "converged": "11.5f",
    "jax first s": "13.2f",
    "jax cells/s": "13.0f",
    "ratio": "8.2f",
    "apart": "10.1e",
}
COSINES = ("cos_generator", "cos_verifier", "cos_between")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=100_000, help="cells of the large tables")
    parser.add_argument("--reference", type=int, default=20, help="cells given to the SciPy solver")
    parser.add_argument("--jax", type=int, default=20_000, help="cells given to JAX, at most")
    options = parser.parse_args()
    print(" " * 26 + "".join(f"{name:>{form.split('.')[0].rstrip('d')}}" for name, form in COLUMNS.items()))
    tables = {f"{loss}, diagram": diagram(options.cells, loss) for loss in ("squared", "logistic", "hinge")}
    tables |= {f"{loss}, box": box(20_000, loss) for loss in ("logistic", "hinge")}
    tables |= {f"{loss}, coloured, intercept": coloured(options.cells, loss) for loss in ("squared", "logistic")}
    tables |= {f"linear setting, {loss}": linear(1_000, loss) for loss in ("squared", "logistic")}
    rows = []
    for name, table in tables.items():
        found, line = report(name, table, 0 if "squared" in name or "coloured" in name else options.jax)
        rows.append(line)
        if name == "logistic, box":
            ours, ours_speed, ours_table = found["accuracy"], line["cells/s"], table

    count = options.reference
    cells = zip(*(ours_table[name][:count] for name in ("signal", "p", "alpha", "ridge")), strict=True)
    theirs, seconds = timed(lambda: np.array([scipy_reference(r, 1 - p, delta, lam) for r, p, delta, lam in cells]))
    solved = np.isfinite(theirs)
    gap = np.abs(theirs - ours[:count])[solved]
    ratio, wrong = ours_speed / (count / seconds), int(np.sum(gap > 1e-6))
    print(f"scipy root + quad, logistic, box: {count} cells, {count / seconds:.2f} cells/s, {solved.mean():.0%} solved")
    print(f"ratio of cells per second to it: {ratio:,.0f}")
    print(f"where it claims success it differs by {gap.max():.2e} at most, by more than 1e-6 in {wrong} cells")
    rows.append({"name": "logistic, box", "ratio": ratio, "against": "scipy root + quad", "cells/s": count / seconds})
    print(f"kept: {record('theory_speed', rows)}")


if __name__ == "__main__":
    main()
