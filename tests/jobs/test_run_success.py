"""A run that goes well: result, files, log and events, and none of its processes left."""

import hashlib
import time
from dataclasses import replace
from pathlib import Path

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import RunState
from core.errors import JobError, NotFoundError
from core.settings import get_settings


@pytest.fixture(scope="module")
def finished(installation, tmp_path_factory):
    with installation(tmp_path_factory.mktemp("success") / "home"):
        before = time.time()
        run_id = jobs.submit(
            "outputs", {"text": "plumb"}, title="First", timeout_s=60, memory_limit_mb=2000, access=LOCAL
        )
        run = jobs.wait(run_id, 30, access=LOCAL)
        assert run.state is RunState.SUCCEEDED, (run.error_message, jobs.log(run_id, access=LOCAL))
        yield run, before


def test_row_tells_the_whole_story(finished):
    run, before = finished
    assert (run.task, run.lane, run.attempt, run.workspace) == ("outputs", "short", 1, "local")
    assert (run.title, run.dataset_id) == ("A telling title", "dataset-1")
    assert before <= run.created_at <= run.started_at <= run.finished_at <= time.time()
    assert run.elapsed_s == pytest.approx(run.finished_at - run.started_at, abs=0.5)
    assert 20 < run.peak_rss_mb < 2000
    assert run.error_message is None
    assert run.lease_until is None


def test_result_comes_from_the_worker(finished):
    run, _ = finished
    assert run.result["pid"] == run.worker_pid != run.monitor_pid
    assert 0 < run.result["elapsed_s"] < run.elapsed_s


def test_events_in_order_and_after_an_id(finished):
    run, _ = finished
    begin, end = jobs.events(run.id, access=LOCAL)
    assert (begin.phase, begin.fraction, begin.message) == ("begin", 0.0, "Begun")
    assert begin.values == {"settings": {"text": "plumb"}}
    assert end.values == {"score": None}
    assert jobs.events(run.id, after=begin.id, access=LOCAL) == [end]
    assert jobs.events(run.id, phase="begin", access=LOCAL) == [begin]


def test_artifact_is_whole_and_scratch_is_gone(finished):
    run, _ = finished
    path = jobs.artifact_path(run.id, "table", access=LOCAL)
    assert path.read_text() == "plumb"
    assert path.name == hashlib.sha256(b"plumb").hexdigest()
    assert not Path(run.result["workdir"]).exists()


def test_log_and_its_tail(finished):
    run, _ = finished
    log = jobs.log(run.id, access=LOCAL)
    assert log.splitlines()[0] == "a line for the log"  # on a loaded machine the monitor adds a line of its own
    assert jobs.log(run.id, tail_bytes=4, access=LOCAL) == log[-4:]


def test_no_process_is_left(finished, gone):
    run, _ = finished
    gone([run.worker_pid, run.monitor_pid])


def test_ended_run_takes_no_more_orders(finished):
    run, _ = finished
    assert jobs.cancel(run.id, access=LOCAL) == run
    assert jobs.get(run.id, access=LOCAL) == run
    assert jobs.queue_position(run) is None
    assert not jobs.stoppable(run)
    assert not jobs.resumable(run, access=LOCAL)
    with pytest.raises(JobError, match=r"cannot be resumed"):
        jobs.resume(run.id, access=LOCAL)
    with pytest.raises(JobError, match=r"nothing to keep"):
        jobs.stop(run.id, access=LOCAL)


@pytest.mark.parametrize(
    "ask",
    [
        jobs.get,
        jobs.cancel,
        jobs.stop,
        jobs.resume,
        jobs.repeat,
        jobs.log,
        jobs.events,
        lambda run_id, access: jobs.artifact_path(run_id, "table", access=access),
        lambda run_id, access: jobs.wait(run_id, 1, access=access),
    ],
)
def test_other_workspace_finds_nothing(finished, ask):
    run, _ = finished
    with pytest.raises(NotFoundError, match=f"{run.id}|has no file"):
        ask(run.id, access=replace(LOCAL, workspace="other"))
    assert jobs.get(run.id, access=LOCAL) == run


def test_unknown_task_leaves_no_row(finished):
    for name in ("no_such_task", "../tasks/count", "Count", ""):
        with pytest.raises(JobError, match="Unknown task"):
            jobs.submit(name, {}, access=LOCAL)
    assert not [path for path in get_settings().runs_dir.iterdir() if path.name != finished[0].id]
