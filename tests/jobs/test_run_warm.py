"""Runs that are forked from a process with the libraries loaded: like the others, but for the start."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from core import fork_server, jobs
from core.access import LOCAL
from core.catalog import RunState
from core.jobs import processes
from core.jobs.launchers import local

pytestmark = pytest.mark.skipif(not fork_server.AVAILABLE, reason="processes are not forked here")

SERVER = """
import sys, time
from core import jobs
from core.access import LOCAL
from core.fork_server import running_server
jobs.warm_up()
while not running_server("core.jobs.launchers.local:preload").ready:
    time.sleep(0.01)
print(jobs.submit("count", {"steps": 20, "pause": 0.1}, access=LOCAL), flush=True)
time.sleep(600)
"""


@pytest.fixture
def warm(home, warm_server):
    """An installation whose runs are forked, and the process that they are forked from."""
    return psutil.Process(warm_server.pid)


def test_what_is_loaded_before_a_run_reads_no_settings(tmp_path):
    """A forked process gets the settings of its own run only if its server has read none."""
    script = "import core.jobs.monitor, core.settings; print(core.settings.get_settings.cache_info().currsize)"
    environment = os.environ | {"PLUMBLINE_HOME": str(tmp_path)}
    read = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert read.stdout == "0\n"


def test_a_run_is_forked_and_marked(warm, working):
    run = working(jobs.submit("count", {"steps": 5, "pause": 0.1}, access=LOCAL))
    monitor = psutil.Process(run.monitor_pid)
    assert monitor.parent() == warm
    assert os.getsid(monitor.pid) == monitor.pid
    assert psutil.Process(run.worker_pid).nice() == monitor.nice() + 5
    assert {process.pid for process in processes.marked(run.id)} == {run.monitor_pid, run.worker_pid}
    ended = jobs.wait(run.id, 30, access=LOCAL)
    assert (ended.state, ended.result["counted"]) == (RunState.SUCCEEDED, 5)


def test_a_run_sees_the_environment_of_the_moment(warm, monkeypatch):
    monkeypatch.setenv("PLUMBLINE_LEASE_S", "7")
    monkeypatch.setenv("ANSWER", "Grüße")
    run = jobs.wait(jobs.submit("surroundings", {}, access=LOCAL), 30, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    assert run.result.pop("temporary")
    assert run.result == {"ANSWER": "Grüße", "lease_s": 7.0, "stdin": "", "threads": 2}


def test_a_run_outlives_the_server_and_what_it_was_forked_from(home, server, working, until):
    web = server(SERVER)
    run = working(web.stdout.readline().strip())
    fork = psutil.Process(run.monitor_pid).parent()
    assert fork.ppid() == web.pid
    web.kill()
    web.wait()
    until(lambda: not fork.is_running())
    assert jobs.wait(run.id, 30, access=LOCAL).state is RunState.SUCCEEDED


def test_runs_start_as_interpreters_when_that_process_is_gone(warm, working, until):
    os.kill(warm.pid, signal.SIGKILL)
    run_id = jobs.submit("count", {"steps": 5, "pause": 0.1}, access=LOCAL)  # perhaps before that is known
    run = working(run_id)
    assert psutil.Process(run.monitor_pid).cmdline()[-2:] == ["core.jobs.monitor", run_id]
    assert jobs.wait(run_id, 30, access=LOCAL).state is RunState.SUCCEEDED


@pytest.mark.nightly
def test_an_interpreter_with_other_options_is_a_new_one(warm, monkeypatch, tmp_path, working):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    run = working(jobs.submit("count", {"steps": 5, "pause": 0.1}, access=LOCAL))
    assert psutil.Process(run.monitor_pid).cmdline()[-2] == "core.jobs.monitor"
    assert jobs.wait(run.id, 30, access=LOCAL).state is RunState.SUCCEEDED


@pytest.mark.nightly
def test_ended_monitors_are_no_zombies(warm, until):
    ids = [jobs.submit("count", {"steps": 1}, access=LOCAL) for _ in range(2)]
    runs = [jobs.wait(run_id, 30, access=LOCAL) for run_id in ids]
    until(lambda: not any(psutil.pid_exists(run.monitor_pid) for run in runs))


def test_nothing_is_loaded_before_it_is_asked_for():
    code = (
        "from core import jobs; from core.jobs.launchers.local import PRELOAD, running_server as r; print(r(PRELOAD))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "None"


def test_a_system_that_starts_no_more_processes_is_logged(home, monkeypatch, caplog):
    def refused(*_, **__):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(local, "fork_server", refused)
    jobs.warm_up()
    assert "could not be started" in caplog.text
