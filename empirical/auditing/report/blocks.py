"""What a report is made of, whatever it is written as."""

from typing import NamedTuple

from sims.running.text import Column


class Answer(NamedTuple):
    """One of the four: the question, yes, no, undecided or not asked, and what it rests on."""

    question: str
    verdict: str
    words: str


class Table(NamedTuple):
    """Headings with their sides, and cells of text."""

    headings: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


class Section(NamedTuple):
    """A part of the evidence."""

    title: str
    before: tuple[str, ...] = ()
    """Lines of prose."""
    table: Table | None = None
    after: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    """Names of the figures that show it, of `empirical.auditing.report.artefacts.FIGURES`."""


class Report(NamedTuple):
    """The answers, what to beware of, the evidence, and what it assumes."""

    answers: tuple[Answer, ...]
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
    assumptions: tuple[str, ...]
