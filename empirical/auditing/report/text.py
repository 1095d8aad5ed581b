"""A report as plain text, and as Markdown. Plain characters, no colour."""

from collections.abc import Iterator

from empirical.auditing.report.blocks import Report, Section, Table
from sims.running.text import layout, plain, say
from sims.running.text import markdown as _escaped


def text(report: Report) -> str:
    """Answers a line each, then notes, sections and what is assumed, with a blank line between."""
    width = max((len(answer.question) for answer in report.answers), default=0)
    first = [
        f"{place}. {answer.question:{width}}  {answer.verdict.capitalize()}: {answer.words}"
        for place, answer in enumerate(report.answers, 1)
    ]
    first += [say(note, "note: ") for note in report.notes]
    blocks = ["\n".join(first)] if first else []
    blocks += ["\n".join(_lines(section)) for section in report.sections]
    return plain("\n\n".join([*blocks, "\n".join(map(say, report.assumptions))]))


def _lines(section: Section) -> Iterator[str]:
    yield section.title
    yield from (say(line, "  ") for line in section.before)
    if section.table is not None:
        yield layout(section.table.headings, section.table.rows)
    yield from map(say, section.after)


def markdown(report: Report, title: str) -> str:
    """The same for a pull request or a wiki."""
    parts = [f"# {_escaped(title)}"]
    if report.answers:
        parts.append(
            "\n".join(
                f"{place}. **{_escaped(answer.question)}** {answer.verdict.capitalize()}: {_escaped(answer.words)}"
                for place, answer in enumerate(report.answers, 1)
            )
        )
    parts += [f"> note: {_escaped(note)}" for note in report.notes]
    for section in report.sections:
        parts.append(f"## {_escaped(section.title)}")
        parts += [_escaped(" ".join(section.before))] if section.before else []
        parts += [_table(section.table)] if section.table is not None else []
        parts += [_escaped(" ".join(section.after))] if section.after else []
    parts.append("## What is assumed\n\n" + "\n".join(f"* {_escaped(line)}" for line in report.assumptions))
    return "\n\n".join(parts)


def _table(table: Table) -> str:
    line = lambda cells: "| " + " | ".join(cells) + " |"
    sides = ["---:" if side == ">" else "---" for _, side in table.headings]
    rows = [map(_escaped, row) for row in table.rows]
    return "\n".join(map(line, [[_escaped(heading) for heading, _ in table.headings], sides, *rows]))
