"""A report as one HTML file, figures in it: no network, no script; for screens of any width, for paper, for the ear."""

import html as escaping
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from empirical.auditing.report.blocks import Answer, Report, Section, Table
from empirical.auditing.report.drawing import inline

GENERATOR = '<meta name="generator" content="pstar audit'
"""By it a report of ours is known."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
MARKS = {"yes": "✓", "no": "✗", "undecided": "?", "not asked": "–"}
"""Of a verdict, beside its word: so that no colour is needed."""
JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
"""Letters without a width that scripts need; marks that turn the letters after them round are as unseen, and hidden."""
LONG = 28
"""Letters of a cell beyond which it has more than one line."""


class Drawing(NamedTuple):
    """A figure: its caption, what is seen in it, and what `figures.svg` drew."""

    caption: str
    legend: str
    svg: str


def html(
    report: Report,
    title: str,
    figures: Mapping[str, Drawing],
    command: str = "",
    version: str = "",
    explorer: str = "",
) -> str:
    """The page: answers, notes, sections with the figures that they name, what is assumed, and how it was made.

    ``explorer`` is the name of the page beside it on which this verifier can be moved.
    """
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'{GENERATOR} {_said(version)}">\n<title>{_said(title)}</title>\n'
        f"<style>\n{Path(__file__).with_name('page.css').read_text()}</style>\n</head>\n<body>\n<main>"
    )
    parts = [head, f"<h1>{_said(title)}</h1>"]
    if report.answers:
        parts += ['<ol class="answers" role="list" aria-label="Answers">', *map(_answer, report.answers), "</ol>"]
    if explorer:
        link = f'<a href="{quote(explorer)}">{_said(explorer)}</a>'
        parts.append(
            f"<p>What would a better verifier give, or more data? Move them on the page beside this: {link}.</p>"
        )
    parts += [f'<p class="note"><strong>Note:</strong> {_said(note)}</p>' for note in report.notes]
    for place, section in enumerate(report.sections, 1):
        parts += _section(section, f"section-{place}", figures)
    if report.assumptions:
        parts += [
            '<section aria-labelledby="assumed">',
            '<h2 id="assumed">What is assumed</h2>',
            '<ul class="assumed">',
        ]
        parts += [*(f"<li>{_said(line)}</li>" for line in report.assumptions), "</ul>", "</section>"]
    parts += ["</main>", *_footer(command, version), "</body>", "</html>"]
    return "\n".join(parts) + "\n"


def _answer(answer: Answer) -> str:
    kind = answer.verdict.replace(" ", "-")
    mark = f'<span class="mark" aria-hidden="true">{MARKS.get(answer.verdict, "–")}</span>'
    verdict = f'<strong class="verdict">{_said(answer.verdict.capitalize())}</strong>'
    return (
        f'<li class="{_said(kind)}">{mark}<h2>{_said(answer.question)}</h2><p>{verdict}: {_said(answer.words)}</p></li>'
    )


def _section(section: Section, name: str, figures: Mapping[str, Drawing]) -> Iterator[str]:
    yield f'<section aria-labelledby="{name}">'
    yield f'<h2 id="{name}">{_said(section.title)}</h2>'
    yield from _paragraphs(section.before)
    if section.table is not None:
        yield from _table(section.table, section.title)
    yield from _paragraphs(section.after)
    for figure in section.figures:
        if figure in figures:
            yield from _figure(figure, figures[figure])
    yield "</section>"


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    yield from (f"<p>{_said(line)}</p>" for line in lines)


def _table(table: Table, title: str) -> Iterator[str]:
    """Rows are named by their first cell; what is too wide is scrolled within its own box."""
    yield f'<div class="scroll" role="group" tabindex="0" aria-label="Table: {_said(title)}">'
    yield f"<table>\n<caption>{_said(title)}</caption>\n<thead>"
    heads = (_cell(heading, side, 'th scope="col"' if heading else "td") for heading, side in table.headings)
    yield f"<tr>{''.join(heads)}</tr>\n</thead>\n<tbody>"
    for first, *rest in table.rows:
        (_, own), *sides = table.headings
        cells = [
            _cell(first, own, 'th scope="row"'),
            *(_cell(cell, side) for cell, (_, side) in zip(rest, sides, strict=True)),
        ]
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody>\n</table>\n</div>"


def _cell(words: str, side: str, tag: str = "td") -> str:
    look = "number" if side == ">" else "long" if len(words) > LONG else ""
    return f"<{tag}{f' class={look!r}' if look else ''}>{_said(words)}</{tag.split()[0]}>"


def _figure(name: str, drawing: Drawing) -> Iterator[str]:
    yield "<figure>"
    yield inline(drawing.svg, name, drawing.caption, f"{name}-caption")
    yield f'<figcaption id="{name}-caption"><strong>{_said(drawing.caption)}</strong>'
    yield f"{_said(drawing.legend)}</figcaption>"
    yield "</figure>"


def _footer(command: str, version: str) -> Iterator[str]:
    made = f"Made by pstar {version}" if version else "Made by pstar"
    yield f'<footer class="quiet">\n<p>{_said(made)}{":" if command else "."}</p>'
    if command:
        yield f"<pre><code>{_said(command)}</code></pre>"
    yield "</footer>"


def _said(words: str) -> str:
    """Text of whatever origin, as a page may have it: no markup, and what `printed` leaves of it."""
    return escaping.escape(printed(words))


def printed(words: str) -> str:
    """Text of whatever origin without control characters, direction marks and halves of letters."""
    return "".join(" " if letter.isspace() else _printed(letter) for letter in words)


def _printed(letter: str) -> str:
    kind = unicodedata.category(letter)
    hidden = kind in ("Cc", "Cs") or (kind == "Cf" and letter not in JOINERS)
    return "\N{REPLACEMENT CHARACTER}" if hidden else letter
