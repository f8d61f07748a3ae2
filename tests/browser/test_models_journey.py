"""A model in the browser: registered, promoted, used on a file, described on its card, taken away."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server, settled
from tests.golden import Golden

SEARCH = """
import sys
from core import jobs
from core.access import LOCAL
from core.automl import AutoMLSettings
from core.catalog import datasets
from core.tasks import automl

settings = AutoMLSettings(
    target="credit", time_budget_s=None, max_trials=2, folds=2, learners=("lgbm",), ensemble=False, explain=False
)
run_id = automl.submit(datasets.get(sys.argv[1], access=LOCAL), settings, access=LOCAL)
jobs.wait(run_id, 120, access=LOCAL)
print(run_id)
"""


@pytest.fixture
def searched(filled: Server, ids: Golden) -> tuple[Server, str]:
    """A server on a catalog with a finished search that is not registered, and the search's id."""
    command = [sys.executable, "-c", SEARCH, ids.credit]
    environment = os.environ | {"PLUMBLINE_HOME": str(filled.home)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return filled, done.stdout.strip()


@pytest.fixture
def new_rows(tmp_path: Path) -> Path:
    """Rows without their label; one of them would be a formula in a spreadsheet, another holds a new value."""
    from core.datasets import load_sample

    rows = load_sample("german_credit").frame.drop(columns="credit").head(50).astype(object)
    rows["note"] = "=HYPERLINK(1)"
    rows.loc[0, "purpose"] = "a boat"
    path = tmp_path / "new rows.csv"
    rows.to_csv(path, index=False)
    return path


def press(page: Page, key: str) -> None:
    page.locator(f"[class*=st-key-models-{key}]").get_by_role("button").click()
    settled(page)


@pytest.mark.nightly
def test_register_promote_score_a_file_answer_and_take_the_card(
    searched: tuple[Server, str], tab: Page, tmp_path: Path, new_rows: Path
) -> None:
    server, search = searched
    tab.goto(server.page(f"models?register={search}"))
    settled(tab)
    name = tab.get_by_role("textbox", name="Name")
    name.fill("A journey")
    name.press("Enter")
    settled(tab)
    press(tab, "register-start")
    expect(
        tab.get_by_role("heading", name=re.compile("No version is champion yet; version 1 has ROC AUC"))
    ).to_be_visible()

    why = tab.get_by_role("textbox", name="Why")
    why.fill("The first that beats guessing.")
    why.press("Enter")
    settled(tab)
    press(tab, "promote-")
    expect(tab.get_by_role("heading", name=re.compile("Version 1 is champion, with ROC AUC"))).to_be_visible()
    model = tab.url

    tab.get_by_role("tab", name="Score", exact=True).click()
    settled(tab)
    tab.locator("input[type=file]").set_input_files(new_rows)
    expect(tab.locator(".st-key-models-score-start").get_by_role("button")).to_be_enabled()
    tab.locator(".st-key-models-score-start").get_by_role("button").click()
    tab.wait_for_url(re.compile(r"[?&]run="))
    tab.reload()  # in the middle: the run continues, and its page returns
    expect(tab.get_by_role("heading", name=re.compile("50 rows scored; 1 of 21 columns hold"))).to_be_visible(
        timeout=240_000
    )
    settled(tab)
    tab.get_by_role("tab", name="Predictions").click()
    settled(tab)
    expect(tab.get_by_test_id("stVegaLiteChart")).to_have_count(2)
    tab.get_by_test_id("stPopoverButton").click()
    with tab.expect_download() as taken:
        tab.locator(".st-key-models-download-csv").get_by_role("button").click()
    taken.value.save_as(tmp_path / "scored.csv")
    with open(tmp_path / "scored.csv", newline="", encoding="utf-8") as file:
        scored = list(csv.DictReader(file))
    assert len(scored) == 50
    assert {row["prediction"] for row in scored} <= {"good", "bad"}
    assert scored[0]["note"] == "'=HYPERLINK(1)"

    tab.goto(f"{model}&tab=Card&view=questions")
    settled(tab)
    expect(tab.get_by_role("heading", name="19 of 19 questions that only people can answer are open")).to_be_visible()
    tab.get_by_label("What is it for?").fill("To choose which applications a person reads first.")
    tab.locator("[class*=st-key-models-save-uses]").get_by_role("button").click()
    expect(tab.get_by_role("heading", name="18 of 19 questions that only people can answer are open")).to_be_visible()
    settled(tab)
    tab.reload()
    settled(tab)
    expect(tab.get_by_label("What is it for?")).to_have_value("To choose which applications a person reads first.")
    with tab.expect_download() as taken:
        tab.locator(".st-key-models-card-md").get_by_role("button").click()
    taken.value.save_as(tmp_path / "README.md")
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n")
    assert "To choose which applications a person reads first." in card
    assert "Not answered yet" in card


@pytest.mark.nightly
def test_a_model_is_opened_and_handed_on_and_back_leads_through_its_tabs(
    filled: Server, tab: Page, tmp_path: Path
) -> None:
    tab.goto(filled.page("models"))
    settled(tab)
    # Two of the golden installation's three models have no champion; what other journeys register comes before them.
    heading = tab.get_by_role("heading", name=re.compile(r"\d models, 2 without a champion"))
    expect(heading).to_be_visible()
    count = int(heading.inner_text().split()[0])
    table = tab.get_by_test_id("data-grid-canvas").bounding_box()
    row_height = table["height"] / (1 + count)  # a header and the rows; Credit risk is the last but two
    tab.mouse.click(table["x"] + 18, table["y"] + (count - 2 + 0.5) * row_height)
    expect(tab.get_by_role("heading", name="Credit risk")).to_be_visible()
    settled(tab)
    tab.get_by_test_id("stPopoverButton").filter(has_text="Download").click()
    with tab.expect_download() as taken:
        tab.locator(".st-key-models-download-mlflow").get_by_role("button").click()
    taken.value.save_as(tmp_path / "mlflow.zip")
    with zipfile.ZipFile(tmp_path / "mlflow.zip") as archive:
        assert {"MLmodel", "data/model.skops", "model_card.md"} <= set(archive.namelist())
    tab.keyboard.press("Escape")
    for name in ("History", "Lineage"):
        tab.get_by_role("tab", name=name, exact=True).click()
        settled(tab)
        expect(tab).to_have_url(re.compile(f"tab={name}"))
    tab.go_back()
    settled(tab)
    expect(tab.get_by_role("tab", name="History", exact=True)).to_have_attribute("aria-selected", "true")
