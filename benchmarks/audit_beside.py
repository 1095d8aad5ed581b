"""`pstar audit` beside truescore, judgy and ppi-python: number by number on five files, and feature by feature.

    python benchmarks/audit_beside.py [--python PATH] [--repetitions 400] [--files DIR] [--only WORD ...]

The files are drawn by seed from laws whose rates are known (`beside/files.py`), so every row has its value, interval
and width on the file, and over further draws the coverage of its 95 % interval and its mean width. PATH is a Python in
which any of the three is installed; ours runs in this one. What is not there is left out. Prints Markdown.
"""

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from beside.features import FEATURES, TOOLS, VERSIONS
from beside.files import FILES, write
from record import TOP, record

SCRIPTS = {"pstar": "of_pstar.py", "truescore": "of_truescore.py", "judgy": "of_judgy.py", "ppi-python": "of_ppi.py"}
MODULES = {"truescore": "truescore", "judgy": "judgy", "ppi-python": "ppi_py"}
QUANTITIES = {
    "accuracy": "accuracy of labels, 1 - p",
    "phi": "phi, sensitivity",
    "psi": "psi, 1 - specificity",
    "purity": "purity, precision",
    "p_star": "p*",
    "worth": "worth of one generated",
}


def answers(tool: str, python: str, folder: Path) -> dict[str, Any] | None:
    """What the script of a tool found; None where the tool is not installed. Raises RuntimeError where it fails."""
    if tool in MODULES and subprocess.run([python, "-c", f"import {MODULES[tool]}"], capture_output=True).returncode:
        return None
    script = TOP / "benchmarks" / "beside" / SCRIPTS[tool]
    words = [sys.executable if tool == "pstar" else python, str(script), str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(TOP)})
    if done.returncode:
        raise RuntimeError(f"{script.name} ended with {done.returncode}:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def row(file: str, name: str, tool: str, draws: list[Any]) -> dict[str, Any]:
    """Of one estimator on one file: the first draw is the file itself, the others say how often it covers."""
    quantity, how = name.split(": ", 1)
    truth = FILES[file].truth[quantity]
    first, *others = draws
    found: dict[str, Any] = {"name": f"{file}, {quantity}, {tool} {how}", "file": file, "quantity": quantity}
    found |= {"tool": tool, "how": how, "truth": truth}
    if isinstance(first, str):
        return found | {"refused": first.removeprefix("refused: ")}
    found |= {"value": first[0], "low": first[1], "high": first[2], "width": first[2] - first[1]}
    ends = np.array([draw for draw in others if not isinstance(draw, str)]).reshape(-1, 3)
    if len(ends):
        covers = (ends[:, 1] <= truth) & (truth <= ends[:, 2])
        found |= {"repetitions": len(ends), "left_out": len(others) - len(ends), "coverage": float(covers.mean())}
        found |= {"missed_low": float((ends[:, 2] < truth).mean()), "missed_high": float((ends[:, 1] > truth).mean())}
        found |= {"bias": float(ends[:, 0].mean() - truth), "mean_width": float(np.mean(ends[:, 2] - ends[:, 1]))}
    return found


def markdown(head: list[str], rows: list[list[str]], left: int = 1) -> str:
    """A table, its first ``left`` columns set left."""
    sides = [" --- " if place < left else " ---: " for place in range(len(head))]
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join(sides)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(cells)} |" for cells in rows)])


def cells(found: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    """A row of the table of numbers; the quantity is said once."""
    same = before is not None and before["quantity"] == found["quantity"]
    start = ["" if same else QUANTITIES[found["quantity"]], f"{found['tool']}, {found['how']}"]
    if "refused" in found:
        return [*start, f"*{re.split('[,;]', found['refused'])[0]}*", "", "", "", "", ""]
    number = lambda key: f"{found[key]:.3f}" if math.isfinite(found.get(key, math.nan)) else ""
    interval = f"[{found['low']:.3f}, {found['high']:.3f}]"
    coverage = f"{100 * found['coverage']:.1f}" if "coverage" in found else ""
    bias = f"{found['bias']:+.3f}" if "bias" in found else ""
    return [*start, number("value"), interval, number("width"), coverage, number("mean_width"), bias]


def numbers(rows: list[dict[str, Any]]) -> str:
    """The tables of numbers, a file each."""
    head = ["", "tool, estimator", "value", "95 % interval", "width", "covers, %", "mean width", "bias"]
    parts = []
    for file, law in FILES.items():
        mine = [found for found in rows if found["file"] == file]
        mine.sort(key=lambda found: (list(QUANTITIES).index(found["quantity"]), TOOLS.index(found["tool"])))
        before = [None, *mine[:-1]]
        truth = ", ".join(f"{QUANTITIES[name].split(',')[0]} {value:.3f}" for name, value in law.truth.items())
        table = markdown(head, [cells(*pair) for pair in zip(mine, before, strict=True)], 2)
        parts.append(f"### {file}: {law.about}\n\nTruth: {truth}.\n\n{table}")
    return "\n\n".join(parts)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--python", default=sys.executable, help="a Python that has the other tools")
    options.add_argument("--repetitions", type=int, default=400, help="further draws of each file")
    options.add_argument("--files", type=Path, help="keep the five files, as CSV, in this folder")
    options.add_argument("--only", nargs="*", default=list(TOOLS), choices=TOOLS, metavar="TOOL", help="of the tools")
    given = options.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write(folder, given.repetitions)
        if given.files:
            given.files.mkdir(parents=True, exist_ok=True)
            for path in folder.glob("*.csv"):
                (given.files / path.name).write_bytes(path.read_bytes())
        for tool in given.only:
            said = answers(tool, given.python, folder)
            if said is None:
                print(f"{tool} is not installed in {Path(given.python).name}; left out", file=sys.stderr)
                continue
            if said["version"] != VERSIONS[tool]:
                print(f"{tool} is {said['version']}; the table of features is of {VERSIONS[tool]}", file=sys.stderr)
            rows += [
                row(file, name, tool, draws) | {"version": said["version"]}
                for file, by_row in said["found"].items()
                for name, draws in by_row.items()
            ]
    print(numbers(rows))
    titles = ["", *(f"{tool} {version}" for tool, version in VERSIONS.items())]
    print(f"\n### Feature by feature\n\n{markdown(titles, [list(line) for line in FEATURES], len(titles))}")
    print(f"recorded: {record('audit_beside', rows).relative_to(TOP)}", file=sys.stderr)


if __name__ == "__main__":
    main()
