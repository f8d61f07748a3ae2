"""Every page, chart, upload and download works under the policy of contents that the server sends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.conftest import WAIT_MS, Server, download, open_downloads, settled
from tests.browser.test_tables import import_file

# Under the address of a page, Streamlit looks for its server below that page first.
STREAMLITS_OWN = "the server responded with a status of 404"
WATCH = """
window.__violations = [];
document.addEventListener('securitypolicyviolation', event =>
    window.__violations.push(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile));
"""


def watched(browser: Browser) -> tuple[Page, list[str]]:
    """Return a page, and the list of what its console says is wrong."""
    page = browser.new_context(viewport={"width": 1440, "height": 1200}, accept_downloads=True).new_page()
    page.set_default_timeout(WAIT_MS)
    page.add_init_script(WATCH)
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and STREAMLITS_OWN not in message.text:
            errors.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return page, errors


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_no_page_is_stopped_by_the_policy(browser: Browser, addresses: tuple[Server, dict[str, str]]) -> None:
    server, by_name = addresses
    page, errors = watched(browser)
    problems: dict[str, list[str]] = {}
    for name, address in by_name.items():
        errors.clear()
        page.goto(server.page(address))
        settled(page)
        page.mouse.move(700, 600)  # tooltips of charts
        page.wait_for_load_state("networkidle")
        violations = page.evaluate("window.__violations")
        if violations or errors:
            problems[name] = [*violations, *errors]
    page.context.close()
    assert not problems, json.dumps(problems, indent=1)


@pytest.mark.nightly
def test_files_are_taken_and_given(browser: Browser, server: Server, tmp_path: Path) -> None:
    page, errors = watched(browser)
    file = tmp_path / "people.csv"
    file.write_text("name,age\n" + "".join(f"person {i},{20 + i % 50}\n" for i in range(200)))
    import_file(page, server, file)
    expect(page.get_by_role("heading", name="people", exact=True)).to_be_visible()
    open_downloads(page)
    taken = download(page, page.get_by_test_id("stPopoverBody").get_by_role("button", name="CSV"))
    assert Path(taken.path()).read_text().startswith("name,age")
    assert page.evaluate("window.__violations") == []
    assert errors == []
    page.context.close()


@pytest.mark.nightly
def test_a_page_of_another_site_may_not_frame_it(browser: Browser, server: Server, tmp_path: Path) -> None:
    page, errors = watched(browser)
    frame = tmp_path / "frame.html"
    frame.write_text(f'<iframe src="{server.url}"></iframe>')
    page.goto(frame.as_uri())
    page.wait_for_load_state("networkidle")
    assert any("frame-ancestors" in error for error in errors)
    page.context.close()
