"""Time that a run has worked: neither a clock that is set nor a suspension counts."""

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import Run, RunState, runs
from core.jobs import clocks, context, monitor, processes

TWO_HOURS = 7200.0
LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
SERVER = """
import time
from core import jobs
from core.access import LOCAL
print(jobs.submit("count", {"steps": 60, "pause": 0.1}, timeout_s=40, access=LOCAL), flush=True)
while True:
    jobs.tick()
    time.sleep(0.1)
"""


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(("step", "counted"), [(0.25, 0.25), (15.0, 15.0), (15.1, 0.0), (TWO_HOURS, 0.0), (-5.0, 0.0)])
def test_steps_longer_than_a_lease_are_suspensions(step, counted):
    now = Clock()
    clock = clocks.WorkClock(40.0, longest_s=15, now=now)
    now.now += step
    assert clock.look() == pytest.approx(40 + counted)
    now.now += 1
    assert clock.look() == pytest.approx(41 + counted)


@pytest.fixture
def supervised(home, monkeypatch):
    """A monitor of a running row, whose clock a test sets, and whose worker never ends."""
    limits = {"timeout_s": 100, "elapsed_s": 90.0}
    row = Run(workspace="local", task="count", state=RunState.RUNNING, claim_token="mine", **limits)
    run, now = runs.add(row, access=LOCAL), Clock()
    supervisor = monitor.Monitor(run, os.getpid(), "mine")
    supervisor.clock = clocks.WorkClock(run.elapsed_s, longest_s=15, now=now)
    monkeypatch.setattr(processes, "end", lambda *_: None)
    steps = []

    def wait(_timeout=None):
        if not steps:
            return 0
        now.now += steps.pop(0)
        raise psutil.TimeoutExpired(0)

    supervisor.worker = SimpleNamespace(wait=wait)
    return supervisor, steps


def test_a_limit_counts_work_alone(supervised, monkeypatch):
    supervisor, steps = supervised
    monkeypatch.setattr(time, "time", lambda: 4e9)  # nobody asks what the day is
    steps += [3.0, TWO_HOURS, 3.0]
    assert supervisor.supervise().state is RunState.FAILED, "it ended by itself, without a result, within its limit"
    assert supervisor.clock.elapsed_s == 96
    assert jobs.get(supervisor.run.id, access=LOCAL).elapsed_s <= 96
    steps += [3.0, 2.0]
    ended = supervisor.supervise()
    assert ended.state is RunState.TIMED_OUT
    assert "Resume it to give it the same time once more" in ended.error_hint


def test_a_task_knows_what_its_monitor_counts(home, monkeypatch):
    run = runs.add(
        Run(workspace="local", task="count", state=RunState.RUNNING, claim_token="mine", elapsed_s=5.0), access=LOCAL
    )
    now = Clock()
    monkeypatch.setattr(context.time, "monotonic", now)
    monkeypatch.setattr(context.time, "time", lambda: 4e9)
    task = jobs.RunContext(run)
    assert task.elapsed_s() == 5.0
    now.now += 0.5
    assert task.elapsed_s() == 5.5
    now.now += TWO_HOURS  # suspended: the monitor counts nothing
    assert task.elapsed_s() == 7.0
    runs.set_fields(run.id, [RunState.RUNNING], elapsed_s=6.0, access=LOCAL)
    now.now += 0.5
    assert task.elapsed_s() == 7.0, "it never goes back"
    runs.set_fields(run.id, [RunState.RUNNING], elapsed_s=8.0, access=LOCAL)
    now.now += 0.5
    assert task.elapsed_s() == 8.0


@pytest.mark.nightly
def test_a_run_that_reached_its_limit_is_resumed_with_more_time(home, working):
    run_id = jobs.submit("count", {"steps": 40, "pause": 0.05}, timeout_s=1, access=LOCAL)
    ended = jobs.wait(run_id, 30, access=LOCAL)
    assert (ended.state, ended.timeout_s) == (RunState.TIMED_OUT, 1)
    for _ in range(10):
        if ended.state is not RunState.TIMED_OUT:
            break
        assert jobs.resumable(ended, access=LOCAL)
        jobs.resume(run_id, access=LOCAL)
        ended = jobs.wait(run_id, 30, access=LOCAL)
    assert (ended.state, ended.result["counted"]) == (RunState.SUCCEEDED, 40)
    assert ended.elapsed_s > ended.timeout_s, "the seconds of all attempts are counted"


def suspend(run, seconds, meanwhile=lambda: None):
    """Stop all processes of a run, as a suspended computer does."""
    members = processes.marked(run.id)
    for process in members:
        process.send_signal(signal.SIGSTOP)
    meanwhile()
    time.sleep(seconds)
    for process in members:
        process.send_signal(signal.SIGCONT)


@pytest.mark.nightly
def test_a_suspended_run_has_not_worked(home, working):
    run = working(jobs.submit("count", {"steps": 60, "pause": 0.1}, timeout_s=25, access=LOCAL))
    began = time.monotonic()
    for _ in range(4):
        suspend(jobs.get(run.id, access=LOCAL), 6)  # three times its lease
        jobs.tick()
    ended = jobs.wait(run.id, 60, access=LOCAL)
    passed = time.monotonic() - began
    assert (ended.state, ended.attempt) == (RunState.SUCCEEDED, 1), ended.error_message
    assert passed > 25
    assert ended.elapsed_s < passed - 4 * 5


@pytest.fixture
def faked(tmp_path, monkeypatch):
    """``faked(seconds)`` sets the clock of all processes of the installation that are started from now on."""
    if LIBRARY is None or shutil.which("faketime") is None:
        pytest.skip("needs libfaketime (apt-get install faketime)")
    file = tmp_path / "offset"
    file.write_text("+0")
    # The library takes the absolute time on the monotonic clock, which Python sleeps until, for one of the day.
    (tmp_path / "sitecustomize.py").write_text(
        "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds)\n"
    )
    for name, value in {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)

    def set_clock(seconds):
        partial = tmp_path / "offset.partial"
        partial.write_text(f"{seconds:+.0f}")
        partial.replace(file)

    return set_clock


@pytest.mark.nightly
def test_clocks_that_are_set_change_nothing(home, faked, until):
    """The clock of all processes is set two hours ahead or back twenty times, while the run is suspended."""
    web = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        run_id = web.stdout.readline().strip()
        until(lambda: jobs.events(run_id, access=LOCAL), 60)
        offset = 0.0
        for number in range(20):
            run = jobs.get(run_id, access=LOCAL)
            if run.state.terminal:
                break
            offset += TWO_HOURS if number % 3 else -TWO_HOURS
            suspend(run, 0.3, partial(faked, offset))
        until(lambda: jobs.get(run_id, access=LOCAL).state.terminal, 60)
    finally:
        web.kill()
        web.communicate()
    ended = jobs.get(run_id, access=LOCAL)
    assert (ended.state, ended.attempt) == (RunState.SUCCEEDED, 1), (ended.error_message, offset)
    assert 6 <= ended.elapsed_s < 40
    at = [event.at for event in jobs.events(run_id, access=LOCAL)]
    assert max(at) - min(at) > TWO_HOURS, "the clock was set"
