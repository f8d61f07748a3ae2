"""From a search for customers who leave to the fifty to call first, and to a page that says so.

Costs, a kept rule, a scored file by rank, and the summary of the search.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.browser.conftest import ROOT, Server, settled

SEARCH = """
import io, sys
from core import jobs
from core.access import LOCAL
from core.automl import AutoMLSettings
from core.catalog import datasets
from core.tasks import automl, ingest

with open(sys.argv[1], "rb") as file:
    loaded = jobs.wait(ingest.submit_upload(file, "Customers.csv", access=LOCAL), 120, access=LOCAL)
settings = AutoMLSettings(
    target="churn", time_budget_s=None, max_trials=2, folds=3, learners=("lgbm",), ensemble=False, explain=False
)
run_id = automl.submit(datasets.get(loaded.result["dataset_id"], access=LOCAL), settings, access=LOCAL)
jobs.wait(run_id, 120, access=LOCAL)
print(run_id)
"""


def customers(n: int, seed: int) -> pd.DataFrame:
    """Return customers, some of whom leave: sooner with few months, a monthly contract and many calls."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "customer": [f"C{seed}-{number:05}" for number in range(n)],
            "months": random.integers(1, 72, n),
            "contract": random.choice(["monthly", "yearly"], n, p=[0.6, 0.4]),
            "calls": random.poisson(1.5, n),
            "charge": random.normal(65, 25, n).round(2),
        }
    )
    pull = -1.2 - frame["months"] / 30 + 1.3 * (frame["contract"] == "monthly") + 0.4 * frame["calls"]
    return frame.assign(churn=np.where(random.random(n) < 1 / (1 + np.exp(-pull)), "Yes", "No"))


@pytest.fixture
def searched(server: Server, tmp_path: Path) -> str:
    """A finished search of a table of customers; its id."""
    customers(2_000, 1).to_csv(tmp_path / "customers.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-c", SEARCH, str(tmp_path / "customers.csv")],
        cwd=ROOT,
        env=os.environ | {"PLUMBLINE_HOME": str(server.home)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def press(page: Page, key: str) -> None:
    page.locator(f"[class*=st-key-{key}]").get_by_role("button").click()
    settled(page)


def fill(page: Page, label: str, value: str) -> None:
    field = page.locator("input").and_(page.get_by_label(label))
    field.fill(value)
    field.press("Enter")
    settled(page)


@pytest.mark.nightly
def test_from_a_search_to_the_fifty_to_call(server: Server, searched: str, tab: Page, tmp_path: Path) -> None:
    tab.goto(server.page(f"automl?run={searched}&tab=Decide"))
    settled(tab)
    sentence = tab.get_by_role(
        "heading", name=re.compile(r"Of 1,000 rows \d+ are selected: \d+ of 100 'Yes' are found")
    )
    expect(sentence).to_be_visible()
    before = sentence.inner_text()
    fill(tab, "Selected, and 'Yes'", "38")
    fill(tab, "Selected, but not 'Yes'", "-2")
    expect(tab.get_by_test_id("stMetric").filter(has_text="Profit per 1,000 rows")).to_be_visible()
    assert sentence.inner_text() != before, "contacts are cheap now, so more rows are selected"
    press(tab, "automl-decide-check")
    expect(tab.get_by_text(re.compile("used to check 2 rules so far"))).to_be_visible()
    press(tab, "automl-decide-keep")
    expect(tab.get_by_text(re.compile(r"Rule in force: 'Yes' from 0\.\d+ on, for all rows"))).to_be_visible()

    tab.goto(server.page(f"models?register={searched}"))
    settled(tab)
    fill(tab, "Name", "Churn")
    press(tab, "models-register-start")
    tab.get_by_role("tab", name="Decide", exact=True).click()
    expect(tab.get_by_text(re.compile(r"Rule in force: 'Yes' from 0\.\d+ on, for all rows"))).to_be_visible()
    settled(tab)

    customers(300, 2).drop(columns="churn").to_csv(tmp_path / "new.csv", index=False)
    tab.get_by_role("tab", name="Score", exact=True).click()
    settled(tab)
    tab.locator("input[type=file]").set_input_files(tmp_path / "new.csv")
    expect(tab.locator(".st-key-models-score-start").get_by_role("button")).to_be_enabled()
    tab.locator(".st-key-models-score-start").get_by_role("button").click()
    tab.wait_for_url(re.compile(r"[?&]run="))
    expect(tab.get_by_role("heading", name=re.compile("300 rows scored"))).to_be_visible(timeout=240_000)
    settled(tab)
    tab.get_by_role("tab", name="Top rows").click()
    settled(tab)
    expect(
        tab.get_by_text(re.compile(r"The top 50 of 300 rows by p\(Yes\); the rule selects \d+ of them"))
    ).to_be_visible()
    with tab.expect_download() as taken:
        tab.locator(".st-key-models-download-top").get_by_role("button").click()
    taken.value.save_as(tmp_path / "top.csv")
    with open(tmp_path / "top.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["rank"]) for row in rows] == list(range(1, 51))
    assert {row["decision"] for row in rows} <= {"0", "1"}
    scores = [float(row["p(Yes)"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert [row["decision"] for row in rows] == sorted((row["decision"] for row in rows), reverse=True)
    assert len({row["customer"] for row in rows}) == 50

    tab.goto(server.page(f"automl?run={searched}"))
    settled(tab)
    tab.get_by_test_id("stPopoverButton").filter(has_text="Summary").click()
    fill(tab, "Author", "Retention team")
    tab.get_by_role("button", name="Make the summary").click()
    with tab.expect_download(timeout=120_000) as taken:
        tab.get_by_role("button", name="PDF", exact=True).click(timeout=120_000)
    taken.value.save_as(tmp_path / "summary.pdf")
    pages = PdfReader(tmp_path / "summary.pdf").pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert re.search(r"Finds \d+ of 100 rows of .Yes.", text)
    assert "Retention team" in text
