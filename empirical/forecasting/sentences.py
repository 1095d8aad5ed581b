"""`Forecast`, and how it answers in words: the verdict, from which n on, one size in full, and the table."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from empirical.forecasting.judge import Range
from empirical.forecasting.pilot import Pilot
from empirical.forecasting.trust import NO, NOT_GIVEN, TOO_FAR, UNDECIDED, YES
from sims.running.text import Column, layout
from theory.types import Rates

if TYPE_CHECKING:
    import pandas as pd

WIDE = 1e-3
"""In accuracy, from which on a range has two ends."""
WORDS = {YES: "Yes", NO: "No", UNDECIDED: "Undecided", NOT_GIVEN: "No verdict"}


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What training on verified labels will give; see `empirical.forecasting.forecast.forecast`."""

    rates: Rates
    audited: bool
    """Whether rates were counted, and their uncertainty is in the intervals."""
    source: str
    """What they come from."""
    classes: int
    """K."""
    level: float
    errors: str
    learner: str
    unverified: tuple[float, float] | None
    pilot: Pilot
    families: tuple[str, ...]
    """Of curves, that meet the pilot."""
    generator: Range
    """Accuracy of the generator's labels, 1 - p."""
    from_n: Range
    """From which n on the student wins; inf: never, or beyond what the pilot can tell."""
    exponent: Range | None
    """c in m a^c, from noisy runs of the pilot."""
    exponent_failed: bool
    """Whether these runs were no better or worse than every clean size, so that there is no c."""
    run_share: Range | None
    """What the unverified run was worth, as a share of what errors that are spread would leave."""
    table: "pd.DataFrame"
    """A line per n: kept, worth (clean samples), student, gain_low, gain_high, beats, unverified (accuracy without a
    verifier), tie_p, tie_p_star, status. ``_least`` and ``_most``: values of the ways to take learned errors;
    ``_low``, ``_high``: ends of the intervals over all of them."""
    curve: "pd.DataFrame"
    """The learner's clean learning curve: n, accuracy, low, high."""
    clean: "pd.DataFrame"
    """The pilot's clean sizes: n, accuracy, runs, sd, tested, error."""

    def __repr__(self) -> str:
        """The answer and the table, as `pstar forecast` prints them."""
        return "\n\n".join(["\n".join(answer(self)), table(self)])


def answer(found: Forecast) -> list[str]:
    """The question and four lines of answer."""
    question = (
        "Does a student trained on what the verifier keeps beat its generator "
        f"({percent(found.generator, found.audited)} correct)?"
    )
    accuracy, worth, *rest = _in_full(found)
    return [question, *(f"  {line}" for line in (_verdicts(found), accuracy, worth, _from(found), *rest))]


def _verdicts(found: Forecast) -> str:
    parts: list[str] = []
    for word in (YES, NO, UNDECIDED, NOT_GIVEN):
        sizes = found.table["n"][found.table["beats"] == word]
        if len(sizes):
            parts.append(f"{WORDS[word] if not parts else WORDS[word].lower()} at n = {_several(sizes)}")
    sure = f" ({100 * found.level:.6g}% confidence)"
    return "; ".join(parts) + (sure if len(found.table) else "") + "."


def _several(sizes: Any) -> str:
    return " and ".join(", ".join(f"{size:,.0f}" for size in sizes).rsplit(", ", 1))


def _from(found: Forecast) -> str:
    n = found.from_n
    if math.isinf(n.least):
        return "At no n is it predicted to win, as far as the pilot can tell."
    inside = f"[{about(n.low)}, {about(n.high)}]"
    if math.isinf(n.most):
        if_not = (
            "if verifier and more samples add nothing to that run"
            if found.run_share is not None
            else "if it learns its generator's errors"
        )
        return f"It wins from n = {about(n.least)} on at the earliest, and never {if_not} {inside}."
    if n.most > 1.02 * n.least:
        return f"It wins from some n between {about(n.least)} and {about(n.most)} on {inside}."
    return f"It wins from about n = {about(n.least)} generated samples on {inside}."


def _in_full(found: Forecast) -> list[str]:
    """Of the largest n that has a verdict."""
    near = found.table[found.table["status"] != TOO_FAR]
    row = (near if len(near) else found.table).iloc[-1].to_dict()
    worth, student, none = (range_of(row, name) for name in ("worth", "student", "unverified"))
    lines = [
        f"Of {row['n']:,.0f} generated samples it is {percent(student)} correct, with no verifier {percent(none)}.",
        f"{about(row['kept'])} of those are kept, and train like {number(worth)} clean ones.",
    ]
    if student.most - student.least > WIDE:
        lines.append(_between(found))
    return lines


def _between(found: Forecast) -> str:
    if found.run_share is not None:
        return "Lower end: verifier and more samples add nothing to the unverified run. Upper end: what the law says."
    if found.errors == "learned":
        return "Lower end: it learns its generator's errors too. Upper end: it learns none of them (errors are spread)."
    return "Lower end: a learner that fits wrong labels (a^14). Upper end: the law (a^2)."


def range_of(row: dict[str, Any], name: str) -> Range:
    """Of one quantity of a line."""
    return Range(*(row[f"{name}_{end}"] for end in Range._fields))


def table(found: Forecast) -> str:
    """A line per n."""
    return layout(*cells(found))


def cells(found: Forecast) -> tuple[list[Column], list[list[str]]]:
    """Headings with their sides, and a line per n."""
    star = "p*" if found.classes == 2 else f"p*_{found.classes}"
    headings = [
        *(
            "n",
            "kept",
            "worth, clean",
            "student, %",
            "beats it?",
            "no verifier",
            "ties at p =",
            f"ties at {star} =",
            "",
        ),
    ]
    lines = []
    for row in found.table.to_dict("records"):
        worth, student, none = (range_of(row, name) for name in ("worth", "student", "unverified"))
        lines.append(
            [
                *(f"{row['n']:,.0f}", about(row["kept"]), number(worth), percent(student).replace("%", "")),
                *(row["beats"], percent(none, False).rstrip("%")),
                *(_tie(range_of(row, name)) for name in ("tie_p", "tie_p_star")),
                row["status"] if row["status"] != "ok" else "",
            ]
        )
    return list(zip(headings, ">>><<<<<<", strict=True)), lines


def _tie(found: Range) -> str:
    if math.isnan(found.least):
        return "-"
    if found.least == found.low == found.high:
        return share(found.least)
    return f"{share(found.least)} [{share(found.low)}, {share(found.high)}]"


def share(value: float) -> str:
    """A rate with three digits; "none" where none does, "any" where all do."""
    if math.isinf(value) or value == 0:
        return "none" if value else "any"
    return f"{value:.3f}".removeprefix("0")


def about(n: float) -> str:
    """A number of samples, to three digits."""
    return "never" if math.isinf(n) else f"{float(f'{n:.3g}'):,.0f}"


def number(found: Range) -> str:
    """Numbers of samples with the interval."""
    value = about(found.least)
    if found.most > 1.02 * found.least:
        value += f" to {about(found.most)}"
    return f"{value} [{about(found.low)}, {about(found.high)}]"


def percent(found: Range, interval: bool = True) -> str:
    """Accuracies with the interval, as 70.0% [66.1, 73.7]."""
    value = f"{100 * found.least:.1f}"
    if found.most - found.least > WIDE:
        value += f" to {100 * found.most:.1f}"
    return f"{value}%" + (f" [{100 * found.low:.1f}, {100 * found.high:.1f}]" if interval else "")
