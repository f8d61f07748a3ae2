"""Schedules on the tab Monitor of a model: added, checked, turned off, and what a check says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import deletion, jobs
from core.access import LOCAL
from core.batch_sources import SOURCE_KINDS
from core.catalog import Run, RunState, runs
from core.jobs import Timing
from core.tasks import monitor_schedules
from pages.models.monitor_schedule import outcome
from tests.golden import Golden
from tests.pages.conftest import labels, query, texts, visit

POPOVER = "models-monitor-schedule"


@pytest.fixture
def model(stocked: Golden) -> Iterator[str]:
    yield stocked.model
    for schedule in monitor_schedules.schedules_of(stocked.model, access=LOCAL):
        deletion.delete("schedule", schedule.id, access=LOCAL)


def opened(model: str) -> AppTest:
    test = visit("models", model=model, tab="Monitor")
    test.session_state[POPOVER] = True
    return test.run()


def errors(test: AppTest) -> str:
    return " ".join(f"{item.proto.title} {item.value}" for item in test.error).replace("\\", "")


def test_a_folder_is_watched(model: str, tmp_path: Path) -> None:
    test = opened(model)
    assert "With a schedule they are looked for" in texts(test)
    test.text_input(key=f"{POPOVER}-folder-url").input(str(tmp_path))
    test.text_input(key=f"{POPOVER}-folder-pattern").input("*.csv")
    test.number_input(key=f"{POPOVER}-folder-max_files").set_value(5)
    test.button(key=f"{POPOVER}-add").click().run()
    (schedule,) = monitor_schedules.schedules_of(model, access=LOCAL)
    assert schedule.settings["values"]["url"] == str(tmp_path)
    assert schedule.settings["values"]["max_files"] == 5
    assert schedule.cron == "0 6 * * MON-FRI"
    assert test.session_state[POPOVER] is False, "it closes when the schedule was added"
    test = opened(model)
    said = texts(test).replace("\\", "")
    assert f"{tmp_path}/*.csv" in said
    assert "Not checked yet." in said
    assert "Next: " in said
    test.button(key=f"{POPOVER}-{schedule.id}-toggle").click().run()
    assert monitor_schedules.schedules_of(model, access=LOCAL)[0].enabled is False
    assert "Turn on" in labels(test)
    assert not test.exception


def test_check_now_starts_a_check_whose_outcome_is_shown(model: str, tmp_path: Path, monkeypatch: Any) -> None:
    schedule = monitor_schedules.add_schedule(
        model, "folder", {"url": str(tmp_path)}, Timing(interval_s=3_600), access=LOCAL
    )
    monkeypatch.setattr("core.jobs.scheduler.tick", lambda: None)
    monkeypatch.setattr("core.jobs.api.tick", lambda: None)
    test = opened(model)
    test.button(key=f"{POPOVER}-{schedule.id}-check").click().run()
    run = monitor_schedules.last_check(schedule, access=LOCAL)
    assert run is not None
    assert "it works." in texts(test)
    jobs.cancel(run.id, access=LOCAL)
    problem = {"name": "a.csv", "message": "The file has no rows.", "hint": "Bring another."}
    result = {"monitored": [{}, {}], "repeated": [{}], "unread": 1, "problems": [problem], "notes": ["3 files wait."]}
    for state, values, expected in (
        (RunState.SUCCEEDED, {"result": result}, "2 compared, 1 known before, 1 could not be read."),
        (RunState.SUCCEEDED, {"result": {}}, "nothing was new."),
        (RunState.FAILED, {"error_message": "The folder cannot be read."}, "failed. The folder cannot be read."),
    ):
        done = Run(workspace="local", task="monitor_check", state=state, settings=schedule.settings, **values)
        runs.add(done, access=LOCAL)
        assert outcome(done) == expected
    test = opened(model)
    assert "failed. The folder cannot be read." in texts(test).replace("\\", "")
    assert not test.exception


@pytest.mark.parametrize("name", list(SOURCE_KINDS))
def test_each_kind_has_its_own_fields(model: str, name: str) -> None:
    test = opened(model)
    test.segmented_control(key=f"{POPOVER}-kind").set_value(name).run()
    shown = [item.label for item in [*test.text_input, *test.text_area, *test.number_input]]
    for field in SOURCE_KINDS[name].settings.model_fields.values():
        assert field.title in shown
    test.button(key=f"{POPOVER}-add").click().run()
    assert "is empty" in errors(test)
    assert monitor_schedules.schedules_of(model, access=LOCAL) == []
    assert not test.exception


def test_what_is_wrong_is_a_message(model: str) -> None:
    test = opened(model)
    test.segmented_control(key=f"{POPOVER}-kind").set_value("query").run()
    for field, value in (("credential", "SQL_ABSENT"), ("column", "id"), ("start", "0")):
        test.text_input(key=f"{POPOVER}-query-{field}").input(value)
    test.text_area(key=f"{POPOVER}-query-query").input("DELETE FROM t")
    test.button(key=f"{POPOVER}-add").click().run()
    assert "does not begin with SELECT or WITH" in errors(test)
    test.text_area(key=f"{POPOVER}-query-query").input("SELECT id FROM t WHERE id > :since")
    test.button(key=f"{POPOVER}-add").click().run()
    assert "SQL_ABSENT is not set" in errors(test)
    test.text_input(key=f"{POPOVER}-timing-cron").input("99 * * * *").run()
    assert "99" in errors(test)
    assert test.button(key=f"{POPOVER}-add").disabled
    assert not test.exception


def test_the_result_of_a_check_is_the_tab_of_its_model(model: str, tmp_path: Path) -> None:
    run = Run(
        workspace="local", task="monitor_check", state=RunState.SUCCEEDED, settings={"model": model, "source": "s"}
    )
    runs.add(run, access=LOCAL)
    test = visit("models", run=run.id)
    assert query(test, "model") == model
    assert query(test, "tab") == "Monitor"
    assert not test.exception


def test_problems_of_the_last_check_are_shown(model: str, tmp_path: Path) -> None:
    values = {"url": str(tmp_path)}
    schedule = monitor_schedules.add_schedule(model, "folder", values, Timing(interval_s=3_600), access=LOCAL)
    problem = {"name": "a.csv", "message": "The file has no rows.", "hint": "Bring another."}
    result = {"unread": 1, "problems": [problem], "notes": ["3 files wait."]}
    run = Run(
        workspace="local",
        task="monitor_check",
        state=RunState.SUCCEEDED,
        settings=schedule.settings,
        result=result,
        created_at=time.time() + 1,
    )
    runs.add(run, access=LOCAL)
    test = opened(model)
    assert "3 files wait" in texts(test)
    (warning,) = (item.value for item in test.warning if "a" in item.value and "csv" in item.value)
    assert "The file has no rows" in warning


def test_a_schedule_is_changed_and_knows_what_it_saw_while_the_place_is_the_same(model: str, tmp_path: Path) -> None:
    schedule = monitor_schedules.add_schedule(
        model, "folder", {"url": str(tmp_path), "pattern": "*.csv"}, Timing(interval_s=7_200), access=LOCAL
    )
    key = f"{POPOVER}-{schedule.id}"
    test = opened(model)
    test.toggle(key=f"{key}-change").set_value(True).run()
    assert test.text_input(key=f"{key}-folder-pattern").value == "*.csv"
    assert test.number_input(key=f"{key}-timing-every").value == 2
    assert test.selectbox(key=f"{key}-timing-unit").value == "hours"
    test.text_input(key=f"{key}-folder-pattern").set_value("*.parquet")
    test.number_input(key=f"{key}-timing-every").set_value(3)
    test.button(key=f"{key}-save").click().run()
    assert not test.exception, test.exception
    (changed,) = monitor_schedules.schedules_of(model, access=LOCAL)
    assert changed.id == schedule.id
    assert changed.settings["values"]["pattern"] == "*.parquet"
    assert changed.settings["source"] == schedule.settings["source"]
    assert changed.interval_s == 3 * 3_600
    assert "*.parquet" in changed.title
    other = tmp_path / "other"
    other.mkdir()
    moved = monitor_schedules.change_schedule(schedule.id, {"url": str(other)}, Timing(cron="0 6 * * *"), access=LOCAL)
    assert moved.settings["source"] != schedule.settings["source"], "all files of another folder are new"
    assert (moved.cron, moved.interval_s) == ("0 6 * * *", None)


def test_a_schedule_is_deleted_from_its_popover(model: str, tmp_path: Path) -> None:
    schedule = monitor_schedules.add_schedule(
        model, "folder", {"url": str(tmp_path)}, Timing(interval_s=3_600), access=LOCAL
    )
    test = opened(model)
    test.button(key=f"{POPOVER}-{schedule.id}-delete").click().run()
    assert test.session_state[POPOVER] is False, "it would cover the dialog"
    assert any(item.label == "Delete" for item in test.button), "the dialog is open"
    assert schedule.title in texts(test).replace("\\", "")
    assert not test.exception
