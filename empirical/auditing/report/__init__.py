"""An audit for people and programs.

blocks.py     what a report is made of: answers, sections, tables
words.py      numbers and verdicts in words
answers.py    the four answers, which come first
sections.py   the evidence, a section each
build.py      all of it, in order
text.py       as plain text, and as Markdown
html.py       as one HTML file with figures
as_json.py    as JSON values
artefacts.py  a folder of it
"""

from empirical.auditing.report.as_json import as_json as as_json
from empirical.auditing.report.build import build as build
from empirical.auditing.report.text import markdown as markdown
from empirical.auditing.report.text import text as text
