"""`Curve`, and how it answers in words: the verdict, what was assumed, and the table."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.features.verdict import Verdict
from sims.running.text import layout
from theory.decimals import echoed, typed
from theory.threshold import p_star
from theory.types import Rates

if TYPE_CHECKING:
    import pandas as pd

CHANCE = 0.5
"""Of two classes that are as many."""
OK, NO_SIGNAL, OUT_OF_REACH, ONE_LABEL, NOT_SOLVED = (
    *("ok", "no signal seen", "out of reach", "one label only", "not solved"),
)
"""What became of a prediction: no signal seen, the estimate of A is not positive; out of reach, N points do not show
the features at so small an effective penalty; one label only, more than half of the draws keep no second one."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Accuracy against n; see `empirical.features.curve.learning_curve`."""

    points: int
    """N."""
    dimension: int
    classes: tuple[Any, Any]
    """What y calls y = -1 and y = +1."""
    prior: float
    """P(y = +1) among the points."""
    rates: Rates
    loss: str
    ridge: float
    """Penalty in units of the mean within-class variance of a feature."""
    penalty: float
    """lambda itself, relative to the mean over what is kept: ridge tr S/d."""
    level: float
    generator_accuracy: float
    """1 - p over both classes."""
    verdict: Verdict
    table: "pd.DataFrame"
    """A line per n: kept (expected), accuracy, low, high, scattered, status, beyond; with a check also measured,
    measured_low, measured_high, repetitions. What is not there is NaN."""
    notes: tuple[str, ...] = ()
    """What to beware of in what was given."""

    def __repr__(self) -> str:
        """The answer and the table, as `pstar features` prints them."""
        return "\n\n".join(["\n".join(answer(self)), table(self)])


def answer(curve: Curve) -> list[str]:
    """The question, the verdict and what was assumed, a line each."""
    found, generator = curve.verdict, f"{curve.generator_accuracy:.1%}"
    if found.answer == "unknown":
        return ["Nothing can be predicted from these points.", *_settings(curve)]
    best = f"{found.best:.1%} at n = {found.best_n:,.0f}"
    if found.answer == "clean":
        return [
            f"How accurate is a probe trained on n labels?  Best predicted: {best}.",
            "  All labels are taken as correct: give --p, --phi, --psi or --audit for verified synthetic ones.",
            *_settings(curve),
        ]
    trained = "what the verifier keeps" if _verified(curve.rates) else "n of its labels"
    question = f"Does a probe trained on {trained} beat the generator ({generator} correct)?"
    lines = [question, f"  {_verdict(curve)}; best predicted: {best}."]
    if round(found.best, 3) <= CHANCE:
        lines.append("  None of them is above chance (50%): of the labels that are kept half mislead, or more.")
    return [*lines, *_settings(curve)]


def _verified(rates: Rates) -> bool:
    """Whether anything is ever left out."""
    return bool(np.any(np.asarray(rates.phi) < 1) or np.any(np.asarray(rates.psi) < 1))


def _verdict(curve: Curve) -> str:
    """In words that agree with the marks of the table."""
    found, sure = curve.verdict, f"{100 * curve.level:.6g}% confidence"
    known = curve.table[curve.table["status"] == OK]
    above = known["accuracy"] > curve.generator_accuracy
    if found.answer == "no":
        return f"No, at none of these n, with {sure}"
    if found.answer == "small n":
        surely = known["n"][known["low"] > curve.generator_accuracy]
        confident = f"with {sure} at n = {_several(surely)}" if len(surely) else f"but at no n with {sure}"
        only = "Only at small n" if above.iloc[: int(above.sum())].all() else "Only at some n"
        some, last = _several(known["n"][above]), f"{known['n'].iloc[-1]:,}"
        return f"{only}: predicted at n = {some}, {confident}, and not at n = {last}"
    if math.isnan(found.from_n):
        return f"Not predicted, and not excluded with {sure}"
    if not above.all():
        where = f"from about n = {_about(found.from_n)} on"
    elif len(known) == 1:
        where = f"at n = {found.from_n:,.0f}"
    else:
        every = "asked for" if len(known) == len(curve.table) else "that has a prediction"
        where = f"at every n {every} (n = {found.from_n:,.0f} and more)"
    if found.answer == "maybe":
        return f"Predicted {where}, but at no n with {sure}"
    if above.all() and found.sure_n == found.from_n:
        return f"Yes: predicted {where}, with {sure}"
    return f"Yes: predicted {where}, with {sure} from n = {found.sure_n:,.0f} on"


def _several(sizes: "pd.Series") -> str:
    return ", ".join(f"{size:,}" for size in sizes)


def _about(n: float) -> str:
    return f"{float(f'{n:.2g}'):,.0f}"


def _settings(curve: Curve) -> list[str]:
    negative, positive = curve.classes
    lines = [
        f"  From N = {curve.points:,} points, d = {curve.dimension:,}; y = +1 is {positive} ({curve.prior:.1%}), "
        f"y = -1 is {negative}.",
        f"  {curve.loss.capitalize()} loss with intercept, lambda = {typed(curve.ridge)} x mean variance within "
        f"classes = {curve.penalty:.4g} (scikit-learn: {_sklearn(curve)}, m samples kept).",
    ]
    if curve.verdict.answer != "clean":
        lines.append(f"  {rates(curve)}.")
    return lines


def _sklearn(curve: Curve) -> str:
    number = f"{typed(curve.penalty)} m"
    return f"Ridge(alpha = {number})" if curve.loss == "squared" else f"LogisticRegression(C = 1/({number}))"


def rates(curve: Curve) -> str:
    """With p* where they are numbers."""
    shown = ", ".join(f"{name} = {_pair(value)}" for name, value in curve.rates._asdict().items())
    if any(np.ndim(value) for value in curve.rates):
        return shown
    return f"{shown}: p* = {float(p_star(curve.rates)):.3f}"


def _pair(value: Any) -> str:
    return "/".join(echoed(entry) for entry in np.ravel(value))


def table(curve: Curve) -> str:
    """A line per n."""
    measured = "measured" in curve.table
    headings = ["n", "kept", "predicted", f"{100 * curve.level:.6g}% interval", "own scores"]
    headings += ["measured", "95% interval"] if measured else []
    lines = []
    for row in curve.table.to_dict("records"):
        ok = row["status"] == "ok"
        line = [f"{row['n']:,}{'*' if row['beyond'] else ''}", f"{row['kept']:,.0f}", _number(row["accuracy"])]
        line += [_interval(row["low"], row["high"]) if ok else row["status"], _number(row["scattered"])]
        if measured:
            known = not math.isnan(row["measured"])
            line += [_number(row["measured"]), _interval(row["measured_low"], row["measured_high"]) if known else ""]
        beats = ok and curve.verdict.answer != "clean"
        lines.append([*line, _mark(row, curve.generator_accuracy) if beats else ""])
    sides = ">>><>" + ("><" if measured else "") + "<"
    return layout(zip([*headings, ""], sides, strict=True), lines)


def _mark(row: dict[str, Any], generator: float) -> str:
    if row["low"] > generator:
        return "beats the generator"
    return "loses" if row["high"] < generator else ""


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _interval(low: float, high: float) -> str:
    return "unknown" if math.isnan(low) or math.isnan(high) else f"[{low:.3f}, {high:.3f}]"
