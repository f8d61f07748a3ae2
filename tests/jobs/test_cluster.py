"""Runs on a cluster of two Ray nodes, with PostgreSQL and an S3 server under them, all on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import Run, RunState
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


def test_a_run_works_on_the_node_that_has_what_it_needs(server: Cluster) -> None:
    began = time.monotonic()
    run = ended(submit(needs=Needs(cpus=2, memory_mb=500)))
    assert (run.state, run.error_message) == (RunState.SUCCEEDED, None)
    assert run.result == {"counted": 3, "first": 0, "stopped": False}
    assert (run.node, run.engine, run.attempt) == ("two", server.ray.engine, 1)
    assert [event.message for event in jobs.events(run.id, access=LOCAL)] == ["Step 1", "Step 2", "Step 3"]
    print(time.monotonic() - began)


def test_a_run_that_no_node_can_hold_is_refused(server: Cluster) -> None:
    with pytest.raises(LimitError) as raised:
        submit(needs=Needs(cpus=4, memory_mb=500))
    assert "needs 4 CPUs and" in raised.value.message
    assert "the largest has 2 CPUs and 4.2 GB of memory" in raised.value.message
    assert placing.trouble() is None
