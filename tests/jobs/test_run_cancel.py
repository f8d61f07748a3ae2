"""Cancel: while queued, starting, running and finishing, twice, and when the task does not listen."""

import time

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import RunState
from core.settings import get_settings


@pytest.fixture
def engine(installation, tmp_path):
    with installation(tmp_path / "home"):
        yield


def test_queued_then_starting(engine, gone):
    starting = jobs.submit("count", {"steps": 1000, "pause": 0.1}, access=LOCAL)
    queued = jobs.submit("count", {"steps": 1}, access=LOCAL)
    assert jobs.get(starting, access=LOCAL).state is RunState.STARTING

    run = jobs.cancel(queued, access=LOCAL)
    assert (run.state, run.started_at, run.elapsed_s) == (RunState.CANCELLED, None, 0)
    assert run.finished_at == run.cancel_requested_at

    before = time.monotonic()
    assert not jobs.cancel(starting, access=LOCAL).state.terminal
    run = jobs.wait(starting, 30, access=LOCAL)
    assert run.state is RunState.CANCELLED
    assert time.monotonic() - before < 5  # TERM is heeded from the first moment: no waiting for KILL
    assert len(jobs.events(starting, access=LOCAL)) < 50  # of 1,000 steps, if it came to one at all
    gone([run.worker_pid, run.monitor_pid])


def test_running_twice_with_a_deaf_family(engine, working, gone):
    run = working(jobs.submit("family", {"deaf": True}, access=LOCAL))
    pids = jobs.events(run.id, access=LOCAL)[0].values["pids"]
    first = jobs.cancel(run.id, access=LOCAL)
    assert first.state is RunState.RUNNING
    assert first.cancel_requested_at is not None
    jobs.cancel(run.id, access=LOCAL)
    ended = jobs.wait(run.id, 30, access=LOCAL)
    assert ended.state is RunState.CANCELLED
    assert (ended.error_message, ended.result) == (None, None)
    gone(pids)
    assert jobs.cancel(run.id, access=LOCAL) == ended


def test_finally_blocks_run_on_cancel(engine, working, until):
    run = working(jobs.submit("cleanup", {}, access=LOCAL))
    jobs.cancel(run.id, access=LOCAL)
    assert jobs.wait(run.id, 30, access=LOCAL).state is RunState.CANCELLED
    assert "cleaned up" in jobs.log(run.id, access=LOCAL)


def test_while_finishing_ends_in_one_state_and_tells_the_truth(engine, until):
    run_id = jobs.submit("count", {"steps": 1, "pause": 0}, access=LOCAL)
    until(lambda: ((get_settings().runs_dir / run_id) / "outcome-1.json").exists())
    jobs.cancel(run_id, access=LOCAL)
    run = jobs.wait(run_id, 30, access=LOCAL)
    assert run.state in {RunState.SUCCEEDED, RunState.CANCELLED}
    assert (run.result is not None) == (run.state is RunState.SUCCEEDED)
    time.sleep(0.5)
    assert jobs.get(run_id, access=LOCAL) == run
