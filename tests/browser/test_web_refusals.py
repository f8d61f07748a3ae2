"""What a person sees on a page where the server refuses something."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import settled, start_server, stop_server

LIMITS = {
    "PLUMBLINE_SESSION_UPLOADS_MB": "1",
    "PLUMBLINE_SOCKETS_PER_ADDRESS": "1",
    "PLUMBLINE_REQUESTS_PER_MINUTE": "400",
}


@pytest.mark.nightly
def test_refusals_are_in_words(browser: Browser, tab: Page, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    large.write_bytes(b"a,b\n" + b"1,2\n" * 3_000_000)  # more than the buffers of a connection
    limited = start_server(tmp_path / "home", environment=LIMITS)
    other = browser.new_context()
    try:
        tab.goto(limited.page("data"))
        settled(tab)
        tab.locator('input[type="file"]').set_input_files(large)
        expect(tab.get_by_text("The file was not taken: files of one visit may have 1 MB together.")).to_be_visible()
        expect(tab.get_by_text("status code 413")).to_be_visible()

        second = other.new_page()
        second.goto(limited.page())
        expect(second.get_by_text("Plumbline is open in 1 tabs or windows at your address")).to_be_visible(
            timeout=60_000
        )
        tab.close()
        second.reload()
        settled(second)

        for _ in range(3_000):
            answer = second.request.get(limited.url + "/robots.txt")
            if answer.status == 429:
                break
        assert answer.status == 429
        assert answer.text().startswith("Your address has sent too many requests. Try again in ")
        assert int(answer.headers["retry-after"]) >= 1
    finally:
        other.close()
        stop_server(limited)
