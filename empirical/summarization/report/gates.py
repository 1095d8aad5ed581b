"""Whether made-up data are a fair test, and what follows where they are not."""

from collections.abc import Iterator

import pandas as pd

from empirical.summarization.report.words import Tables, name_of, whole
from sims.running.text import say

LISTED = 3
"""Most seeds whose values are listed one by one; of more, their range is told."""
SLOT = " is right"
"""How the names of gates on slots end."""


def gates(tables: Tables) -> Iterator[str]:
    """Values by seed, and what follows; nothing for data that were not made up."""
    found = tables["gates"]
    if found.empty:
        return
    many = found.groupby("gate").size().max() > LISTED
    title = "range over seeds" if many else "per seed"
    yield f"{'Gates: is the made-up corpus a fair test?':44}{title:34}{'wanted':22}passed"
    for gate, part in found.groupby("gate", sort=False):
        values = _range(part["value"]) if many else ", ".join(map(_shown, part["value"]))
        wanted = part["wanted"].iloc[0]
        yield f"  {str(gate):42}{values:34}{'-' if pd.isna(wanted) else wanted!s:22}{_passed(part['passed'])}".rstrip()
    for words in _meaning(found, tables["rows"]):
        yield say(words)


def _shown(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:.3g}"


def _range(values: pd.Series) -> str:
    found = values.astype(float)
    reach = " to ".join(dict.fromkeys(map(_shown, (found.min(), found.max()))))
    return reach + (f", - in {found.isna().sum()}" if found.isna().any() and reach != "-" else "")


def _passed(passed: pd.Series) -> str:
    known = passed.dropna().astype(bool)
    if known.empty:
        return ""
    return "passed" if known.all() else f"passed in {known.sum()} of {len(known)}" if known.any() else "failed"


def _meaning(gates: pd.DataFrame, rows: pd.DataFrame) -> Iterator[str]:
    """What follows from the gates that fail, and how much room there is above the students."""
    means = gates.assign(value=gates["value"].astype(float)).groupby("gate", sort=False)["value"].mean()
    failed = [gate for gate, part in gates.groupby("gate", sort=False) if part["passed"].eq(False).any()]
    high = [gate for gate in failed if str(gate).endswith(SLOT) and means[gate] > 0.8]
    words = f"Gates failed in at least one seed: {', '.join(map(str, failed))}." if failed else ""
    if high:
        words += (
            f" Slots are right in {whole(means[high].min())} or more: names and numbers are nearly all right; what "
            "verifiers can tell apart are noisy references, wording and events."
        )
    words += "".join(
        f" A constant output gets {means[gate]:.1f} points, so that boilerplate earns little here."
        for gate in failed
        if str(gate).endswith("constant output") and means[gate] < 25
    )
    perfect = [value for gate, value in means.items() if str(gate).endswith("perfect content")]
    students = rows.loc[rows["verifier"] != ""].dropna(subset=["rouge1"])
    if perfect and len(students):
        best = students.loc[students["rouge1"].idxmax()]
        name = name_of(best["arm"], best["verifier"], best["rate"])
        words += (
            f" Students reach {best['rouge1']:.1f} ({name}) of the {perfect[0]:.1f} points that perfect content gets: "
            "no verifier can show more than that."
        )
    if words:
        yield words.strip()
