"""Files of the user's own: a good one, a broken one, a partly broken one; rename and delete."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, settled


def upload(page: Page, server: Server, path: Path) -> None:
    """Give a file to the uploader of the Data page."""
    page.goto(server.page("data"))
    settled(page)
    page.locator('input[type="file"]').set_input_files(str(path))
    page.wait_for_url("**import=**")


def import_file(page: Page, server: Server, path: Path) -> None:
    """Give a file to the uploader, and import it as it is detected, without a look at the preview."""
    upload(page, server, path)
    page.get_by_role("button", name="Import").click()


@pytest.mark.nightly
def test_a_broken_file_says_why_and_leaves_nothing(filled: Server, tab: Page, tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03truncated")
    upload(tab, filled, path)
    expect(tab.get_by_test_id("stAlert").first).to_be_visible(timeout=60_000)
    settled(tab)
    assert "Traceback" not in tab.content()
    expect(tab.get_by_text("broken", exact=True)).to_have_count(0)
    expect(tab.locator('input[type="file"]')).to_have_count(1)


def test_bad_lines_are_kept_apart_and_shown(filled: Server, tab: Page, tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    lines = ["name,weight"] + [f"apple {number},{number}" for number in range(50)]
    lines.insert(20, "one,two,three,four")
    path.write_text("\n".join(lines) + "\n")
    import_file(tab, filled, path)
    expect(tab.get_by_role("heading", name="mixed", exact=True)).to_be_visible(timeout=60_000)
    settled(tab)
    expect(tab.get_by_text("1 line was left out")).to_be_visible()
    expect(tab.get_by_text("50 rows")).to_be_visible()


@pytest.mark.nightly
def test_a_table_can_be_renamed_and_deleted(filled: Server, tab: Page, tmp_path: Path) -> None:
    path = tmp_path / "draft.csv"
    path.write_text("a,b\n" + "\n".join(f"{n},{n * n % 7}" for n in range(40)) + "\n")
    import_file(tab, filled, path)
    expect(tab.get_by_role("heading", name="draft", exact=True)).to_be_visible(timeout=60_000)
    settled(tab)
    tab.get_by_role("button", name="Manage").click()
    tab.get_by_label("Name").fill("Final version")
    tab.get_by_role("button", name="Rename").click()
    expect(tab.get_by_role("heading", name="Final version")).to_be_visible()
    settled(tab)
    if not tab.get_by_role("button", name="Delete…").is_visible():
        tab.get_by_role("button", name="Manage").click()
    tab.get_by_role("button", name="Delete…").click()
    expect(tab.get_by_test_id("stPopoverBody")).to_have_count(0)
    tab.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(tab.get_by_role("heading", name="Your own table")).to_be_visible()
    settled(tab)
    expect(tab.get_by_text("Final version was deleted")).to_be_visible()
    tab.reload()
    settled(tab)
    tab.get_by_role("button", name="Undo").click()
    settled(tab)
    expect(tab.get_by_text("was deleted")).to_have_count(0)
