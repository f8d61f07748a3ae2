"""Runs that work for another run: they go with it, and neither stands in the other's way."""

import os
import signal
import time
from dataclasses import replace

import psutil
import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import ACTIVE, TERMINAL, Run, RunState, runs
from core.errors import NotFoundError
from core.jobs import processes, scheduler

UNFINISHED = [RunState.QUEUED, *ACTIVE]


@pytest.fixture
def started(installation, tmp_path, monkeypatch):
    """Runs that tick() would have started, instead of their processes; a slow test does not let their leases expire."""
    runs_started = []
    monkeypatch.setattr(scheduler, "_start", runs_started.append)
    with installation(tmp_path / "home", LEASE_S="600"):
        yield runs_started


def add(parent="", state=RunState.RUNNING, task="count", **fields):
    return runs.add(
        Run(
            **{"workspace": "local", "task": task, "parent_id": parent, "state": state, "lease_until": time.time() + 99}
            | fields
        ),
        access=LOCAL,
    )


def state(run):
    return jobs.get(run.id, access=LOCAL).state


def asked_to_end(run):
    row = jobs.get(run.id, access=LOCAL)
    return row.state is RunState.CANCELLED or row.cancel_requested_at is not None


def test_whatever_way_a_run_ends_its_children_end(started):
    other = add()
    of_other = add(other.id)
    families = {}
    for ended in sorted(TERMINAL - {RunState.INTERRUPTED}):
        child = add(add(state=ended).id)
        families[ended] = child, add(child.id, RunState.QUEUED), add(child.id)
        done = add(child.parent_id, RunState.SUCCEEDED)
    jobs.tick()
    for ended, family in families.items():
        assert [asked_to_end(run) for run in family] == [True] * 3, ended
        assert [state(run) for run in family] == ["RUNNING", "CANCELLED", "RUNNING"], ended
    assert state(done) is RunState.SUCCEEDED
    assert not asked_to_end(of_other)
    assert not asked_to_end(other)
    assert started == []


@pytest.mark.parametrize(
    ("fields", "state_after"),
    [
        ({}, RunState.QUEUED),  # its child has the only slot
        ({"task": "family"}, RunState.INTERRUPTED),  # cannot be resumed
        ({"attempt": 3}, RunState.INTERRUPTED),
        ({"cancel_requested_at": 1.0}, RunState.CANCELLED),
    ],
)
def test_children_of_a_lost_run_go_on_if_it_does(started, fields, state_after):
    top = add(started_at=time.time() - 100, **{"lease_until": time.time() - 60} | fields)
    child = add(top.id)
    jobs.tick()
    assert state(top) is state_after
    assert asked_to_end(child) is (state_after is not RunState.QUEUED)


def test_cancelling_a_run_cancels_its_children_at_once_and_those_it_still_submits(started):
    top = add()
    child = add(top.id)
    jobs.cancel(top.id, access=LOCAL)
    assert asked_to_end(child)
    late = jobs.submit("count", {}, parent=top.id, access=LOCAL)
    assert jobs.get(late, access=LOCAL).state is RunState.CANCELLED
    assert started == []


def test_children_are_resumed_with_their_parent_alone(started):
    top = add(state=RunState.FAILED)
    child = add(top.id, RunState.CANCELLED)
    gone = add("0" * 16, RunState.CANCELLED)
    assert [jobs.resumable(run, access=LOCAL) for run in (child, gone)] == [False, False]
    jobs.resume(top.id, access=LOCAL)
    assert jobs.resumable(child, access=LOCAL)
    jobs.resume(child.id, access=LOCAL)
    assert state(child) in UNFINISHED
    assert not jobs.get(jobs.repeat(child.id, access=LOCAL), access=LOCAL).parent_id


def test_a_parent_must_be_there(started):
    top = add()
    child = jobs.submit("count", {}, parent=top.id, access=LOCAL)
    assert jobs.get(child, access=LOCAL).parent_id == top.id
    for parent, workspace in (("0" * 16, "local"), (top.id, "other")):
        with pytest.raises(NotFoundError, match=parent):
            jobs.submit("count", {}, parent=parent, access=replace(LOCAL, workspace=workspace))
    assert len(runs.find(access=LOCAL)) == 2


def test_runs_that_wait_for_children_take_no_slot_of_theirs(started, monkeypatch):
    settings = scheduler.get_settings().model_copy(update={"max_running_pipelines": 2})
    monkeypatch.setattr(scheduler, "get_settings", lambda: settings)
    tops = [jobs.submit("conductor", {}, access=LOCAL) for _ in range(3)]
    step = jobs.submit("count", {}, parent=tops[0], access=LOCAL)
    short = jobs.submit("outputs", {}, parent=tops[1], access=LOCAL)
    nested = [jobs.submit("conductor", {}, parent=tops[index], access=LOCAL) for index in (0, 0, 1)]
    assert {run.id for run in started} == {*tops[:2], step, short, *nested}
    assert jobs.queue_position(jobs.get(tops[2], access=LOCAL)) == 1
    runs.change_state(tops[0], ACTIVE, RunState.SUCCEEDED, access=LOCAL)
    jobs.tick()
    assert started[-1].id == tops[2]


def submit(*children, **settings):
    """Submit a run; return it and its children, once its own process has submitted and started them."""
    top = jobs.submit("conductor", {"children": children, **settings}, memory_limit_mb=400, access=LOCAL)
    deadline = time.monotonic() + 30
    while not (events := jobs.events(top, phase="children", access=LOCAL)):
        assert time.monotonic() < deadline, jobs.log(top, access=LOCAL)
        time.sleep(0.02)
    return top, events[0].values["ids"]


def wait_for(met, timeout=30.0):
    deadline = time.monotonic() + timeout
    while not met():
        assert time.monotonic() < deadline
        jobs.tick()
        time.sleep(0.02)


def leader(run_id):
    return jobs.get(run_id, access=LOCAL).monitor_pid


def test_memory_and_processes_of_a_child_are_its_own_and_cancel_reaches_them(home, gone):
    top, (child, waiting) = submit(["hold", {"mb": 500, "until": "/never"}], ["count", {}])
    wait_for(lambda: jobs.events(child, phase="hold", access=LOCAL))
    mine = {process.pid for process in processes.members(leader(top), top)}
    its = {process.pid for process in processes.members(leader(child), child)}
    descendants = {process.pid for process in psutil.Process(leader(top)).children(recursive=True)}
    assert {leader(child), *its} < descendants, "the child was to be started by its parent's worker"
    assert mine == descendants - {leader(child), *its}
    time.sleep(0.6)  # twice the time between two looks at the memory
    assert jobs.get(top, access=LOCAL).state is RunState.RUNNING
    jobs.cancel(top, access=LOCAL)
    assert [jobs.wait(run, 30, access=LOCAL).state for run in (top, child, waiting)] == [RunState.CANCELLED] * 3
    assert jobs.get(top, access=LOCAL).peak_rss_mb < 400
    gone(descendants)


@pytest.mark.nightly
def test_children_of_a_run_that_fails_end_with_it(home):
    top, (child,) = submit(["hold", {"mb": 1, "until": "/never"}], then="fail")
    assert jobs.wait(top, 30, access=LOCAL).state is RunState.FAILED
    assert jobs.wait(child, 30, access=LOCAL).state is RunState.CANCELLED


@pytest.mark.nightly
def test_a_child_outlives_its_parents_monitor_and_the_next_attempt_waits_for_it(home, tmp_path):
    top, (child,) = submit(["hold", {"mb": 1, "until": str(tmp_path / "go")}])
    wait_for(lambda: jobs.events(child, phase="hold", access=LOCAL))
    monitor = leader(child)
    os.kill(leader(top), signal.SIGKILL)
    wait_for(lambda: jobs.get(top, access=LOCAL).attempt == 2)
    wait_for(lambda: len(jobs.events(top, phase="children", access=LOCAL)) == 2)
    (tmp_path / "go").touch()
    assert jobs.wait(top, 30, access=LOCAL).result == {"states": ["SUCCEEDED"]}
    ended = jobs.get(child, access=LOCAL)
    assert (ended.attempt, ended.monitor_pid, ended.state) == (1, monitor, RunState.SUCCEEDED)
