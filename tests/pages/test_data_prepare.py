"""The tabs Prepare and Versions, and the buttons of findings: steps, preview, undo, and what another tab did."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import housekeeping, jobs
from core.access import LOCAL
from core.catalog import Dataset, RunState, datasets, runs, versions
from core.datasets import STEPS, Recipe, load_frame
from core.storage import get_store
from core.tasks import ingest, prepare
from tests.pages.conftest import labels, query, table_with, texts, visit

CUSTOMERS = pd.DataFrame(
    {
        "id": [f"C{number:04d}" for number in range(60)],
        "plan": ["DSL", "dsl", "Fiber", "fiber ", "Fiber", "DSL"] * 10,
        "fee": ["12.5 per month", "$1,200", "$80", "$3", "$7", "$95"] * 10,
        "one": [1] * 60,
        "sex": ["male", "female", "female"] * 20,
        "left": ["yes", "no", "no", "no", "yes", "no"] * 10,
    }
)


@pytest.fixture
def customers(home: Path) -> Dataset:
    return imported(CUSTOMERS, "customers.csv", target="left")


def imported(frame: pd.DataFrame, name: str, *, target: str | None = None) -> Dataset:
    content = io.BytesIO(frame.to_csv(index=False).encode())
    run = jobs.wait(ingest.submit_upload(content, name, access=LOCAL), 60, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    dataset = datasets.get((run.result or {})["dataset_id"], access=LOCAL)
    if target is not None:
        datasets.set_roles(dataset.id, {"target": target, "sensitive": [], "ignore": []}, access=LOCAL)
    return datasets.get(dataset.id, access=LOCAL)


def opened(dataset: Dataset, tab: str = "Prepare") -> AppTest:
    test = visit("data", dataset=dataset.id, tab=tab)
    assert not test.exception
    return test


def finished(test: AppTest) -> Dataset:
    """Wait for the preparation that a page has started, and return the version that the page opens then."""
    run = jobs.wait(query(test, "preparing"), 60, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    test.run()
    assert not test.exception
    return datasets.get(query(test, "dataset"), access=LOCAL)


def checked(dataset: Dataset) -> AppTest:
    """Open the tab Checks, and wait for the findings."""
    test = opened(dataset, "Checks")
    for run in runs.find(task="check", access=LOCAL):
        jobs.wait(run.id, 60, access=LOCAL)
    return test.run()


def content(dataset: Dataset) -> pd.DataFrame:
    return load_frame(get_store().local_path(dataset.data_digest))


def test_steps_are_added_previewed_reordered_applied_and_undone(customers: Dataset) -> None:
    test = opened(customers)
    assert "No steps yet: the table is as it was read." in texts(test)
    test.selectbox(key="data-prepare-kind").set_value("drop").run()
    assert test.button(key="data-prepare-add").disabled
    test.multiselect(key="data-step-columns").set_value(["one"]).run()
    test.button(key="data-prepare-add").click().run()
    assert not test.exception
    test.selectbox(key="data-prepare-kind").set_value("filter").run()
    test.text_area(key="data-step-keep").set_value('left == "yes"').run()
    test.button(key="data-prepare-add").click().run()
    assert "Removes 'one' in the first 60 rows, not applied yet." in texts(test)
    assert "Removes 40 rows in the first 60 rows, not applied yet." in texts(test)
    assert "The first 60 rows of the file, 20 after the steps." in texts(test)
    assert list(table_with(test, "plan").columns) == ["id", "plan", "fee", "sex", "left"]

    again = opened(customers)  # a reload, or a second tab
    again.button(key="data-prepare-earlier-1").click().run()
    assert [step["step"] for step in datasets.get(customers.id, access=LOCAL).draft["steps"]] == ["filter", "drop"]
    test.button(key="data-prepare-remove-0").click().run()  # the first tab has not seen that
    assert "The steps were changed meanwhile, perhaps in another tab." in texts(test)
    assert [step["step"] for step in datasets.get(customers.id, access=LOCAL).draft["steps"]] == ["filter", "drop"]

    again.button(key="data-prepare-apply").click().run()
    version = finished(again)
    assert (version.number, version.rows) == (2, 20)
    assert "Removes 40 rows." in texts(again)
    assert "Version 2 of 2" in texts(again)
    assert 'Undo: Keep rows where left == "yes" and 1 more steps' in [
        label.replace("\\", "") for label in labels(again)
    ]
    again.button(key="data-undo").click().run()
    assert query(again, "dataset") == customers.id
    again.button(key="data-redo").click().run()
    assert query(again, "dataset") == version.id
    stale = opened(customers)
    assert "This is version 1. Version 2 is the current one." in texts(stale)
    stale.button(key="data-open-current").click().run()
    assert query(stale, "dataset") == version.id


def test_every_kind_of_step_has_a_form(customers: Dataset) -> None:
    imported(CUSTOMERS.head(5), "other.csv")
    test = opened(customers)
    for name, step in STEPS.items():
        test.selectbox(key="data-prepare-kind").set_value(name).run()
        assert not test.exception, name
        assert step.help in texts(test)
        assert "data-prepare-add" in {button.key for button in test.button}


def test_a_step_that_is_not_possible_is_said_where_it_is(customers: Dataset) -> None:
    steps = [{"step": "drop", "columns": ["one"]}, {"step": "fill", "column": "one", "how": "mean"}]
    versions.set_draft(customers, {"parent": customers.id, "steps": steps}, revision=0, access=LOCAL)
    test = opened(customers)
    assert "Step 2 (Fill missing cells of 'one' with the mean): The table has no column 'one'." in texts(test)
    assert test.button(key="data-prepare-apply").disabled
    test.button(key="data-prepare-remove-1").click().run()
    assert not test.button(key="data-prepare-apply").disabled


def test_findings_have_buttons_that_can_be_undone(customers: Dataset) -> None:
    test = checked(customers)
    shown = {button.label for button in test.button}
    assert {"Ignore the column", "Mark as sensitive", "Merge spellings", "Make it a number"} <= shown
    number = next(button for button in test.button if button.label == "Make it a number")
    number.click().run()
    version = finished(test)
    fees = content(version)["fee"]
    assert fees.dropna().unique().tolist() == [1200.0, 80.0, 3.0, 7.0, 95.0]
    assert version.roles["target"] == "left"

    test = checked(version)
    test.button(key="data-fix-all").click().run()
    fixed = finished(test)
    assert fixed.roles == {"target": "left", "sensitive": ["sex"], "ignore": ["one", "id"]}
    assert set(content(fixed)["plan"]) == {"DSL", "dsl", "Fiber", "fiber"}, "upper and lower case may differ in meaning"
    test.button(key="data-undo").click().run()
    assert query(test, "dataset") == version.id
    assert datasets.get(version.id, access=LOCAL).roles["sensitive"] == []


def test_a_recipe_is_downloaded_and_used_on_another_table(customers: Dataset) -> None:
    recipe = Recipe(
        [{"step": "merge", "column": "plan", "values": {"dsl": "DSL"}}, {"step": "drop", "columns": ["id"]}]
    )
    other = imported(CUSTOMERS.iloc[::-1].assign(plan="dsl"), "newer.csv")
    test = opened(other)
    test.file_uploader[0].upload("recipe.yaml", recipe.to_yaml().encode(), "application/yaml").run()
    assert not test.exception
    assert Recipe(datasets.get(other.id, access=LOCAL).draft["steps"]) == recipe
    test.button(key="data-prepare-apply").click().run()
    assert set(content(finished(test))["plan"]) == {"DSL"}
    test.file_uploader[0].upload("recipe.yaml", b"recipe: 1\nsteps: [{step: explode}]", "application/yaml").run()
    assert "Step 1: Unknown step 'explode'" in texts(test)


def test_versions_are_listed_compared_and_restored(customers: Dataset) -> None:
    steps = [{"step": "filter", "condition": 'left == "no"'}, {"step": "drop", "columns": ["one"]}]
    run = jobs.wait(prepare.submit(customers, Recipe(steps), "Those who stay", access=LOCAL), 60, access=LOCAL)
    version = datasets.get((run.result or {})["dataset_id"], access=LOCAL)
    test = opened(version, "Versions")
    listed = table_with(test, "Made by")
    assert listed["Made by"].tolist() == ["Reading the file", "Those who stay"]
    assert listed["Rows"].tolist() == [60, 40]
    assert listed["State"].tolist() == ["", "Current"]
    compared = table_with(test, "Difference").set_index("Column")
    assert compared.loc["one", "Change"] == "Removed"
    assert compared.loc["left", "Difference"] == pytest.approx(1 / 3)
    test.button(key="data-versions-restore").click().run()
    assert versions.head(version, access=LOCAL).id == customers.id
    assert query(test, "dataset") == customers.id
    assert "Version 1 of 2" in texts(test)


def test_rows_of_a_newer_file_go_through_all_steps(customers: Dataset) -> None:
    newer = imported(CUSTOMERS.assign(id=[f"D{number:04d}" for number in range(60)]), "newer.csv")
    steps = [{"step": "merge", "column": "plan", "values": {"dsl": "DSL"}}]
    versions.set_draft(customers, {"parent": customers.id, "steps": steps}, revision=0, access=LOCAL)
    test = opened(customers)
    test.selectbox(key="data-prepare-kind").set_value("append").run()
    test.selectbox(key="data-step-dataset").set_value(newer.id).run()
    test.button(key="data-prepare-add").click().run()
    draft = datasets.get(customers.id, access=LOCAL).draft
    assert [step["step"] for step in draft["steps"]] == ["append", "merge"], json.dumps(draft)
    test.button(key="data-prepare-apply").click().run()
    version = finished(test)
    assert version.rows == 120
    assert "dsl" not in set(content(version)["plan"])


def test_a_newer_file_is_uploaded_in_the_form_and_read_like_the_dataset(customers: Dataset) -> None:
    test = opened(customers)
    test.selectbox(key="data-prepare-kind").set_value("append").run()
    newer = CUSTOMERS.assign(id=[f"E{number:04d}" for number in range(60)], plan=["1", "2"] * 30).head(20)
    upload(test, "newer.csv", newer)
    run = jobs.wait(query(test, "newer"), 60, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    reloaded = visit("data", **{name: query(test, name) for name in test.query_params})
    test.selectbox(key="data-prepare-kind").set_value("append").run()
    for page in (test, reloaded):
        assert not page.exception
        assert page.selectbox(key="data-step-dataset").value == (run.result or {})["dataset_id"]
    added = datasets.get(test.selectbox(key="data-step-dataset").value, access=LOCAL)
    assert added.report["types"]["plan"] == "text", "read alone it would be a number"
    test.button(key="data-prepare-add").click().run()
    assert "newer" not in test.query_params
    assert "Append the rows of 'newer'" in texts(test)
    assert "Adds 20 rows in the first 60 rows, not applied yet." in texts(test)
    test.button(key="data-prepare-apply").click().run()
    version = finished(test)
    assert {"1", "2", "DSL"} <= set(content(version)["plan"])
    assert "Undo: Append the rows of 'newer'" in [label.replace("\\", "") for label in labels(test)]
    housekeeping.delete_dataset(added.id, access=LOCAL)
    assert "Append the rows of a dataset that was deleted" in texts(opened(version))


def test_a_newer_file_that_is_the_same_or_damaged_says_so(customers: Dataset) -> None:
    test = opened(customers)
    test.selectbox(key="data-prepare-kind").set_value("append").run()
    upload(test, "same.csv", CUSTOMERS)
    jobs.wait(query(test, "newer"), 60, access=LOCAL)
    test.run()
    assert "same.csv has the same table as this dataset." in texts(test)
    assert test.button(key="data-prepare-add").disabled
    upload(test, "empty.csv", CUSTOMERS.head(0))
    jobs.wait(query(test, "newer"), 60, access=LOCAL)
    test.run()
    assert "no rows below its header" in texts(test)
    assert not test.exception


def upload(test: AppTest, name: str, frame: pd.DataFrame) -> None:
    """Upload a newer file in the form of the step that appends rows."""
    field = next(item for item in test.file_uploader if item.label.startswith("A newer file"))
    field.upload(name, frame.to_csv(index=False).encode(), "text/csv").run()
    assert not test.exception
