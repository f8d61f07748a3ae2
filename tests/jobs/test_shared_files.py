"""Logs, uploads and previews where several hosts use one catalog and one storage, and each has a folder of its own."""

import io

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import Run, RunState, artifacts, datasets, run_logs, runs
from core.errors import JobError
from core.tasks import ingest, preview

TABLE = "name;amount\nAda;1,5\nGrace;2,5\nMary;3,5\n"


@pytest.fixture
def host(installation, tmp_path):
    """``with host("a"):`` is a host with a home of its own, on a catalog and a storage that all share."""
    shared = {"DATABASE": f"sqlite:///{tmp_path / 'catalog.db'}", "STORAGE": str(tmp_path / "storage")}
    return lambda name: installation(tmp_path / name, **shared)


def test_the_log_of_a_run_that_ended_elsewhere_can_be_read(host, until):
    with host("a"):
        run_id = jobs.submit("outputs", {"text": "plumb"}, access=LOCAL)
        assert jobs.wait(run_id, 60, access=LOCAL).state is RunState.SUCCEEDED
    with host("b"):
        until(lambda: "a line for the log" in jobs.log(run_id, access=LOCAL))  # it is stored after the state
        assert len(jobs.log(run_id, tail_bytes=5, access=LOCAL)) == 5
        assert [artifact.name for artifact in artifacts.find(run_id, access=LOCAL)] == ["table"]


def test_the_log_of_a_run_that_works_elsewhere_can_be_read_meanwhile(host):
    with host("b"):
        run = Run(workspace="local", task="count", state=RunState.RUNNING, host_id="another")
        assert "another computer" in jobs.log(runs.add(run, access=LOCAL).id, access=LOCAL)
        runs.set_fields(run.id, [RunState.RUNNING], claim_token="theirs", access=LOCAL)
        run_logs.write(run, "theirs", "half of \0it is done")
        assert jobs.log(run.id, access=LOCAL) == "half of it is done"
        with pytest.raises(JobError):
            run_logs.write(run, "another", "void")


@pytest.mark.nightly
@pytest.mark.parametrize("previewed", [True, False])
def test_an_upload_is_read_by_another_host(host, monkeypatch, previewed):
    submit = preview.submit if previewed else ingest.submit_upload
    with host("a"), monkeypatch.context() as patch:
        patch.setattr("core.jobs.scheduler._start", lambda run: None)  # as where the other host is the first to look
        run_id = submit(io.BytesIO(TABLE.encode()), "amounts.csv", access=LOCAL)
        runs.change_state(run_id, [RunState.STARTING], RunState.QUEUED, access=LOCAL)
    with host("b"):
        jobs.tick()
        run = jobs.wait(run_id, 60, access=LOCAL)
        assert run.state is RunState.SUCCEEDED, run.error_message
    with host("a"):
        if previewed:
            seen = preview.load(run, access=LOCAL)
            assert seen.rows is not None
            run = jobs.wait(preview.accept(run, access=LOCAL), 60, access=LOCAL)
        assert run.state is RunState.SUCCEEDED, run.error_message
        assert datasets.get(run.result["dataset_id"], access=LOCAL).rows == 3


@pytest.mark.nightly
def test_a_run_that_is_resumed_on_another_host_says_that_it_starts_again(host, working):
    with host("a"):
        run = working(jobs.submit("count", {"steps": 40, "pause": 0.05}, access=LOCAL))
        jobs.cancel(run.id, access=LOCAL)
        jobs.wait(run.id, 60, access=LOCAL)
    with host("b"):
        jobs.resume(run.id, access=LOCAL)
        assert jobs.wait(run.id, 60, access=LOCAL).result["first"] == 0
        (event,) = jobs.events(run.id, phase="start", access=LOCAL)
        assert (event.attempt, "starts from the beginning" in event.message) == (2, True)
