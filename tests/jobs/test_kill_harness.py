"""Processes of every kind are killed again and again: nothing is lost, no state is wrong, nothing is left."""

import contextlib
import io
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import ACTIVE, RunState, artifacts, runs
from core.jobs import processes, temporary
from core.settings import get_settings
from core.storage import get_store
from core.tasks import ingest
from tests.golden import copy_home

WEB = """
import time
from core import jobs
jobs.warm_up()
while True:
    jobs.tick()
    time.sleep(0.05)
"""
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)
DAY = 86_400.0


class Killer:
    """Kills parts of an installation at random, and keeps a server running.

    Parameters
    ----------
    seed : int
        Seed of its choices.
    """

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.kills = dict.fromkeys(("web", "worker", "monitor", "group"), 0)
        self.web = None

    def serve(self):
        """Start a server, as it is started again after it crashed."""
        self.web = subprocess.Popen([sys.executable, "-c", WEB])

    def close(self):
        self.web.kill()
        self.web.wait()

    def kill(self, *, web_share=0.1):
        """Kill a part of a run that works, or the server; return whether there was one."""
        if self.random.random() < web_share:
            self.web.send_signal(self.random.choice(SIGNALS))
            self.web.wait()
            self.serve()
            self.kills["web"] += 1
            return True
        working = [run for run in runs.find(states=[RunState.RUNNING], access=LOCAL) if run.worker_pid]
        if not working:
            return False
        run, part = self.random.choice(working), self.random.choice(["worker", "monitor", "group"])
        number = self.random.choice(SIGNALS)
        with contextlib.suppress(ProcessLookupError):
            if part == "group":
                os.killpg(run.monitor_pid, number)
            else:
                os.kill(run.worker_pid if part == "worker" else run.monitor_pid, number)
            self.kills[part] += 1
        return True


@pytest.fixture
def killer_of():
    """``with killer_of(seed) as killer:`` has a server that is killed with the runs."""

    @contextlib.contextmanager
    def make(seed):
        killer = Killer(seed)
        killer.serve()
        try:
            yield killer
        finally:
            killer.close()

    return make


def check_nothing_is_left(run_ids, until):
    """Fail where a process, an upload, a working file or a temporary file of runs that ended is left."""
    until(lambda: not any(processes.marked(run_id) for run_id in run_ids))
    jobs.sweep(time.time() + 2 * DAY)
    for folder in ("uploads", "previews", "artifacts/tmp"):
        path = get_settings().home / folder
        assert list(path.iterdir() if path.is_dir() else ()) == [], folder
    for run_id in run_ids:
        assert {path.name for path in (get_settings().runs_dir / run_id).iterdir()} <= {"log.txt"}, run_id
        assert not temporary.temporary_folder(run_id).exists(), run_id


def kill_counting_runs(killer, until, kills):
    steps = 25
    run_ids = [jobs.submit("count", {"steps": steps, "pause": 0.05}, access=LOCAL) for _ in range(5)]
    deadline = time.monotonic() + 20 + 10 * kills
    while sum(killer.kills.values()) < kills:
        assert time.monotonic() < deadline, killer.kills
        if all(jobs.get(run_id, access=LOCAL).state.terminal for run_id in run_ids):
            run_ids += [jobs.submit("count", {"steps": steps, "pause": 0.05}, access=LOCAL) for _ in range(5)]
        killer.kill()
        time.sleep(killer.random.uniform(0, 0.3))
    for run_id in run_ids:
        run = jobs.wait(run_id, 120, access=LOCAL)
        assert (run.state, run.result and run.result["counted"]) == (RunState.SUCCEEDED, steps), run.error_message
        events = jobs.events(run_id, phase="count", access=LOCAL)
        assert [event.attempt for event in events] == sorted(event.attempt for event in events)
        done = {event.values["step"] for event in events}
        # A process may be killed between its checkpoint and its event, so that attempts leave one event out each.
        assert len(done) > steps - run.attempt
    check_nothing_is_left(run_ids, until)


def test_twenty_kills_of_runs_that_count(installation, tmp_path, killer_of, until):
    with installation(tmp_path / "home", MAX_RUNNING="5", MAX_ATTEMPTS="1000"), killer_of(0) as killer:
        kill_counting_runs(killer, until, 20)


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_two_hundred_kills_of_runs_that_count(installation, tmp_path, killer_of, until):
    with installation(tmp_path / "home", MAX_RUNNING="5", MAX_ATTEMPTS="1000"), killer_of(1) as killer:
        kill_counting_runs(killer, until, 200)
        assert min(killer.kills.values()) > 0, killer.kills


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_kills_during_search_training_import_export_and_measurement(golden, installation, tmp_path, killer_of, until):
    home, made = tmp_path / "home", golden[1]
    copy_home(golden[0], home)
    with installation(home, MAX_RUNNING="3", MAX_RUNNING_SHORT="2", MAX_ATTEMPTS="1000"), killer_of(2) as killer:
        earlier = {run.id for run in runs.find(limit=10_000, access=LOCAL)}
        table = "a,b\n" + "".join(f"{number},{number % 7}\n" for number in range(200_000))

        def upload():
            return ingest.submit_upload(io.BytesIO(table.encode()), "numbers.csv", access=LOCAL)

        def repeat(run_id):
            return lambda: jobs.repeat(run_id, access=LOCAL)

        submitters = [upload, *map(repeat, (made.binary, made.text, made.exported, made.measured))]
        submitted, number = [], 0
        while sum(killer.kills.values()) < 60:
            waiting = runs.find(states=[RunState.QUEUED, *ACTIVE], access=LOCAL)
            while len(waiting) < 5:
                submitted.append(submitters[number % len(submitters)]())
                waiting.append(submitted[-1])
                number += 1
            killer.kill(web_share=0.05)
            time.sleep(killer.random.uniform(0.2, 4.0))
        ended = [jobs.wait(run_id, 900, access=LOCAL) for run_id in submitted]
        for run in ended:
            spec = jobs.task_spec(run.task)
            if spec.resumable or spec.restarts:
                assert run.state is RunState.SUCCEEDED, (run.task, run.state, run.error_message)
            elif run.state is not RunState.SUCCEEDED:
                assert run.state is RunState.INTERRUPTED, (run.task, run.state, run.error_message)
                assert run.error_message
                assert run.error_hint
            if run.state is RunState.SUCCEEDED:
                stored = artifacts.find(run.id, access=LOCAL)
                assert all(get_store().exists(artifact.digest) for artifact in stored)
        assert {run.task for run in ended} == {"ingest", "automl", "finetune", "export", "latency"}
        assert earlier <= {run.id for run in runs.find(limit=10_000, access=LOCAL)}
        check_nothing_is_left([run.id for run in ended], until)
