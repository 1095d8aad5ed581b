"""Time and memory of `pstar audit` by number of records, beside pandas and NumPy that only count.

    python benchmarks/audit_scale.py [--only WORD ...] [--sizes 1000 ... 10000000] [--runs 1] [--before CHECKOUT]

Every number is that of a fresh process, imports included: user and system CPU seconds, seconds on the clock, peak
memory; of several runs the least. A floor is said too: Python, NumPy and pyarrow imported, nothing done.

* plain: CSV, correct and kept. group: the same with prompts of ten records. score: with the curve over thresholds.
* class: with 20,000 classes. Parquet: plain, from Parquet.
* pandas: `read_csv` (or `read_parquet`) of those columns and NumPy's counts of the same tables, no interval and no
  check of what the words mean.
"""

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

from fresh import Cost, run
from record import TOP, record

HERE = str(Path(__file__).resolve())
SIZES = [10**power for power in range(3, 8)]
CLASSES, EACH = 20_000, 10
ROWS: dict[str, tuple[str, list[str]]] = {
    "plain": ("csv", []),
    "group": ("csv", ["--group", "prompt"]),
    "score": ("csv", ["--score", "score"]),
    "class": ("csv", ["--class", "topic"]),
    "Parquet": ("parquet", []),
}
ONLY_SIZE = {"class": [200_000]}
AGAINST = "pandas and NumPy, counts alone"
FLOOR = "import numpy, pyarrow, scipy.special"


def prepare(size: int, folder: Path) -> None:
    """records.csv and records.parquet, in a process of its own."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    rng = np.random.default_rng(0)
    correct = rng.random(size) < 0.7
    kept = rng.random(size) < np.where(correct, 0.9, 0.3)
    columns = {"correct": correct.astype(np.int8), "kept": kept.astype(np.int8), "prompt": np.arange(size) // EACH}
    columns |= {"score": np.round(rng.random(size) + correct, 4), "topic": rng.integers(0, CLASSES, size)}
    table = pa.table(columns)
    pyarrow.csv.write_csv(table, folder / "records.csv")
    pyarrow.parquet.write_table(table, folder / "records.parquet")


def count(row: str, path: Path) -> None:
    """The named alternative, in this process."""
    import numpy as np
    import pandas as pd

    more = [word for word in ROWS[row][1] if not word.startswith("--")]
    columns = ["correct", "kept", *more]
    table = pd.read_parquet(path, columns=columns) if path.suffix == ".parquet" else pd.read_csv(path, usecols=columns)
    kind = 2 * table["correct"].to_numpy() + table["kept"].to_numpy()
    if row in ("group", "class"):
        place = table[more[0]].to_numpy()
        print(np.bincount(4 * place + kind).size)
    elif row == "score":
        score = table["score"].to_numpy()
        ends = np.unique(np.quantile(score, np.arange(50) / 50))
        place = np.searchsorted(ends, score, "right")
        print(np.cumsum(np.bincount(2 * place + table["correct"].to_numpy())).size)
    print(np.bincount(kind))


def best(words: list[str], checkout: Path, runs: int) -> Cost:
    """The least CPU seconds of the runs, and with them the rest."""
    return min(run(words, checkout) for _ in range(runs))


def measured(row: str, size: int, folder: Path, places: dict[str, Path], runs: int) -> list[dict[str, Any]]:
    """A row per checkout, and one of the alternative."""
    kind, more = ROWS[row]
    path = str(folder / f"records.{kind}")
    words = ["-m", "pstar", "audit", path, "--correct", "correct", "--kept", "kept", *more]
    costs = {label: best(words, checkout, runs) for label, checkout in places.items()}
    costs["pandas"] = best([HERE, "--count", row, path], TOP, runs)
    found = []
    for label, cost in costs.items():
        line: dict[str, Any] = {"name": f"{row}, {size}", "row": row, "size": size, "code": label, "runs": runs}
        line |= {what: getattr(cost, what) for what in ("cpu", "wall", "rss")}
        if label == "now":
            line |= {"ratio": costs["pandas"].cpu / cost.cpu, "against": AGAINST}
        found.append(line)
        print(f"{row:10}{size:>12,}  {label:8}{cost.cpu:9.2f}{cost.wall:9.2f}{cost.rss:9.0f}", flush=True)
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="*", default=list(ROWS), choices=list(ROWS), metavar="ROW", help="of the rows")
    options.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    options.add_argument("--runs", type=int, default=1)
    options.add_argument("--before", type=Path, help="another checkout, measured as well")
    options.add_argument("--prepare", nargs=2, help=argparse.SUPPRESS)
    options.add_argument("--count", nargs=2, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.prepare:
        prepare(int(given.prepare[0]), Path(given.prepare[1]))
        return
    if given.count:
        count(given.count[0], Path(given.count[1]))
        return
    places = {label: path.resolve() for label, path in {"before": given.before, "now": TOP}.items() if path}
    floor = best(["-c", FLOOR], TOP, given.runs)
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}; {FLOOR}: {floor.cpu:.2f} CPU s")
    print(f"{'':10}{'records':>12}  {'':8}{'CPU s':>9}{'seconds':>9}{'MB':>9}")
    rows: list[dict[str, Any]] = [{"name": "floor", "cpu": floor.cpu, "wall": floor.wall, "rss": floor.rss}]
    wanted: dict[int, list[str]] = {size: [] for row in given.only for size in ONLY_SIZE.get(row, given.sizes)}
    for row in given.only:
        for size in ONLY_SIZE.get(row, given.sizes):
            wanted[size].append(row)
    for size, here in sorted(wanted.items()):
        with tempfile.TemporaryDirectory() as scratch:
            run([HERE, "--prepare", str(size), scratch])
            for row in here:
                rows += measured(row, size, Path(scratch), places, given.runs)
    print(f"recorded: {record('audit_scale', rows).relative_to(TOP)}")


if __name__ == "__main__":
    main()
