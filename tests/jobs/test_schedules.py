"""Schedules: each time starts one run, whoever looks; what was missed or skipped is counted and said."""

import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from core import deletion, jobs
from core.access import LOCAL
from core.catalog import Dataset, RunState, datasets, runs, schedules
from core.errors import InputError, JobError, NotFoundError
from core.jobs import scheduler

HOURLY = jobs.Timing(interval_s=3600)


@pytest.fixture
def started(home, monkeypatch):
    """Runs that tick() would have started, instead of their processes."""
    runs_started = []
    monkeypatch.setattr(scheduler, "_start", runs_started.append)
    return runs_started


def add(timing=HOURLY, task="count", **options):
    return jobs.add_schedule(task, {"steps": 2}, timing, **{"title": "Nightly", "access": LOCAL} | options)


def make_due(schedule, late_s=1.0):
    """Let its next time be in the past, as after a night, and look at what is due."""
    due = time.time() - late_s
    schedules.update(schedule.id, next_at=due, access=LOCAL)
    jobs.tick()
    return due


def stored(schedule):
    return schedules.get(schedule.id, access=LOCAL)


def end(run_id, state=RunState.SUCCEEDED):
    assert runs.change_state(run_id, [RunState.QUEUED, RunState.STARTING], state, access=LOCAL)


def test_a_time_starts_one_run_with_what_the_schedule_says(started):
    before = time.time()
    digests = dict.fromkeys(("fingerprint", "data_digest", "profile_digest"), "d" * 64)
    table = Dataset(id="d" * 16, workspace="local", name="Prices", rows=1, columns=1, size_bytes=1, **digests)
    datasets.add(table, access=LOCAL)
    schedule = add(dataset=table.id, access=replace(LOCAL, actor="ada"))
    assert before + 3600 <= schedule.next_at <= time.time() + 3600
    assert stored(schedule) == schedule
    jobs.tick()
    assert started == []
    due = make_due(schedule)
    jobs.tick()
    (run,) = runs.find(access=LOCAL)
    assert [item.id for item in started] == [run.id]
    assert (run.task, run.title, run.settings, run.dataset_id) == ("count", "Nightly", {"steps": 2}, "d" * 16)
    after = stored(schedule)
    assert (after.next_at, after.last_run_id, after.missed, after.skipped) == (due + 3600, run.id, 0, 0)
    assert after.last_at == pytest.approx(time.time(), abs=30)
    (event,) = jobs.events(run.id, access=LOCAL)
    assert event.message.startswith("Started by the schedule 'Nightly' for ")
    assert event.values == {"schedule": schedule.id, "due_at": due, "missed": 0}


@pytest.mark.parametrize(("late_s", "missed"), [(30, 0), (120, 1), (3600 * 1.5, 2), (3600 * 49.5, 50)])
def test_a_server_that_was_down_runs_once_and_says_what_was_missed(started, late_s, missed):
    schedule = add()
    due = make_due(schedule, late_s)
    jobs.tick()
    (run,) = runs.find(access=LOCAL)
    after = stored(schedule)
    assert after.missed == missed
    assert after.next_at == due + 3600 * max(missed, 1)
    assert time.time() < after.next_at <= time.time() + 3600
    (event,) = jobs.events(run.id, access=LOCAL)
    assert event.values["missed"] == missed
    if missed:
        assert run.title == f"Nightly (after {missed} missed time{'s' if missed > 1 else ''})"
        assert f"{missed} missed time" in event.message
    end(run.id)
    make_due(schedule, 3600 * 1.5)
    assert stored(schedule).missed == missed + 2


def test_while_the_run_before_works_none_starts_and_it_is_counted(started):
    schedule = add()
    make_due(schedule)
    (run,) = runs.find(access=LOCAL)
    make_due(schedule)
    make_due(schedule, 3600 * 1.5)
    after = stored(schedule)
    assert (after.skipped, after.missed, after.last_run_id) == (3, 0, run.id)
    assert "the run before had not ended" in after.problem
    assert runs.find(access=LOCAL) == [jobs.get(run.id, access=LOCAL)]
    end(run.id, RunState.FAILED)
    make_due(schedule)
    assert len(runs.find(access=LOCAL)) == 2
    assert (stored(schedule).skipped, stored(schedule).problem) == (3, "")


def test_what_is_disabled_does_not_start_and_misses_nothing(started):
    schedule = add()
    jobs.change_schedule(schedule.id, enabled=False, access=LOCAL)
    make_due(schedule, 3600 * 5)
    assert started == []
    enabled = jobs.change_schedule(schedule.id, enabled=True, access=LOCAL)
    assert enabled.next_at == pytest.approx(time.time() + 3600, abs=30)
    jobs.tick()
    assert (started, stored(schedule).missed) == ([], 0)
    deletion.delete("schedule", schedule.id, access=LOCAL)
    jobs.tick()
    assert schedules.find(access=LOCAL) == []


def test_a_schedule_changes_what_is_given(started):
    schedule = add()
    changed = jobs.change_schedule(schedule.id, title=" Weekly ", settings={"steps": 5}, access=LOCAL)
    assert (changed.title, changed.settings, changed.next_at) == ("Weekly", {"steps": 5}, schedule.next_at)
    daily = jobs.Timing(cron="30 6 * * *", time_zone="Asia/Tokyo")
    changed = jobs.change_schedule(schedule.id, timing=daily, access=LOCAL)
    assert jobs.timing_of(changed) == daily
    assert changed.next_at == daily.next_time(time.time())
    for title in ("", " ", "x" * 201):
        with pytest.raises(InputError, match="usable title"):
            jobs.change_schedule(schedule.id, title=title, access=LOCAL)
    with pytest.raises(NotFoundError, match=schedule.id):
        jobs.change_schedule(schedule.id, enabled=False, access=replace(LOCAL, workspace="other"))
    with pytest.raises(JobError, match="Unknown task 'cuont'"):
        add(task="cuont")
    assert schedules.find(task="count", access=LOCAL) == [changed]
    assert (
        schedules.find(task="outputs", access=LOCAL) == schedules.find(access=replace(LOCAL, workspace="other")) == []
    )


def test_what_cannot_start_says_why_and_stops_no_other(started):
    gone, broken, well = (add(title=title) for title in ("gone", "broken", "well"))
    schedules.update(gone.id, task="no_longer_there", access=LOCAL)
    schedules.update(broken.id, time_zone="Europe/Atlantis", access=LOCAL)
    for schedule in (gone, broken, well):
        schedules.update(schedule.id, next_at=time.time() - 1, access=LOCAL)
    jobs.tick()
    assert [run.title for run in started] == ["well"]
    assert "Unknown task 'no_longer_there'" in stored(gone).problem
    assert stored(gone).next_at > time.time()
    assert "Europe/Atlantis" in stored(broken).problem
    assert (stored(broken).enabled, stored(broken).next_at) == (False, None)
    fixed = jobs.change_schedule(broken.id, timing=HOURLY, enabled=True, access=LOCAL)
    assert (fixed.problem, fixed.enabled) == ("", True)


KEEPER = """
import threading, time
from core import jobs
for _ in range(3):
    jobs.keep_time()
print(sum("timekeeper" in thread.name for thread in threading.enumerate()), flush=True)
time.sleep(60)
"""


def wait_for(met, timeout=20.0):
    deadline = time.monotonic() + timeout
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.nightly
def test_a_command_keeps_time_without_a_server(home):
    schedule = add()
    schedules.update(schedule.id, next_at=time.time() + 1.5, access=LOCAL)
    command = subprocess.Popen([sys.executable, "-m", "core.jobs"], stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: runs.find(states=[RunState.SUCCEEDED], access=LOCAL))
    finally:
        command.send_signal(signal.SIGINT)
        assert command.communicate(timeout=20)[1] == ""


@pytest.mark.parametrize(
    ("every_s", "threads"), [("600", 1), pytest.param("0", 0, marks=pytest.mark.nightly)], ids=["on", "off"]
)
def test_a_server_keeps_time_without_a_page(home, monkeypatch, server, every_s, threads):
    """Its thread wakes when a run is due, long before it would look again, and starts the run."""
    monkeypatch.setenv("PLUMBLINE_TICK_EVERY_S", every_s)
    schedule = add()
    due = schedules.update(schedule.id, next_at=time.time() + 1.5, access=LOCAL).next_at
    keeper = server(KEEPER)
    assert keeper.stdout.readline() == f"{threads}\n"
    if not threads:
        time.sleep(4)
        assert runs.find(access=LOCAL) == []
        return
    wait_for(lambda: runs.find(states=set(RunState) - {RunState.QUEUED}, access=LOCAL))
    (run,) = runs.find(access=LOCAL)
    assert due <= run.created_at
