"""To the edge in the browser: a search's winner and a text model, exported, measured, taken away and run."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, download, open_downloads, settled
from tests.browser.test_journey import choose
from tests.golden import Golden


@pytest.fixture
def to_export(filled: Server, ids: Golden) -> tuple[Server, str, str]:
    """A server, a search that was not exported yet, and the export of a text model."""
    return filled, ids.number, ids.text_export


@pytest.mark.nightly
def test_winner_to_bundle(to_export: tuple[Server, str, str], tab: Page, tmp_path: Path) -> None:
    server, search, _ = to_export
    tab.goto(server.page(f"automl?run={search}"))
    settled(tab)
    tab.get_by_role("button", name="Edge").click()
    expect(tab.get_by_role("button", name="Export", exact=True)).to_be_visible()
    settled(tab)
    tab.locator(".st-key-edge-export").get_by_role("button").click()
    expect(tab.get_by_text(re.compile("the file answers as the model does"))).to_be_visible(timeout=120_000)
    settled(tab)

    open_downloads(tab)
    choose(tab, "License of the model", "Apache License 2.0")
    settled(tab)
    taken = download(tab, tab.locator(".st-key-edge-download-bundle").get_by_role("button"))
    taken.save_as(tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        archive.extractall(tmp_path / "bundle")
    done = subprocess.run(
        [sys.executable, "predict.py", "--check"], cwd=tmp_path / "bundle", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.nightly
def test_text_export_to_measurement(to_export: tuple[Server, str, str], tab: Page) -> None:
    server, _, exported_run = to_export
    tab.goto(server.page(f"edge?run={exported_run}"))
    settled(tab)
    expect(tab.get_by_role("heading", name=re.compile(r"dynamic-int8 is [\d.]+ times smaller"))).to_be_visible()
    exported = tab.url
    tab.get_by_role("tab", name="Measure", exact=True).click()
    settled(tab)
    seconds = tab.get_by_role("spinbutton", name="Seconds per measurement")
    seconds.fill("1")
    seconds.press("Enter")
    settled(tab)
    expect(tab.get_by_text("4 measurements, one after the other")).to_be_visible()
    tab.locator(".st-key-edge-lab-start").get_by_role("button").click()
    expect(tab.get_by_role("tab", name="Roofline")).to_be_visible(timeout=180_000)
    settled(tab)
    expect(tab.get_by_role("heading", name=re.compile(r"answers in .* (ms|µs) \(median\)"))).to_be_visible()

    tab.reload()  # everything is at its address
    settled(tab)
    expect(tab.get_by_role("heading", name=re.compile(r"answers in .* (ms|µs) \(median\)"))).to_be_visible()
    tab.get_by_role("tab", name="Roofline").click()
    settled(tab)
    expect(tab.get_by_text(re.compile("GFLOP/s in float32"))).to_be_visible()
    measured = tab.url
    tab.locator(".st-key-edge-back").get_by_role("button").click()
    expect(tab).to_have_url(re.compile(re.escape(exported.split("run=")[1][:16])))
    settled(tab)
    tab.go_back()  # one step, not through a view in between
    expect(tab).to_have_url(measured)
    expect(tab.get_by_role("tab", name="Roofline")).to_be_visible()


@pytest.mark.nightly
def test_a_pickle_with_another_name_is_refused(to_export: tuple[Server, str, str], tab: Page) -> None:
    import pickle

    server, _, _ = to_export
    tab.goto(server.page("edge"))
    settled(tab)
    tab.locator("input[type=file]").set_input_files(
        {"name": "model.onnx", "mimeType": "application/octet-stream", "buffer": pickle.dumps([1, 2])}
    )
    expect(tab.get_by_text("This is a Python pickle, not an ONNX file.").first).to_be_visible(timeout=60_000)


@pytest.mark.nightly
def test_one_press_to_the_smallest_variant_and_its_bundle(
    to_export: tuple[Server, str, str], tab: Page, tmp_path: Path
) -> None:
    server, _, exported_run = to_export
    tab.goto(server.page(f"edge?run={exported_run}&tab=Find+the+smallest"))
    settled(tab)
    limit = tab.get_by_role("spinbutton", name="Latency within (ms)")
    limit.fill("500")
    limit.press("Enter")
    settled(tab)
    loss = tab.get_by_role("spinbutton", name="Loss at most (points)")
    loss.fill("60")
    loss.press("Enter")
    settled(tab)
    tab.locator(".st-key-edge-smallest-start").get_by_role("button").click()
    expect(tab.get_by_role("heading", name=re.compile("is the smallest that is good enough"))).to_be_visible(
        timeout=240_000
    )
    settled(tab)
    expect(tab.get_by_text("Met", exact=False).first).to_be_visible()
    taken = download(tab, tab.locator(".st-key-edge-smallest-download-bundle").get_by_role("button"))
    taken.save_as(tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        archive.extractall(tmp_path / "bundle")
    done = subprocess.run(
        [sys.executable, "predict.py", "--check"], cwd=tmp_path / "bundle", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr

    tab.reload()  # the answer is at its address
    settled(tab)
    expect(tab.get_by_role("heading", name=re.compile("is the smallest that is good enough"))).to_be_visible()
    tab.locator(".st-key-edge-back").get_by_role("button").click()
    expect(tab).to_have_url(re.compile(re.escape(exported_run)))
