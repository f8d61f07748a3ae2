"""Two servers on one database: nothing starts twice, the limit holds, every run ends once."""

import re
import subprocess
import sys
import time

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import ACTIVE, RunState, runs
from core.settings import get_settings

SERVER = """
import time
from core import jobs
from core.access import LOCAL
from core.fork_server import running_server
jobs.warm_up()
while not running_server("core.jobs.launchers.local:preload").ready:
    time.sleep(0.01)
ids = [jobs.submit("count", {"steps": 3, "pause": 0.05}, access=LOCAL) for _ in range(4)]
print(*ids, flush=True)
while True:
    jobs.tick()
    time.sleep(0.02)
"""
LIMIT = 2


@pytest.fixture(scope="module")
def watched(installation, tmp_path_factory):
    """All runs of both servers, and the largest number that was at work at once."""
    with installation(tmp_path_factory.mktemp("two") / "home", MAX_RUNNING=str(LIMIT)):
        servers = [subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) for _ in "ab"]
        try:
            ids = [run_id for server in servers for run_id in server.stdout.readline().split()]
            most = 0
            end = time.monotonic() + 60
            while len(runs.find(states=[RunState.SUCCEEDED], access=LOCAL)) < len(ids) and time.monotonic() < end:
                states = [run.state for run in runs.find(access=LOCAL)]
                most = max(most, sum(state in ACTIVE for state in states))
                time.sleep(0.02)
        finally:
            for server in servers:
                server.kill()
                server.communicate()
        yield ids, most


def test_all_ran_and_the_limit_held(watched):
    ids, most = watched
    assert len(ids) == 8
    assert {jobs.get(run_id, access=LOCAL).state for run_id in ids} == {RunState.SUCCEEDED}
    assert most == LIMIT


def test_intervals_of_work_never_overlap_more_than_allowed(watched):
    finished = [jobs.get(run_id, access=LOCAL) for run_id in watched[0]]
    for run in finished:
        at_work = [other for other in finished if other.started_at <= run.started_at < other.finished_at]
        assert len(at_work) <= LIMIT


def test_each_was_started_once(watched):
    for run_id in watched[0]:
        run = jobs.get(run_id, access=LOCAL)
        assert run.attempt == 1
        assert [event.values["step"] for event in jobs.events(run_id, access=LOCAL)] == [1, 2, 3]
        assert run.result == {"counted": 3, "first": 0, "stopped": False}
        assert not re.search("Traceback|Error", ((get_settings().runs_dir / run_id) / "log.txt").read_text())


def test_first_come_first_served(watched):
    # Each server's own: between two servers that submit in the same millisecond there is no first.
    for submitted in (watched[0][:4], watched[0][4:]):
        starts = [jobs.get(run_id, access=LOCAL).started_at for run_id in submitted]
        # A run's time begins with its monitor, and those of two runs at once begin in any order.
        assert all(start <= after for start, after in zip(starts, starts[LIMIT:], strict=False))
