"""The tab Monitor of a model: batches are brought, shown with their reasons, muted, decided on; and Home says so."""

from __future__ import annotations

import io
import time

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import alerts, deletion, jobs, models, monitored
from core.access import LOCAL
from core.catalog import Model, RunState, datasets, monitor_plans, runs
from core.datasets import load_sample
from core.monitored import MonitorSettings
from core.monitoring import ShiftColumn
from core.tasks import ingest, monitor
from tests.pages.conftest import labels, query, table_with, texts, visit


def applicants(count: int = 250) -> pd.DataFrame:
    return load_sample("german_credit").frame.drop(columns="credit").sample(count, random_state=5)


def opened(model: Model, **values: str) -> AppTest:
    return visit("models", model=model.id, version="1", tab="Monitor", **values)


def brought(model: Model, frame: pd.DataFrame, name: str) -> AppTest:
    """Bring a file through the page, wait for its run, and return the page after it."""
    test = opened(model)
    test.session_state["models-monitor-bring"] = True
    test.run()
    assert test.button(key="models-monitor-compare-file").disabled
    test.file_uploader[0].upload(name, frame.to_csv(index=False).encode()).run()
    test.button(key="models-monitor-compare-file").click().run()
    assert not test.exception, test.exception
    run = next(run for run in runs.find(task="monitor", access=LOCAL) if run.settings["filename"] == name)
    assert jobs.wait(run.id, 240, access=LOCAL).state is RunState.SUCCEEDED
    return opened(model)


def test_a_model_without_batches_says_what_to_bring(credit_model: Model) -> None:
    test = opened(credit_model)
    assert not test.exception
    assert "No batch was compared yet" in texts(test)


def test_a_drifted_batch_is_shown_muted_and_looked_after(credit_model: Model) -> None:
    frame = applicants()
    frame["duration_months"] += 24
    test = brought(credit_model, frame, "march.csv")
    assert not test.exception, test.exception
    text = texts(test)
    assert "The newest of 1 batch raises an alarm" in text
    assert "'duration_months': median" in text
    columns = table_with(test, "What changed").set_index("Column")
    assert bool(columns.loc["duration_months", "Drifted"])
    assert columns.index[0] in ("duration_months", "The model's score"), "what drifted comes first"
    assert table_with(test, "Columns that drifted")["Batch"].tolist() == ["march.csv"]

    home = visit("home")
    assert "1 alert about models" in texts(home)
    alert = next(item for item in home.button if item.key.startswith("home-alert-open-"))
    alert.click().run()
    assert query(home, "tab") == "Monitor"

    batch = monitored.batches_of(credit_model.id, access=LOCAL)[0]
    assert test.button(key="models-monitor-mute-save").disabled, "a reason is needed"
    test.selectbox(key="models-monitor-mute-column").set_value("duration_months").run()
    test.text_input(key="models-monitor-mute-why").set_value("longer loans are offered now").run()
    test.button(key="models-monitor-mute-save").click().run()
    assert not test.exception, test.exception
    plan = monitored.plan_of(credit_model.id, access=LOCAL)
    assert plan is not None
    assert plan.muted == {"duration_months": "longer loans are offered now"}
    assert monitored.batches_of(credit_model.id, access=LOCAL) == [batch], "what a batch said stays"

    over = next(item for item in test.button if item.key.startswith("models-alert-over-"))
    over.click().run()
    assert not test.exception, test.exception
    assert "alert about models" not in texts(visit("home"))


def test_rules_are_kept_and_a_mute_needs_a_reason(credit_model: Model) -> None:
    test = opened(credit_model)
    test.session_state["models-monitor-rules"] = True
    test.run()
    test.text_input(key="models-monitor-row-id").set_value("person").run()
    test.number_input(key="models-monitor-gap").set_value(0.1).run()
    test.selectbox(key="models-monitor-metric").set_value("recall").run()
    test.button(key="models-monitor-save").click().run()
    assert not test.exception, test.exception
    expected = MonitorSettings(row_id="person", largest_gap=0.1, metric="recall")
    assert monitored.plan_of(credit_model.id, access=LOCAL) == expected
    assert test.session_state["models-monitor-rules"] is False, "it closes when it was saved"
    test.session_state["models-monitor-rules"] = True
    test.run()
    test.multiselect(key="models-monitor-muted").set_value(["purpose"]).run()
    assert test.button(key="models-monitor-save").disabled
    test.text_input(key="models-monitor-why-purpose").set_value("a new product").run()
    test.button(key="models-monitor-save").click().run()
    assert not test.exception, test.exception
    expected = expected.model_copy(update={"muted": {"purpose": "a new product"}})
    assert monitored.plan_of(credit_model.id, access=LOCAL) == expected


def test_a_batch_that_lacks_a_column_and_an_unknown_batch(credit_model: Model) -> None:
    test = brought(credit_model, applicants(80).drop(columns="purpose"), "lacking.csv")
    assert not test.exception, test.exception
    assert "'purpose' is missing" in texts(test)
    assert any("could not be scored" in warning.value for warning in test.warning)
    other = opened(credit_model, batch="nonsense-1")
    assert not other.exception
    assert "lacking.csv" in texts(other)


def test_a_simulated_batch_is_none_of_those_that_arrived(credit_model: Model) -> None:
    version = models.versions(credit_model.id, access=LOCAL)[-1]
    run_id = monitor.submit_simulation(version, [ShiftColumn(column="age", deviations=3.0)], rows=200, access=LOCAL)
    assert jobs.wait(run_id, 240, access=LOCAL).state is RunState.SUCCEEDED
    test = opened(credit_model)
    assert not test.exception, test.exception
    assert "Only simulated batches were compared yet" in texts(test)
    assert "raises an alarm" not in texts(test)
    assert "alert about models" not in texts(visit("home"))


def test_a_dataset_with_dates_can_be_replayed(credit_model: Model) -> None:
    frame = applicants(300).assign(decided=pd.date_range("2025-01-01", periods=300, freq="D").strftime("%Y-%m-%d"))
    content = io.BytesIO(frame.to_csv(index=False).encode())
    imported = jobs.wait(ingest.submit_upload(content, "decided.csv", access=LOCAL), 120, access=LOCAL)
    test = opened(credit_model)
    test.session_state["models-monitor-bring"] = True
    test.session_state["models-monitor-from"] = "A dataset"
    test.run()
    test.selectbox(key="models-monitor-dataset").set_value(imported.result["dataset_id"]).run()
    test.toggle(key="models-monitor-replay").set_value(True).run()
    assert test.selectbox(key="models-monitor-date").value == "decided"
    test.number_input(key="models-monitor-batches").set_value(3).run()
    test.button(key="models-monitor-compare-dataset").click().run()
    assert not test.exception, test.exception
    run = runs.find(task="monitor", access=LOCAL)[0]
    assert run.settings["replay"] == {"column": "decided", "batches": 3}
    assert jobs.wait(run.id, 240, access=LOCAL).state is RunState.SUCCEEDED
    assert len(monitored.batches_of(credit_model.id, access=LOCAL)) == 3
    assert test.session_state["models-monitor-bring"] is False, "it closes when the rows were brought"
    test.session_state["models-monitor-bring"] = True
    test.run()
    test.selectbox(key="models-monitor-dataset").set_value(
        next(item.id for item in datasets.find(access=LOCAL) if item.id != imported.result["dataset_id"])
    ).run()
    assert not [item for item in test.toggle if item.key == "models-monitor-replay"], "a table without dates"


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\x00\x01\x02"])
def test_a_file_that_is_none_says_why(credit_model: Model, content: bytes) -> None:
    test = opened(credit_model)
    test.session_state["models-monitor-bring"] = True
    test.run()
    test.file_uploader[0].upload("odd.csv", content).run()
    test.button(key="models-monitor-compare-file").click().run()
    assert not test.exception, test.exception
    run = runs.find(task="monitor", access=LOCAL)[0]
    ended = jobs.wait(run.id, 240, access=LOCAL)
    after = opened(credit_model)
    assert not after.exception, after.exception
    if ended.state is RunState.FAILED:
        assert ended.error_message
        assert "Traceback" not in texts(after)
    else:
        assert models.get(credit_model.id, access=LOCAL)
        assert "is missing" in texts(after)
    assert "No batch" in texts(after) or "alarm" in texts(after)
    assert labels(after)


def test_groups_are_drawn_and_a_batch_becomes_the_reference(credit_model: Model) -> None:
    frame = applicants(400)
    frame["duration_months"] += 24
    test = brought(credit_model, frame, "longer.csv")
    assert not test.exception, test.exception
    (batch,) = monitored.batches_of(credit_model.id, access=LOCAL)
    columns = {rate.column for rate in batch.subgroups.rates}
    assert columns, "the search names columns of groups"
    assert "Groups and cohorts over time" in texts(test)
    assert any("the largest gap of two groups is" in item.value for item in test.caption)
    assert test.button(key="models-monitor-rebase-save").disabled, "a reason is needed"
    test.text_input(key="models-monitor-rebase-why").set_value("loans are longer from now on").run()
    test.button(key="models-monitor-rebase-save").click().run()
    assert not test.exception, test.exception
    plan = monitored.plan_of(credit_model.id, access=LOCAL)
    assert plan is not None
    assert plan.reference == batch.key
    other = applicants(900).iloc[400:]
    other["duration_months"] += 24
    test = brought(credit_model, other, "as long.csv")
    newest = monitored.batches_of(credit_model.id, access=LOCAL)[-1]
    assert "duration_months" not in newest.drifted
    test = opened(credit_model, batch=newest.key)
    assert any("rows of the batch longer.csv" in item.value.replace("\\", "") for item in test.caption)
    test.session_state["models-monitor-rules"] = True
    test.run()
    assert test.selectbox(key="models-monitor-reference").value == batch.key
    test.selectbox(key="models-monitor-reference").set_value("")
    test.number_input(key="models-monitor-keep").set_value(30)
    test.button(key="models-monitor-save").click().run()
    plan = monitored.plan_of(credit_model.id, access=LOCAL)
    assert plan is not None
    assert (plan.reference, plan.keep_days) == (None, 30)


def test_a_batch_whose_files_are_gone_says_so(credit_model: Model) -> None:
    brought(credit_model, applicants(120), "old.csv")
    assert monitor_plans.remove_old_files(time.time() + 400 * 86_400.0) > 0
    test = opened(credit_model)
    assert not test.exception, test.exception
    assert "no longer kept" in texts(test)
    assert "old.csv" in texts(test)


def test_rules_that_a_script_set_can_be_opened_and_saved(credit_model: Model) -> None:
    plan = MonitorSettings(
        alpha=0.0005, relevance=0.95, largest_gap=0.0005, muted={"not in this version": "it is known"}
    )
    monitored.change_plan(credit_model.id, plan, access=LOCAL)
    test = opened(credit_model)
    test.session_state["models-monitor-rules"] = True
    test.run()
    assert not test.exception, test.exception
    test.button(key="models-monitor-save").click().run()
    assert not test.exception, test.exception
    assert monitored.plan_of(credit_model.id, access=LOCAL) == plan


def test_an_alert_without_any_batch_can_be_decided_on_also_when_it_was_muted_until_now(credit_model: Model) -> None:
    alert, _ = alerts.raise_alert(credit_model.id, "source/1", "The folder cannot be read", access=LOCAL)
    alerts.mute(alert.id, until=time.time() + 0.2, why="it is moved today", access=LOCAL)
    assert "The folder cannot be read" not in texts(opened(credit_model))
    time.sleep(0.3)
    assert "The folder cannot be read" in texts(visit("home"))
    test = opened(credit_model)
    assert "The folder cannot be read" in texts(test)
    test.button(key=f"models-alert-over-{alert.id}").click().run()
    assert not test.exception, test.exception
    assert alerts.open_alerts(access=LOCAL) == []


def test_a_batch_whose_run_is_deleted_is_gone_at_once_and_comes_back(credit_model: Model) -> None:
    brought(credit_model, applicants(120), "mistaken.csv")
    (batch,) = monitored.batches_of(credit_model.id, access=LOCAL)
    deleted = deletion.delete("run", batch.run_id, access=LOCAL)
    assert "No batch was compared yet" in texts(opened(credit_model))
    deletion.undo(deleted.id, access=LOCAL)
    assert "mistaken.csv" in texts(opened(credit_model)).replace("\\", "")
