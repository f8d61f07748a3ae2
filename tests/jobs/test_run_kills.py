"""kill -9 of each part: the server that submitted, the monitor, the worker."""

import os
import signal

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import ACTIVE, RunState, runs

SUBMIT = """
import time
from core import jobs
from core.access import LOCAL
from core.fork_server import running_server
jobs.warm_up()
while not running_server("core.jobs.launchers.local:preload").ready:
    time.sleep(0.01)
for task, settings, limits in {runs!r}:
    print(jobs.submit(task, settings, access=LOCAL, **limits), flush=True)
time.sleep(600)
"""


@pytest.fixture
def engine(installation, tmp_path, warm_server):
    with installation(tmp_path / "home", MAX_RUNNING="4", MAX_ATTEMPTS="2"):
        yield


def family(run):
    return jobs.events(run.id, phase="family", access=LOCAL)[-1].values["pids"]


def test_server_dies_and_its_runs_continue(engine, server, working, until, gone):
    """One run succeeds, one is cancelled, one reaches its limit, and one waits for a place: without any server."""
    count = ("count", {"steps": 20, "pause": 0.1}, {})
    family_of = ("family", {}, {})
    web = server(SUBMIT.format(runs=[count, family_of, ("family", {}, {"timeout_s": 5}), count, count]))
    ids = [web.stdout.readline().strip() for _ in range(5)]
    assert jobs.get(ids[4], access=LOCAL).state is RunState.QUEUED
    web.kill()
    web.wait()

    until(lambda: jobs.events(ids[1], access=LOCAL))  # nobody calls tick() here
    # What a page does, in words of the catalog alone: the monitor has to see it.
    runs.set_fields(ids[1], ACTIVE, cancel_requested_at=1.0, access=LOCAL)
    until(lambda: all(jobs.get(run_id, access=LOCAL).state.terminal for run_id in ids), 60)
    ended = [jobs.get(run_id, access=LOCAL) for run_id in ids]
    assert [run.state for run in ended] == [
        RunState.SUCCEEDED,
        RunState.CANCELLED,
        RunState.TIMED_OUT,
        RunState.SUCCEEDED,
        RunState.SUCCEEDED,
    ]
    assert ended[4].started_at >= min(run.finished_at for run in ended[:4])
    gone(family(ended[1]) + family(ended[2]))


def test_monitor_dies_and_nothing_of_the_run_survives(engine, working, gone):
    run = working(jobs.submit("family", {"deaf": True}, access=LOCAL))
    os.kill(run.monitor_pid, signal.SIGKILL)
    gone(family(run))  # at once, with no help of tick()
    assert jobs.get(run.id, access=LOCAL).state is RunState.RUNNING
    ended = jobs.wait(run.id, 20, access=LOCAL)
    assert ended.state is RunState.INTERRUPTED
    assert "process is gone" in ended.error_message
    assert run.started_at <= ended.finished_at <= run.started_at + 20
    assert not jobs.resumable(ended, access=LOCAL)
    assert jobs.get(run.id, access=LOCAL) == ended


@pytest.mark.nightly
def test_monitor_and_worker_die_and_the_family_is_ended(engine, working, gone):
    run = working(jobs.submit("family", {"deaf": True}, access=LOCAL))
    os.kill(run.monitor_pid, signal.SIGSTOP)  # it must not see the worker's end
    os.kill(run.worker_pid, signal.SIGKILL)
    os.kill(run.monitor_pid, signal.SIGKILL)
    assert jobs.wait(run.id, 20, access=LOCAL).state is RunState.INTERRUPTED
    gone(family(run))


def test_worker_dies_and_the_monitor_ends_the_family(engine, working, gone):
    run = working(jobs.submit("family", {"deaf": True}, access=LOCAL))
    os.kill(run.worker_pid, signal.SIGKILL)
    ended = jobs.wait(run.id, 20, access=LOCAL)
    assert ended.state is RunState.INTERRUPTED
    assert ended.error_message == "The run's process was ended from outside (SIGKILL)."
    assert not jobs.resumable(ended, access=LOCAL)
    gone(family(run))


@pytest.mark.nightly
def test_monitor_dies_until_no_attempt_is_left(engine, working, until):
    run = working(jobs.submit("count", {"steps": 10_000, "pause": 0.05}, access=LOCAL))
    os.kill(run.monitor_pid, signal.SIGKILL)

    def next_attempt():
        jobs.tick()
        now = jobs.get(run.id, access=LOCAL)
        assert not now.state.terminal or now.attempt < 2, (
            now.state,
            now.error_message,
            jobs.log(run.id, access=LOCAL),
        )
        return jobs.events(run.id, access=LOCAL)[-1].attempt == 2

    steps_done = jobs.events(run.id, access=LOCAL)[-1].values["step"]
    until(next_attempt)
    again = jobs.get(run.id, access=LOCAL)
    assert (again.state, again.attempt) == (RunState.RUNNING, 2)
    assert again.elapsed_s > 0
    first_of_second = next(event for event in jobs.events(run.id, access=LOCAL) if event.attempt == 2)
    assert first_of_second.values["step"] >= steps_done

    os.kill(again.monitor_pid, signal.SIGKILL)
    ended = jobs.wait(run.id, 20, access=LOCAL)
    assert (ended.state, ended.attempt) == (RunState.INTERRUPTED, 2)
    jobs.tick()
    assert jobs.get(run.id, access=LOCAL) == ended
    assert jobs.resumable(ended, access=LOCAL)  # by hand, once someone has looked at it


def test_suspended_monitor_is_not_taken_for_lost(engine, working, until):
    run = working(jobs.submit("count", {"steps": 60, "pause": 0.05}, access=LOCAL))
    os.kill(run.monitor_pid, signal.SIGSTOP)
    until(lambda: runs.lapsed())
    jobs.tick()
    assert jobs.get(run.id, access=LOCAL).state is RunState.RUNNING
    os.kill(run.monitor_pid, signal.SIGCONT)
    assert jobs.wait(run.id, 20, access=LOCAL).state is RunState.SUCCEEDED
