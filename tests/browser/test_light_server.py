"""The web process after all pages were visited with Adult loaded: what it has mapped, and how much memory it holds."""

from __future__ import annotations

from pathlib import Path

import psutil
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, download, open_downloads, settled
from tests.browser.test_journey import load_sample, set_seconds

HEAVY = ("torch", "transformers", "flaml", "lightgbm", "xgboost", "shap", "fairlearn")
LIMIT_MB = 450


def test_the_server_stays_light_after_all_pages(server: Server, tab: Page) -> None:
    load_sample(tab, server, "Adult")
    for name in ("Columns", "Preview", "Checks", "Roles"):
        tab.get_by_role("tab", name=name).click()
        settled(tab)
    tab.get_by_role("tab", name="Columns").click()
    open_downloads(tab)
    download(tab, tab.locator(".st-key-data-download-csv").get_by_role("button"))
    tab.goto(server.page("data"))
    settled(tab)
    load_sample(tab, server, "Adult")
    tab.locator(".st-key-data-to-automl button").click()
    expect(tab.get_by_text("checks passed")).to_be_visible(timeout=120_000)
    settled(tab)
    set_seconds(tab, 15)
    tab.locator(".st-key-automl-start button").click()
    expect(tab.get_by_role("tab", name="Leaderboard")).to_be_visible(timeout=240_000)
    for name in ("Charts", "Explain", "What-if", "Score", "Export", "Continue", "Checks", "Method", "Leaderboard"):
        tab.get_by_role("tab", name=name).click()
        settled(tab)
    open_downloads(tab)
    download(tab, tab.get_by_role("button", name="Model (zip)"))
    tab.get_by_role("button", name="Fairness").click()
    for name in ("Threshold lab", "Mitigations", "Report", "Groups"):
        tab.get_by_role("tab", name=name).click()
        settled(tab)
        if name == "Threshold lab":
            tab.locator(".st-key-fairness-optimize").get_by_role("button").click()
            settled(tab)
    tab.go_back()
    settled(tab)
    tab.get_by_role("button", name="Log").click()
    for name in ("Log", "Files", "Facts"):
        tab.get_by_role("tab", name=name).click()
        settled(tab)
    for page in ("", "runs"):
        tab.goto(server.page(page))
        settled(tab)

    web = psutil.Process(server.process.pid)
    mapped = {Path(entry.path).as_posix() for entry in web.memory_maps()}
    assert [path for path in mapped if any(f"/{name}" in path for name in HEAVY)] == []
    assert web.memory_info().rss / 2**20 < LIMIT_MB
