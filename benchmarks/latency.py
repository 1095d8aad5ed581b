"""How long until the answer? Whole processes from an empty one, imports and compilation included.

    python benchmarks/latency.py [--only WORD ...] [--runs 5] [--before CHECKOUT]

Every line is a shipped command, run ``--runs`` times: median (least to most) of its user and system CPU seconds and of
the time on the clock, and the largest peak memory. One answer is measured beside a plain SciPy solve of the same
equations (`plain_scipy`), in turn. ``--before`` runs another checkout of the project in turn, beside this one.
CPU seconds are those of all processes of a command together.
"""

import argparse
import os
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fresh import Cost, run
from record import TOP, record

PSTAR = ("-m", "pstar")
RATES = "--p .3 --phi .9 --psi .2 --signal 2 --alpha 4 --ridge .1".split()
COLOURED = ("--intercept", "--prior", ".7", "--eigenvalues", "4;1;.1", "--shares", ".1;.3;.6", "--signals-sq", "2;1;0")
COSINES = "--cos-generator .4 --cos-verifier .6 --cos-between .2 --alpha 4".split()
VERBS = (
    "sweep",
    "compare",
    "figures",
    "verify",
    "study",
    "predict",
    "explore",
    "audit",
    "forecast",
    "features",
    "eigenvalues",
    "summarization",
    "init",
    "completion",
)
STUDIES = ("sharpening", "roc", "classes", "rounds", "trust", "equal_worth", "poster", "intercept")
PLAIN = "plain SciPy, logistic"

Steps = Sequence[Sequence[str]]
"""Commands, one after the other, each the words after ``python``."""


def predict(*words: str) -> Steps:
    return [[*PSTAR, "predict", *words]]


COMMANDS: dict[str, Steps] = {
    "--help": [[*PSTAR, "--help"]],
    **{f"{verb} --help": [[*PSTAR, verb, "--help"]] for verb in VERBS},
    PLAIN: [[str(TOP / "benchmarks" / "plain_scipy.py")]],
    "predict squared": predict(*RATES),
    "predict logistic": predict(*RATES, "--loss", "logistic"),
    "predict hinge": predict(*RATES, "--loss", "hinge"),
    "predict linear squared": predict("--setting", "linear", *COSINES),
    "predict linear logistic": predict("--setting", "linear", *COSINES, "--loss", "logistic"),
    "predict keep-easy": predict("--setting", "keep-easy", *COSINES, "--margin", "1"),
    "predict keep-hard": predict("--setting", "keep-hard", *COSINES, "--margin", "1"),
    "predict mixture": predict("--setting", "mixture", *COSINES, "--real", ".2"),
    "predict learned": predict("--setting", "learned", "--cos-generator", ".4", "--phi", ".9", "--psi", ".2"),
    "predict intercept, coloured": predict(*RATES, *COLOURED, "--loss", "logistic"),
    "predict 10 classes": predict("--classes", "10", *RATES),
    "table of 1,000 mixed cells": predict("--table", "cells.csv", "--out", "predicted.csv"),
    "audit of 1,000 records": [[*PSTAR, "audit", "records.csv", "--correct", "correct", "--kept", "kept"]],
    "explore": [[*PSTAR, "explore"]],
    "features of 1,000 points": [[*PSTAR, "features", "features.csv", *RATES]],
    "sweep": [[*PSTAR, "sweep", str(TOP / "sweeps" / "phase_diagram.toml"), "--out", "swept"]],
    "compare": [[*PSTAR, "compare", "swept"]],
    "figures": [[*PSTAR, "figures", "swept"]],
    **{f"study {name}": [[*PSTAR, "study", name, "--out", f"study-{name}"]] for name in STUDIES},
}
AFTER = {"compare": ("sweep",), "figures": ("sweep", "compare")}
"""What a command needs, made once beforehand where it is measured alone."""


def prepare(folder: Path) -> None:
    """The files that commands read."""
    lines = ["setting,loss,signal,alpha,ridge,p,phi,psi,cos_generator,cos_verifier,cos_between"]
    for i in range(1000):
        loss, share = ("squared", "logistic")[i % 2], i / 1000
        own = f"{share},0.9,0.2,,," if i % 4 < 2 else f",,,{share - 0.5},0.6,0.2"
        lines.append(f"{'independent' if i % 4 < 2 else 'linear'},{loss},{1 + share},{2 + 4 * share},0.1,{own}")
    (folder / "cells.csv").write_text("\n".join(lines) + "\n")
    records = [f"{int(i % 3 > 0)},{int(i % 3 > 0) if i % 7 else i % 2}" for i in range(1000)]
    points = [[i % 2, *((i * j * 0.618 + 0.1 * (i % 2)) % 1 for j in range(1, 9))] for i in range(1000)]
    header = ",".join(["y", *(f"x{j}" for j in range(1, 9))])
    (folder / "features.csv").write_text("\n".join([header, *(",".join(map(str, point)) for point in points)]) + "\n")
    (folder / "records.csv").write_text("\n".join(["correct,kept", *records]) + "\n")


def once(name: str, checkout: Path, folder: Path) -> Cost:
    """One run; a sweep starts from nothing."""
    if name == "sweep":
        shutil.rmtree(folder / "swept", ignore_errors=True)
    costs = [run(words, checkout, folder) for words in COMMANDS[name]]
    return Cost(sum(c.cpu for c in costs), sum(c.wall for c in costs), max(c.rss for c in costs), "")


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def measured(name: str, runs: int, places: dict[str, tuple[Path, Path]]) -> list[dict[str, Any]]:
    """A row per checkout, run in turn."""
    costs: dict[str, list[Cost]] = {label: [] for label in places}
    for checkout, folder in places.values():
        for needed in AFTER.get(name, ()):
            if not (folder / "swept" / ("rows.parquet" if needed == "sweep" else "tables")).exists():
                once(needed, checkout, folder)
    for _ in range(runs):
        for label, place in places.items():
            costs[label].append(once(name, *place))
    rows = []
    for label, some in costs.items():
        row: dict[str, Any] = {"name": name, "code": label, "runs": runs, "rss": max(cost.rss for cost in some)}
        rows.append(row | {what: spread([getattr(cost, what) for cost in some]) for what in ("cpu", "wall")})
    return rows


def line(row: dict[str, Any]) -> str:
    cells = (
        f"{row[what]['median']:7.2f} ({row[what]['min']:.2f} to {row[what]['max']:.2f})" for what in ("cpu", "wall")
    )
    cpu, wall = cells
    ratio = f"{row['ratio']:9.2f}" if "ratio" in row else ""
    return f"{row['name']:28}{row['code']:8}{cpu:28}{wall:28}{row['rss']:7.0f}{ratio}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="*", default=[], help="words, one of which must be in a command's name")
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--before", type=Path, help="another checkout, run in turn")
    given = options.parse_args()
    names = [name for name in COMMANDS if not given.only or any(word in name for word in given.only)]
    if any(name.startswith("predict ") for name in names) and PLAIN not in names:
        names.insert(0, PLAIN)
    print(
        f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}; {given.runs} runs: median (min to max)"
    )
    print(f"{'pstar':28}{'code':8}{'CPU seconds':28}{'seconds':28}{'MB':>7}{'ratio':>9}")
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        places = {}
        for label, checkout in {"before": given.before, "now": TOP}.items():
            if checkout is not None:
                places[label] = (checkout.resolve(), Path(scratch) / label)
                places[label][1].mkdir()
                prepare(places[label][1])
        for name in names:
            for row in measured(name, given.runs, {"now": places["now"]} if name == PLAIN else places):
                plain = next((other for other in rows if other["name"] == PLAIN), None)
                if plain and name.startswith("predict ") and not name.endswith("--help"):
                    row |= {"ratio": plain["cpu"]["median"] / row["cpu"]["median"], "against": PLAIN}
                rows.append(row)
                print(line(row), flush=True)
    print(f"recorded: {record('latency', rows).relative_to(TOP)}")


if __name__ == "__main__":
    main()
