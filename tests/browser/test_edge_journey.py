"""To the edge in the browser: a search's winner and a text model, exported, measured, taken away and run."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, download, open_downloads, settled, start_server, stop_server
from tests.browser.test_journey import choose


@pytest.fixture(scope="module")
def stocked(installation, tmp_path_factory):
    """A server on a catalog with a text model and a search's model."""
    from core import jobs
    from core.automl import AutoMLSettings
    from core.catalog import RunState, datasets
    from core.finetune import FineTuneSettings
    from core.tasks import automl, finetune, ingest

    home = tmp_path_factory.mktemp("edge")
    with installation(home):
        loaded = [
            jobs.wait(ingest.submit_sample(name, workspace="local"), 60, workspace="local")
            for name in ("german_credit", "product_reviews")
        ]
        credit, reviews = (datasets.get(run.result["dataset_id"], "local") for run in loaded)
        search = automl.submit(
            credit, AutoMLSettings(target="credit", time_budget_s=None, max_trials=4, folds=2, explain=False)
        )
        tuning = FineTuneSettings(
            text_column="text",
            label_column="sentiment",
            base_model=str(tiny_base(home / "tiny")),
            max_length=32,
            max_steps=20,
        )
        trained = finetune.submit(reviews, tuning)
        for run_id in (search, trained):
            assert jobs.wait(run_id, 240, workspace="local").state is RunState.SUCCEEDED
        running = start_server(home)
        yield running, search, trained
        stop_server(running)


def tiny_base(folder: Path) -> Path:
    """Write a thin BERT with random weights: this journey is about the way, not about the model."""
    from transformers import AutoTokenizer, BertConfig, BertModel, set_seed

    from core.finetune import base_models

    set_seed(1)
    config = BertConfig(hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128)
    BertModel(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(base_models()[0].path).save_pretrained(folder)
    return folder


def test_winner_to_bundle(stocked: tuple[Server, str, str], tab: Page, tmp_path: Path) -> None:
    server, search, _ = stocked
    tab.goto(server.page(f"automl?run={search}"))
    settled(tab)
    tab.get_by_role("button", name="Edge").click()
    expect(tab.get_by_role("button", name="Export")).to_be_visible()
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


def test_text_model_to_int8_to_measurement(stocked: tuple[Server, str, str], tab: Page) -> None:
    server, _, trained = stocked
    tab.goto(server.page(f"edge?model={trained}"))
    settled(tab)
    for title in (
        "Static int8 (unsigned activations)",
        "Static int8 (signed activations)",
        "fp16 (half precision)",
    ):
        tab.get_by_role("button", name=f"Remove {title}").click()
        settled(tab)
    tab.locator(".st-key-edge-export").get_by_role("button").click()
    expect(tab.get_by_role("heading", name=re.compile(r"dynamic-int8 is [\d.]+ times smaller"))).to_be_visible(
        timeout=180_000
    )
    settled(tab)
    exported = tab.url
    tab.get_by_role("tab", name="Measure", exact=True).click()
    settled(tab)
    seconds = tab.get_by_role("spinbutton", name="Seconds per measurement")
    seconds.fill("1")
    seconds.press("Enter")
    settled(tab)
    expect(tab.get_by_text("3 measurements, one after the other")).to_be_visible()
    tab.locator(".st-key-edge-lab-start").get_by_role("button").click()
    expect(tab.get_by_role("tab", name="Roofline")).to_be_visible(timeout=180_000)
    settled(tab)
    expect(tab.get_by_role("heading", name=re.compile(r"answers in .* ms \(median\)"))).to_be_visible()

    tab.reload()  # everything is at its address
    settled(tab)
    expect(tab.get_by_role("heading", name=re.compile(r"answers in .* ms \(median\)"))).to_be_visible()
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


def test_a_pickle_with_another_name_is_refused(stocked: tuple[Server, str, str], tab: Page) -> None:
    import pickle

    server, _, _ = stocked
    tab.goto(server.page("edge"))
    settled(tab)
    tab.locator("input[type=file]").set_input_files(
        {"name": "model.onnx", "mimeType": "application/octet-stream", "buffer": pickle.dumps([1, 2])}
    )
    expect(tab.get_by_text("This is a Python pickle, not an ONNX file.").first).to_be_visible(timeout=60_000)
