"""From a finding to its fix and back, and from rows of a newer file to a search on the new version."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from core import jobs
from core.access import LOCAL
from core.catalog import Dataset, RunState, datasets
from core.tasks import ingest
from tests.browser.conftest import Server, pick, settled, start_server, stop_server

RANDOM = np.random.default_rng(0)
RUN_MS = 60_000  # what a run of seconds may take on a loaded machine


def customers(rows: int, start: int) -> pd.DataFrame:
    """Customers with a fee that is text, since it has words among its amounts."""
    fees = RANDOM.gamma(3, 40, rows).round(2)
    text = [f"${fee:,.2f}" if number % 20 else "on request" for number, fee in enumerate(fees)]
    return pd.DataFrame(
        {
            "fee": text,
            "plan": RANDOM.choice(["DSL", "Fiber"], rows),
            "number": np.arange(start, start + rows) % 97,
            "left": np.where(fees > 120, "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def stocked(installation: Callable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Dataset]]:
    """A server with a table of customers, and a newer one."""
    home = tmp_path_factory.mktemp("prepare")
    with installation(home):
        stored = []
        for name, frame in (("customers.csv", customers(200, 0)), ("newer.csv", customers(40, 200))):
            content = io.BytesIO(frame.to_csv(index=False).encode())
            run = jobs.wait(ingest.submit_upload(content, name, access=LOCAL), 60, access=LOCAL)
            assert run.state is RunState.SUCCEEDED, run.error_message
            stored.append(datasets.get((run.result or {})["dataset_id"], access=LOCAL))
        datasets.set_roles(stored[0].id, {"target": "left", "sensitive": [], "ignore": []}, access=LOCAL)
        server = start_server(home)
        yield server, stored[0]
        stop_server(server)


@pytest.mark.nightly
def test_finding_to_fix_to_undo(stocked: tuple[Server, Dataset], tab: Page) -> None:
    server, dataset = stocked
    tab.goto(server.page(f"data?dataset={dataset.id}&tab=Checks"))
    button = tab.get_by_role("button", name="Make it a number")
    expect(button).to_be_visible(timeout=RUN_MS)
    settled(tab)
    button.click()
    expect(tab.get_by_text("Version 2 of 2")).to_be_visible(timeout=RUN_MS)
    settled(tab)
    tab.get_by_role("tab", name="Prepare").click()
    expect(tab.get_by_text("Changes 200 cells, of which 10 become missing.")).to_be_visible()
    tab.reload()
    settled(tab)
    undo = tab.get_by_role("button", name=re.compile("Undo: Read 'fee' as number"))
    undo.click()
    expect(tab.get_by_text("Version 1 of 2")).to_be_visible()
    settled(tab)
    expect(tab.get_by_text("No steps yet: the table is as it was read.")).to_be_visible()
    tab.go_back()
    expect(tab.get_by_text("This is version 2. Version 1 is the current one.")).to_be_visible()
    settled(tab)


@pytest.mark.nightly
def test_rows_of_a_newer_file_make_a_version_that_is_searched(stocked: tuple[Server, Dataset], tab: Page) -> None:
    server, dataset = stocked
    tab.goto(server.page(f"data?dataset={dataset.id}&tab=Prepare"))
    settled(tab)
    pick(tab, tab.get_by_role("combobox", name="Step"), "Append rows")
    settled(tab)
    pick(tab, tab.get_by_role("combobox", name="Dataset"), "newer (40 rows)")
    settled(tab)
    tab.get_by_role("button", name="Add step").click()
    expect(tab.get_by_text("Adds 40 rows in the first 200 rows, not applied yet.")).to_be_visible()
    settled(tab)
    tab.get_by_role("button", name="Apply").click()
    expect(tab.get_by_text("240 rows")).to_be_visible(timeout=RUN_MS)
    settled(tab)
    tab.get_by_role("button", name="Search for a model").click()
    expect(tab).to_have_url(re.compile("automl"))
    settled(tab)
    tab.get_by_role("button", name="Start").click()
    expect(tab.get_by_text("Leaderboard").first).to_be_visible(timeout=300_000)
