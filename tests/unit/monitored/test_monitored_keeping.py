"""What batches are compared with, and for how long their files are kept."""

from __future__ import annotations

import time

import pytest

from core import deletion, monitored
from core.access import LOCAL
from core.catalog import RunState, artifacts, monitor_plans
from core.errors import NotFoundError
from tests.unit.monitored.conftest import Watched

DAY = 86_400.0


def test_a_batch_becomes_the_reference_of_those_after_it(watched: Watched) -> None:
    moved = watched.batch("moved.csv")
    like_moved = watched.people(300, 11).drop(columns="left")
    like_moved["fee"] += 100
    assert watched.bring(like_moved.iloc[:150], "against training.csv").drifted == ("fee",)
    watched.rules(reference=moved.key)
    batch = watched.bring(like_moved, "against moved.csv")
    assert (batch.drifted, batch.reference) == ((), "moved.csv")
    report = monitored.report_of(batch, access=LOCAL)
    assert report.reference_rows == moved.rows
    assert batch.performance is not None
    assert batch.performance.reference_n == 600, "performance is estimated from rows that training kept out"
    back = watched.bring(watched.people(300, 12).drop(columns="left"), "as in training.csv")
    assert back.drifted == ("fee",)


def test_a_reference_that_was_deleted_is_said(watched: Watched) -> None:
    moved = watched.batch("moved.csv")
    watched.rules(reference=moved.key)
    deletion.delete("run", moved.run_id, access=LOCAL)
    run = watched.work(watched.people(100, 13), "next.csv")
    assert run.state is RunState.FAILED
    assert run.error_message == "The batch that others are compared with was deleted."


def test_old_files_go_and_what_was_said_stays(watched: Watched) -> None:
    before, moved = watched.batch("before.csv"), watched.batch("moved.csv")
    watched.rules(reference=moved.key)
    now = time.time()
    assert monitor_plans.remove_old_files(now) == 0
    assert monitor_plans.remove_old_files(now + 366 * DAY) > 0
    with pytest.raises(NotFoundError):
        monitored.report_of(before, access=LOCAL)
    assert monitored.report_of(moved, access=LOCAL).current_rows == 300, "others are compared with it"
    assert [watched.batch("before.csv"), watched.batch("moved.csv")] == [before, moved]
    left = {item.name for item in artifacts.find(before.run_id, access=LOCAL)}
    assert not any(name.startswith("batches/") for name in left)
    unknown = watched.join(watched.people(10, 1_000)[["person", "left"]])
    assert unknown.state is RunState.FAILED, "ids of the older batch are gone, and the other one has other people"


@pytest.mark.parametrize(("kept", "days", "goes"), [(30, 29, False), (30, 31, True), (None, 36_500, False)])
def test_the_rules_say_for_how_long(watched: Watched, kept: int | None, days: int, goes: bool) -> None:
    watched.rules(keep_days=kept)
    assert (monitor_plans.remove_old_files(time.time() + days * DAY) > 0) is goes
