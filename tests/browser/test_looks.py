"""Both themes, wide and narrow: colors follow the theme, nothing runs off the side, no accessibility finding."""

from __future__ import annotations

import os
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Server, settled
from tests.golden import Golden

GROUNDS = {False: "rgb(255, 255, 255)", True: "rgb(17, 23, 29)"}
# Streamlit's own frame has findings that no app can mend; only what is new counts.
SERIOUS = ("critical", "serious")
PICTURES = os.environ.get("PLUMBLINE_SCREENSHOTS")  # read now: installations of tests clear such variables


@pytest.fixture
def addresses(filled: Server, ids: Golden) -> tuple[Server, dict[str, str]]:
    """The server, and the addresses of its pages."""
    version = f"models?model={ids.model}&version=2"
    return filled, {
        "home": "",
        "data": "data",
        "dataset": f"data?dataset={ids.credit}",
        "form": f"automl?dataset={ids.credit}",
        "result": f"automl?run={ids.binary}",
        "fairness": f"fairness?run={ids.binary}",
        "finetune-form": f"finetune?dataset={ids.reviews}",
        "finetune": f"finetune?run={ids.text}",
        "edge": "edge",
        "export": f"edge?run={ids.text_export}",
        "latency": f"edge?run={ids.text_measured}",
        "models": "models",
        "model": version,
        "card": f"{version}&tab=Card",
        "questions": f"{version}&tab=Card&view=questions",
        "coverage": f"{version}&tab=Card&view=coverage",
        "compare": f"{version}&tab=Compare",
        "row": f"{version}&tab=Score&score=row",
        "scored": f"models?run={ids.scored}",
        "runs": "runs",
        "run": f"runs?run={ids.binary}",
    }


PAGES = [
    "home",
    "data",
    "dataset",
    "form",
    "result",
    "fairness",
    "finetune-form",
    "finetune",
    "edge",
    "export",
    "latency",
    "models",
    "model",
    "card",
    "questions",
    "coverage",
    "compare",
    "row",
    "scored",
    "runs",
    "run",
]


def opened(browser: Browser, address: str, width: int) -> Page:
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    page.goto(address)
    settled(page)
    return page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_theme_is_followed(browser: Browser, addresses, dark: bool) -> None:
    server, paths = addresses
    page = opened(browser, server.page(paths["form"], dark=dark), 1440)
    ground = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    assert ground == GROUNDS[dark]
    bars = page.locator('[data-testid="stVegaLiteChart"] svg path[fill], [data-testid="stVegaLiteChart"] canvas')
    assert bars.count() > 0
    page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_runs_off_the_side_of_a_narrow_screen(browser: Browser, addresses, name: str) -> None:
    server, paths = addresses
    page = opened(browser, server.page(paths[name]), 390)
    wide = page.evaluate(
        "() => { const main = document.querySelector('[data-testid=stMain]');"
        " return main.scrollWidth - main.clientWidth }"
    )
    assert wide <= 1
    page.context.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_serious_accessibility_finding_beyond_streamlits_own(browser: Browser, addresses, dark: bool) -> None:
    server, paths = addresses
    base: set[str] = set()
    values: dict[str, set[str]] = {}
    for name in [name for name in PAGES if name not in ("data", "dataset", "runs")]:
        page = opened(browser, server.page(paths[name], dark=dark), 1440)
        violations = Axe().run(page).response["violations"]
        serious = {
            f"{item['id']}: {re.sub(r'-[0-9a-z]{6,}', '', node['html'])[:160]}"
            for item in violations
            if item["impact"] in SERIOUS
            for node in item["nodes"]
        }
        if name == "home":
            base = {entry.split(":")[0] for entry in serious}
        values[name] = {entry for entry in serious if entry.split(":")[0] not in base}
        page.context.close()
    assert {name: entries for name, entries in values.items() if entries} == {}


@pytest.mark.skipif(PICTURES is None, reason="set PLUMBLINE_SCREENSHOTS to a folder")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_take_pictures(browser: Browser, addresses, dark: bool, width: int) -> None:
    server, paths = addresses
    for name in PAGES:
        page = opened(browser, server.page(paths[name], dark=dark), width)
        theme = "dark" if dark else "light"
        page.screenshot(path=f"{PICTURES}/{name}-{theme}-{width}.png", full_page=True)
        page.context.close()
