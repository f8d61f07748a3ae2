"""A watched model in the browser: twelve batches of which the eighth drifts, labels that confirm, the next version."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ROOT, Server, settled

pytestmark = pytest.mark.nightly

PREPARE = """
import io, json, sys
import pandas as pd
from core import jobs, models
from core.access import LOCAL
from core.automl import AutoMLSettings
from core.catalog import datasets
from core.datasets import load_sample
from core.tasks import automl, ingest

frame = load_sample("adult").frame.sample(5_600, random_state=0).reset_index(drop=True)
frame.insert(0, "person", range(len(frame)))
later = frame.iloc[2_000:].reset_index(drop=True)
later.insert(1, "scored_on", pd.date_range("2026-01-01", "2026-12-30 23:00", periods=len(later)).strftime("%Y-%m-%d"))
later.loc[later.index // 300 == 7, "hours-per-week"] += 20
later[["person", "income"]].to_csv(sys.argv[1], index=False)


def imported(table, name):
    file = io.BytesIO(table.to_csv(index=False).encode())
    return jobs.wait(ingest.submit_upload(file, name, access=LOCAL), 120, access=LOCAL).result["dataset_id"]


trained = imported(frame.iloc[:2_000].drop(columns="person"), "Adult, training.csv")
imported(later.drop(columns="income"), "Adult, 2026.csv")
settings = AutoMLSettings(target="income", time_budget_s=None, max_trials=2, learners=("lgbm",), ensemble=False)
ids = []
for seed in (0, 1):
    run = automl.submit(datasets.get(trained, access=LOCAL), settings.model_copy(update={"seed": seed}), access=LOCAL)
    assert jobs.wait(run, 240, access=LOCAL).state == "SUCCEEDED"
    ids.append(run)
model = models.register(ids[0], name="Income, watched", access=LOCAL)
print(json.dumps({"model": model.id, "next": ids[1]}))
"""

REGISTER = """
import sys
from core import models
from core.access import LOCAL
models.register(sys.argv[1], name="Income, watched", access=LOCAL)
"""


def run_script(server: Server, script: str, *arguments: str) -> str:
    environment = os.environ | {"PLUMBLINE_HOME": str(server.home)}
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def press(page: Page, chosen: Locator) -> None:
    chosen.click()
    settled(page)


def button(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-models-{key}").get_by_role("button")


def test_the_eighth_of_twelve_batches_drifts_and_labels_confirm_the_estimate(
    filled: Server, tab: Page, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.csv"
    ids = json.loads(run_script(filled, PREPARE, str(labels)))
    address = f"models?model={ids['model']}&tab=Monitor"
    tab.goto(filled.page(address))
    settled(tab)

    button(tab, "monitor-rules").first.click()
    settled(tab)
    row_id = tab.get_by_role("textbox", name="Column of ids")
    row_id.fill("person")
    row_id.press("Enter")
    settled(tab)
    press(tab, button(tab, "monitor-save"))

    tab.goto(filled.page(address))
    settled(tab)
    button(tab, "monitor-bring").first.click()
    settled(tab)
    tab.locator(".st-key-models-monitor-from").get_by_text("A dataset", exact=True).click()
    settled(tab)
    box = tab.get_by_role("combobox", name=re.compile("Dataset"))
    box.click()
    tab.get_by_role("option", name="Adult, 2026").first.click()
    settled(tab)
    tab.get_by_text("Replay as a series of batches").click()
    settled(tab)
    press(tab, button(tab, "monitor-compare-dataset"))
    expect(tab.get_by_role("heading", name=re.compile("1 of 12 batches raised an alarm"))).to_be_visible(
        timeout=240_000
    )
    settled(tab)
    expect(tab.get_by_role("listitem").filter(has_text="'hours-per-week': median")).to_be_visible()
    expect(tab.get_by_text("1 of 14 columns drifted.")).to_be_visible()

    tab.goto(filled.page(address))
    settled(tab)
    button(tab, "monitor-bring").first.click()
    settled(tab)
    tab.locator(".st-key-models-monitor-from").get_by_text("Labels", exact=True).click()
    settled(tab)
    tab.locator("[class*=st-key-models-monitor-labels] input[type=file]").set_input_files(labels)
    settled(tab)
    press(tab, button(tab, "monitor-join"))
    expect(tab.get_by_text("ROC AUC, measured").first).to_be_visible(timeout=240_000)
    settled(tab)

    tab.goto(filled.page("home"))
    settled(tab)
    expect(tab.get_by_role("heading", name=re.compile("1 alert about models"))).to_be_visible()

    tab.goto(filled.page(address))
    settled(tab)
    press(tab, button(tab, "monitor-append"))
    tab.wait_for_url(re.compile("tab=Prepare"))
    settled(tab)

    run_script(filled, REGISTER, ids["next"])
    tab.goto(filled.page(f"models?model={ids['model']}&tab=Compare"))
    settled(tab)
    expect(tab.get_by_text(re.compile("Version 2")).first).to_be_visible()
    tab.goto(filled.page(f"models?model={ids['model']}&version=2&tab=Versions"))
    settled(tab)
    why = tab.get_by_role("textbox", name="Why")
    why.fill("Trained again after the drift of August.")
    why.press("Enter")
    settled(tab)
    press(tab, tab.locator("[class*=st-key-models-promote-]").get_by_role("button").first)
    expect(tab.get_by_role("heading", name=re.compile("is champion"))).to_be_visible()
