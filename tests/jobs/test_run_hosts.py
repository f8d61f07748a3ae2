"""Two hosts on one catalog: equal pids, clocks that differ, and a host that is suspended for too long."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import Run, RunState, runs
from core.jobs import processes, scheduler
from core.jobs.context import run_dir
from core.jobs.outcome import Outcome, write_outcome

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
HOST = """
import os, select, sys
from core import jobs
from core.access import LOCAL
if len(sys.argv) > 1:
    settings = {"steps": int(sys.argv[1]), "pause": 0.1}
    print(os.getpid(), jobs.submit("count", settings, timeout_s=300, access=LOCAL), flush=True)
while True:
    jobs.tick()
    select.select([], [], [], 0.1)
"""


def elsewhere(**fields):
    """Store a run of another host, whose lease ran out a minute ago, and whose pids are those of this process."""
    pid, created = processes.identity(os.getpid())
    now = time.time()
    claim = {"claim_token": "theirs", "host_id": "another", "monitor_pid": pid, "monitor_created": created}
    times = {"started_at": now - 100, "lease_until": now - 60}
    run = Run(**{"workspace": "local", "task": "count", "state": RunState.RUNNING} | claim | times | fields)
    return runs.add(run, access=LOCAL)


@pytest.fixture
def started(home, monkeypatch):
    """Runs that tick() would have started, and how to let the time of this process pass."""
    runs_started, now = [], [1000.0]
    monkeypatch.setattr(scheduler, "_start", runs_started.append)
    monkeypatch.setattr(scheduler.time, "monotonic", lambda: now[0])

    def wait(seconds):
        now[0] += seconds
        jobs.tick()

    return wait


def test_of_another_host_the_lease_decides_once_it_stays_silent(started):
    run = elsewhere()
    started(0)
    started(1.9)  # a lease takes two seconds here
    assert jobs.get(run.id, access=LOCAL) == run, "its pid is that of a process of this host, and says nothing"
    started(0.2)
    again = jobs.get(run.id, access=LOCAL)
    assert (again.state, again.attempt) == (RunState.STARTING, 2)
    assert again.claim_token not in (None, "theirs")
    assert again.host_id == processes.host_id()


def test_a_host_that_renews_its_lease_is_alive_whatever_this_clock_shows(started):
    run = elsewhere()
    for number in range(5):
        started(1.5)
        fields = {"lease_until": time.time() - 50 + number}  # behind this host's clock for ever
        assert runs.set_fields(run.id, [RunState.RUNNING], claim="theirs", access=LOCAL, **fields)
    assert jobs.get(run.id, access=LOCAL).attempt == 1


def test_work_that_was_done_when_its_monitor_was_lost_counts(started):
    run = elsewhere(host_id=processes.host_id(), monitor_pid=None, task="family")
    run_dir(run.id).mkdir(parents=True)
    write_outcome(run_dir(run.id), 1, Outcome(result={"answer": 42}))
    jobs.tick()
    ended = jobs.get(run.id, access=LOCAL)
    assert (ended.state, ended.result, ended.error_message) == (RunState.SUCCEEDED, {"answer": 42}, None)
    assert list(run_dir(run.id).iterdir()) == []


@pytest.fixture
def host():
    """``host(*arguments, ahead=0)`` starts a server in a space of pids of its own, with its clock so far ahead."""
    unshare = shutil.which("unshare")
    command = [unshare, "--pid", "--fork", "--kill-child", "--mount-proc"]
    if unshare is None or subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("needs unshare (util-linux) and the right to use it")
    servers = []

    def start(*arguments, ahead=0):
        environment = dict(os.environ)
        if ahead:
            if LIBRARY is None:
                pytest.skip("needs libfaketime (apt-get install faketime)")
            environment |= {"LD_PRELOAD": str(LIBRARY), "FAKETIME": f"+{ahead}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        server = subprocess.Popen(
            [*command, sys.executable, "-c", HOST, *arguments], env=environment, stdout=subprocess.PIPE, text=True
        )
        servers.append(server)
        return server

    yield start
    for server in servers:
        for process in [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        server.communicate()


def attempts(run_id):
    return [event.attempt for event in jobs.events(run_id, access=LOCAL)]


@pytest.mark.nightly
def test_a_host_whose_clock_is_ahead_leaves_the_runs_of_others_alone(home, host, until):
    first = host("60")
    _, run_id = first.stdout.readline().split()
    until(lambda: attempts(run_id), 60)
    host(ahead=20)
    until(lambda: jobs.get(run_id, access=LOCAL).state.terminal, 120)
    ended = jobs.get(run_id, access=LOCAL)
    assert (ended.state, ended.attempt, ended.result["first"]) == (RunState.SUCCEEDED, 1, 0)


@pytest.mark.nightly
def test_two_hosts_with_equal_pids_never_work_on_one_run(home, host, until):
    """The first is suspended until the second has taken its run over; when it wakes, it writes nothing any more."""
    first = host("150")
    own_pid, run_id = first.stdout.readline().split()
    until(lambda: attempts(run_id), 60)
    before = jobs.get(run_id, access=LOCAL)
    suspended = [psutil.Process(first.pid), *psutil.Process(first.pid).children(recursive=True)]
    second = host("1")
    other_pid, _ = second.stdout.readline().split()
    assert own_pid == other_pid == "1"
    time.sleep(3)
    assert attempts(run_id)[-1] == 1, "the second looked for the pid in its own space, or did not wait"
    for process in suspended:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGSTOP)
    until(lambda: attempts(run_id)[-1] == 2, 60)
    after = jobs.get(run_id, access=LOCAL)
    assert after.host_id != before.host_id
    assert after.claim_token != before.claim_token
    for process in suspended:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)
    until(lambda: jobs.get(run_id, access=LOCAL).state.terminal, 120)
    ended = jobs.get(run_id, access=LOCAL)
    assert (ended.state, ended.attempt, ended.result["counted"]) == (RunState.SUCCEEDED, 2, 150)
    assert attempts(run_id) == sorted(attempts(run_id)), "no event of the first attempt after one of the second"
    assert ended.result["first"] > 0
    until(lambda: not processes.marked(run_id))
