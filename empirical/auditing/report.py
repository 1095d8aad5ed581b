"""An audit as text, the answer first, and as JSON values. Plain characters, no colour."""

import math
from typing import Any

from empirical.auditing.binary import Audit, missing_kinds
from empirical.auditing.files import FileAudit
from empirical.auditing.quality import SoftAudit, ThresholdReading
from empirical.auditing.rates import POWER, Counts, Decision, Estimate, Rates
from empirical.auditing.scores import ThresholdCurve
from sims.running.text import layout

MOST_LINES = 12
MEANINGS = {
    "p": "P(label wrong): the generator's error rate",
    "phi": "P(kept | label correct)",
    "psi": "P(kept | label wrong)",
    "kept_rate": "P(kept)",
    "purity": "P(label correct | kept)",
    "p_star": "phi/(phi + psi), what p must stay below",
}
ANSWERS = {"below": "Yes, p < p*", "above": "No, p > p*", "undecided": "Undecided whether p < p*"}
ASSUMPTION = (
    "The records must be a random sample of all that was generated, kept or not: kept ones alone tell only purity."
)


def text(found: FileAudit) -> str:
    """The report: for every kind of audit that the columns allowed, the answer and then the table."""
    blocks = []
    if found.binary is not None:
        blocks += [_answer(found.binary), _binary_table(found.binary)]
        if found.binary.by_class:
            blocks.append(_classes(found.binary))
    if found.curve is not None:
        blocks.append(_curve(found.curve))
    if found.soft is not None and found.graded is not None:
        blocks += [_soft(found.soft), _graded(found.graded)]
    return "\n\n".join([*blocks, ASSUMPTION])


def as_json(found: FileAudit) -> dict[str, Any]:
    """The whole audit as JSON values: every estimate as value, low, high; what is undefined is null."""
    result: dict[str, Any] = {"file": str(found.path), "records": found.records, "level": found.level}
    if found.binary is not None:
        result["audit"] = _audit_json(found.binary)
    if found.curve is not None:
        curve = found.curve
        result["threshold_curve"] = {
            "best": curve.best,
            "most_lenient_below": curve.most_lenient_below,
            "threshold": curve.threshold,
            "counts": curve.counts._asdict(),
            **curve.rates._asdict(),
            "p_star_guarded": curve.p_star_guarded,
        }
    if found.soft is not None:
        result["quality_soft"] = vars(found.soft)
    if found.graded is not None:
        graded = found.graded
        result["quality_thresholds"] = {
            "threshold": graded.threshold,
            "counts": graded.counts._asdict(),
            **graded.rates._asdict(),
            "verdict": graded.verdict,
        }
    return _plain(result)


def _audit_json(found: Audit) -> dict[str, Any]:
    result = vars(found) | {"notes": found.notes, "resampled": found.resampled.as_json()}
    result["by_class"] = {str(name): vars(part) for name, part in found.by_class.items()}
    return result


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _answer(found: Audit) -> str:
    p, star, purity = found.p, found.p_star, found.purity
    lines = [f"Is the verifier good enough?  {_verdict(found.decision, found.level)}"]
    lines += [
        f"  The generator errs on {_percent(p)} of its labels (p); the verifier can bear {_percent(star)} (p*).",
        f"  It keeps {_percent(found.phi)} of the correct labels (phi)",
        f"  and {_percent(found.psi)} of the wrong ones (psi).",
        f"  Of what it keeps, {_percent(purity)} is correct; p < p* means more than 50%, and this count decides.",
    ]
    lines += _more(found.decision)
    if found.decision.verdict != "below" and found.n_classes is None:
        lines.append("  With more than two classes less is enough: give their number with --classes.")
    if found.decision_classes is not None and found.p_star_classes is not None:
        decision = found.decision_classes
        lines += [
            f"With K = {found.n_classes} classes, if wrong labels are spread evenly over the other {_other(found)}:",
            f"  {_verdict(decision, found.level, f'p*_{found.n_classes}')}",
            f"  A correct label then has to win a plurality: p*_{found.n_classes} = {_percent(found.p_star_classes)}, "
            f"purity above {decision.threshold:.1%}.",
            *_more(decision),
        ]
    lines.append("p < p* promises success with infinite data; for a sample of a given size see pstar predict --help.")
    return "\n".join([*(f"note: {note}" for note in found.notes), *lines])


def _other(found: Audit) -> int:
    return (found.n_classes or 2) - 1


def _verdict(decision: Decision, level: float, star: str = "p*") -> str:
    answer = ANSWERS[decision.verdict].replace("p*", star)
    return f"{_confident(answer, level)} (p-value {_p_value(decision.p_value)})."


def _confident(answer: str, level: float) -> str:
    return f"{answer}, at {_level(level)} confidence"


def _level(level: float) -> str:
    return f"{100 * level:.6g}%"


def _p_value(value: float) -> str:
    return f"{value:.2g}" if value >= 1e-300 else "below 1e-300"


def _more(decision: Decision) -> list[str]:
    if decision.verdict != "undecided":
        return []
    if math.isnan(decision.more):
        return ["  How many further records would settle it cannot be said: purity is unknown, or on the threshold."]
    return [
        f"  About {decision.more:,.0f} fresh records, judged without these, would settle it with probability {POWER:g}",
        "  (if the rates are as estimated; adding to these records until it is settled would not keep the confidence).",
    ]


def _binary_table(found: Audit) -> str:
    counts = found.counts
    parts = {
        "p": (counts.wrong, counts.total),
        "phi": (counts.correct_kept, counts.correct),
        "psi": (counts.wrong_kept, counts.wrong),
        "kept_rate": (counts.kept, counts.total),
        "purity": (counts.correct_kept, counts.kept),
    }
    lines = [
        [
            name,
            *_cells(getattr(found, name)),
            f"{parts[name][0]:,} of {parts[name][1]:,}" if name in parts else "",
            word,
        ]
        for name, word in MEANINGS.items()
    ]
    if found.p_star_classes is not None:
        meaning = f"the same for {found.n_classes} classes, errors spread evenly"
        lines.append([f"p_star_{found.n_classes}", *_cells(found.p_star_classes), "", meaning])
    headings = ["", "estimate", f"{_level(found.level)} interval", "records", "meaning"]
    return "\n".join(
        [
            layout(zip(headings, "<><><", strict=True), lines),
            "Exact intervals, each on its own: Clopper-Pearson; of p_star melded (Fay et al. 2015). Those of p and",
            "p_star may overlap although purity decides.",
        ]
    )


def _classes(found: Audit) -> str:
    words = {
        "below": "p < p* within every class",
        "above": "p > p* within at least one class (Bonferroni over the classes)",
        "undecided": "it is not decided whether p < p* within every class",
        None: "",
    }
    headings = ["class", "records", "p", "phi", "psi", "p_star", "purity", f"{_level(found.level)} interval", "p < p*"]
    sides = "<>>>>>><<"
    several = found.n_classes is not None
    if several:
        headings.append(f"p < p*_{found.n_classes}")
        sides += "<"
    lines = []
    for name, part in found.by_class.items():
        line = [str(name), f"{part.counts.total:,}"]
        line += [_number(getattr(part, rate).value) for rate in ("p", "phi", "psi", "p_star")]
        line += [*_cells(part.purity), _short(part.decision)]
        lines.append(line + ([_short(part.decision_classes)] if part.decision_classes is not None else []))
    note = "Each class on its own; of many classes some are called wrongly by chance."
    table = layout(zip(headings, sides, strict=True), lines)
    return "\n".join([f"By class: {words[found.classwise]}", table, note, *_of_two_classes(found)])


def _of_two_classes(found: Audit) -> list[str]:
    """What kept labels must do, each for the classifier that it speaks of (THEORY §21)."""
    if found.direction is None or found.classwise is None:
        return []
    said = {"below": "yes", "above": "no", "undecided": "undecided"}
    product = found.direction.odds_product
    lines = [
        ["without an intercept", "purity > 1/2", said[found.decision.verdict], *_cells(found.purity)],
        ["with one: direction", "odds multiplied > 1", said[found.direction.verdict], *_cells(product)],
        ["with one: each class", "odds of each > 1", said[found.classwise], "", ""],
    ]
    headings = [("trained classifier", "<"), ("asks of kept labels", "<"), ("holds", "<"), ("", ">")]
    return [
        "",
        "Which classifier will be trained on them? Each has a threshold of its own:",
        layout([*headings, (f"{_level(found.level)} interval", "<")], lines),
        "odds: of a correct label among the kept of a class. The direction's threshold holds at any sample size; the",
        "others are about infinite data. Beyond the last, a class is lost although the direction may be right.",
    ]


def _short(decision: Decision) -> str:
    return {"below": "yes", "above": "no", "undecided": "undecided"}[decision.verdict]


def _curve(curve: ThresholdCurve) -> str:
    best, size = curve.best, curve.threshold.size
    guarded = Estimate(*(entry[best] for entry in curve.p_star_guarded))
    at = lambda estimate, index: Estimate(*(entry[index] for entry in estimate))
    lines = [
        f"Where to put the threshold on the score (kept: score >= threshold)?  {size} were tried.",
        f"  The surest, with the largest low end of p_star: {curve.threshold[best]:.6g}. It keeps "
        f"{curve.rates.kept_rate.value[best]:.1%} of all; p_star = {_number(guarded.value)} {_interval(guarded)}.",
        "  The best of many looks better than it is. This interval is guarded: it holds for whichever threshold is",
        f"  chosen (each at 1 - {1 - curve.level:.2g}/{size}, Bonferroni). The table's hold for one fixed beforehand.",
    ]
    lenient = curve.most_lenient_below
    if lenient is None:
        lines.append("  At no threshold is p < p* decided (guarded likewise).")
    else:
        kept = curve.rates.kept_rate.value[lenient]
        lines.append(
            f"  The lowest with p < p* (guarded likewise): {curve.threshold[lenient]:.6g}. It keeps {kept:.1%} of all."
        )
    lines.append("  p_star knows no sample size; where data are short, keeping more can be better: pstar study roc.")
    lines += [f"note: {note}" for note in missing_kinds(Counts(*(entry[0] for entry in curve.counts)))]
    rows = sorted({best, *range(0, size, max(1, -(-size // MOST_LINES)))})
    table = [
        [f"{curve.threshold[row]:.6g}", *_curve_cells(curve.rates, row), *_cells(at(curve.rates.p_star, row))]
        + ["<- surest" if row == best else ""]
        for row in rows
    ]
    headings = ["threshold", "kept_rate", "phi", "psi", "purity", "p_star", f"{_level(curve.level)} interval", ""]
    return "\n".join([*lines, layout(zip(headings, ">>>>>><<", strict=True), table)])


def _curve_cells(rates: Rates, row: int) -> list[str]:
    return [_number(getattr(rates, name).value[row]) for name in ("kept_rate", "phi", "psi", "purity")]


def _soft(found: SoftAudit) -> str:
    lines = [[name, *_cells(getattr(found, name))] for name in MEANINGS]
    return "\n".join(
        [
            f"Is the verifier good enough?  {_confident(ANSWERS[found.verdict], found.level)}. Soft reading (ours):",
            "  a record of quality s is correct to the degree s; the mean quality of what is kept must exceed 1/2.",
            "  p = 1 - mean s,  phi = sum q s / sum s,  psi = sum q (1 - s) / sum (1 - s),  q = 1 where kept",
            layout([("", "<"), ("estimate", ">"), (f"{_level(found.level)} interval", "<")], lines),
            f"Bayesian bootstrap, seed {found.seed}, with the worst possible record added for each rate, so that small",
            "samples keep the level.",
        ]
    )


def _graded(found: ThresholdReading) -> str:
    lines = [
        [f"{found.threshold[row]:.3g}", _number(found.rates.p.value[row]), *_curve_cells(found.rates, row)[1:]]
        + [*_cells(Estimate(*(entry[row] for entry in found.rates.p_star))), found.verdict[row]]
        for row in range(found.threshold.size)
    ]
    headings = ["t", "p", "phi", "psi", "purity", "p_star", f"{_level(found.level)} interval", "p against p*"]
    return "\n".join(
        [
            "The same by the threshold reading (ours): correct means s >= t. Which t that is, is yours to say",
            "beforehand; intervals and verdicts are for each t on its own.",
            layout(zip(headings, ">>>>>><<", strict=True), lines),
        ]
    )


def _cells(estimate: Estimate) -> list[str]:
    return [_number(estimate.value), _interval(estimate)]


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _interval(estimate: Estimate) -> str:
    return f"[{estimate.low:.3f}, {estimate.high:.3f}]"


def _percent(estimate: Estimate) -> str:
    value = "an unknown share" if math.isnan(estimate.value) else f"{estimate.value:.1%}"
    return f"{value} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"
