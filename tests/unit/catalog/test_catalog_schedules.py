"""Schedules in the catalog: a time that is due is taken once, together with its run."""

import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from core import deletion
from core.access import LOCAL
from core.catalog import Run, RunEvent, Schedule, events, runs, schedules
from core.errors import NotFoundError

ROOT = Path(__file__).parents[3]


def add(**fields):
    values = {"workspace": "local", "title": "t", "task": "count", "next_at": 5.0} | fields
    return schedules.add(Schedule(**values), access=replace(LOCAL, workspace=str(values["workspace"])))


def test_due_are_the_enabled_of_all_workspaces_whose_time_has_come(catalog):
    late, now = add(next_at=7.5, workspace="other"), add(next_at=10.25, settings={"größe": [1.5, None]})
    add(next_at=1.0, enabled=False)
    add(next_at=10.5)
    add(next_at=None, enabled=False)
    assert schedules.due(10.25) == [late, now]
    assert schedules.next_due() == 7.5
    assert schedules.get(now.id, access=LOCAL) == now
    for ask, fields in ((schedules.get, {}), (schedules.update, {"title": "mine"})):
        with pytest.raises(NotFoundError, match=late.id):
            ask(late.id, **fields, access=LOCAL)
    assert schedules.get(late.id, access=replace(LOCAL, workspace="other")) == late
    deletion.delete("schedule", late.id, access=replace(LOCAL, workspace="other"))
    assert schedules.due(10.0) == []


def test_a_time_is_taken_once_with_its_run_whoever_asks(catalog):
    schedule = add(missed=1)

    def take(number):
        run = Run(workspace="local", task="count", title=str(number))
        event = RunEvent(workspace="local", run_id=run.id, phase="schedule")
        return schedules.take(schedule, at=6.0, next_at=8.0, missed=2, run=run, event=event)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(16))) == 1
    (run,) = runs.find(access=LOCAL)
    stored = schedules.get(schedule.id, access=LOCAL)
    assert (stored.last_run_id, stored.next_at, stored.missed, stored.last_at) == (run.id, 8.0, 3, 6.0)
    assert len(events.read(run.id, access=LOCAL)) == 1
    schedules.update(schedule.id, enabled=False, access=LOCAL)
    assert not schedules.take(stored, at=9.0, next_at=10.0)


SERVER = """
import sys
from core.jobs import scheduler
from core import jobs
scheduler._start = lambda run: None
print("ready", flush=True)
sys.stdin.readline()
for _ in range(3):
    jobs.tick()
"""


@pytest.mark.parametrize("catalog", ["sqlite", pytest.param("postgresql", marks=pytest.mark.nightly)], indirect=True)
def test_two_servers_start_each_schedule_once(catalog):
    made = [add(title=f"s{number}", interval_s=3600.0, next_at=time.time() - 1) for number in range(30)]
    servers = [
        subprocess.Popen(
            [sys.executable, "-c", SERVER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in "ab"
    ]
    assert [server.stdout.readline() for server in servers] == ["ready\n"] * 2
    for server in servers:
        server.stdin.write("go\n")
        server.stdin.flush()
    for server in servers:
        server.communicate()
        assert server.returncode == 0
    assert Counter(run.title for run in runs.find(access=LOCAL)) == {schedule.title: 1 for schedule in made}
    last = {run.id for run in runs.find(access=LOCAL)}
    for schedule in made:
        stored = schedules.get(schedule.id, access=LOCAL)
        assert stored.next_at == schedule.next_at + 3600
        assert stored.last_run_id in last
