"""How cost grows with size: planning a sweep, comparing one, auditing records, predicting a table.

    python benchmarks/growth.py [--only WORD ...] [--sizes 1000 10000 100000 1000000] [--before CHECKOUT]

Every number is that of a fresh process, imports and compilation included: seconds on the clock, CPU seconds, peak
memory. The slope is that of the CPU seconds of the work alone, on a log-log scale, between the two largest sizes.
``--before`` measures another checkout of the project beside this one.

* planning: file, cells, ids, outlook against an empty folder, jobs; all that comes before the first trial.
* compare, more seeds: `pstar compare` of N rows, the 532 cells of the shipped sweep with N/532 seeds each.
* compare, more cells: the same of N/32 cells with 32 seeds each, squared loss.
* audit: `pstar audit` of a CSV of N records; audit by score: with the curve over thresholds and classes.
* theory: `predict_table` of N cells, half of them squared, half logistic.
"""

import argparse
import json
import math
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fresh import run
from record import TOP, record

HERE = str(Path(__file__).resolve())
SWEEP = """[problem]
signal = {signals}
alpha = {alphas}
[generator]
p = {{ start = 0.05, stop = 0.95, num = 25 }}
[verifier]
phi = 0.8
psi = [0.1, 0.2]
[training]
loss = "squared"
ridge = [0.01, 0.1]
"""
"""100 cells for each signal and n/d."""


def sweep_file(cells: int) -> str:
    """A sweep of about ``cells`` cells."""
    signals = max(1, round(math.sqrt(cells / 100)))
    alphas = max(1, round(cells / 100 / signals))
    spread = lambda low, high, count: [low + (high - low) * (i + 0.5) / count for i in range(count)]
    return SWEEP.format(signals=spread(0.5, 5, signals), alphas=spread(0.5, 50, alphas))


def work(row: str, size: int, folder: Path) -> float:
    """Do what a row measures, in this process; returns the CPU seconds of the work alone."""
    return WORK[row](size, folder)


def _planning(size: int, folder: Path) -> float:
    from sims.sweeps.config import load
    from sims.sweeps.jobs import Work, by_shape
    from sims.sweeps.outlook import plan

    (folder / "sweep.toml").write_text(sweep_file(size))
    started = time.process_time()
    config = load(folder / "sweep.toml")
    outlook = plan(config, folder / "out")
    by_shape(outlook.chunks)
    Work(outlook.chunks, outlook.cells, folder / "out", config.run.root_seed).request(outlook.chunks[0])
    outlook.estimated_seconds(2)
    return time.process_time() - started


def _pstar(*words: str) -> float:
    from pstar.cli import main

    sys.argv = ["pstar", *words]
    started = time.process_time()
    main()
    return time.process_time() - started


def _audit(size: int, folder: Path) -> float:
    return _pstar("audit", str(folder / "records.csv"), "--correct", "correct", "--kept", "kept")


def _by_score(size: int, folder: Path) -> float:
    words = "--correct correct --kept kept --score score --class topic".split()
    return _pstar("audit", str(folder / "records.csv"), *words)


def _compare(size: int, folder: Path) -> float:
    return _pstar("compare", str(folder))


def _theory(size: int, folder: Path) -> float:
    os.environ["JAX_ENABLE_X64"] = "1"
    import numpy as np

    from theory.table import predict_table

    share = np.linspace(0.01, 0.99, size)
    loss = np.where(np.arange(size) % 2, "squared", "logistic").astype(object)
    table = {"signal": 1 + share, "alpha": 4.0, "ridge": 0.1, "p": share[::-1], "phi": 0.8, "psi": 0.3, "loss": loss}
    started = time.process_time()
    found = predict_table(table)
    seconds = time.process_time() - started
    assert found["converged"].all()
    return seconds


WORK: dict[str, Any] = {
    "planning": _planning,
    "compare, more seeds": _compare,
    "compare, more cells": _compare,
    "audit": _audit,
    "audit by score": _by_score,
    "theory": _theory,
}


def prepare(row: str, size: int, folder: Path) -> None:
    """Make the files that a row reads, in a process of its own."""
    if row.startswith("audit"):
        _records(size, folder)
    if row.startswith("compare"):
        _rows(size, folder, more_seeds=row.endswith("seeds"))


def _records(size: int, folder: Path) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    correct, score = rng.random(size) < 0.7, rng.normal(size=size)
    kept = score + correct > 0.8
    columns = (correct.astype(int), kept.astype(int), score, rng.choice(["news", "mail", "web"], size))
    with open(folder / "records.csv", "w") as file:
        file.write("correct,kept,score,topic\n")
        file.writelines(f"{c},{k},{s:.6f},{t}\n" for c, k, s, t in zip(*columns, strict=True))


def _rows(size: int, folder: Path, more_seeds: bool) -> None:
    """Rows as trials would give them: accuracies of the exact theory with noise."""
    os.environ["JAX_ENABLE_X64"] = "1"
    import numpy as np
    import pyarrow as pa

    from sims.sweeps.config import load
    from sims.sweeps.grid import cells
    from sims.sweeps.rows import _parameter_columns, schema
    from sims.sweeps.store import Store
    from theory.columns import CLASS_RATES
    from theory.table import predict_table

    (folder / "sweep.toml").write_text(sweep_file(max(size // 32, 100)))
    grid = list(cells(load(TOP / "sweeps" / "phase_diagram.toml" if more_seeds else folder / "sweep.toml")).values())
    seeds = max(2, round(size / len(grid)))
    owner = np.repeat(np.arange(len(grid)), seeds)
    count, rng = len(owner), np.random.default_rng(0)
    columns: dict[str, Any] = _parameter_columns(grid, owner)
    table = _parameter_columns(grid, np.arange(len(grid)))
    names = ("signal", "alpha", "ridge", "prior", "loss", *CLASS_RATES)
    found = predict_table({name: table[name].to_numpy(zero_copy_only=False) for name in names})
    n = columns["n"].to_numpy()
    noise = rng.normal(size=count) / np.sqrt(40 * n)
    m = np.rint(n * found["kept_rate"][owner]).astype(int)
    columns |= {"seed": np.tile(np.arange(seeds), len(grid)), "m": m, "wrong": np.rint(n * found["p"][owner])}
    columns |= {"kept_wrong": np.rint(m * (1 - found["purity"][owner])), "overlap": noise, "norm": np.ones(count)}
    columns |= {"accuracy": np.clip(found["accuracy"][owner] + noise, 0, 1), "accuracy_error": np.zeros(count)}
    columns |= {"gradient_norm": np.zeros(count), "steps": np.ones(count), "converged": np.ones(count, bool)}
    columns |= {"status": np.full(count, "ok", object)}
    wanted = schema("independent")
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in wanted]
    store = Store(folder)
    store.create()
    store.write_rows(pa.Table.from_arrays(arrays, schema=wanted))


def measured(row: str, size: int, checkout: Path, label: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        if row.startswith(("audit", "compare")):
            run([HERE, "--prepare", row, str(size), scratch])
        cost = run([HERE, "--work", row, str(size), scratch], checkout)
    seconds = json.loads(cost.printed.splitlines()[-1])
    return {"name": row, "size": size, "code": label, "work": seconds} | {
        what: getattr(cost, what) for what in ("cpu", "wall", "rss")
    }


def slope(rows: list[dict[str, Any]]) -> float | None:
    """Between the two largest sizes."""
    if len(rows) < 2:
        return None
    a, b = sorted(rows, key=lambda row: row["size"])[-2:]
    return math.log(b["work"] / a["work"]) / math.log(b["size"] / a["size"])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="*", default=list(WORK), choices=list(WORK), metavar="ROW", help="of the rows")
    options.add_argument("--sizes", type=int, nargs="*", default=[1000, 10_000, 100_000, 1_000_000])
    options.add_argument("--before", type=Path, help="another checkout, measured as well")
    options.add_argument("--prepare", nargs=3, help=argparse.SUPPRESS)
    options.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    given = options.parse_args()
    for words, function in ((given.prepare, prepare), (given.work, work)):
        if words:
            print(json.dumps(function(words[0], int(words[1]), Path(words[2]))))
            return
    print(f"{'':22}{'code':8}{'N':>9}{'seconds':>10}{'CPU s':>9}{'MB':>7}{'slope':>8}   of the work alone, CPU s")
    rows: list[dict[str, Any]] = []
    for row in given.only:
        for label, checkout in {"before": given.before, "now": TOP}.items():
            if checkout is None:
                continue
            mine: list[dict[str, Any]] = []
            for size in given.sizes:
                mine.append(measured(row, size, checkout.resolve(), label))
                last = mine[-1]
                steep = slope(mine) if size == given.sizes[-1] else None
                mine[-1] |= {"slope": steep} if steep is not None else {}
                shown = f"{steep:8.2f}" if steep is not None else " " * 8
                times = f"{last['wall']:10.2f}{last['cpu']:9.2f}{last['rss']:7.0f}{shown}   {last['work']:.3f}"
                print(f"{row:22}{label:8}{size:9}{times}", flush=True)
            rows += mine
    print(f"recorded: {record('growth', rows).relative_to(TOP)}")


if __name__ == "__main__":
    main()
