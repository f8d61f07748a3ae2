"""Checks of a source for new batches: each comes once, and a schedule starts them."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core import alerts, deletion, jobs, monitored
from core.access import LOCAL
from core.catalog import Run, RunArtifact, RunState, artifacts, models, runs, schedules
from core.datasets import load_sample
from core.errors import DeniedError, InputError, NotFoundError, RemoteError
from core.jobs import RunContext, Timing
from core.settings import get_settings
from core.storage import get_store
from core.tasks import monitor_check, monitor_schedules

DAILY = Timing(cron="0 6 * * *")


@dataclass
class Source:
    """A folder that a schedule looks at, and a model that scores what comes."""

    model: str
    folder: Path
    schedule: Any

    def write(self, name: str, first: int, *, at: float = 1_000.0, text: str | None = None) -> None:
        rows = load_sample("german_credit").frame.iloc[first : first + 80].drop(columns="credit")
        path = self.folder / name
        path.write_text(rows.to_csv(index=False) if text is None else text)
        os.utime(path, (at, at))

    def check(self, **changed: Any) -> Run:
        """Run a check in this process, as a worker does."""
        settings = self.schedule.settings | {"values": self.schedule.settings["values"] | changed}
        run = Run(workspace="local", task="monitor_check", title="Check", settings=settings, state=RunState.RUNNING)
        runs.add(run, access=LOCAL)
        try:
            result = monitor_check.run(RunContext(run))
        except Exception as error:
            finish(run, RunState.FAILED, error_message=str(error))
            raise
        finish(run, RunState.SUCCEEDED, result=json.loads(json.dumps(result)))
        return jobs.get(run.id, access=LOCAL)

    def names(self) -> list[str]:
        return [batch.name for batch in monitored.batches_of(self.model, access=LOCAL)]


def finish(run: Run, state: RunState, **fields: Any) -> None:
    runs.set_fields(run.id, list(RunState), state=state, finished_at=time.time(), **fields, access=LOCAL)


def titles(source: Source) -> list[str]:
    """The titles of the alerts that checks of a source have raised."""
    own = f"source/{source.schedule.settings['source']}/"
    return [item.title for item in alerts.alerts_of(source.model, access=LOCAL) if item.event.startswith(own)]


@pytest.fixture
def source(stocked: Any, tmp_path: Path) -> Source:
    folder = tmp_path / "scored"
    folder.mkdir()
    for model in models.find(access=LOCAL):
        for schedule in monitor_schedules.schedules_of(model.id, access=LOCAL):
            deletion.delete("schedule", schedule.id, access=LOCAL)
    model = models.get(stocked.model, access=LOCAL).id
    values = {"url": str(folder), "pattern": "*.csv", "max_files": 3}
    schedule = monitor_schedules.add_schedule(model, "folder", values, DAILY, access=LOCAL)
    return Source(model, folder, schedule)


def test_new_files_are_compared_once(source):
    before = len(source.names())
    source.write("monday.csv", 0, at=10)
    source.write("tuesday.csv", 80, at=20)
    first = source.check()
    assert [batch["name"] for batch in first.result["monitored"]] == ["monday.csv", "tuesday.csv"]
    assert len({batch["key"] for batch in first.result["monitored"]}) == 2
    assert source.names()[-2:] == ["monday.csv", "tuesday.csv"] or len(source.names()) == before + 2
    empty = source.check()
    assert empty.result["found"] == 0
    assert "model" not in empty.result
    source.write("copy.csv", 0, at=30)
    again = source.check()
    assert [batch["name"] for batch in again.result["repeated"]] == ["copy.csv"], "the same rows are no other batch"
    assert source.check().result["found"] == 0
    assert len(source.names()) == before + 2


def test_a_file_that_cannot_be_read_holds_up_no_other_and_raises_one_alert(source):
    source.write("a.csv", 160, text="")
    source.write("b.csv", 160)
    run = source.check()
    assert [batch["name"] for batch in run.result["monitored"]] == ["b.csv"]
    assert [problem["name"] for problem in run.result["problems"]] == ["a.csv"]
    assert run.result["unread"] == 1
    assert source.check().result["unread"] == 1
    assert titles(source) == ["a.csv could not be read as a batch"]
    source.write("a.csv", 240, at=2_000)
    assert [batch["name"] for batch in source.check().result["monitored"]] == ["a.csv"]


def test_a_check_that_fails_midway_keeps_nothing_and_loses_nothing(source, monkeypatch):
    source.write("a.csv", 320, at=10)
    source.write("b.csv", 400, at=20)
    read = monitor_check.read_batch

    def killed(context: Any, version: Any, path: Path, name: str) -> pd.DataFrame:
        if name == "b.csv":
            raise KeyboardInterrupt
        return read(context, version, path, name)

    before = source.names()
    monkeypatch.setattr(monitor_check, "read_batch", killed)
    with pytest.raises(KeyboardInterrupt):
        source.check()
    assert source.names() == before
    (unended,) = runs.find(task="monitor_check", states=[RunState.RUNNING], access=LOCAL)
    finish(unended, RunState.FAILED)
    monkeypatch.undo()
    assert [batch["name"] for batch in source.check().result["monitored"]] == ["a.csv", "b.csv"]


def test_a_source_that_cannot_be_reached_is_said_so_once_per_day(source):
    for _ in range(2):
        with pytest.raises(InputError, match="The folder cannot be read"):
            source.check(url=str(source.folder / "nowhere"))
    own = [
        item
        for item in alerts.alerts_of(source.model, access=LOCAL)
        if source.schedule.settings["source"] in item.event
    ]
    assert [item.title for item in own] == ["New batches could not be looked for"]


def test_of_two_checks_at_the_same_time_the_later_one_leaves_all_to_the_first(source):
    source.write("a.csv", 480)
    first = Run(
        workspace="local", task="monitor_check", title="First", settings=source.schedule.settings, created_at=1.0
    )
    runs.add(first, access=LOCAL)
    run = source.check()
    assert run.result["yielded"] is True
    assert run.result["notes"] == ["The check 'First' of the same source was started before and has not ended."]
    finish(first, RunState.CANCELLED)
    assert len(source.check().result["monitored"]) == 1


def test_what_was_seen_is_that_of_the_newest_check_that_succeeded(source):
    name = f"sources/{source.schedule.settings['source']}.json"
    for moment, state in ((10.0, RunState.SUCCEEDED), (20.0, RunState.FAILED), (5.0, RunState.SUCCEEDED)):
        run = Run(workspace="local", task="monitor_check", settings=source.schedule.settings)
        runs.add(run, access=LOCAL)
        content = json.dumps({"files": {"x": str(moment)}, "failed": {}}).encode()
        values = {"digest": get_store().put_bytes(content), "size_bytes": len(content)}
        artifacts.add(RunArtifact(workspace="local", run_id=run.id, name=name, **values), access=LOCAL)
        runs.set_fields(run.id, list(RunState), state=state, finished_at=moment, access=LOCAL)
    newest = artifacts.newest(name, access=LOCAL)
    assert json.loads(get_store().read_bytes(newest.digest))["files"] == {"x": "10.0"}


def test_checks_that_find_nothing_push_no_batch_out_of_the_series(source):
    source.write("a.csv", 560)
    source.check()
    before = source.names()
    assert "a.csv" in before
    for _ in range(210):
        runs.add(
            Run(
                workspace="local",
                task="monitor_check",
                state=RunState.SUCCEEDED,
                settings=source.schedule.settings,
                result={},
            ),
            access=LOCAL,
        )
    assert source.names() == before


@pytest.mark.nightly
def test_a_schedule_starts_a_check_in_a_process_of_its_own(source):
    source.write("a.csv", 640)
    schedules.update(source.schedule.id, next_at=time.time() - 1, access=LOCAL)
    jobs.tick()
    (fired,) = monitor_schedules.schedules_of(source.model, access=LOCAL)
    run = jobs.wait(fired.last_run_id, 120, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    assert [batch["name"] for batch in run.result["monitored"]] == ["a.csv"]
    assert monitor_schedules.last_check(fired, access=LOCAL).id == run.id
    started = jobs.wait(monitor_schedules.check_now(fired.id, access=LOCAL), 120, access=LOCAL)
    assert started.result["found"] == 0


def test_a_schedule_names_no_value_of_a_credential(source, monkeypatch):
    monkeypatch.setenv("PLUMBLINE_SECRET_SQL_SALES", "sqlite:////srv/secret-path.db")
    values = {"credential": "SQL_SALES", "query": "SELECT id FROM t WHERE id > :since", "column": "id", "start": "0"}
    schedule = monitor_schedules.add_schedule(source.model, "query", values, DAILY, access=LOCAL)
    assert "secret-path" not in repr(schedule)
    assert monitor_schedules.shown_source(schedule) == "SQL_SALES: SELECT id FROM t WHERE id > :since"
    run = Run(workspace="local", task="monitor_check", settings=schedule.settings)
    runs.add(run, access=LOCAL)
    with pytest.raises(RemoteError, match="SQL_SALES cannot be reached"):
        monitor_check.run(RunContext(run))
    finish(run, RunState.FAILED)


def test_rows_of_a_database_are_a_batch(source, tmp_path, monkeypatch):
    import sqlite3

    path = tmp_path / "scored.db"
    rows = load_sample("german_credit").frame.iloc[700:800].drop(columns="credit").assign(number=range(1, 101))
    with sqlite3.connect(path) as connection:
        rows.to_sql("scored", connection, index=False)
    connection.close()
    monkeypatch.setenv("PLUMBLINE_SECRET_SQL_SALES", f"sqlite:///{path}")
    values = {
        "credential": "SQL_SALES",
        "query": "SELECT * FROM scored WHERE number > :since",
        "column": "number",
        "start": "0",
    }
    schedule = monitor_schedules.add_schedule(source.model, "query", values, DAILY, access=LOCAL)
    own = Source(source.model, source.folder, schedule)
    (batch,) = own.check().result["monitored"]
    assert (batch["name"], batch["rows"], batch["problem"]) == ("number up to 100", 100, "")
    assert own.check().result["found"] == 0


def test_where_runs_have_a_sandbox_sources_are_refused(source, monkeypatch):
    monkeypatch.setattr(get_settings(), "sandbox", "bubblewrap")
    with pytest.raises(DeniedError, match="Runs work in a sandbox here"):
        monitor_schedules.add_schedule(source.model, "folder", {"url": "/x"}, DAILY, access=LOCAL)


def test_a_model_goes_with_its_schedules_and_checks(source):
    from tests.unit.alerts.conftest import add_model

    model = add_model("Other")
    values = {"url": str(source.folder)}
    schedule = monitor_schedules.add_schedule(model.id, "folder", values, DAILY, access=LOCAL)
    run = Run(workspace="local", task="monitor_check", settings=schedule.settings, state=RunState.SUCCEEDED)
    runs.add(run, access=LOCAL)
    other = monitor_schedules.add_schedule(model.id, "folder", values, DAILY, access=LOCAL)
    gone = deletion.delete("schedule", other.id, access=LOCAL)
    assert "1 schedule for new batches." in deletion.plan("model", model.id, access=LOCAL).goes
    deletion.delete("model", model.id, access=LOCAL)
    assert monitor_schedules.schedules_of(model.id, access=LOCAL) == []
    with pytest.raises(NotFoundError):
        jobs.get(run.id, access=LOCAL)
    with pytest.raises(InputError, match="belongs to 'Other'"):
        deletion.undo(gone.id, access=LOCAL)
