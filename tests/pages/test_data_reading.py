"""The tab Reading: what was decided about a file, what is open, and reading it again in another way."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.automl import AutoMLSettings
from core.catalog import Dataset, RunState, datasets, runs
from core.datasets import load_frame
from core.storage import get_store
from core.tasks import automl
from tests.pages.conftest import query, texts, visit

OPEN = b"amount;when;who\n1,234;01/02/2020;ann\n5,678;03/04/2021;bob\n9,012;05/06/2022;?\n"


def uploaded(content: bytes, name: str = "messy.csv") -> tuple[AppTest, Dataset]:
    """Upload a file, and open its tab Reading."""
    test = visit("data")
    test.file_uploader[0].upload(name, content, "text/csv").run()
    run = runs.find("local", task="ingest")[0]
    assert jobs.wait(run.id, 60, workspace="local").state is RunState.SUCCEEDED
    dataset = datasets.find("local")[0]
    return visit("data", dataset=dataset.id, tab="Reading"), dataset


def read_again(test: AppTest) -> Dataset:
    """Press the button, wait for the run, and return the dataset that its page opens."""
    test.button(key="data-reading-again").click().run()
    assert not test.exception
    run = jobs.wait(query(test, "import"), 60, workspace="local")
    assert run.state is RunState.SUCCEEDED, run.error_message
    test.run()
    return datasets.get(query(test, "dataset"), "local")


def test_what_is_open_is_asked_and_decided(home: Path) -> None:
    test, dataset = uploaded(OPEN)
    assert not test.exception
    said = texts(test)
    assert "'amount', 'when' may be more than text." in said
    assert "Detected: ';' gives 4 of 4 rows the same number of fields, 3." in said
    key = dataset.fingerprint[:12]
    first, second = (test.selectbox(key=f"data-reading-undecided-{number}-{key}") for number in (0, 1))
    assert first.label.replace("\\", "") == "'amount' could mean 1,234 or 1.234."
    assert first.options == ["Keep as text", "Number, as 1,234.5", "Number, as 1.234,5"]
    assert second.options == ["Keep as text", "Date, as day/month/year", "Date, as month/day/year"]
    first.set_value("number:1,234.5")
    second.set_value("date:%d/%m/%Y")
    again = read_again(test)
    assert again.id == dataset.id, "no run has used it"
    assert again.report["types"] == {"amount": "number", "when": "date", "who": "text"}
    frame = load_frame(get_store().local_path(again.data_digest))
    assert frame["amount"].tolist() == [1234, 5678, 9012]
    assert frame["when"].dt.month.tolist() == [2, 4, 6]
    assert "may be more than text" not in texts(visit("data", dataset=again.id))


def test_a_decision_is_overruled_and_taken_back(home: Path) -> None:
    test, dataset = uploaded(b"a;b\n1,5;x\n2,5;y\n")
    key = dataset.fingerprint[:12]
    test.selectbox(key=f"data-reading-delimiter-{key}").set_value(",")
    again = read_again(test)
    assert again.columns == 2
    assert again.report["types"] != dataset.report["types"]
    test = visit("data", dataset=again.id, tab="Reading")
    assert "Chosen by you." in texts(test)
    test.selectbox(key=f"data-reading-delimiter-{again.fingerprint[:12]}").set_value(";")
    assert read_again(test).fingerprint == dataset.fingerprint


def test_a_dataset_that_a_run_has_used_stays(home: Path) -> None:
    test, dataset = uploaded(b"a;b;y\n" + b"".join(b"%d,5;%d;%d\n" % (i, i % 7, i % 2) for i in range(60)))
    run = automl.submit(dataset, AutoMLSettings(target="y", time_budget_s=None, max_trials=2))
    jobs.cancel(run, workspace="local")
    test.selectbox(key=f"data-reading-header-{dataset.fingerprint[:12]}").set_value("none")
    again = read_again(test)
    assert again.id != dataset.id
    assert again.name == "messy (read again)"
    assert datasets.get(dataset.id, "local").fingerprint == dataset.fingerprint
    assert again.rows == 61


def test_a_file_that_is_not_kept_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_MAX_KEPT_UPLOADS_MB", "0")
    test, dataset = uploaded(OPEN)
    assert dataset.upload_digest is None
    assert "is not kept" in texts(test)
    assert test.button(key="data-reading-again").disabled


def test_stored_types_need_no_decision(world) -> None:
    test = visit("data", dataset=world.credit.id, tab="Reading")
    assert not test.exception
    assert "nothing about it had to be decided" in texts(test)
