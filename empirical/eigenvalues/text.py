"""The report as text: the table with its verdicts, the p* experiment, and what limits both."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from empirical.eigenvalues.text_beside import at_tolerance, collapse, interval, number, p_star
from sims.running.text import say

NAMES = {
    "generator_greedy": "generator, greedy",
    "best_of_beam_oracle": "best of beam {}, oracle",
    "top_beam_own_likelihood": "top of beam {}, own likelihood",
    "trained_no_selection": "retrained, no selection",
    "trained_data_selection": "retrained, data selection",
    "trained_label_selection": "retrained, closest of beam {}",
    "trained_self_likelihood": "retrained, likeliest of beam {}",
    "trained_true_labels": "retrained, true labels (control)",
}
MARKS = {"better": "+", "worse": "-", "undecided": "?", "failed": "!"}
PROVENANCE = {
    "quick": "Its settings lie between two that were tried on other random numbers; these seeds were run once.",
    "tiny": "Its settings were chosen on other random numbers (root seed 777); these seeds were run once.",
    "crossing": "Its settings were chosen on other random numbers (root seed 777); these seeds were run once.",
    "long": "Its steps were raised after these seeds were run once with 4,500, which were too few.",
    "gpu": "Its settings were not tried beforehand: encoding, sizes, learning rates and passes are choices.",
    "paper": "Encoding, sizes, learning rate and passes are choices: the poster does not give them.",
}

Tables = Mapping[str, pd.DataFrame]


def text(tables: Tables, profile: Mapping[str, Any], rounding: Mapping[str, float]) -> str:
    """All of it, ready to print. ``rounding``: share of true answers that their own rounding leaves correct."""
    parts = [_head(tables["rows"], profile), _table(tables["rows"], profile), _verdicts(tables["rows"], profile)]
    parts += [p_star(tables, profile), collapse(tables["collapse"], profile), _limits(tables, profile, rounding)]
    return "\n\n".join("\n".join(part) for part in parts)


def name_of(row: str, beam: Any) -> str:
    """A row of the table in words."""
    return NAMES[row].format("" if pd.isna(beam) else int(beam))


def _head(rows: pd.DataFrame, profile: Mapping[str, Any]) -> Iterator[str]:
    problem, training, first = profile["problem"], profile["training"], rows.iloc[0]
    seeds = "1 seed" if first["seeds"] == 1 else f"{first['seeds']} seeds"
    yield say(
        f"Eigenvalues of {problem['size']} x {problem['size']} matrices, profile {profile['name']}: "
        f"{problem['input']} in, {problem['output']} out; generator on {training['generator_pairs']:,} pairs, students "
        f"on labels of {profile['selection']['matrices']:,} fresh matrices; every model {training['steps']:,} steps of "
        f"{training['batch']:,} from scratch, by {first['optimizer']}; {seeds} with {first['tests']:,} test matrices "
        "each."
    )


def _table(rows: pd.DataFrame, profile: Mapping[str, Any]) -> Iterator[str]:
    tolerances = list(dict.fromkeys(rows["tolerance_percent"]))
    selection = profile["selection"]
    widths = selection["label_beams"]
    yield (
        "Accuracy in % within relative tolerance; in brackets the published value, 5 x 5"
        + (f" (its beam {selection['published_beam']} beside our {max(widths)})" if widths else "")
    )
    yield f"{'':34}" + "".join(f"{f'{t:g} %':>15}" for t in tolerances) + f"{'steps':>8}{'examples':>11}"
    for (row, beam), part in rows.groupby(["row", "beam"], sort=False, dropna=False):
        cells = [_cell(line) for _, line in part.iterrows()]
        first = part.iloc[0]
        yield f"{name_of(row, beam):34}" + "".join(cells) + f"{first['steps']:8,}{first['examples']:11,.0f}"
        if first["failure"]:
            yield f"    failed: {first['failure']}"
    yield "+ better than the generator, - worse, ? undecided: the 95 % interval of the paired difference holds zero."
    yield "Each verdict is for itself, uncorrected for their number."


def _cell(line: pd.Series) -> str:
    shown = "NaN" if np.isnan(line["accuracy"]) else f"{line['accuracy']:.1f}"
    mark = MARKS.get(line["verdict"], " ")
    published = "" if np.isnan(line["published"]) else f"({line['published']:.1f})"
    return f"{shown:>6}{mark} {published:<7}"


def _verdicts(rows: pd.DataFrame, profile: Mapping[str, Any]) -> Iterator[str]:
    percent, part = at_tolerance(rows, profile)
    if part.empty:
        yield f"No verdicts: {percent:g} %, the verifier's tolerance, is no column."
        return
    seeds = part.iloc[0]["seeds"]
    several = f"over test matrices; Student's t over {seeds} seeds; of the difference, paired, over seeds"
    what = several if seeds > 1 else "over test matrices: one seed, so that they speak of these models only"
    yield say(f"At {percent:g} %, the verifier's tolerance, with 95 % intervals {what}")
    yield f"{'':34}{'accuracy':>9}{'tests':>14}{'seeds':>14}{'minus generator':>26}{'seeds + / -':>13}  verdict"
    for _, line in part.iterrows():
        start = f"{name_of(line['row'], line['beam']):34}{number(line['accuracy']):>9}"
        start += f"{interval(line, 'low', 'high'):>14}{interval(line, 'seed_low', 'seed_high'):>14}"
        if line["row"] == "generator_greedy":
            yield start
            continue
        gain = f"{number(line['difference'], '+')} {interval(line, 'difference_low', 'difference_high', '+')}"
        yield start + f"{gain:>26}{f'{line.seeds_above:.0f} / {line.seeds_below:.0f}':>13}  {line['verdict']}"


def _limits(tables: Tables, profile: Mapping[str, Any], rounding: Mapping[str, float]) -> Iterator[str]:
    rows = tables["rows"]
    yield "Limits"
    kept = ", ".join(f"{100 * share:.0f} % within {100 * float(name):g} %" for name, share in rounding.items())
    words = f"The target is the rounded truth; rounding alone leaves {kept} of the exact eigenvalues."
    repeated = _repeated(rows)
    if repeated:
        step = profile["problem"]["output_step"]
        words += f" Columns repeat each other ({repeated}): at an output step of {step:g} each means 'the right cell'."
    yield say(words, "(a) ")
    selected = rows[rows["row"] == "trained_data_selection"]
    found = ", ".join(
        f"{line['tolerance_percent']:g} % ({number(line['difference'], '+')}, {line['verdict']})"
        for _, line in selected[selected["verdict"] != "better"].iterrows()
    )
    shown = f"is not shown to beat the generator at {found}." if found else "beats the generator in every column."
    yield say(f"Data selection {shown}", "(b) ")
    yield say(
        "Collapse is conditional. It shows where students are short of steps, and need not where they have more, or "
        "where the generator's mistakes are its own and average out on fresh matrices: see the table above.",
        "(c) ",
    )
    yield say(PROVENANCE.get(profile["name"], "The profile is your own: how it was chosen is for you to say."), "(d) ")


def _repeated(rows: pd.DataFrame) -> str:
    """Tolerances whose columns agree to 0.5 points in every row."""
    table = rows.pivot_table(index=["row", rows["beam"].fillna(0)], columns="tolerance_percent", values="accuracy")
    names = sorted(table.columns, reverse=True)
    pairs = [(a, b) for a, b in zip(names, names[1:], strict=False) if (table[a] - table[b]).abs().max() < 0.5]
    return ", ".join(f"{a:g} % and {b:g} %" for a, b in pairs)
