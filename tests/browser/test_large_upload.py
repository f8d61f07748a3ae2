"""A file larger than Streamlit takes by default is uploaded and read; one above the limit is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, settled, start_server, stop_server
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
    tab.set_default_timeout(300_000)
    import_file(tab, server, path)
    expect(tab.get_by_role("heading", name="large", exact=True)).to_be_visible(timeout=300_000)
    assert not list(server.home.glob("uploads/*"))


@pytest.mark.nightly
def test_a_file_above_the_limit_is_refused_in_words(tab: Page, tmp_path: Path) -> None:
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    small.write_text("a,b\n1,2\n3,4\n")
    large.write_bytes(b"a,b\n" + b"1,2\n" * 300_000)
    limited = start_server(tmp_path / "home", environment={"PLUMBLINE_MAX_UPLOAD_MB": "1"})
    try:
        tab.goto(limited.page("data"))
        settled(tab)
        tab.locator('input[type="file"]').set_input_files(large)
        expect(tab.get_by_text("File must be 1.0MB or smaller.")).to_be_visible()
        # Whoever gets past the browser's check is refused by the server, also as its first visitor.
        statuses: list[int] = []
        tab.on("response", lambda response: statuses.append(response.status) if "upload_file" in response.url else None)
        tab.route("**/upload_file/**", lambda route: route.continue_(post_data=large.read_bytes()))
        tab.locator('input[type="file"]').set_input_files(small)
        expect(tab.get_by_text("status code 413")).to_be_visible()
        assert statuses[-1] == 413
    finally:
        stop_server(limited)
