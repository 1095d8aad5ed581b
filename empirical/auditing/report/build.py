"""The whole report, in order."""

from collections.abc import Iterator

from empirical.auditing.files import FileAudit
from empirical.auditing.report import sections
from empirical.auditing.report.answers import answers
from empirical.auditing.report.blocks import Report, Section

PLANE = ("verifier",)
"""The figure of the verifiers, which stands at the first section that tells of them."""


def build(found: FileAudit) -> Report:
    """For every kind of audit that the columns allowed, the answers and then the evidence."""
    binary = found.binary
    notes = [*found.notes, *(binary.notes if binary is not None else ())]
    return Report(answers(found), tuple(notes), tuple(_sections(found)), sections.assumptions(found))


def _sections(found: FileAudit) -> Iterator[Section]:
    if found.verifiers is not None:
        yield sections.of_verifiers(found.verifiers)._replace(figures=PLANE)
    if found.binary is not None:
        yield sections.of_rates(found.binary)._replace(figures=PLANE if found.verifiers is None else ())
        yield sections.of_worth(found)
        if found.binary.by_class:
            yield from sections.of_classes(found.binary)
    if found.confusions is not None:
        yield sections.of_confusions(found.confusions)
    if found.forecast is not None:
        yield sections.of_forecast(found.forecast)
    if found.curve is not None:
        curve = sections.of_curve(found.curve, found.names.score or "score")
        yield curve._replace(figures=("threshold_curve", *(PLANE if found.binary is None else ())))
    if found.soft is not None and found.graded is not None:
        yield sections.of_quality(found.soft)
        yield sections.of_thresholds(found.graded)
