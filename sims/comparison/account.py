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
    count = f"{counted(len(cells), 'cell')}, {counted(int(cells['seeds'].sum()), 'trial')}"
    return f"Predicted against measured p*: {count}, {first['setting']} setting, {', '.join(constant)}"


def counted(count: int, what: str) -> str:
    """A number of things, in the singular where it is one."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def shortened(levels: str) -> str:
    """The first levels of a list."""
    entries = [f"{float(entry):.3g}" for entry in levels.split(";")]
    return ";".join(entries if len(entries) <= 4 else [*entries[:3], "..", entries[-1]])


def closing(summary: dict[str, Any]) -> str:
    """Largest |z| against chance, and how often each prediction was right."""
    half, accuracy = summary["p_half"], summary["accuracy"]
    lines = ["Account"]
    if half["count"]:
        lines.append(f"  p_half against theory, {counted(half['count'], 'crossing')}: {_largest(half)}")
    if accuracy["count"]:
        band = accuracy["inside_99_by_chance"]
        lines.append(f"  accuracy against exact theory, {counted(accuracy['count'], 'cell')}: {_largest(accuracy)};")
        lines.append(
            f"    {counted(accuracy['inside_99'], 'cell')} inside the 99% interval (by chance {band[0]} to {band[1]})"
        )
    decided, exact = summary["decided_cells"], summary["exact_decided_cells"]
    lines.append(f"  'p < p*' predicts whether training beats the generator: {_share(summary['rule_right'], decided)}")
    if summary["theory_cells"] < summary["cells"]:
        lines.append(f"  the exact theory predicts it: {_share(summary['exact_right'], exact)}")
    else:
        lines.append("  the exact theory: not compared, as these rows are the exact theory themselves")
    failed = summary["exact_failed"].items()
    lines += [f"  without exact theory: {counted(count, 'cell')} ({status})" for status, count in failed]
    if summary["tied_cells"]:
        lines.append(f"  p = p*, of which the rule says nothing: {counted(summary['tied_cells'], 'decided cell')}")
    undecided = summary["undecided_cells"]
    lines.append(f"  undecided cells: {undecided}; cells with a failed trial: {summary['failed_cells']}")
    return "\n".join(lines)


def _largest(z: dict[str, Any]) -> str:
    chance = f"by chance about {z['median_by_chance']:.2f}, 95% of the time below {z['bound_by_chance_95']:.2f}"
    return f"largest |z| = {z['largest_z']:.2f} ({chance})"


def _share(right: int, decided: int) -> str:
    return f"{right} of {counted(decided, 'decided cell')} ({right / decided:.1%})" if decided else "no decided cells"
