"""Runs on a cluster of two Ray nodes, with PostgreSQL and an S3 server under them, all on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import Run, RunState, checkpoints
from core.errors import LimitError
from core.jobs import Needs, placing
from tests.jobs.cluster import Cluster, Gate
from tests.ray_nodes import ray_cluster
from tests.servers import KEYS, moto, postgresql_server

pytest.importorskip("ray", reason="pip install -r requirements-cluster.txt")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Nodes `one` (1 CPU) and `two` (2 CPUs), each with a home of its own, and what they share."""
    import s3fs

    folder = tmp_path_factory.mktemp("cluster")
    with postgresql_server() as server, moto(folder) as address, ray_cluster() as ray:
        gate = Gate(int(address.rsplit(":", 1)[1]))
        environment = {
            **KEYS,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{gate.port}",
            "PLUMBLINE_DATABASE": server.replace("postgresql://", "postgresql+psycopg://"),
            "PLUMBLINE_STORAGE": "s3://plumb",
            "PLUMBLINE_LEASE_S": "2",
            "PLUMBLINE_GRACE_S": "1",
            "PLUMBLINE_TASK_PACKAGES": '["core.tasks", "tests.jobs.job_tasks"]',
        }
        s3fs.S3FileSystem(endpoint_url=address, key="testing", secret="testing").mkdir("plumb")
        made = Cluster(ray, folder, environment, gate)
        made.add("one", cpus=1)
        made.add("two", cpus=2)
        yield made


@pytest.fixture
def server(cluster: Cluster, installation: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """An installation that uses the cluster, as its web server does."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    for name in (*KEYS, "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, cluster.environment[name])
    shared = {name: cluster.environment[f"PLUMBLINE_{name}"] for name in ("DATABASE", "STORAGE")}
    token = cluster.ray.token
    with installation(cluster.home("server"), ENGINE=cluster.ray.engine, ENGINE_TOKEN=token, **shared):
        yield cluster


def ended(run_id: str, timeout: float = 60.0) -> Run:
    """Wait for the end of a run."""
    return jobs.wait(run_id, timeout, access=LOCAL)


def submit(steps: int = 3, pause: float = 0.05, **options: Any) -> str:
    """Submit a run that counts."""
    return jobs.submit("count", {"steps": steps, "pause": pause}, access=LOCAL, **options)


def wait_for(condition: Callable[[], Any], timeout: float = 30.0) -> Any:
    """Wait until a condition holds while the queue is looked after, as a server does; return its value."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"it did not come true in {timeout:g} s"
        jobs.tick()
        time.sleep(0.1)
    return value


def working(run_id: str) -> Run:
    """Wait until a run works, and return it."""
    wait_for(lambda: jobs.events(run_id, access=LOCAL) or jobs.get(run_id, access=LOCAL).state.terminal)
    run = jobs.get(run_id, access=LOCAL)
    assert run.state is RunState.RUNNING, (run.state, run.error_message, jobs.log(run_id, access=LOCAL))
    return run


def until_gone(run_id: str) -> None:
    """Wait until the engine has no job for a run any more."""
    wait_for(lambda: not jobs.get(run_id, access=LOCAL).handle)


def test_a_run_works_on_the_node_that_has_what_it_needs(server: Cluster) -> None:
    run = ended(submit(needs=Needs(cpus=2, memory_mb=500)))
    assert (run.state, run.error_message) == (RunState.SUCCEEDED, None), jobs.log(run.id, access=LOCAL)
    assert run.result == {"counted": 3, "first": 0, "stopped": False}
    assert (run.node, run.engine, run.attempt) == ("two", server.ray.engine, 1)
    assert [event.message for event in jobs.events(run.id, access=LOCAL)] == ["Step 1", "Step 2", "Step 3"]


def test_a_run_that_no_node_can_hold_is_refused(server: Cluster) -> None:
    with pytest.raises(LimitError) as raised:
        submit(needs=Needs(cpus=4, memory_mb=500))
    assert "needs 4 CPUs and" in raised.value.message
    assert "the largest has 2 CPUs and 4.2 GB of memory" in raised.value.message
    assert placing.trouble() is None


def test_a_run_that_waits_for_a_node_takes_no_time_and_can_be_cancelled(server: Cluster) -> None:
    both = Needs(cpus=2, memory_mb=500)
    first = submit(steps=600, pause=0.05, needs=both)
    working(first)
    waiting = [submit(needs=both, timeout_s=4.0) for _ in range(2)]
    time.sleep(6.0)  # longer than its lease and its limit
    jobs.tick()
    runs_waiting = [jobs.get(run_id, access=LOCAL) for run_id in waiting]
    assert [run.state for run in runs_waiting] == [RunState.QUEUED] * 2
    assert all(run.placed_at is not None and run.elapsed_s == 0 and run.lease_until is None for run in runs_waiting)
    assert jobs.cancel(waiting[0], access=LOCAL).state is RunState.CANCELLED
    assert jobs.cancel(first, access=LOCAL).cancel_requested_at is not None
    assert ended(first).state is RunState.CANCELLED
    last = ended(waiting[1])
    assert (last.state, last.attempt, last.placements) == (RunState.SUCCEEDED, 1, 1)
    assert last.elapsed_s < 4.0
    # Ray leaves a job that waits and is stopped: it starts, shows a void claim and ends.
    until_gone(waiting[0])
    assert jobs.get(waiting[0], access=LOCAL).state is RunState.CANCELLED
    assert jobs.events(waiting[0], access=LOCAL) == []


def test_a_run_whose_node_dies_continues_elsewhere_with_what_it_had(server: Cluster) -> None:
    node = server.add("three", cpus=3)
    run_id = submit(steps=400, pause=0.05, needs=Needs(cpus=3, memory_mb=500))
    working(run_id)
    wait_for(lambda: checkpoints.files(run_id), 30)
    node.kill()
    server.add("four", cpus=3)
    run = ended(run_id, 120)
    assert (run.state, run.attempt, run.node) == (RunState.SUCCEEDED, 2, "four")
    assert run.result is not None
    assert run.result["first"] > 0, "it continued with what the first attempt had stored"
    steps = [event.values["step"] for event in jobs.events(run_id, phase="count", access=LOCAL)]
    assert len(steps) - 400 < 300, "the second attempt did not begin anew"
    assert jobs.events(run_id, phase="start", access=LOCAL)[0].message.startswith("Continuing on another computer")
    assert checkpoints.files(run_id) == {}
