"""A figure as a part of an HTML page: an SVG element with names of its own, and nothing from elsewhere."""

import html
import re

LEFT_OUT = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL)
TAG = re.compile(r"<[^<>]*>")
CHANGED = (
    (re.compile(r' (?:xmlns(?::\w+)?|version)="[^"]*"'), ""),
    (re.compile(r"font-family: [^;\"]*;?"), ""),
    (re.compile(r' (id=")'), r" \1{}-"),
    (re.compile(r' (?:xlink:)?href="#'), r' href="#{}-'),
    (re.compile(r"url\(#"), r"url(#{}-"),
)
"""In every tag: of what a page knows by itself, nothing; names, and what refers to them, begin with the figure's."""


def inline(svg: str, name: str, title: str, text: str) -> str:
    """What `figures.svg` drew, for a page with several: ``name`` is unique there, ``title`` its name for who hears it.

    ``text`` is the id of the element that describes it.
    """
    bare = TAG.sub(lambda tag: _tag(tag.group(), name), LEFT_OUT.sub("", svg)).strip()
    words = f'role="img" aria-label="{html.escape(title)}" aria-describedby="{html.escape(text)}"'
    return re.sub(r'<svg( width="[^"]*")?( height="[^"]*")?', f"<svg {words}", bare, count=1)


def _tag(tag: str, name: str) -> str:
    for found, instead in CHANGED:
        tag = found.sub(instead.format(name), tag)
    return tag
