"""Stop keeps what there is; resume continues from there, and ends as if nothing had happened."""

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import Dataset, RunState, datasets
from core.errors import JobError

SETTINGS = {"steps": 40, "pause": 0.05}


@pytest.fixture(scope="module")
def engine(installation, tmp_path_factory):
    with installation(tmp_path_factory.mktemp("resume") / "home", MAX_RUNNING="3"):
        yield


@pytest.fixture(scope="module")
def interrupted(engine, working):
    """A run that was cancelled in its middle, then resumed to its end; and one that ran through."""
    through = jobs.submit("count", SETTINGS, access=LOCAL)
    cancelled = working(jobs.submit("count", SETTINGS, access=LOCAL))
    jobs.cancel(cancelled.id, access=LOCAL)
    before = jobs.wait(cancelled.id, 20, access=LOCAL)
    assert before.state is RunState.CANCELLED
    queued = jobs.resume(cancelled.id, access=LOCAL)
    return jobs.wait(through, 30, access=LOCAL), before, queued, jobs.wait(cancelled.id, 30, access=LOCAL)


def test_resumed_run_ends_like_one_that_ran_through(interrupted):
    through, _, _, after = interrupted
    assert after.state is through.state is RunState.SUCCEEDED
    assert after.result["counted"] == through.result["counted"] == 40
    steps = {event.values["step"] for event in jobs.events(after.id, access=LOCAL)}
    steps.add(after.result["first"])  # the process may end between the checkpoint and the event
    assert steps == {event.values["step"] for event in jobs.events(through.id, access=LOCAL)} == set(range(1, 41))


def test_second_attempt_continues(interrupted):
    after = interrupted[3]
    by_attempt = {
        n: [event.values["step"] for event in jobs.events(after.id, access=LOCAL) if event.attempt == n] for n in (1, 2)
    }
    assert after.attempt == 2
    assert by_attempt[1][0] == 1
    assert after.result["first"] >= by_attempt[1][-1]
    assert by_attempt[2][0] == after.result["first"] + 1


def test_time_used_adds_up(interrupted):
    _, before, queued, after = interrupted
    assert before.elapsed_s > 0
    assert queued.elapsed_s == before.elapsed_s
    assert after.elapsed_s == pytest.approx(before.elapsed_s + after.finished_at - after.started_at, abs=0.5)


def test_marks_of_the_first_end_are_gone(interrupted):
    _, _, queued, after = interrupted
    assert queued.finished_at is queued.cancel_requested_at is queued.error_message is None
    assert after.cancel_requested_at is None


def test_stop_keeps_what_there_is(engine, working):
    run = working(jobs.submit("count", SETTINGS | {"steps": 10_000}, access=LOCAL))
    assert jobs.stoppable(run)
    stopping = jobs.stop(run.id, access=LOCAL)
    assert stopping.stop_requested_at is not None
    assert not jobs.stoppable(stopping)
    ended = jobs.wait(run.id, 20, access=LOCAL)
    assert ended.state is RunState.SUCCEEDED
    assert ended.result["stopped"] is True
    assert 0 < ended.result["counted"] == jobs.events(run.id, access=LOCAL)[-1].values["step"] < 10_000
    with pytest.raises(JobError, match="succeeded"):
        jobs.resume(run.id, access=LOCAL)


def test_stop_of_a_queued_run_cancels_it(installation, tmp_path):
    with installation(tmp_path):
        first, second, third = (jobs.submit("count", SETTINGS, access=LOCAL) for _ in range(3))
        assert jobs.queue_position(jobs.get(first, access=LOCAL)) is None
        assert [jobs.queue_position(jobs.get(run_id, access=LOCAL)) for run_id in (second, third)] == [1, 2]
        assert jobs.stop(second, access=LOCAL).state is RunState.CANCELLED
        assert jobs.queue_position(jobs.get(third, access=LOCAL)) == 1
        jobs.resume(second, access=LOCAL)
        assert [jobs.queue_position(jobs.get(run_id, access=LOCAL)) for run_id in (second, third)] == [2, 1]


def test_working_run_cannot_be_resumed(engine):
    run_id = jobs.submit("count", {"steps": 1}, access=LOCAL)
    with pytest.raises(JobError, match=r"cannot be resumed"):
        jobs.resume(run_id, access=LOCAL)
    jobs.wait(run_id, 20, access=LOCAL)


def test_wait_gives_up_and_the_run_continues(engine):
    run_id = jobs.submit("count", {"steps": 5, "pause": 0.01}, access=LOCAL)
    with pytest.raises(TimeoutError, match=run_id):
        jobs.wait(run_id, 0.01, access=LOCAL)
    assert jobs.wait(run_id, 20, access=LOCAL).state is RunState.SUCCEEDED


def test_repeat_is_a_new_run_of_the_same(engine):
    sizes = {"rows": 1, "columns": 1, "size_bytes": 1}
    row = Dataset(workspace="local", name="t", fingerprint="f", data_digest="d", profile_digest="p", **sizes)
    table, _ = datasets.add(row, access=LOCAL)
    first = jobs.submit(
        "count", {"steps": 2}, title="Twice", dataset=table.id, timeout_s=50, memory_limit_mb=900, access=LOCAL
    )
    again = jobs.repeat(first, access=LOCAL)
    assert again != first
    same = ("task", "settings", "title", "dataset_id", "timeout_s", "memory_limit_mb", "lane", "workspace")
    one, two = jobs.get(first, access=LOCAL), jobs.get(again, access=LOCAL)
    assert [getattr(one, name) for name in same] == [getattr(two, name) for name in same]
    assert jobs.wait(again, 20, access=LOCAL).result == jobs.wait(first, 20, access=LOCAL).result
