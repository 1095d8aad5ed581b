"""The moving picture of the README: the explorer while a generator worsens, its verifier is bettered, and data grow.

    python docs/building/moving_picture.py

writes docs/explorer.gif. It needs the system's Chromium.
"""

import io
import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from figures.explorer import build

PICTURE = Path(__file__).parents[1] / "explorer.gif"
SIZE = {"width": 1240, "height": 740}
WIDTH = 930
"""Of the picture; the page is made smaller."""
COLOURS = 128
FRAME, REST = 90, 1500
"""Milliseconds that a frame is seen, and the last one of each scene."""
STEPS = 10
ORDER = ("setting", "p", "phi", "psi", "signal", "alpha", "ridge")
SCENES = (
    ({"p": (0.1, 0.7)}, {"phi": 0.9, "psi": 0.6, "alpha": 3}),
    ({"psi": (0.6, 0.15)}, {"phi": 0.9, "p": 0.7, "alpha": 3}),
    ({"alpha": (3, 100)}, {"phi": 0.9, "p": 0.7, "psi": 0.15}),
)
"""What moves, from where to where, and what stays."""


def states():
    """Fragments of the page's address, and how long each is seen."""
    for moving, still in SCENES:
        for share in np.linspace(0, 1, STEPS):
            moved = {name: _between(name, *ends, share) for name, ends in moving.items()}
            values = {"setting": "independent", "ridge": 0.1, "signal": 2} | still | moved
            yield "&".join(f"{name}={values[name]}" for name in ORDER), REST if share == 1 else FRAME


def _between(name, first, last, share):
    if name == "alpha":  # by equal factors
        return f"{first * (last / first) ** share:.3g}"
    return f"{first + (last - first) * share:.3g}"


def main():
    """Draw it."""
    frames, times = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.set_content(build(version=""))
        for fragment, time in states():
            page.evaluate("words => { location.hash = words }", fragment)
            page.wait_for_function("words => explorer.shown() === words", arg=fragment)
            page.evaluate("scrollTo(0, 0)")
            seen = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            frames.append(seen.resize((WIDTH, WIDTH * seen.height // seen.width), Image.Resampling.LANCZOS))
            times.append(time)
        browser.close()
    strip = np.concatenate([np.asarray(frame) for frame in frames[:: STEPS - 1]])
    palette = Image.fromarray(strip).quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
    first, *rest = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    first.save(PICTURE, save_all=True, append_images=rest, duration=times, loop=0, optimize=True)


if __name__ == "__main__":
    main()
