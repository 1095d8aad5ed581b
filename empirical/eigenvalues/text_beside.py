"""The report's part about the p* experiment: students of noisy verifiers, and collapse, each beside its theories."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sims.running.text import say

Tables = Mapping[str, pd.DataFrame]


def p_star(tables: Tables, profile: Mapping[str, Any]) -> Iterator[str]:
    """Every verifier with its student; where students cross the generator, and what was predicted; the rule's worth."""
    points, first = tables["p_star"], tables["p_star"].iloc[0]
    percent = 100 * profile["selection"]["tolerance"]
    training, seeds = profile["training"], tables["rows"]["seeds"].iloc[0]
    moved = tables["rows"]["optimizer"].iloc[0]
    yield say(
        f"The p* experiment: greedy labels, verifiers of rates (phi, psi), accuracy at {percent:g} % "
        f"({first['steps']:,} steps of {training['batch']:,} for every model, by {moved}; "
        f"{profile['selection']['matrices']:,} labels before verification; {seeds} seed{'s' if seeds > 1 else ''})"
    )
    yield (
        f"generator: p = {first['p_hat']:.3f} [{first['p_low']:.3f}, {first['p_high']:.3f}] on the synthetic matrices, "
        f"accuracy {number(first['generator_accuracy'])} on the test matrices"
    )
    head = f"{'phi':>7}{'psi':>8}{'kept':>8}{'purity':>8}{'p*':>7}{'':17}{'p < p*':>8}{'accuracy':>10}"
    yield f"{head}{'minus generator':>22}  verdict"
    for _, line in points.iterrows():
        gain = f"{number(line['difference'], '+')} {interval(line, 'difference_low', 'difference_high', '+')}"
        rates = f"{line['phi_hat']:7.3f}{line['psi_hat']:8.3f}{line['kept_rate_hat']:8.3f}{line['purity_hat']:8.3f}"
        star = f"{line['p_star_hat']:7.3f} [{line['p_star_low']:.3f}, {line['p_star_high']:.3f}]"
        rule = {"below": "yes", "above": "no"}.get(line["rule"], "?")
        yield f"{rates}{star:24}{rule:>8}{number(line['accuracy']):>10}{gain:>22}  {line['verdict']}"
    yield say(_crossing(tables["crossing"]))
    for words in _predicted(tables["crossing"].iloc[0]):
        yield say(words, "- ")
    yield "The rule, p < p*, beside this:"
    for words in _rule(points, tables["labels"]):
        yield say(words, "- ")


def _crossing(crossing: pd.DataFrame) -> str:
    whole = crossing.iloc[0]
    about = f"published: about {whole['published']:.2f}. Predicted:"
    if np.isnan(whole["x"]):
        return f"Along phi = 1 students do not cross the generator; {about}"
    low, high = ("open" if np.isnan(end) else f"{end:.2f}" for end in (whole["low"], whole["high"]))
    one = len(crossing) == 1
    each = [x for x in crossing["x"][1:] if not np.isnan(x)]
    seeds = "one seed has no interval" if one else f"{len(each)} of {len(crossing) - 1} seeds cross by themselves"
    who = "no crossing is shown: means" if low == high == "open" and not one else "students"
    ends = "" if one else f" [{low}, {high}]"
    return (
        f"Along phi = 1 {who} cross the generator at p* = {whole['x']:.2f}{ends} (read off the {whole['curve']}; "
        f"{seeds}); {about}"
    )


def _predicted(whole: pd.Series) -> Iterator[str]:
    yield f"by the rule p = p*, which sees the limit of endless data: {whole['rule']:.2f}."
    why = " (it needs a clean curve, curve.true, that reaches there)" if whole["worth_words"] == "no prediction" else ""
    yield f"by worth and the clean learning curve, nothing fitted: {_tie(whole, 'worth')}{why}."
    ends = [f"{whole[f'learned_{end}']:.2f}" if whole[f"learned_{end}"] > 0 else "none" for end in ("low", "high")]
    yield (
        f"by learned errors (n/d from the student of all labels; mean, and the range over signals, penalties and that "
        "student's interval): "
        f"{_tie(whole, 'learned')} [{', '.join(ends)}]."
    )


def _tie(whole: pd.Series, kind: str) -> str:
    words = whole[f"{kind}_words"]
    return f"{whole[kind]:.2f}" if np.isfinite(whole[kind]) else str(words)


def _rule(points: pd.DataFrame, labels: pd.DataFrame) -> Iterator[str]:
    """Where the p* rule is right and where not, as measured."""
    along = points[points["phi"] == 1.0]
    start, end, drops = along.iloc[0], along.iloc[-1], int((along["accuracy"].diff() < 0).sum())
    yield (
        f"It orders verifiers: along phi = 1 accuracy goes from {number(start['accuracy'])} % at p* = "
        f"{start['p_star_hat']:.2f} to {number(end['accuracy'])} % at {end['p_star_hat']:.2f}; {drops} of "
        f"{len(along) - 1} steps go down."
    )
    allowed = points[points["rule"] == "below"]
    counts = ", ".join(
        f"{(allowed['verdict'] == verdict).sum()} {verdict}" for verdict in ("better", "undecided", "worse")
    )
    yield (
        f"It does not say who beats the generator: p < p* holds for {len(allowed)} of {len(points)} verifiers, and of "
        f"their students, against the generator, {counts}. The rule is about what endless data would teach."
    )
    for _, line in points[points["rule"] == "above"].iterrows():
        yield (
            f"It is for two classes: phi = {line['phi_hat']:.2f}, psi = {line['psi_hat']:.2f} have p > p*, and of two "
            f"classes the wrong one would win. Here, with {100 * line['purity_hat']:.0f} % of its labels correct, the "
            f"student reaches {number(line['accuracy'])} % ({number(line['difference'], '+')} against the generator, "
            f"{line['verdict']})."
        )
    shares = labels.mean(numeric_only=True)
    if not np.isnan(shares["plurality"]):
        yield (
            f"Why: wrong answers are spread. Of matrices with one true answer {100 * shares['exact']:.0f} % get it "
            f"and {100 * shares['commonest_wrong']:.0f} % the commonest wrong one; the true answer is the "
            f"commonest for {100 * shares['plurality']:.0f} %."
        )


def collapse(table: pd.DataFrame, profile: Mapping[str, Any]) -> Iterator[str]:
    """Students of all labels against their generators, by steps and by the number of labels, theory beside them."""
    percent, part = at_tolerance(table, profile)
    if part.empty:
        yield f"Collapse: no table, {percent:g} %, the verifier's tolerance, is no column."
        return
    yield "Collapse, a student on all greedy labels below its generator, depends on how both are trained:"
    head = f"{'pairs':>11}{'steps':>9}{'labels':>11}{'generator':>11}{'student':>9}{'minus generator':>22}"
    yield f"{head}  verdict    learned errors"
    for _, line in part.iterrows():
        gain = f"{number(line['difference'], '+')} {interval(line, 'difference_low', 'difference_high', '+')}"
        ends = interval(line, "theory_low", "theory_high", "+")
        told = "-" if np.isnan(line["theory"]) else f"{line['theory']:+.1f} {ends}"
        yield (
            f"{line['generator_pairs']:11,}{line['steps']:9,}{line['labels']:11,}{number(line['generator']):>11}"
            f"{number(line['student']):>9}{gain:>22}  {line['verdict']:<11}{told}"
        )
    yield say(
        "Learned errors: n/d is fitted to the first line (which it therefore meets) and grows with the steps or the "
        "labels; in brackets the range over signals, penalties and the interval of that line."
    )


def at_tolerance(table: pd.DataFrame, profile: Mapping[str, Any]) -> tuple[float, pd.DataFrame]:
    """The verifier's tolerance in percent, and the lines of a table at it; none where it is no column."""
    percent = round(100 * profile["selection"]["tolerance"], 6)
    return percent, table[table["tolerance_percent"] == percent]


def number(value: float, sign: str = "") -> str:
    """With one digit; NaN where there is none."""
    return "NaN" if np.isnan(value) else f"{value:{sign}.1f}"


def interval(line: pd.Series, low: str, high: str, sign: str = "") -> str:
    """Both ends of a line of a table; a dash where there is none."""
    if np.isnan(line[low]) and np.isnan(line[high]):
        return "-"
    return f"[{line[low]:{sign}.1f}, {line[high]:{sign}.1f}]"
