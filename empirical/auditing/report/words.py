"""Numbers, intervals and verdicts in words."""

import math

from empirical.auditing.rates import POWER, Decision, Estimate, Verdict
from theory.decimals import typed

ENDLESS = 1e9
"""No number of samples or cost that matters is beyond it."""
HOLDS = {"below": "yes", "above": "no", "undecided": "undecided"}


def number(value: float) -> str:
    """With three decimals, "-" where it is unknown."""
    return "-" if math.isnan(value) else f"{value:.3f}"


def interval(estimate: Estimate) -> str:
    """Both ends, with three decimals."""
    return "-" if math.isnan(estimate.low) else f"[{estimate.low:.3f}, {estimate.high:.3f}]"


def cells(estimate: Estimate) -> list[str]:
    """Value and interval."""
    return [number(estimate.value), interval(estimate)]


def percent(estimate: Estimate) -> str:
    """As 84.9% [81.5, 87.8]."""
    value = "an unknown share" if math.isnan(estimate.value) else f"{estimate.value:.1%}"
    return f"{value} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def amount(estimate: Estimate) -> str:
    """As 260 [211, 309], with as many digits as mean something."""
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return "unknown"
    size = max((abs(end) for end in estimate if abs(end) < ENDLESS), default=0.0)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    word = lambda end: "unknown" if math.isnan(end) else "endless"
    value, low, high = (f"{end:,.{digits}f}" if abs(end) < ENDLESS else word(end) for end in estimate)
    return f"{value} [{low}, {high}]"


def exactly(value: float) -> str:
    """A threshold, so that it means the same when it is typed."""
    return typed(value)


def level(share: float) -> str:
    """A confidence level in per cent."""
    return f"{100 * share:.6g}%"


def p_value(value: float) -> str:
    """With two digits."""
    return f"{value:.2g}" if value >= 1e-300 else "below 1e-300"


def records_more(more: float, unit: str = "judged records") -> str:
    """How many would decide."""
    if math.isnan(more):
        return f"how many more {unit} would decide cannot be said"
    return f"about {more:,.0f} more {unit} would decide"


def more(decision: Decision) -> list[str]:
    """What it would take to decide, in lines; none where it is decided."""
    if decision.verdict != "undecided":
        return []
    if math.isnan(decision.more):
        return ["How many further records would settle it cannot be said: purity is unknown, or on the threshold."]
    return [
        f"About {decision.more:,.0f} fresh records, judged without these, would settle it with probability {POWER:g}",
        "(if the rates are as estimated; adding to these records until it is settled would not keep the confidence).",
    ]


def holds(verdict: Verdict) -> str:
    """Yes, no or undecided."""
    return HOLDS[verdict]
