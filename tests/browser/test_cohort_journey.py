"""From "Where it fails" to a saved cohort and the charts of its rows, also on a narrow screen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, pick, settled
from tests.golden import Golden

CUT = """() => [...document.querySelectorAll('[data-testid=stTable]')].filter(
    (table) => [table, ...table.querySelectorAll('*')].some((part) => part.scrollWidth > part.clientWidth + 1
        && ['auto', 'scroll', 'hidden'].includes(getComputedStyle(part).overflowX))).length"""


@pytest.mark.nightly
def test_a_group_is_saved_and_the_charts_are_read_for_it(filled: Server, ids: Golden, tab: Page) -> None:
    tab.goto(filled.page(f"automl?run={ids.binary}&tab=Where+it+fails"))
    settled(tab)
    expect(tab.get_by_role("heading", name=re.compile("Errors are surest among|No group of rows"))).to_be_visible()
    tab.set_viewport_size({"width": 390, "height": 900})
    settled(tab)
    last = tab.get_by_role("columnheader", name="Stands out").bounding_box()
    assert last is not None
    assert last["x"] + last["width"] <= 390
    assert tab.evaluate(CUT) == 0, "the table of groups fits on a phone"
    tab.set_viewport_size({"width": 1440, "height": 900})
    settled(tab)

    tab.locator(".st-key-automl-cohort-save").get_by_role("button").click()
    expect(tab.get_by_text("Saved cohorts")).to_be_visible()
    settled(tab)
    tab.get_by_role("tab", name="Charts").click()
    settled(tab)
    expect(tab.get_by_text("Better than guessing").first).to_be_visible()
    pick(tab, tab.locator(".st-key-automl-charts-cohort").get_by_role("combobox"), 1)
    expect(tab.get_by_text(re.compile(r"\d+ of 200 test rows (where|belong)")).first).to_be_visible()
    settled(tab)
    address = tab.url
    assert "cohort=cohort-" in address
    tab.reload()
    settled(tab)
    expect(tab.get_by_text(re.compile(r"\d+ of 200 test rows (where|belong)")).first).to_be_visible()

    tab.goto(filled.page(f"automl?run={ids.binary}&tab=Where+it+fails"))
    settled(tab)
    tab.locator("[class*=st-key-automl-cohort-remove]").get_by_role("button").click()
    expect(tab.get_by_text("Saved cohorts")).to_be_hidden()
