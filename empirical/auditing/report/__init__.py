"""An audit for people and programs.

blocks.py     what a report is made of: answers, sections, tables
words.py      numbers and verdicts in words
answers.py    the four answers, which come first
sections.py   the evidence, a section each
build.py      all of it, in order
text.py       as plain text, and as Markdown
html.py       as one HTML page with figures; page.css, drawing.py: how it looks, a figure in it
as_json.py    as JSON values
plane.py      tables of the plane (psi, phi)
artefacts.py  all tables; a folder of it, or the page
"""

from empirical.auditing.report.as_json import as_json as as_json
from empirical.auditing.report.build import build as build
from empirical.auditing.report.html import html as html
from empirical.auditing.report.text import markdown as markdown
from empirical.auditing.report.text import text as text
