"""The tab Reading: what was decided about a file, what is open, and reading it again in another way."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.access import LOCAL
from core.automl import AutoMLSettings
from core.catalog import Dataset, Run, RunState, datasets
from core.datasets import load_frame
from core.storage import get_store
from core.tasks import automl, ingest
from tests.collecting import collect
from tests.pages.conftest import look_at, press_import, query, texts, visit

OPEN = b"amount;when;who\n1,234;01/02/2020;ann\n5,678;03/04/2021;bob\n9,012;05/06/2022;?\n"


def imported(content: bytes) -> tuple[AppTest, Dataset]:
    """Import a file, and open the tab Reading of its dataset."""
    run = jobs.wait(ingest.submit_upload(io.BytesIO(content), "messy.csv", access=LOCAL), 60, access=LOCAL)
    assert run.state is RunState.SUCCEEDED
    dataset = datasets.find(access=LOCAL)[0]
    return visit("data", dataset=dataset.id, tab="Reading"), dataset


def change(test: AppTest, control: str, value: object) -> Run:
    """Change a control of the panel, and wait until the file was looked at again; return the run that did."""
    widget = next(
        item
        for kind in ("selectbox", "number_input", "multiselect")
        for item in test.get(kind)
        if str(item.key).startswith(f"data-reading-{control}-")
    )
    widget.set_value(value)
    test.run()
    run = jobs.wait(query(test, "import"), 60, access=LOCAL)
    test.run()
    assert not test.exception
    return run


def applied(test: AppTest) -> Dataset:
    """Press the button that imports, and return the dataset that the page opens."""
    run = press_import(test)
    assert run.state is RunState.SUCCEEDED, run.error_message
    return datasets.get(query(test, "dataset"), access=LOCAL)


def previews(home: Path) -> list[Path]:
    return list((home / "previews").iterdir())


def test_a_file_is_looked_at_and_decided_before_its_import(home: Path) -> None:
    test = visit("data")
    first = look_at(test, "messy.csv", OPEN)
    assert datasets.find(access=LOCAL) == []
    said = texts(test)
    assert "2 columns are for you to decide" in said
    assert "All of the file was looked at: 3 rows, 3 columns." in said
    assert "Detected: ';' gives 4 of 4 rows the same number of fields, 3." in said
    assert "9,012;05/06/2022;?" in test.code[0].value
    assert test.dataframe[0].value["who"].tolist()[:2] == ["ann", "bob"]
    number, date = (item for item in test.selectbox if "undecided" in str(item.key))
    assert number.label.replace("\\", "") == "'amount' could mean 1,234 or 1.234."
    assert number.options == ["Number, as 1,234.5", "Number, as 1.234,5", "Text"]
    assert date.options == ["Date, as day/month/year", "Date, as month/day/year", "Text"]
    assert number.value is None
    change(test, "undecided-0", "number:1,234.5")
    assert "1 column is for you to decide" in texts(test)
    change(test, "undecided-0", "date:%d/%m/%Y")
    assert "for you to decide" not in texts(test)
    assert test.dataframe[0].value["amount"].tolist() == [1234, 5678, 9012]
    dataset = applied(test)
    assert dataset.report["types"] == {"amount": "number", "when": "date", "who": "text"}
    frame = load_frame(get_store().local_path(dataset.data_digest))
    assert frame["amount"].tolist() == [1234, 5678, 9012]
    assert frame["when"].dt.month.tolist() == [2, 4, 6]
    assert previews(home) == []
    test = visit("data", **{"import": first.id})  # as Back, a reload or another window has it
    assert "messy.csv was imported as messy." in texts(test).replace("*", "")
    test.button(key="data-open-imported").click().run()
    assert query(test, "dataset") == dataset.id


@pytest.mark.nightly
def test_what_is_left_open_is_text_and_asked_again(home: Path) -> None:
    test, dataset = imported(OPEN)
    assert dataset.report["types"]["amount"] == "text"
    assert "'amount', 'when' stay text until you decide: they may be numbers or dates." in texts(test)
    change(test, "undecided-0", "number:1,234.5")
    again = applied(test)
    assert again.id == dataset.id, "no run has used it"
    assert again.report["types"] == {"amount": "number", "when": "text", "who": "text"}


def test_a_cancelled_upload_is_gone(home: Path) -> None:
    test = visit("data")
    run = look_at(test, "messy.csv", OPEN)
    test.button(key="data-import-cancel").click().run()
    assert not test.exception
    assert len(test.file_uploader) == 1
    assert previews(home) == []
    assert "is no longer kept" in texts(visit("data", **{"import": run.id}))


@pytest.mark.nightly
def test_a_change_that_fails_says_so_and_is_taken_back(home: Path) -> None:
    test = visit("data")
    look_at(test, "messy.csv", OPEN)
    assert change(test, "skip_rows", 50).state is RunState.FAILED
    assert len(test.error) == 1
    assert "before the last change" in texts(test)
    assert test.button(key="data-import").disabled
    assert test.dataframe[0].value["who"].tolist()[0] == "ann"
    assert change(test, "skip_rows", 0).state is RunState.SUCCEEDED
    assert not test.error
    assert applied(test).rows == 3


def test_a_text_that_is_not_read_by_itself_is_read_with_help(home: Path) -> None:
    test = visit("data")
    assert look_at(test, "odd.csv", b"a,b\n" + b"1,2\n" * 600 + b"1,2,3\n" * 900).state is RunState.FAILED
    assert "There is no table yet" in texts(test)
    assert "1,2" in test.code[0].value
    assert test.button(key="data-import").disabled
    assert change(test, "delimiter", "").state is RunState.SUCCEEDED
    assert test.dataframe[0].value.shape == (100, 1)


@pytest.mark.nightly
def test_a_decision_is_overruled_and_taken_back(home: Path) -> None:
    test, dataset = imported(b"a;b\n1,5;x\n2,5;y\n")
    change(test, "delimiter", ",")
    assert datasets.get(dataset.id, access=LOCAL).fingerprint == dataset.fingerprint, (
        "nothing changes before it is applied"
    )
    again = applied(test)
    assert again.report["types"] != dataset.report["types"]
    test = visit("data", dataset=again.id, tab="Reading")
    assert "Chosen by you." in texts(test)
    button = next(item for item in test.button if str(item.key).startswith("data-reading-restart"))
    button.click().run()
    jobs.wait(query(test, "import"), 60, access=LOCAL)
    test.run()
    assert applied(test).fingerprint == dataset.fingerprint


@pytest.mark.nightly
def test_another_layout_drops_the_types_that_were_chosen(home: Path) -> None:
    test = visit("data")
    look_at(test, "messy.csv", OPEN)
    change(test, "undecided-0", "number:1,234.5")
    run = change(test, "header", "none")
    assert run.state is RunState.SUCCEEDED, run.error_message
    assert run.settings["options"]["column_types"] == {}
    assert "were dropped" in texts(test)


def test_a_dataset_that_a_run_has_used_stays(home: Path) -> None:
    test, dataset = imported(b"a;b;y\n" + b"".join(b"%d,5;%d;%d\n" % (i, i % 7, i % 2) for i in range(60)))
    run = automl.submit(dataset, AutoMLSettings(target="y", time_budget_s=None, max_trials=2), access=LOCAL)
    jobs.cancel(run, access=LOCAL)
    change(test, "header", "none")
    assert test.button(key="data-import").label == "Make a new dataset"
    again = applied(test)
    assert again.id != dataset.id
    assert again.name == "messy (read again)"
    assert datasets.get(dataset.id, access=LOCAL).fingerprint == dataset.fingerprint
    assert again.rows == 61


@pytest.mark.nightly
def test_what_another_window_read_meanwhile_is_said(home: Path) -> None:
    first, dataset = imported(OPEN)
    second = visit("data", dataset=dataset.id, tab="Reading")
    change(first, "undecided-0", "number:1,234.5")
    change(second, "undecided-1", "date:%d/%m/%Y")
    third = visit("data", dataset=dataset.id, tab="Reading")
    applied(second)
    first.run()
    assert "in another window" in texts(first)
    third.run()
    assert "was read again since you opened this page, in another window" in texts(third)
    third.run()
    assert "in another window" not in texts(third)
    again = applied(first)
    assert again.id == dataset.id
    assert again.report["types"] == {"amount": "number", "when": "text", "who": "text"}
    kept = {again.data_digest, again.profile_digest, again.upload_digest}
    stored = home / "artifacts"
    collect(*(path.name for path in stored.glob("*/*")))
    assert {path.name for path in stored.glob("*/*") if path.is_file()} == kept


def test_a_file_with_types_of_its_own_is_imported_at_once(home: Path, tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2]}).to_parquet(tmp_path / "a.parquet")
    test = visit("data")
    look_at(test, "a.parquet", (tmp_path / "a.parquet").read_bytes())
    jobs.wait(query(test, "import"), 60, access=LOCAL)
    test.run()
    assert query(test, "dataset") == datasets.find(access=LOCAL)[0].id


def test_a_file_that_is_not_kept_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_MAX_KEPT_UPLOADS_MB", "0")
    test, dataset = imported(OPEN)
    assert dataset.upload_digest is None
    assert "is not kept" in texts(test)
    assert all(item.disabled for item in test.selectbox)


def test_stored_types_need_no_decision(world) -> None:
    test = visit("data", dataset=world.credit.id, tab="Reading")
    assert not test.exception
    assert "nothing about it had to be decided" in texts(test)
