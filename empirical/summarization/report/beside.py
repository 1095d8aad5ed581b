"""p*, worth and forecast beside what students did."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from empirical.summarization.report.words import Tables, gain, name_of, number, share
from sims.running.text import say

SAYS = {"yes": "gains", "no": "does not", "undecided": "open"}


def beside(tables: Tables) -> Iterator[str]:
    """One line per verifier and rate, and how often each prediction was right where something was decided."""
    found = tables["beside"]
    yield f"{'p*, worth and forecast beside what was seen':44}{'forecast':>16}{'':10}{'student minus':>22}"
    yield f"{'':16}{'p*':>6}{'p':>6}{'worth':>7}{'refs':>9}{'ROUGE-1':>16}{'it says':>10}{'generator':>22}"
    for _, line in found.iterrows():
        ends = "-" if np.isnan(line["forecast_low"]) else f"{line['forecast_low']:.1f} to {line['forecast_high']:.1f}"
        says = SAYS.get(line["forecast_beats"], line["forecast_beats"])
        words = f"{name_of('', line['verifier'], line['rate']):16}{share(line['p_star']):>6}{share(line['p']):>6}"
        words += f"{share(line['worth']):>7}{number(line['clean'], form=',.0f'):>9}{ends:>16}{says:>10}{gain(line):>22}"
        mark = line["verdict"] if line["verdict"] in ("better", "worse") else ""
        yield f"{words} {mark}".rstrip()
    unverified, taught = (number(float(found[name].mean()), form=",.0f") for name in ("unverified", "taught"))
    yield say(
        "Soft reading: a summary is wrong to the degree 1 - ROUGE-1, and wrong ones are all different. worth: "
        "references that a generated summary is worth with this verifier; refs: the whole pool, which without one is "
        f"worth {unverified}; the generator was trained on {taught}. forecast: the learning curve on references, read "
        "there."
    )
    yield say(_right(found))


def _right(found: pd.DataFrame) -> str:
    """How often each of the three was right about who gains, of those that were decided."""
    decided = found[found["verdict"].isin(["better", "worse"])]
    if decided.empty:
        return "No student is told from the generator, so that nothing here was right or wrong."
    gains = decided["verdict"] == "better"
    lines = len(decided)
    said = {
        "p < p*": decided["p"] < decided["p_star"],
        "worth more references than the generator had": decided["clean"] > decided["taught"],
    }
    counts = [f"{name} on {int((says == gains).sum())}" for name, says in said.items()]
    ran = decided[decided["forecast_beats"].isin(["yes", "no"])]
    if len(ran):
        counts.append(
            f"the forecast on {int(((ran['forecast_beats'] == 'yes') == (ran['verdict'] == 'better')).sum())} of the "
            f"{len(ran)} on which it says something"
        )
    return f"Of {lines} decided lines right about who gains: {'; '.join(counts)}."
