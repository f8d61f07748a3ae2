"""From a result to why: read the explanation, change a row, ask what would change the answer."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, settled
from tests.golden import Golden


@pytest.mark.nightly
def test_explain_what_if(filled: Server, ids: Golden, tab: Page) -> None:
    tab.goto(filled.page(f"automl?run={ids.binary}"))
    settled(tab)
    tab.get_by_role("tab", name="Explain").click()
    settled(tab)
    expect(tab.get_by_text(re.compile("the model would lose"))).to_be_visible()
    for view in ("What pushes predictions up or down", "By group", "Effect of one column", "Interactions"):
        tab.locator(".st-key-automl-explain-view").get_by_text(view).click()
        settled(tab)
        expect(tab.locator('[data-testid="stVegaLiteChart"], [data-testid="stCaptionContainer"]').first).to_be_visible()
        assert tab.get_by_role("alert").count() == 0

    tab.get_by_role("tab", name="What-if").click()
    settled(tab)
    expect(tab.get_by_text("Change values")).to_be_visible()
    amount = tab.get_by_role("spinbutton", name=re.compile("duration"))
    amount.fill("72")
    amount.press("Enter")
    settled(tab)
    expect(tab.get_by_text(re.compile(r"^Changed: duration"))).to_be_visible()
    tab.get_by_role("button", name="Find the smallest change").click()
    settled(tab)
    expect(tab.get_by_text(re.compile("rows were tried in|None found among"))).to_be_visible()

    address = tab.url
    tab.reload()  # everything is at its address
    settled(tab)
    assert tab.url == address
    expect(tab.get_by_role("tab", name="What-if")).to_have_attribute("aria-selected", "true")
    expect(tab.get_by_text("Change values")).to_be_visible()
