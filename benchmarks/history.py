"""Every ratio that benchmarks have recorded, over time: ours against the named alternative of the same run.

    python benchmarks/history.py [--out out/benchmarks]

Prints one line per ratio (first, last, and range) and draws them as history.png. Runs of different machines and
commits stand side by side: a ratio is of one machine and one run, so that they can be compared, and seconds cannot.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from record import RESULTS, TOP

COLUMNS = ("benchmark", "row", "against", "runs", "first", "last", "least", "most", "last commit")


class Ratio(NamedTuple):
    """One row of one run."""

    benchmark: str
    row: str
    against: str
    date: str
    commit: str
    value: float


def ratios(results: Path = RESULTS) -> list[Ratio]:
    """All that were recorded, oldest first."""
    return sorted(_found(results), key=lambda ratio: (ratio.date, ratio.benchmark, ratio.row))


def _found(results: Path) -> Iterator[Ratio]:
    for path in sorted(results.glob("*.json")):
        for run in json.loads(path.read_bytes()):
            for row in run["rows"]:
                if "ratio" in row:
                    against = str(row.get("against", ""))
                    about = (run["benchmark"], _name(row), against, run["date"], run.get("commit", "-"))
                    yield Ratio(*about, float(row["ratio"]))


def _name(row: dict[str, Any]) -> str:
    """That of a row, with the code that it is of where that is not the present one."""
    return row["name"] if row.get("code", "now") == "now" else f"{row['name']} ({row['code']})"


def series(found: list[Ratio]) -> dict[tuple[str, str, str], list[Ratio]]:
    """By what is compared with what."""
    by: dict[tuple[str, str, str], list[Ratio]] = {}
    for ratio in found:
        by.setdefault(ratio[:3], []).append(ratio)
    return by


def text(found: list[Ratio]) -> str:
    """A line per series."""
    lines = [COLUMNS]
    for key, runs in sorted(series(found).items()):
        values = [run.value for run in runs]
        numbers = (f"{value:.3g}" for value in (values[0], values[-1], min(values), max(values)))
        lines.append((*key, str(len(runs)), *numbers, runs[-1].commit))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def draw(found: list[Ratio], path: Path) -> None:
    """Ratios against the number of the run, on a log scale, a panel a benchmark; 1 is the alternative."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    names = sorted({ratio.benchmark for ratio in found})
    figure = Figure(figsize=(10, 4 * len(names)), layout="constrained")
    for ax, name in zip(figure.subplots(len(names), squeeze=False)[:, 0], names, strict=True):
        dates = sorted({ratio.date for ratio in found if ratio.benchmark == name})
        lines = [(key, runs) for key, runs in sorted(series(found).items()) if key[0] == name]
        for i, ((_, row, against), runs) in enumerate(lines):
            places, values = [dates.index(run.date) for run in runs], [run.value for run in runs]
            colour, mark = mpl.colormaps["turbo"](i / max(len(lines) - 1, 1)), "os^vDP"[i % 6]
            ax.plot(places, values, mark, linestyle="-", color=colour, markersize=5, label=f"{row} / {against}")
        ax.axhline(1, color="0.5", linestyle="--", linewidth=1)
        ax.set(yscale="log", title=name, ylabel="times quicker than the alternative")
        ax.set_xticks(range(len(dates)), [f"{date[5:10]} {date[11:16]}" for date in dates], fontsize=7)
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, default=TOP / "out" / "benchmarks", help="folder of the figure")
    given = options.parse_args()
    found = ratios()
    if not found:
        raise SystemExit("nothing is recorded yet; run a program of benchmarks/, such as benchmarks/latency.py")
    print(text(found))
    draw(found, given.out / "history.png")
    print(f"written: {given.out / 'history.png'}")


if __name__ == "__main__":
    main()
