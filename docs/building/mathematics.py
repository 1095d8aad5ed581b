r"""Formulas between dollar signs become MathML while the site is built: no script and no font of another host.

arithmatex marks them, ``\(...\)`` in a line and ``\[...\]`` on lines of their own.
"""

import html
import re

from latex2mathml.converter import convert

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
DISPLAY = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)


def drawn(page: str) -> str:
    """HTML whose formulas are MathML."""
    page = INLINE.sub(lambda formula: convert(html.unescape(formula[1])), page)
    return DISPLAY.sub(lambda formula: convert(html.unescape(formula[1]), display="block"), page)
