"""Both themes, wide and narrow: colors follow the theme, nothing runs off the side, no accessibility finding."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Server, settled

OVERFLOW = """() => {
    const main = document.querySelector('[data-testid=stMain]');
    return main.scrollWidth - main.clientWidth;
}"""
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 900}
GROUNDS = {False: "rgb(255, 255, 255)", True: "rgb(17, 23, 29)"}
# Streamlit's own frame has findings that no app can mend; only what is new counts.
SERIOUS = ("critical", "serious")
STREAMLITS_OWN = [  # their colors and focus are not the app's; a slider's number has the color of buttons
    "[data-testid=stJson]",
    "[data-testid=stCode]",
    "[data-testid=stSliderThumbValue]",
]
PICTURES = os.environ.get("PLUMBLINE_SCREENSHOTS")  # read now: installations of tests clear such variables


PAGES = ["home", "dataset", "form", "result", "fairness", "runs"]
# Built of the same parts as those above.
MORE_PAGES = [
    "winner",
    "decide",
    "decide-number",
    "where-it-fails",
    "own-decisions",
    "models-by-group",
    "mitigations",
    "report",
    "audit",
    "rule",
    "data",
    "column",
    "category",
    "correlations",
    "prepare",
    "checks",
    "roles",
    "reading",
    "versions",
    "federated-form",
    "finetune-form",
    "finetune",
    "edge",
    "export",
    "latency",
    "smallest",
    "models",
    "model",
    "card",
    "questions",
    "coverage",
    "compare",
    "row",
    "scored",
    "run",
    "pipelines",
    "components",
    "component",
]


@dataclass
class Window:
    """A window of the browser, and the accessibility rules that Streamlit's own frame breaks in it."""

    page: Page
    dark: bool
    known: set[str]


@pytest.fixture(scope="module", params=[False, pytest.param(True, marks=pytest.mark.nightly)], ids=["light", "dark"])
def window(request: pytest.FixtureRequest, browser: Browser, filled: Server) -> Iterator[Window]:
    """One window for all pages, so that the browser loads the app's scripts once."""
    dark = request.param
    context = browser.new_context(viewport=WIDE)
    opened = Window(context.new_page(), dark, set())
    opened.page.goto(filled.page(dark=dark))
    settled(opened.page)
    opened.known = {entry.split(":")[0] for entry in serious(opened.page)}
    yield opened
    context.close()


def serious(page: Page) -> set[str]:
    """Return the serious accessibility findings of a page: the rule, and the element's HTML without generated names."""
    return {
        f"{item['id']}: {re.sub(r'-[0-9a-z]{6,}', '', node['html'])[:160]}"
        for item in Axe().run(page, context={"exclude": [[part] for part in STREAMLITS_OWN]}).response["violations"]
        if item["impact"] in SERIOUS
        for node in item["nodes"]
    }


@pytest.mark.parametrize("name", [*PAGES, *(pytest.param(name, marks=pytest.mark.nightly) for name in MORE_PAGES)])
def test_page_follows_the_theme_fits_and_is_accessible(window: Window, addresses, name: str) -> None:
    server, paths = addresses
    window.page.goto(server.page(paths[name], dark=window.dark))
    settled(window.page)
    ground = window.page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    assert ground == GROUNDS[window.dark]
    assert {entry for entry in serious(window.page) if entry.split(":")[0] not in window.known} == set()
    if name == "form":
        bars = window.page.locator(
            '[data-testid="stVegaLiteChart"] svg path[fill], [data-testid="stVegaLiteChart"] canvas'
        )
        assert bars.count() > 0
    window.page.set_viewport_size(NARROW)
    over = 2
    for _ in range(20):  # charts and tables follow the width, sooner or later
        window.page.wait_for_timeout(300)
        over = window.page.evaluate(OVERFLOW)
        if over <= 1:
            break
    window.page.set_viewport_size(WIDE)
    assert over <= 1


@pytest.mark.parametrize("name", ["form", pytest.param("result", marks=pytest.mark.nightly)])
def test_the_dark_theme_is_followed(browser: Browser, addresses, name: str) -> None:
    server, paths = addresses
    page = opened(browser, server.page(paths[name], dark=True), 390)
    ground = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    assert ground == GROUNDS[True]
    page.context.close()


def opened(browser: Browser, address: str, width: int) -> Page:
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    page.goto(address)
    settled(page)
    return page


@pytest.mark.skipif(PICTURES is None, reason="set PLUMBLINE_SCREENSHOTS to a folder")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_take_pictures(browser: Browser, addresses, dark: bool, width: int) -> None:
    server, paths = addresses
    for name in PAGES + MORE_PAGES:
        page = opened(browser, server.page(paths[name], dark=dark), width)
        theme = "dark" if dark else "light"
        page.screenshot(path=f"{PICTURES}/{name}-{theme}-{width}.png", full_page=True)
        page.context.close()
