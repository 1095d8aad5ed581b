"""A page of the explorer in a real Chromium, that of the system; what it says on its console fails the test."""

import shutil
from contextlib import contextmanager

import pytest

from figures.explorer import build
from tests.processes import PATIENCE

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
NO_SANDBOX = ("--no-sandbox",)
"""A sandbox needs rights that a container has not; the page is ours."""


class Visits:
    """Pages of one browser, each with its own context."""

    def __init__(self, browser, folder):
        self.browser, self.folder = browser, folder

    @contextmanager
    def page(self, audit=None, fragment="", content=None, **context):
        """A page that was built, or whose text is given; with `complaints` and `requests`. Silent until the end."""
        file = self.folder / "explorer.html"
        file.write_text(content or build(audit, version="test"), encoding="utf-8")
        context = self.browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | context)
        context.set_default_timeout(1000 * PATIENCE)
        page = context.new_page()
        page.complaints, page.requests = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.address = file.as_uri()
        try:
            page.goto(f"{page.address}#{fragment}")
            page.wait_for_function("() => !window.explorer || explorer.shown() !== null")
            yield page
            assert page.complaints == []
        finally:
            context.close()


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    """A browser for a module; skipped where Playwright or a Chromium is not installed."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: pip install playwright"
    )
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=NO_SANDBOX)
        yield Visits(browser, tmp_path_factory.mktemp("page"))
        browser.close()
