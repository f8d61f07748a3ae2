"""A training in the browser: start, pause, resume, read the result, try a text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.datasets import load_sample
from tests.browser.conftest import Server, press, settled
from tests.browser.test_journey import choose
from tests.browser.test_tables import import_file
from tests.golden import Golden


@pytest.mark.nightly
def test_start_stop_resume_and_try(filled: Server, golden: tuple[Path, Golden], tab: Page, tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    frame = load_sample("product_reviews").frame
    frame[frame["sentiment"] != "neutral"].head(400).to_csv(path, index=False)
    import_file(tab, filled, path)
    expect(tab.get_by_role("heading", name="reviews")).to_be_visible(timeout=60_000)
    settled(tab)
    expect(tab).to_have_url(re.compile("dataset="))
    dataset = re.search(r"dataset=[0-9a-f]{16}", tab.url).group()
    tab.goto(filled.page(f"finetune?{dataset}"))
    settled(tab)
    choose(tab, "Label", "sentiment")
    expect(tab.get_by_text("400 texts: half have at most")).to_be_visible()
    choose(tab, "Base model", "A folder or another model on the hub")  # a thin one: this journey is about the way
    folder = tab.get_by_role("textbox", name="Folder, or name on the hub")
    folder.fill(str(golden[0].parent / "tiny-bert"))
    folder.press("Enter")
    settled(tab)
    epochs = tab.get_by_role("spinbutton", name="Epochs")
    epochs.fill("30")
    epochs.press("Enter")
    settled(tab)
    tab.locator(".st-key-finetune-start").get_by_role("button").click()
    expect(tab).to_have_url(re.compile("run="))

    expect(tab.get_by_text(re.compile(r"Step [\d,]+ of [\d,]+ · .* texts per second")).first).to_be_visible(
        timeout=120_000
    )
    tab.get_by_role("button", name="Pause (resume later)").click()
    expect(tab.get_by_role("button", name="Resume", exact=True)).to_be_visible(timeout=60_000)
    settled(tab)
    press(tab, tab.get_by_role("button", name="Resume", exact=True))
    expect(tab.get_by_role("tab", name="Mistakes")).to_be_visible(timeout=240_000)
    settled(tab)
    expect(tab.get_by_role("heading", name=re.compile("on 80 texts it never saw"))).to_be_visible()

    tab.get_by_role("tab", name="Try it").click()
    settled(tab)
    box = tab.get_by_label("Your text")
    box.fill("a splendid camera, I love it")
    box.press("Control+Enter")
    expect(tab.get_by_test_id("stMarkdown").get_by_text(re.compile("^(positive|negative)$"))).to_be_visible()
