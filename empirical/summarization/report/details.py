"""The findings in detail, with what explains them."""

import textwrap
from collections.abc import Iterator

import numpy as np
import pandas as pd

from empirical.summarization.report.words import WANTED, Tables, gain, name_of, number, percent, share, whole
from sims.running.text import WIDTH, say

ROLES = {"claim": "", "control": "control: ", "precondition": "premise: "}


def details(tables: Tables) -> Iterator[str]:
    """Every statement of a finding, what explains it, and verifiers in order."""
    yield f"{'In detail: means of rates, and what differs':45}{'difference':>20}{'seeds':>9}  reading"
    for _, finding in tables["findings"].iterrows():
        part = tables["contrasts"]
        part = part[part["finding"] == finding["finding"]] if len(part) else part
        for place, (_, of_claim) in enumerate(part.groupby(["side", "other"], sort=False)):
            yield _claim(of_claim, finding["number"] if place == 0 else "")
        if len(part) and finding["verdict"] != "failed":
            yield say(_why(finding["finding"], tables), "    - ")
    for words in _order(tables["orders"], tables["rows"]):
        yield say(words)


def _claim(part: pd.DataFrame, mark: str) -> str:
    """A statement by its mean over rates; for all but controls also the rates that say something else."""
    line, each = part[part["headline"]].iloc[0], part[~part["headline"]]
    what = f"{mark:3} {ROLES[line['role']]}{name_of(line['side'])} {WANTED[line['wanted']]} {name_of(line['other'])}"
    what += "" if np.isnan(line["rate"]) else f", {percent(line['rate'])}"
    said = line["reading"]
    if line["role"] != "control":
        for reading, others in each[each["reading"] != said].groupby("reading", sort=False):
            rates = ", ".join(f"{100 * rate:g}" for rate in others["rate"])
            said += f"; at {rates} % {'overlap' if reading == 'undecided (overlap)' else reading}"
    seeds = f"{line['above']} / {line['below']}"
    return textwrap.fill(f"{what:45}{gain(line):>20}{seeds:>9}  {said}", WIDTH, subsequent_indent=" " * 78)


def _why(finding: str, tables: Tables) -> str:
    """What p* and the kept summaries say to a finding, at the smallest rate; nothing but numbers."""
    rows, pool = tables["rows"], tables["pool"]
    part = rows[rows["verifier"] == finding].sort_values("rate")
    line = part.iloc[0]
    clean = f", clean {share(line['p_star_soft_clean'])}" if "p_star_soft_clean" in line else ""
    words = (
        f"{finding} {percent(line['rate'])}: p* soft {share(line['p_star_soft'])}{clean}; kept R1 "
        f"{number(line['kept_rouge1'])} (all {pool['rouge1'].mean():.1f}); distinct {whole(line['distinct_share'])}"
    )
    if finding == "random":
        generator = rows[rows["arm"] == "generator"].iloc[0]
        steps = sorted({*part["steps"], generator["steps"]})
        words += (
            f". Random: {_list(part['examples'])} own summaries; the generator: {generator['examples']:,.0f} "
            f"references; {' to '.join(f'{end:,.0f}' for end in dict.fromkeys((steps[0], steps[-1])))} steps each"
        )
        words += _own_words(tables["p_star"], pool)
    common = float(pool["commonest"].mean())
    if abs(line["commonest"] - common) >= 0.01:
        words += f"; 8 commonest {100 * line['commonest']:.1f} % (all {100 * common:.1f})"
    return f"{words}."


def _own_words(points: pd.DataFrame, pool: pd.DataFrame) -> str:
    """What the generator leaves out of its summaries; nothing where it is not known which references are noisy."""
    clean = points.loc[points["reading"] == "soft-clean", "p"]
    if clean.empty:
        return ""
    return (
        f". Its summaries get {100 * (1 - clean.iloc[0]):.1f} points on clean references, {pool['rouge1'].mean():.1f} "
        "on all: what it writes is cleaner than what it was trained on"
    ) * bool(100 * (1 - clean.iloc[0]) > pool["rouge1"].mean())


def _order(orders: pd.DataFrame, rows: pd.DataFrame) -> Iterator[str]:
    """Verifiers by p* and by what their students are worth."""
    chains = {}
    for by, part in orders.groupby("by"):
        links = [" > " if above else " = " for above in part["above_next"]]
        chains[by] = "".join(f"{name}{link}" for name, link in zip(part["verifier"], links, strict=True))[:-3]
    clean = " (clean)" if "p_star_soft_clean" in rows else ""
    if len(chains) == 2:
        yield (
            f"By soft p*{clean}: {chains['p*']}. By students: {chains['students']} (=: neighbours that are not told "
            "apart)."
        )


def _list(values: pd.Series, form: str = ",.0f") -> str:
    """Values by rate, or one where all are the same."""
    shown = [number(value, form=form) for value in values]
    return shown[0] if len(set(shown)) == 1 else " / ".join(shown)
