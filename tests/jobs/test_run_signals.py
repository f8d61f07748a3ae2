"""TERM from outside, as when a service stops or a computer shuts down: a run is interrupted and continues."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import RunState, runs
from core.errors import StoppedError
from core.jobs import ending, outcome, processes

STEPS = 30
SERVER = """
import sys, time
from core import jobs
from core.access import LOCAL
from core.fork_server import running_server
jobs.warm_up()
while not running_server("core.jobs.launchers.local:preload").ready:
    time.sleep(0.01)
if len(sys.argv) == 1:
    for _ in range(3):
        print(jobs.submit("count", {"steps": 200, "pause": 0.05}, access=LOCAL), flush=True)
while True:
    jobs.tick()
    time.sleep(0.1)
"""


@pytest.fixture
def engine(installation, tmp_path, warm_server):
    with installation(tmp_path / "home", MAX_RUNNING="5"):
        yield


def to_worker(run):
    os.kill(run.worker_pid, signal.SIGTERM)


def to_monitor(run):
    os.kill(run.monitor_pid, signal.SIGTERM)


def to_group(run):
    os.killpg(run.monitor_pid, signal.SIGTERM)


def kill_worker(run):
    os.kill(run.worker_pid, signal.SIGKILL)


def test_a_run_that_is_ended_from_outside_continues_or_says_why_not(engine, working, gone):
    ways = (to_worker, to_monitor, to_group, kill_worker)
    family = jobs.submit("family", {"deaf": True}, access=LOCAL)  # heeds no TERM, and cannot continue
    started = [jobs.submit("count", {"steps": STEPS, "pause": 0.05}, access=LOCAL) for _ in ways]
    before = [working(run_id) for run_id in started]
    for way, run in zip(ways, before, strict=True):
        way(run)
    to_group(working(family))
    after = [jobs.wait(run.id, 60, access=LOCAL) for run in before]
    gone([pid for run in before for pid in (run.monitor_pid, run.worker_pid)])
    for way, run in zip(ways, after, strict=True):
        assert (run.state, run.attempt) == (RunState.SUCCEEDED, 2), (way.__name__, run.error_message)
        assert (run.result["counted"], run.result["first"] > 0) == (STEPS, True), way.__name__
        assert run.claim_token is None
        assert run.error_message is None
    ended = jobs.wait(family, 30, access=LOCAL)
    assert ended.state is RunState.INTERRUPTED
    assert ended.error_message == "The computer was shut down, or someone ended Plumbline's processes."
    assert "repeat it" in ended.error_hint
    gone(jobs.events(family, phase="family", access=LOCAL)[-1].values["pids"])


@pytest.mark.parametrize(
    ("status", "out_of_memory", "state", "words"),
    [
        (-signal.SIGTERM, False, RunState.INTERRUPTED, "SIGTERM"),
        (ending.TERMINATED, False, RunState.INTERRUPTED, "SIGTERM"),
        (-signal.SIGKILL, False, RunState.INTERRUPTED, "SIGKILL"),
        (-signal.SIGHUP, False, RunState.INTERRUPTED, "SIGHUP"),
        (-signal.SIGKILL, True, RunState.OUT_OF_MEMORY, "ran out of memory"),
        (-signal.SIGTERM, True, RunState.INTERRUPTED, "SIGTERM"),  # what the system ends gets KILL
        (-signal.SIGSEGV, True, RunState.FAILED, "crashed"),
        (1, False, RunState.FAILED, "exit status 1"),
    ],
)
def test_what_an_exit_status_stands_for(status, out_of_memory, state, words):
    result = ending.ending_by_status(status, out_of_memory=out_of_memory)
    assert result.state is state
    assert words in result.error_message
    assert result.error_hint


def test_an_outcome_counts_whatever_signal_follows():
    assert ending.ending_by_outcome(outcome.Outcome(result={"score": 1})).state is RunState.SUCCEEDED
    stopped = outcome.Outcome(error=StoppedError("Stopped.", "Resume it."))
    assert ending.ending_by_outcome(stopped).state is RunState.CANCELLED


@pytest.mark.nightly
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="monitors are not forked here")
def test_everything_is_shut_down_at_once_and_started_again(engine, until):
    """What systemd does: TERM to all processes, KILL to those that are left after 5 s."""
    web = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    ids = [web.stdout.readline().strip() for _ in range(3)]
    until(lambda: all(jobs.events(run_id, access=LOCAL) for run_id in ids))
    everything = [psutil.Process(web.pid), *psutil.Process(web.pid).children(recursive=True)]
    for process in everything:
        process.send_signal(signal.SIGTERM)
    _, left = psutil.wait_procs(everything, 5)
    for process in left:
        process.kill()
    web.communicate()
    assert {run.state for run in runs.find(access=LOCAL)} <= {RunState.QUEUED, RunState.RUNNING}
    assert not any(processes.marked(run_id) for run_id in ids)
    assert left == [], "nothing had to be killed"
    with subprocess.Popen([sys.executable, "-c", SERVER, "again"], stdout=subprocess.DEVNULL) as again:
        until(lambda: all(jobs.get(run_id, access=LOCAL).state.terminal for run_id in ids), 90)
        again.kill()
    for run_id in ids:
        run = jobs.get(run_id, access=LOCAL)
        assert (run.state, run.attempt, run.result["counted"]) == (RunState.SUCCEEDED, 2, 200)
        assert run.result["first"] > 0
