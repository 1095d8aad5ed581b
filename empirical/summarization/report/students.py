"""The table of ROUGE-1 of all arms."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from empirical.summarization.report.words import gain, interval, name_of, number, share
from sims.running.text import say


def students(rows: pd.DataFrame) -> Iterator[str]:
    """One line per arm, with what its intervals and marks mean."""
    seeds = rows["seeds"].iloc[0]
    over = f"t over the {seeds} seeds" if seeds > 1 else "paired, over test articles"
    yield f"ROUGE-1 (F1, points) on the test articles, 95 % intervals over these; differences: {over}"
    yield (f"{'':16}{'exam-':>7}{'':6}{'':18}{'minus':>21}{'':7}{'minus':>21}{'':7}{'p*':>5}{'kept':>6}")
    yield (
        f"{'':16}{'ples':>7}{'passes':>7}{'ROUGE-1':>17}{'generator':>21}{'':7}{'random':>21}{'':7}{'soft':>5}{'R1':>6}"
    )
    for _, line in rows.iterrows():
        name = name_of(line["arm"], line["verifier"], line["rate"])
        mean = f"{number(line['rouge1'])} {interval(line, 'rouge1_low', 'rouge1_high')}"
        words = f"{name:16}{line['examples']:7,.0f}{number(line['passes']):>6} {mean:>17}"
        for other in ("generator", "random"):
            words += f" {gain(line, f'_{other}'):>20} {_mark(line.get(f'verdict_{other}')):6}"
        if line["verifier"]:
            words += f"{share(line['p_star_soft']):>5}{number(line['kept_rouge1']):>6}"
        yield words.rstrip()
        if line["failure"]:
            yield say(f"failed: {line['failure']}", "    ")
    yield say(
        "better, worse: the interval of the difference excludes 0, and the two intervals of ROUGE-1 are apart (not "
        f"corrected for the number of comparisons). passes: over the examples. {_steps(rows)}"
    )


def _mark(verdict: Any) -> str:
    return verdict if verdict in ("better", "worse", "failed") else ""


def _steps(rows: pd.DataFrame) -> str:
    """Steps of the most arms, and who takes others."""
    counts = rows["steps"].round().astype(int)
    usual = counts.mode().iloc[0]
    groups = rows.assign(steps=counts)[counts != usual].groupby("steps")
    others = "; ".join(
        f"{', '.join(name_of(row['arm'], row['verifier'], row['rate']) for _, row in part.iterrows())}: {steps:,}"
        for steps, part in groups
    )
    unmatched = "; *: not matched" if "full-epoch" in set(rows["arm"]) else ""
    return f"Steps: {usual:,}{f' ({others})' if others else ''}{unmatched}."
