"""A file that is larger than Streamlit takes by default is uploaded and read."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.test_tables import import_file

MB = 2**20


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_a_file_of_201_mb_is_read(server: Server, tab: Page, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    rows = "".join(f"{i},{'some text ' * 10},{i / 7:.3f}\n" for i in range(10_000))
    with path.open("w") as file:
        file.write("id,text,value\n")
        while file.tell() < 201 * MB:
            file.write(rows)
    import_file(tab, server, path)
    expect(tab.get_by_role("heading", name="large", exact=True)).to_be_visible(timeout=300_000)
    assert not list(server.home.glob("uploads/*"))
