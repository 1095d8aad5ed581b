"""How long until a table of records is read? Whole processes, imports included, beside pandas and the csv module.

    python benchmarks/reading.py [--rows 1000 10000 100000 1000000 10000000] [--runs 3]

Two flags, a score and a class out of seven columns, one of which is text with commas and quotes. `pstar` reads as
`pstar audit` does, strictly. Against `pandas.read_csv`, `read_json` and `read_parquet` of the same columns, which
guess and let faults pass, and against Python's csv and json modules record by record, which is what the reader was
before. Median seconds of the clock and of the CPU, and the largest peak memory.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from fresh import Cost, run
from record import TOP, record

NAMES = ["correct", "kept", "score", "topic"]
OURS = f"""
import sys
from pathlib import Path
from empirical import records
found = records.read(Path(sys.argv[1]), {NAMES})
correct, kept = (records.as_flags(found[name]).values for name in ("correct", "kept"))
score, topic = records.as_numbers(found["score"]), records.as_labels(found["topic"])
print(int(correct.sum()), int(kept.sum()), round(float(score.sum()), 3), len(topic.names))
"""
PANDAS = f"""
import sys
import pandas as pd
path = sys.argv[1]
if path.endswith(".csv"):
    found = pd.read_csv(path, usecols={NAMES})
elif path.endswith(".jsonl"):
    found = pd.read_json(path, lines=True)
else:
    found = pd.read_parquet(path, columns={NAMES})
kept, score = found["kept"].sum(), found["score"].sum()
print(found["correct"].sum(), kept, round(float(score), 3), found["topic"].nunique())
"""
PLAIN = f"""
import csv, json, sys
import numpy as np
path, columns = sys.argv[1], {{name: [] for name in {NAMES}}}
with open(path, encoding="utf-8-sig", newline="") as file:
    for row in csv.DictReader(file, strict=True) if path.endswith(".csv") else map(json.loads, file):
        for name in columns:
            columns[name].append(row[name])
correct, kept = (np.array([value in ("1", 1) for value in columns[name]]) for name in ("correct", "kept"))
score = np.array(list(map(float, columns["score"])))
print(correct.sum(), kept.sum(), round(float(score.sum()), 3), len(set(columns["topic"])))
"""
READERS = {"pstar": OURS, "pandas": PANDAS, "csv and json modules": PLAIN}
KINDS = ("csv", "jsonl", "parquet")
MOST = 1_000_000
"""Rows of a text that slow readers are given; of more rows everything is read once."""


def write(folder: Path, rows: int) -> None:
    """The same records in three formats; in another process, so that this one stays small."""
    code = f"""
import csv, json, random
import pyarrow as pa, pyarrow.parquet as pq
rng, topics = random.Random(0), ["maths", "law", "history", "code"]
names = ["id", "prompt", "correct", "kept", "score", "topic", "note"]
writer = None
with open("r.csv", "w", newline="") as table, open("r.jsonl", "w") as lines:
    out = csv.writer(table)
    out.writerow(names)
    for start in range(0, {rows}, 100_000):
        some = []
        for i in range(start, min(start + 100_000, {rows})):
            right = rng.random() < 0.7
            score = rng.gauss(1.5 * right, 1)
            note = 'said "yes", twice' if i % 9 == 0 else "none"
            some.append([f"r{{i}}", i // 8, int(right), int(score > 0.7), score, rng.choice(topics), note])
        out.writerows(some)
        lines.writelines(json.dumps(dict(zip(names, row))) + "\\n" for row in some)
        part = pa.table(dict(zip(names, map(list, zip(*some)))))
        writer = writer or pq.ParquetWriter("r.parquet", part.schema)
        writer.write_table(part)
writer.close()
"""
    run(["-c", code], folder=folder)


def suited(kind: str, rows: int) -> set[str]:
    """Who reads it: the modules know no Parquet, and pandas takes 1.6 GB for a million lines of JSON."""
    names = {"pstar", "pandas", "csv and json modules"} - ({"csv and json modules"} if kind == "parquet" else set())
    return names if rows <= MOST else {"pstar"} | ({"pandas"} if kind != "jsonl" else set())


def measured(folder: Path, rows: int, runs: int) -> list[dict[str, Any]]:
    """A row per format and reader, run in turn. Raises RuntimeError where two readers do not agree."""
    found: list[dict[str, Any]] = []
    for kind in KINDS:
        path = folder / f"r.{kind}"
        readers = [name for name in READERS if name in suited(kind, rows)]
        costs: dict[str, list[Cost]] = {name: [] for name in readers}
        for _ in range(runs if rows <= MOST else 1):
            for name in readers:
                costs[name].append(run(["-c", READERS[name], str(path)]))
        if len({some[0].printed for some in costs.values()}) > 1:
            raise RuntimeError(
                f"readers of {kind} disagree: { {name: some[0].printed for name, some in costs.items()} }"
            )
        for name, some in costs.items():
            row: dict[str, Any] = {"name": f"{kind}, {rows:,} rows", "reader": name, "runs": len(some), "rows": rows}
            row |= {"size": path.stat().st_size, "rss": max(cost.rss for cost in some)}
            row |= {what: statistics.median(getattr(cost, what) for cost in some) for what in ("cpu", "wall")}
            found.append(row)
        by = {row["reader"]: row for row in found[-len(readers) :]}
        if "pandas" in by:
            by["pstar"] |= {"ratio": by["pandas"]["cpu"] / by["pstar"]["cpu"], "against": "pandas"}
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, nargs="+", default=[10**3, 10**4, 10**5, 10**6, 10**7])
    options.add_argument("--runs", type=int, default=3)
    given = options.parse_args()
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}; median of {given.runs} runs")
    print(f"{'table':28}{'reader':24}{'seconds':>9}{'CPU':>9}{'MB':>8}{'ratio':>8}")
    rows: list[dict[str, Any]] = []
    for count in given.rows:
        with tempfile.TemporaryDirectory() as scratch:
            write(Path(scratch), count)
            for row in measured(Path(scratch), count, given.runs):
                rows.append(row)
                ratio = f"{row['ratio']:8.2f}" if "ratio" in row else ""
                print(
                    f"{row['name']:28}{row['reader']:24}{row['wall']:9.2f}{row['cpu']:9.2f}{row['rss']:8.0f}{ratio}",
                    flush=True,
                )
    print(f"recorded: {record('reading', rows).relative_to(TOP)}")


if __name__ == "__main__":
    main()
