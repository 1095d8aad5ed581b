"""The evidence: a section for every kind of audit, and what all of it assumes."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from empirical.auditing.binary import Audit, ClassAudit, missing_kinds
from empirical.auditing.confusion import Confusions
from empirical.auditing.estimates import design_effect
from empirical.auditing.files import FileAudit
from empirical.auditing.quality import SoftAudit, ThresholdReading
from empirical.auditing.rates import Counts, Estimate, Rates
from empirical.auditing.report.blocks import Section, Table
from empirical.auditing.report.words import (
    amount,
    cells,
    exactly,
    holds,
    interval,
    level,
    more,
    number,
    p_value,
)
from empirical.auditing.scores import ThresholdCurve
from empirical.auditing.value import scaled
from empirical.auditing.verifiers import Verifiers
from empirical.forecasting.report import notes as forecast_notes
from empirical.forecasting.sentences import Forecast, answer
from empirical.forecasting.sentences import cells as forecast_cells

MOST_LINES = 12
MOST_CLASSES = 20
MEANINGS = {
    "p": "P(label wrong): the generator's error rate",
    "phi": "P(kept | label correct)",
    "psi": "P(kept | label wrong)",
    "kept_rate": "P(kept)",
    "purity": "P(label correct | kept)",
    "p_star": "phi/(phi + psi), what p must stay below",
}
ANSWERS = {"below": "Yes, p < p*", "above": "No, p > p*", "undecided": "Undecided whether p < p*"}


def of_rates(found: Audit) -> Section:
    """The six rates with their intervals, and the decision."""
    counts, design = found.counts, found.design
    parts = {
        "p": (counts.wrong, counts.total),
        "phi": (counts.correct_kept, counts.correct),
        "psi": (counts.wrong_kept, counts.wrong),
        "kept_rate": (counts.kept, counts.total),
        "purity": (counts.correct_kept, counts.kept),
    }
    rows = []
    for name, word in MEANINGS.items():
        seen = f"{parts[name][0]:,} of {parts[name][1]:,}" if name in parts and design.plain else ""
        rows.append((name, *cells(getattr(found, name)), seen, word))
    if found.p_star_classes is not None:
        meaning = f"the same for {found.n_classes} classes, errors spread evenly"
        rows.append((f"p_star_{found.n_classes}", *cells(found.p_star_classes), "", meaning))
    headings = zip(["", "estimate", f"{level(found.level)} interval", "records", "meaning"], "<><><", strict=True)
    lines = [
        f"{ANSWERS[found.decision.verdict]} (p-value {p_value(found.decision.p_value)}): purity decides.",
        *more(found.decision),
    ]
    if found.decision_classes is not None:
        verdict = ANSWERS[found.decision_classes.verdict].replace("p*", f"p*_{found.n_classes}")
        lines += [
            f"{verdict} (p-value {p_value(found.decision_classes.p_value)}), if wrong labels are spread evenly "
            f"over the "
            f"other {(found.n_classes or 2) - 1}: purity above {found.decision_classes.threshold:.1%}.",
            *more(found.decision_classes),
        ]
    elif found.decision.verdict != "below":
        lines.append("With more than two classes less is enough: give their number with --classes.")
    return Section("Rates of generator and verifier", tuple(lines), Table(tuple(headings), tuple(rows)), _how(found))


def _how(found: Audit) -> tuple[str, ...]:
    """How the intervals of the rates were made."""
    design = found.design
    if design.plain:
        return (
            "Exact intervals, each on its own: Clopper-Pearson; of p_star melded (Fay et al. 2015). Those of p "
            "and p_star "
            "may overlap although purity decides.",
        )
    lines = []
    if design.judged < design.records:
        lines.append(
            f"{design.judged:,} of {design.records:,} records are judged; what is kept is known of all, and rates are "
            "post-stratified by it."
        )
    if design.weighted:
        lines.append("Records are weighed.")
    if design.groups is not None:
        effect = design_effect(found.resampled, found.counts)
        lines.append(
            f"{design.groups:,} groups are what was drawn. Design effect of purity {number(effect)}: its "
            f"variance, beside "
            "that of as many single records."
        )
    lines.append(
        "Intervals by the bootstrap of "
        f"{'groups' if design.groups is not None else 'records'}, with one more of them at the worst place, each "
        f"on its own."
    )
    return (" ".join(lines),)


def of_worth(found: FileAudit) -> Section:
    """Worth per sample, for the number generated, and by cost."""
    audit, budget, cost = found.binary, found.budget, found.cost
    assert audit is not None and budget is not None
    size = f"of {budget.generated:,.0f}"
    worth, formulas = audit.worth, ("((1-p)phi - p psi)^2/((1-p)phi + p psi)", "(1 - 2p)^2")
    if audit.n_classes not in (None, 2):
        formulas = ("the same with p psi/(K-1), K classes", f"(1 - pK/(K-1))^2, K = {audit.n_classes}")
    if found.confusions is not None:
        worth = found.confusions.worth
        formulas = ("kept_rate a^2, a the smallest margin of a class", "a^2 of all labels")
    rows = [
        ("worth of a generated sample", amount(worth.verified), formulas[0]),
        ("the same, all kept", amount(worth.unverified), formulas[1]),
        ("difference", amount(worth.gain), "above 0: the verifier is better than none"),
        (f"kept {size}", amount(budget.kept), ""),
        (f"worth {size}", amount(scaled(worth.verified, budget.generated)), "clean samples that train as well"),
    ]
    lines = []
    if cost is not None:
        lines.append(
            f"{exactly(cost.generate)} to generate and {exactly(cost.verify)} to verify a sample: what trains like one "
            f"clean sample costs {amount(cost.verified)} with the verifier, {amount(cost.unverified)} without."
        )
    headings = (("", "<"), ("estimate and interval", "<"), ("", "<"))
    return Section(
        "Worth: clean samples that do the same, with a learner tuned against noise (best penalty)",
        tuple(lines),
        Table(headings, tuple(rows)),
        (
            "Exact for errors that have nothing to do with the input. A model's own errors can be learned: then "
            "this is the "
            "optimistic end (pstar forecast --help).",
        ),
    )


def of_classes(found: Audit) -> Iterator[Section]:
    """The rates within every class, the worst first; and what two classes ask."""
    words = {
        "below": "p < p* within every class",
        "above": "p > p* within at least one class (Bonferroni over the classes)",
        "undecided": "it is not decided whether p < p* within every class",
        None: "",
    }
    names = ["class", "records", "p", "phi", "psi", "p_star", "purity", f"{level(found.level)} interval", "p < p*"]
    sides = "<>>>>>><<"
    several = found.n_classes is not None
    if several:
        names.append(f"p < p*_{found.n_classes}")
        sides += "<"
    parts = dict(found.by_class)
    left = len(parts) - MOST_CLASSES
    if left > 0:
        parts = dict(sorted(parts.items(), key=lambda item: _worst_first(item[1]))[:MOST_CLASSES])
    rows = []
    for name, part in parts.items():
        line = [str(name), f"{part.counts.total:,}"]
        line += [number(getattr(part, rate).value) for rate in ("p", "phi", "psi", "p_star")]
        line += [*cells(part.purity), holds(part.decision.verdict)]
        rows.append(tuple(line + ([holds(part.decision_classes.verdict)] if part.decision_classes else [])))
    after = ["Each class on its own; of many classes some are called wrongly by chance."]
    if left > 0:
        after.append(f"The {MOST_CLASSES} with the lowest purity; {left:,} more are in --json and --out.")
    table = Table(tuple(zip(names, sides, strict=True)), tuple(rows))
    yield Section(f"By class: {words[found.classwise]}", (), table, tuple(after))
    if found.direction is not None and found.classwise is not None:
        yield _of_two_classes(found)


def _worst_first(part: ClassAudit) -> tuple[bool, float]:
    return part.counts.kept == 0, part.purity.high


def _of_two_classes(found: Audit) -> Section:
    """What kept labels must do, each for the classifier that it speaks of (THEORY §21)."""
    assert found.direction is not None and found.classwise is not None
    rows = (
        ("without an intercept", "purity > 1/2", holds(found.decision.verdict), *cells(found.purity)),
        (
            "with one: direction",
            "odds multiplied > 1",
            holds(found.direction.verdict),
            *cells(found.direction.odds_product),
        ),
        ("with one: each class", "odds of each > 1", holds(found.classwise), "", ""),
    )
    names = ["trained classifier", "asks of kept labels", "holds", "", f"{level(found.level)} interval"]
    return Section(
        "Which classifier will be trained on them? Each has a threshold of its own",
        (),
        Table(tuple(zip(names, "<<<><", strict=True)), rows),
        (
            "odds: of a correct label among the kept of a class. The direction's threshold holds at any sample "
            "size; the "
            "others are about infinite data. Beyond the last, a class is lost although the direction may be right.",
        ),
    )


def of_confusions(found: Confusions) -> Section:
    """The confusions that hurt most."""
    says = {
        "yes": "the right label leads in every class",
        "no": "in some class a wrong label leads: it would be learned in its place",
        "undecided": "it is not decided whether the right label leads in every class",
    }
    rows = tuple(
        (pair.truth, pair.label, *(f"{count:,.0f}" for count in (pair.generated, pair.kept, pair.correct_kept)))
        + tuple(cells(pair.margin))
        for pair in found.pairs[:MOST_LINES]
    )
    names = ["class", "labelled", "generated", "kept", "kept and right", "margin", f"{level(found.level)} interval"]
    lines = [
        f"smallest margin {number(found.margin.value)} {interval(found.margin)}, before the verifier "
        f"{number(found.margin_unverified.value)} {interval(found.margin_unverified)}.",
        f"By the class that is worst off a generated sample is worth {amount(found.worth.verified)} clean ones, "
        f"all kept "
        f"{amount(found.worth.unverified)}; difference {amount(found.worth.gain)}.",
    ]
    if found.p_star == found.p_star:
        lines.append(f"With errors spread as here, every class could bear an error rate of {found.p_star:.1%}.")
    return Section(
        f"Confusions of {len(found.classes)} classes, the worst first: {says[found.plurality]}",
        tuple(lines),
        Table(tuple(zip(names, "<<>>>><", strict=True)), rows),
        ("margin: share of a class's kept samples labelled rightly, less the share with this label. Each on its own.",),
    )


def of_verifiers(found: Verifiers) -> Section:
    """Several verifiers, the best first, and the pairs."""
    ordered = sorted(found.audits.items(), key=lambda item: -np.nan_to_num(item[1].worth.verified.value, nan=-1))
    sure = "decided" if found.decided else "not decided"
    verdict = f"{found.best_given} looks best of those given ({sure})"
    for name, better in found.made_decided.items():
        if better:
            verdict += f"; {name} is worth more (decided)"
    rows = [
        (name, *cells(audit.worth.verified), *cells(audit.p_star), number(audit.purity.value))
        + (number(audit.kept_rate.value), audit.better.answer)
        for name, audit in ordered
    ]
    span = f"{level(found.level)} interval"
    names = ["verifier", "worth", span, "p_star", span, "purity", "kept_rate", "better than none"]
    after = [
        f"{pair.first} less {pair.second}: worth {number(pair.worth.value)} {interval(pair.worth)}, p_star "
        f"{number(pair.p_star.value)} {interval(pair.p_star)}, purity {number(pair.purity.value)} "
        f"{interval(pair.purity)}."
        for pair in found.differences
    ]
    after.append(
        f"Differences are paired, each on its own. The four answers are of {found.best_given}, the best of those"
    )
    after[-1] += " given, at a level that holds for all of them together."
    return Section(
        f"Which verifier? {verdict}",
        (),
        Table(tuple(zip(names, "<><><>><", strict=True)), tuple(rows)),
        tuple(after),
    )


def of_forecast(found: Forecast) -> Section:
    """The forecast of a student, as `pstar forecast` says it."""
    question, *lines = answer(found)
    headings, rows = forecast_cells(found)
    return Section(
        question,
        tuple(line.strip() for line in lines),
        Table(tuple(headings), tuple(map(tuple, rows))),
        (f"Intervals are at {level(found.level)}, of the mean over training sets.", *forecast_notes(found)),
        figures=("forecast",),
    )


def of_curve(curve: ThresholdCurve, name: str) -> Section:
    """The thresholds on a score, and the best of them for worth and for p*."""
    best, size = curve.best, curve.threshold.size
    rule = "score <= threshold" if curve.low_is_good else "score >= threshold"
    at = lambda estimate, row: Estimate(*(float(entry[row]) for entry in estimate))
    lines = []
    if curve.auc < 0.5 and not curve.low_is_good:
        lines.append(f"Low scores seem to be the good ones (AUC {curve.auc:.2f}): try --low-is-good.")
    worth = curve.best_worth
    if worth is None:
        lines.append("Worth: at no threshold is it surely above 0.")
    else:
        surely = at(curve.worth_guarded, worth)
        than = "more than" if surely.low > curve.unverified else "not surely more than"
        lines.append(
            f"Best for training, with the largest low end of worth: {exactly(curve.threshold[worth])}. It keeps "
            f"{curve.rates.kept_rate.value[worth]:.1%} of "
            f"all, and a generated sample is then worth {amount(surely)}, {than} the {curve.unverified:.3f} of "
            f"keeping all."
        )
    lines.append(
        f"Surest for p*, with its largest low end: {exactly(curve.threshold[best])}. It keeps "
        f"{curve.rates.kept_rate.value[best]:.1%} of all; p_star = {number(at(curve.p_star_guarded, best).value)} "
        f"{interval(at(curve.p_star_guarded, best))}."
    )
    lenient = curve.most_lenient_below
    if lenient is None:
        lines.append("At no threshold is p < p* decided.")
    else:
        kept = curve.rates.kept_rate.value[lenient]
        lines.append(f"Most lenient with p < p*: {exactly(curve.threshold[lenient])}. It keeps {kept:.1%} of all.")
    lines.append(
        f"The best of many looks better than it is. These intervals are guarded: they hold for whichever threshold is "
        f"chosen (each at 1 - {1 - curve.level:.2g}/{size}, Bonferroni). The table's hold for one fixed beforehand."
    )
    lines += [f"note: {note}" for note in missing_kinds(Counts(*(entry[0] for entry in curve.counts)))]
    chosen = {best: "surest", **({worth: "best"} if worth is not None else {})}
    if worth == best:
        chosen = {best: "best, surest"}
    rows = tuple(
        (exactly(curve.threshold[row]), *_curve_cells(curve.rates, row), *cells(at(curve.worth, row)))
        + (*cells(at(curve.rates.p_star, row)), chosen.get(row, ""))
        for row in sorted({*chosen, *range(0, size, max(1, -(-size // MOST_LINES)))})
    )
    span = f"{level(curve.level)} interval"
    names = ["threshold", "kept_rate", "phi", "psi", "purity", "worth", span, "p_star", span, ""]
    table = Table(tuple(zip(names, ">>>>>><><<", strict=True)), rows)
    return Section(
        f"Where to put the threshold on {name} (kept: {rule})? {size} were tried; AUC {number(curve.auc)}",
        tuple(lines),
        table,
    )


def _curve_cells(rates: Rates, row: int) -> list[str]:
    return [number(getattr(rates, name).value[row]) for name in ("kept_rate", "phi", "psi", "purity")]


def of_quality(found: SoftAudit) -> Section:
    """The soft reading."""
    rows = tuple((name, *cells(getattr(found, name))) for name in MEANINGS)
    return Section(
        f"Is most of what it keeps good, by degrees? {ANSWERS[found.verdict]}, at {level(found.level)} confidence",
        (
            "Soft reading (ours): a record of quality s is correct to the degree s; the mean quality of what is "
            "kept must "
            "exceed 1/2.",
            "p = 1 - mean s,  phi = sum q s / sum s,  psi = sum q (1 - s) / sum (1 - s),  q = 1 where kept",
        ),
        Table((("", "<"), ("estimate", ">"), (f"{level(found.level)} interval", "<")), rows),
        (
            f"Bayesian bootstrap, seed {found.seed}, with the worst possible record added for each rate, so that small "
            "samples keep the level.",
        ),
    )


def of_thresholds(found: ThresholdReading) -> Section:
    """The threshold reading."""
    rows = tuple(
        (exactly(found.threshold[row]), number(found.rates.p.value[row]), *_curve_cells(found.rates, row)[1:])
        + (*cells(Estimate(*(entry[row] for entry in found.rates.p_star))), found.verdict[row])
        for row in range(found.threshold.size)
    )
    names = ["t", "p", "phi", "psi", "purity", "p_star", f"{level(found.level)} interval", "p against p*"]
    return Section(
        "The same by the threshold reading (ours): correct means s >= t",
        ("Which t that is, is yours to say beforehand; intervals and verdicts are for each t on its own.",),
        Table(tuple(zip(names, ">>>>>><<", strict=True)), rows),
    )


def assumptions(found: FileAudit) -> tuple[str, ...]:
    """What has to be true of the records."""
    design: Any = next((part.design for part in (found.binary, found.curve) if part is not None), None)
    lines = [
        "The records must be a random sample of all that was generated, kept or not: kept ones alone tell only purity."
    ]
    if design is None:
        return tuple(lines)
    if design.judged < design.records:
        lines.append("Which records are judged must be chance, given what is kept (missing at random).")
    if design.weighted:
        lines.append("Weights must be how many generated samples a record stands for, as 1/(chance of being drawn).")
    if design.groups is not None:
        lines.append("Groups must be independent of each other; within a group anything may be alike.")
    else:
        lines.append("Records must be independent: where several belong to one prompt, name its column with --group.")
    return tuple(lines)
