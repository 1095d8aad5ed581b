"""A comparison in short: its heading and its closing account, which the report and a notebook both show."""

from typing import Any

import pandas as pd

from theory.columns import SPECTRUM


def heading(cells: pd.DataFrame) -> str:
    """How much was compared, and what is the same in all cells."""
    first = cells.iloc[0]
    constant = [
        f"{name} = {first[key]:.12g}"
        for key, name in (("d", "d"), ("signal", "signal"), ("ridge", "ridge"), ("prior", "prior"))
        if cells[key].nunique() == 1 and (key != "prior" or first[key] != 0.5)
    ]
    if "intercept" in cells and cells["intercept"].nunique() == 1:
        constant.append("with intercept" if first["intercept"] else "without intercept")
    if "eigenvalues" in cells:
        constant += [f"{name} = {shortened(first[name])}" for name in SPECTRUM if cells[name].nunique() == 1]
    count = f"{len(cells):,} cells, {int(cells['seeds'].sum()):,} trials"
    return f"Predicted against measured p*: {count}, {first['setting']} setting, {', '.join(constant)}"


def shortened(levels: str) -> str:
    """The first levels of a list."""
    entries = [f"{float(entry):.3g}" for entry in levels.split(";")]
    return ";".join(entries if len(entries) <= 4 else [*entries[:3], "..", entries[-1]])


def closing(summary: dict[str, Any]) -> str:
    """Largest |z| against chance, and how often each prediction was right."""
    half, accuracy = summary["p_half"], summary["accuracy"]
    lines = ["Account"]
    if half["count"]:
        lines.append(f"  p_half against theory, {half['count']} crossings: {_largest(half)}")
    if accuracy["count"]:
        band = accuracy["inside_99_by_chance"]
        lines.append(f"  accuracy against exact theory, {accuracy['count']} cells: {_largest(accuracy)};")
        lines.append(f"    {accuracy['inside_99']} cells inside their 99% interval (by chance {band[0]} to {band[1]})")
    decided, exact = summary["decided_cells"], summary["exact_decided_cells"]
    lines.append(f"  'p < p*' predicts whether training beats the generator: {_share(summary['rule_right'], decided)}")
    lines.append(f"  the exact theory predicts it: {_share(summary['exact_right'], exact)}")
    lines += [f"  without exact theory: {count} cells ({status})" for status, count in summary["exact_failed"].items()]
    undecided = summary["cells"] - decided - summary["failed_cells"]
    lines.append(f"  undecided cells: {undecided}; cells with a failed trial: {summary['failed_cells']}")
    return "\n".join(lines)


def _largest(z: dict[str, Any]) -> str:
    chance = f"by chance about {z['median_by_chance']:.2f}, 95% of the time below {z['bound_by_chance_95']:.2f}"
    return f"largest |z| = {z['largest_z']:.2f} ({chance})"


def _share(right: int, decided: int) -> str:
    return f"{right} of {decided} decided cells ({right / decided:.1%})" if decided else "no decided cells"
