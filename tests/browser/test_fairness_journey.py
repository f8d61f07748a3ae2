"""From a finished search to a rule and a report: groups, sliders, optimize, apply, keep; and training again."""

from __future__ import annotations

import json
import re
import zipfile

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, settled
from tests.golden import Golden


@pytest.fixture
def searched(filled: Server, ids: Golden) -> tuple[Server, str]:
    """A server on a catalog with a finished search, and the search's id."""
    return filled, ids.binary


@pytest.mark.nightly
def test_from_a_result_to_a_rule_and_a_report(searched, tab: Page, tmp_path) -> None:
    server, run_id = searched
    tab.goto(server.page(f"automl?run={run_id}"))
    settled(tab)
    tab.locator(".st-key-automl-to-fairness").get_by_role("button").click()
    expect(tab).to_have_url(re.compile(f"fairness.*run={run_id}"))
    expect(tab.get_by_role("heading", name=re.compile("'male': .* of 100 .*gap .* points"))).to_be_visible(
        timeout=30_000
    )
    settled(tab)

    tab.get_by_role("tab", name="Threshold lab").click()
    expect(tab.get_by_text("Nobody is affected")).to_be_visible()
    settled(tab)
    slider = tab.get_by_role("slider").first
    slider.focus()
    for _ in range(20):
        slider.press("ArrowLeft")
    expect(tab.get_by_text(re.compile(r"more 'male' selected, \d+ of them wrongly")).first).to_be_visible()
    settled(tab)

    tab.locator(".st-key-fairness-optimize").get_by_role("button").click()
    expect(tab.get_by_text(re.compile("difference between groups from .* to 0.0 points"))).to_be_visible()
    settled(tab)
    tab.locator(".st-key-fairness-apply").get_by_role("button").click()
    expect(tab.get_by_text(re.compile("On the test rows the rule gives an accuracy of"))).to_be_visible()
    expect(tab.get_by_text(re.compile("used to check 2 rules")).first).to_be_visible()
    settled(tab)
    tab.locator(".st-key-fairness-keep").get_by_role("button").click()
    expect(tab.get_by_text("Kept with the model: policy-demographic-parity-by-sex.json")).to_be_visible()
    settled(tab)
    with tab.expect_download() as waiting:
        tab.locator(".st-key-fairness-download-policy").get_by_role("button").click()
    waiting.value.save_as(tmp_path / "policy.json")
    assert set(json.loads((tmp_path / "policy.json").read_text())["rules"]) == {"female", "male"}

    tab.get_by_role("tab", name="Report").click()
    settled(tab)
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Report (HTML)").click()
    waiting.value.save_as(tmp_path / "report.html")
    page = tab.context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    expect(page.get_by_role("heading", name="Fairness of credit from German credit risk")).to_be_visible()
    expect(page.get_by_role("heading", name="Rules", exact=True)).to_be_visible()
    expect(page.locator("svg").first).to_be_visible()
    assert len(asked) == 1, "the report loads nothing else"
    page.close()

    # What was kept travels with the model.
    tab.goto(server.page(f"automl?run={run_id}"))
    settled(tab)
    tab.get_by_test_id("stPopoverButton").filter(has_text="Download").click()
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Model (zip)").click()
    waiting.value.save_as(tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        assert "model/policy-demographic-parity-by-sex.json" in archive.namelist()


@pytest.mark.nightly
def test_techniques_are_trained_while_the_page_is_watched(searched, tab: Page) -> None:
    server, run_id = searched
    tab.goto(server.page(f"fairness?run={run_id}"))
    settled(tab)
    tab.get_by_role("tab", name="Mitigations").click()
    settled(tab)
    tab.get_by_role("button", name="Train and compare").click()
    stop = tab.get_by_role("button", name="Stop and keep what is done")
    expect(stop).to_be_visible(timeout=30_000)
    expect(stop).to_be_hidden(timeout=180_000)  # an earlier comparison is shown meanwhile
    expect(tab.get_by_text("Left is fairer, up is more accurate").first).to_be_attached(timeout=120_000)
    settled(tab)
    expect(tab.get_by_text(re.compile("brings the difference from|No technique made"))).to_be_visible()
    tab.reload()
    settled(tab)
    tab.get_by_role("tab", name="Mitigations").click()
    expect(tab.get_by_text(re.compile("brings the difference from|No technique made"))).to_be_visible()
