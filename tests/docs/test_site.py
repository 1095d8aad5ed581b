"""The site: it builds without a warning, asks no other host for anything, and shows every figure and verb."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from html.parser import HTMLParser

import pytest

import figures
from pstar.cli import COMMANDS
from tests.docs.examples import ROOT
from tests.figures.explorer.conftest import NAMES, NO_SANDBOX
from tests.processes import PATIENCE

LOADED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "embed": "src",
    "object": "data",
}
"""Elements that a browser loads by itself, and where from."""
STYLES = {"stylesheet", "icon", "preload", "preconnect", "dns-prefetch", "modulepreload", "prefetch", "manifest"}
ELSEWHERE = re.compile(r"(https?:)?//")
IN_STYLE = re.compile(r"(?:url\(\s*|@import\s+)['\"]?((?:https?:)?//[^'\")\s]+)")


class Loads(HTMLParser):
    """Addresses that a page loads from other hosts while it is read, and the classes of its elements."""

    def __init__(self, page):
        super().__init__()
        self.found, self.classes = IN_STYLE.findall(page), set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.classes |= set((given.get("class") or "").split())
        wanted = given.get(LOADED.get(tag, ""))
        if tag == "link" and STYLES & set((given.get("rel") or "").split()):
            wanted = given.get("href")
        if wanted and ELSEWHERE.match(wanted):
            self.found.append(wanted)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; mkdocs.yml makes a broken link, a missing anchor or a missing name of the reference an error."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_nothing_is_loaded_from_another_host(site):
    pages = {path: Loads(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    assert len(pages) > 30
    assert {path.name: page.found for path, page in pages.items() if page.found} == {}
    styles = {path.name: IN_STYLE.findall(path.read_text(encoding="utf-8")) for path in site.rglob("*.css")}
    assert [name for name, found in styles.items() if found] == []
    # the theme's script loads Mermaid from another host for such a diagram, and for nothing else
    assert [path.name for path, page in pages.items() if "mermaid" in page.classes] == []


@pytest.mark.slow
def test_a_browser_asks_nobody_and_finds_words(site):
    """Pages opened from the folder: no request leaves it, nothing is complained of, the search works."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    asked, complaints = [], []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=NO_SANDBOX)
        page = browser.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        for name in ("gallery", "reference/pstar", "notebooks/phase_diagram", "p_star"):
            page.goto((site / f"{name}.html").as_uri())
        page.frame_locator("iframe.explorer").get_by_text("the verifier is good enough").first.wait_for()
        page.locator("input.md-search__input").fill("purity")
        page.locator(".md-search-result__item").first.wait_for()
        browser.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert complaints == []


@pytest.mark.slow
def test_formulas_are_drawn_and_words_are_there(site):
    page = (site / "p_star.html").read_text(encoding="utf-8")
    assert page.count("<math") > 5
    assert "arithmatex" not in page
    commands = (site / "commands.html").read_text(encoding="utf-8")
    assert [verb for verb in COMMANDS if f"usage: pstar {verb}" not in commands] == []


def test_the_gallery_has_every_figure():
    groups = tomllib.loads((ROOT / "docs" / "building" / "gallery.toml").read_text(encoding="utf-8"))
    groups.pop("drawn_here")
    shown = [name for group in groups.values() for name in group]
    paths = [path for path in (ROOT / "figures").glob("*.py") if path.stem != "__init__"]
    modules = {path.stem for path in paths if "\ndef draw(" in path.read_text(encoding="utf-8")}
    assert set(figures.NAMES) < modules
    assert sorted(shown) == sorted(modules)


def test_what_is_loaded_is_found():
    far = "https://fonts.googleapis.com/css"
    loaded = f'<link rel="stylesheet" href="{far}"><script src="//unpkg.com/x"></script>'
    assert Loads(f'{loaded}<a href="{far}">a</a><img src="b.png">').found == [far, "//unpkg.com/x"]
    assert Loads("<style>a { background: url('https://x.org/a.png') }</style>").found == ["https://x.org/a.png"]
