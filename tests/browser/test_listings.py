"""Selecting a row of a list opens its object, and the title of the browser's tab names it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from core import jobs
from core.access import LOCAL
from core.catalog import RunState
from core.tasks import ingest
from tests.browser.conftest import Server, settled, start_server, stop_server

FIRST_CHECKBOX = {"x": 16, "y": 52}  # in the canvas of a table: the first row's, below the header


@pytest.fixture(scope="module")
def stocked(installation: Callable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a dataset, a finished run and one that is active: the list of runs is then drawn anew by itself."""
    home = tmp_path_factory.mktemp("listings")
    with installation(home):
        loaded = jobs.wait(ingest.submit_sample("diabetes", access=LOCAL), 60, access=LOCAL)
        assert loaded.state is RunState.SUCCEEDED, loaded.error_message
        active = jobs.submit("count", {"steps": 10_000, "pause": 0.1}, access=LOCAL)
        server = start_server(home)
        yield server
        stop_server(server)
        jobs.cancel(active, access=LOCAL)
        jobs.wait(active, 30, access=LOCAL)


@pytest.mark.parametrize(
    ("page", "address", "back", "title"),
    [
        ("runs", r"runs\?.*run=[0-9a-f]{16}", "All runs", "Count · Runs · Plumbline"),
        pytest.param(
            "data",
            r"data\?.*dataset=[0-9a-f]{16}",
            "All datasets",
            "Diabetes progression · Data · Plumbline",
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_selecting_a_row_opens_the_object(
    stocked: Server, tab: Page, page: str, address: str, back: str, title: str
) -> None:
    tab.goto(stocked.page(page))
    expect(tab).to_have_title(f"{page.capitalize()} · Plumbline")
    settled(tab)
    tab.get_by_test_id("stDataFrame").click(position=FIRST_CHECKBOX)
    expect(tab).to_have_url(re.compile(address))
    expect(tab.get_by_role("button", name=back)).to_be_visible()
    settled(tab)
    expect(tab).to_have_title(title)
    tab.get_by_role("button", name=back).click()
    expect(tab).not_to_have_url(re.compile(address))
    expect(tab.get_by_test_id("stDataFrame")).to_be_visible()
    settled(tab)
