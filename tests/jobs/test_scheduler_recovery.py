"""What tick() does with runs whose monitor is lost. Only sleeping processes are started here."""

import os
import subprocess
import sys
import time

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import Run, RunState, runs
from core.errors import StorageError
from core.jobs import monitor, processes, scheduler


@pytest.fixture
def started(home, monkeypatch):
    """Runs that tick() would have started, instead of their processes."""
    runs_started = []
    monkeypatch.setattr(scheduler, "_start", runs_started.append)
    return runs_started


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def lost(**fields):
    """Store a run whose lease ran out a minute ago."""
    now = time.time()
    return runs.add(
        Run(
            **{"workspace": "local", "task": "family", "state": RunState.RUNNING, "started_at": now - 100}
            | {"lease_until": now - 60, "claim_token": "lost", "host_id": processes.host_id()}
            | fields
        ),
        access=LOCAL,
    )


def test_living_monitor_keeps_its_run(started, sleeper):
    pid, created = processes.identity(sleeper.pid)
    run = lost(monitor_pid=pid, monitor_created=created)
    jobs.tick()
    assert jobs.get(run.id, access=LOCAL) == run


def test_reused_pid_is_another_process(started, sleeper):
    pid, created = processes.identity(sleeper.pid)
    run = lost(monitor_pid=pid, monitor_created=created - 1000, worker_pid=pid, worker_created=created - 1000)
    jobs.tick()
    ended = jobs.get(run.id, access=LOCAL)
    assert ended.state is RunState.INTERRUPTED
    assert ended.finished_at == pytest.approx(run.lease_until - 2)  # when it was last heard of: LEASE_S before
    assert sleeper.poll() is None, "the process that has the pid now must be left alone"


def test_zombie_is_dead(started):
    process = subprocess.Popen([sys.executable, "-c", ""])
    pid, created = processes.identity(process.pid)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it has ended and is not collected
    assert not processes.is_alive(pid, created)
    run = lost(monitor_pid=pid, monitor_created=created)
    jobs.tick()
    assert jobs.get(run.id, access=LOCAL).state is RunState.INTERRUPTED
    process.wait()


def test_no_monitor_known_is_dead(started):
    assert not processes.is_alive(None, None)
    run = lost()
    jobs.tick()
    assert jobs.get(run.id, access=LOCAL).state is RunState.INTERRUPTED


def test_run_that_never_began_is_started_again_whatever_its_task(started):
    run = lost(state=RunState.STARTING)
    jobs.tick()
    again = jobs.get(run.id, access=LOCAL)
    assert (again.state, again.attempt) == (RunState.STARTING, 2)
    assert [item.id for item in started] == [run.id]


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"task": "count"}, RunState.STARTING),  # queued again, and taken at once
        ({"task": "count", "attempt": 3}, RunState.INTERRUPTED),
        ({"task": "count", "cancel_requested_at": 1.0}, RunState.CANCELLED),
        ({"task": "no_longer_there"}, RunState.INTERRUPTED),
        ({"task": "count", "lease_until": time.time() + 1e6}, RunState.RUNNING),
    ],
)
def test_who_is_resumed(started, fields, state):
    run = lost(**fields)
    jobs.tick()
    assert jobs.get(run.id, access=LOCAL).state is state


def test_cancel_that_comes_while_a_run_is_declared_lost_is_not_forgotten(started, monkeypatch):
    run = lost(task="count")
    alive = processes.is_alive

    def cancelled_meanwhile(*identity):
        runs.set_fields(run.id, [RunState.RUNNING], cancel_requested_at=time.time(), access=LOCAL)
        return alive(*identity)

    monkeypatch.setattr(processes, "is_alive", cancelled_meanwhile)
    jobs.tick()
    assert jobs.get(run.id, access=LOCAL).state is RunState.CANCELLED
    assert started == []


def test_marked_orphans_of_a_lost_run_are_ended_and_no_others(started, monkeypatch, sleeper, gone):
    run = lost()
    marked = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        env=os.environ | {processes.MARK: run.id},
        start_new_session=True,
    )
    jobs.tick()
    assert marked.wait(10) == -9
    assert sleeper.poll() is None


def test_lanes_do_not_wait_for_each_other(started):
    long, short = jobs.submit("count", {}, access=LOCAL), jobs.submit("outputs", {}, access=LOCAL)
    assert [run.id for run in started] == [long, short]
    waiting = [
        jobs.submit("count", {}, access=LOCAL),
        jobs.submit("outputs", {}, access=LOCAL),
        jobs.submit("outputs", {}, access=LOCAL),
    ]
    assert [run.id for run in started] == [long, short, waiting[1]]
    assert [jobs.queue_position(jobs.get(run_id, access=LOCAL)) for run_id in waiting] == [1, None, 1]


def test_monitor_gives_a_full_catalog_time(home, monkeypatch):
    run = lost(task="count")
    supervisor = monitor.Monitor(run, os.getpid(), run.claim_token)
    monkeypatch.setattr(monitor.time, "sleep", lambda _seconds: None)
    change, failures = runs.change_state, [StorageError("full"), StorageError("locked")]

    def failing_twice(*args, **fields):
        if failures:
            raise failures.pop()
        return change(*args, **fields)

    monkeypatch.setattr(runs, "change_state", failing_twice)
    supervisor.finish(monitor.Ending(RunState.SUCCEEDED, {"answer": 42}))
    assert jobs.get(run.id, access=LOCAL).result == {"answer": 42}
    # A second ending of the same run changes nothing.
    supervisor.finish(monitor.Ending(RunState.FAILED, error_message="late"))
    assert jobs.get(run.id, access=LOCAL).state is RunState.SUCCEEDED


def test_monitor_can_fork_safely():
    """No thread and no numerical library may be there when the monitor forks."""
    code = (
        "import core.jobs.monitor, sys, os; "
        "print(len(os.listdir('/proc/self/task')) if sys.platform == 'linux' else 1, "
        "*sorted({'numpy', 'pandas', 'streamlit', 'torch'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1"]
