"""The four answers: is what is kept correct, is the verifier better than none, its worth, and will a student gain."""

import math

from empirical.auditing.binary import Audit
from empirical.auditing.budget import Cost
from empirical.auditing.confusion import Confusions
from empirical.auditing.files import FileAudit
from empirical.auditing.report.blocks import Answer
from empirical.auditing.report.words import amount, exactly, holds, percent, records_more
from empirical.auditing.value import Worth, scaled
from empirical.forecasting.sentences import percent as percent_of
from empirical.forecasting.sentences import range_of
from empirical.forecasting.trust import NOT_GIVEN, OK

NOT_ASKED = "--pilot FILE forecasts it, from your learner's accuracy at 3 or more clean sizes"


def answers(found: FileAudit) -> tuple[Answer, ...]:
    """The four, of an audit with labels correct or wrong; and a fifth where costs are given."""
    audit = found.binary
    if audit is None:
        return ()
    first = _kept(audit) if found.confusions is None else _lead(found.confusions)
    four = first, _better(audit, found.confusions), _worth(found, worth_of(found)), _student(found)
    return four if found.cost is None else (*four, _cost(found.cost))


def worth_of(found: FileAudit) -> Worth:
    """Per generated sample: by the confusions where labels and classes are known, else with errors spread evenly."""
    assert found.binary is not None
    return found.binary.worth if found.confusions is None else found.confusions.worth


def _lead(found: Confusions) -> Answer:
    pair = min(found.pairs, key=lambda pair: pair.margin.low) if found.plurality == "undecided" else found.pairs[0]
    if not pair.kept and not pair.correct_kept:
        return Answer("Does the right label lead?", found.plurality, f"nothing of class {pair.truth!r} is kept")
    words = f"{pair.kept:,.0f} of kept {pair.truth!r} are labelled {pair.label!r}, {pair.correct_kept:,.0f} rightly"
    if found.plurality == "yes":
        words = f"in every class; by least in {pair.truth!r}, by {percent(found.margin)}, over {pair.label!r}"
    return Answer("Does the right label lead?", found.plurality, words)


def _kept(audit: Audit) -> Answer:
    decision, star, name = audit.decision, audit.p_star, "p*"
    question, limit = "Is most of what it keeps correct?", "half"
    if audit.decision_classes is not None and audit.p_star_classes is not None and audit.n_classes != 2:
        decision, star, name = audit.decision_classes, audit.p_star_classes, f"p*_{audit.n_classes}"
        question, limit = "Does the right label lead?", f"1/{audit.n_classes}"
    p, bound = ("unknown" if math.isnan(rate.value) else f"{rate.value:.1%}" for rate in (audit.p, star))
    words = f"{percent(audit.purity)} is correct, {limit} is needed; "
    words += f"p = {p} of labels are wrong, up to {name} = {bound} may be"
    if decision.verdict == "undecided":
        words += f"; {records_more(decision.more)}"
    return Answer(question, holds(decision.verdict), words)


def _better(audit: Audit, confusions: Confusions | None) -> Answer:
    question, kind, verdict = "Is it better than no verifier?", audit.better.kind, audit.better.answer
    if kind in ("keeps everything", "keeps nothing"):
        words = f"it is useless: it keeps none of {audit.design.records:,} records"
        if kind == "keeps everything":
            words = f"it drops none of {audit.design.records:,} records (or the file lacks what it dropped)"
        return Answer(question, "no", words)
    if kind == "harmful":
        words = f"it does harm: keeps {percent(audit.phi)} of correct labels, {percent(audit.psi)} of wrong ones"
        return Answer(question, "no", words)
    worth, more = audit.worth, audit.better.more
    if confusions is not None:
        worth, gain = confusions.worth, confusions.worth.gain
        verdict = "yes" if gain.low > 0 else "no" if gain.high < 0 or kind == "worthless" else "undecided"
        more = math.nan if audit.better.answer != "undecided" else more
    if kind == "worthless" and worth.verified.high <= 0:
        return Answer(question, "no", "what it keeps is worth nothing to a student, nor is all of it")
    words = (
        f"a generated sample is worth {amount(worth.verified)} of a clean one, unverified {amount(worth.unverified)}"
    )
    if verdict == "no" and kind != "worthless":
        words = f"it drops more than it cleans: {words}"
    if verdict == "undecided" and not math.isnan(more):
        words += f"; {records_more(more, 'records' if audit.design.groups is None else 'groups')}"
    return Answer(question, verdict, words)


def _worth(found: FileAudit, worth: Worth) -> Answer:
    size = found.asked.generated
    verified, unverified = (scaled(part, size) for part in (worth.verified, worth.unverified))
    verdict = "yes" if verified.low > 0 else "no" if verified.high <= 0 else "undecided"
    words = f"{size:,.0f} generated train like {amount(verified)} clean ones, unverified {amount(unverified)}"
    return Answer("Is what it keeps worth anything?", verdict, words)


def _cost(found: Cost) -> Answer:
    costs = f"up to {amount(found.break_even)} a sample, and costs {exactly(found.verify)}"
    words = {
        "yes": f"it pays {costs}",
        "no": f"it would pay {costs}: generate more",
        "undecided": f"it pays {costs}",
    }[found.verify_is_cheaper]
    return Answer("Is verifying cheaper than generating more?", found.verify_is_cheaper, words)


def _student(found: FileAudit) -> Answer:
    question = "Will a student beat its generator?"
    if found.forecast is None:
        return Answer(question, "not asked", NOT_ASKED)
    row = found.forecast.table.iloc[-1].to_dict()
    student, generator = range_of(row, "student"), percent_of(found.forecast.generator, False)
    words = f"{percent_of(student)} correct from {row['n']:,.0f} generated, generator {generator}"
    if row["status"] != OK:
        words += f" ({row['status']})"
    return Answer(question, "no verdict" if row["beats"] == NOT_GIVEN else row["beats"], words)
