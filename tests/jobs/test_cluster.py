"""Runs on a cluster of two Ray nodes, with PostgreSQL and an S3 server under them, all on this machine."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core import deletion, jobs
from core.access import LOCAL
from core.catalog import Run, RunState, checkpoints, datasets
from core.errors import LimitError
from core.jobs import Needs
from core.settings import get_settings
from core.tasks import check, ingest
from core.upkeep import collect, purge, trim_cache
from tests.jobs.cluster import Cluster, Gate
from tests.ray_nodes import ray_cluster
from tests.servers import KEYS, moto, postgresql_server

pytest.importorskip("ray", reason="pip install -r requirements-cluster.txt")


ROOT = Path(__file__).parents[2]
NODES = ("one", "two", "three", "four")


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
        try:
            made.add("one", cpus=1)
        except RuntimeError as error:
            pytest.skip(f"no node of Ray starts on this machine: {error}")
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
    assert jobs.engine_trouble() is None


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


@pytest.mark.nightly
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


@pytest.mark.nightly
def test_a_run_that_works_elsewhere_is_cancelled_and_its_log_is_read_meanwhile(server: Cluster) -> None:
    run_id = jobs.submit("later", {"text": "plumb", "pause_s": 60}, needs=Needs(cpus=2, memory_mb=500), access=LOCAL)
    wait_for(lambda: "a line for the log" in jobs.log(run_id, access=LOCAL))
    assert jobs.get(run_id, access=LOCAL).state is RunState.RUNNING
    began = time.monotonic()
    jobs.cancel(run_id, access=LOCAL)
    assert ended(run_id).state is RunState.CANCELLED
    assert time.monotonic() - began < 10
    assert "a line for the log" in jobs.log(run_id, access=LOCAL), "it is kept when the node has nothing of the run"
    until_gone(run_id)
    assert list((server.home("two") / "runs").rglob("*")) == []


@pytest.mark.nightly
def test_runs_wait_while_the_engine_is_away(
    server: Cluster, installation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(server.ray.dashboard_port)
    shared = {name: server.environment[f"PLUMBLINE_{name}"] for name in ("DATABASE", "STORAGE")}
    engine = f"ray://127.0.0.1:{gate.port}"
    with installation(server.home("server"), ENGINE=engine, ENGINE_TOKEN=server.ray.token, **shared):
        first = submit(steps=100, pause=0.1)
        working(first)
        gate.close()
        later = submit()
        began = time.monotonic()
        wait_for(lambda: time.monotonic() - began > 60, 120)
        trouble = jobs.engine_trouble()
        assert trouble is not None
        assert f"The Ray cluster at 127.0.0.1:{gate.port} cannot be reached" in trouble.message
        run = jobs.get(later, access=LOCAL)
        assert (run.state, run.started_at, run.failed_placements) == (RunState.QUEUED, None, 0)
        assert "cannot be reached" in (jobs.describe_wait(run) or "")
        assert jobs.get(first, access=LOCAL).state is RunState.SUCCEEDED, "a run that works needs no engine"
        gate.open()
        assert ended(later).state is RunState.SUCCEEDED
        assert jobs.engine_trouble() is None
        gate.close()


@pytest.mark.nightly
def test_a_node_whose_clock_is_a_minute_ahead_or_behind_works_as_any(
    server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for offset in ("+60s", "-60s"):
        python = tmp_path / f"python{offset}"
        python.write_text(f'#!/bin/sh\nexec faketime -f {offset} {sys.executable} "$@"\n')
        python.chmod(0o755)
        monkeypatch.setenv("PLUMBLINE_NODE_PYTHON", str(python))
        get_settings.cache_clear()
        run_id = submit(steps=80, pause=0.1)
        run = ended(run_id)
        assert (run.state, run.attempt) == (RunState.SUCCEEDED, 1), jobs.log(run_id, access=LOCAL)
        assert 8 < run.elapsed_s < 30
        moments = [event.at for event in jobs.events(run_id, access=LOCAL)]
        assert abs(abs(moments[-1] - time.time()) - 60) < 20, "its clock was another one"


@pytest.mark.nightly
def test_equal_process_ids_on_two_nodes_are_two_runs(
    server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec unshare --pid --fork --mount-proc --kill-child {sys.executable} "$@"\n')
    python.chmod(0o755)
    if subprocess.run([str(python), "-c", ""]).returncode:
        pytest.skip("a space of process ids cannot be made here")
    monkeypatch.setenv("PLUMBLINE_NODE_PYTHON", str(python))
    get_settings.cache_clear()
    ids = [submit(steps=100, pause=0.1, needs=Needs(cpus=cpus, memory_mb=500)) for cpus in (2, 1)]
    for run_id in ids:
        working(run_id)
    both = [jobs.get(run_id, access=LOCAL) for run_id in ids]
    assert both[0].monitor_pid == both[1].monitor_pid
    assert both[0].host_id != both[1].host_id
    for run_id in ids:
        run = ended(run_id)
        assert (run.state, run.attempt) == (RunState.SUCCEEDED, 1)
        assert len(jobs.events(run_id, access=LOCAL)) == 100


@pytest.mark.nightly
def test_two_servers_start_each_run_once(server: Cluster) -> None:
    variables = {name: value for name, value in os.environ.items() if name.startswith(("PLUMBLINE_", "AWS_"))}
    code = "import time; from core import jobs\nwhile True:\n    jobs.tick()\n    time.sleep(0.05)"
    servers = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, **variables, "PLUMBLINE_HOME": str(server.home(f"server{number}"))},
        )
        for number in range(2)
    ]
    try:
        ids = [submit(steps=2, needs=Needs(cpus=1, memory_mb=100)) for _ in range(12)]
        ends = [ended(run_id, 180) for run_id in ids]
    finally:
        for process in servers:
            process.terminate()
            process.wait()
    assert {(run.state, run.attempt, run.placements) for run in ends} == {(RunState.SUCCEEDED, 1, 1)}
    assert {len(jobs.events(run_id, access=LOCAL)) for run_id in ids} == {2}
    placed = sorted(ends, key=lambda run: run.placed_at or 0.0)
    assert [run.id for run in placed] == ids, "they were placed in their order"


@pytest.mark.nightly
def test_a_run_waits_for_a_store_that_is_away(server: Cluster) -> None:
    run_id = jobs.submit("later", {"text": "plumb", "pause_s": 5}, access=LOCAL)
    wait_for(lambda: jobs.get(run_id, access=LOCAL).state is RunState.RUNNING)
    server.storage.close()
    try:
        time.sleep(30)
        assert jobs.get(run_id, access=LOCAL).state is RunState.RUNNING
    finally:
        server.storage.open()
    run = ended(run_id)
    assert (run.state, run.error_message, run.attempt) == (RunState.SUCCEEDED, None, 1)
    assert jobs.artifact_path(run_id, "table", access=LOCAL).read_bytes() == b"plumb"


@pytest.mark.nightly
def test_a_deletion_leaves_no_copy_on_any_node(server: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_ENGINE_LANES", "all")
    monkeypatch.setenv("PLUMBLINE_CONTENT_GRACE_S", "0")
    get_settings.cache_clear()
    rows = "\n".join(f"{number},secret-{number:04},{number % 2}" for number in range(400))
    file = io.BytesIO(f"number,word,label\n{rows}\n".encode())
    imported = ended(ingest.submit_upload(file, "secret.csv", access=LOCAL))
    assert imported.state is RunState.SUCCEEDED, (imported.error_message, jobs.log(imported.id, access=LOCAL))
    assert imported.node
    dataset = datasets.get((imported.result or {})["dataset_id"], access=LOCAL)
    checked = ended(check.submit(dataset, "label", access=LOCAL))
    assert checked.state is RunState.SUCCEEDED, checked.error_message
    until_gone(checked.id)
    assert copies(server, *NODES) == []
    deletion.delete("dataset", dataset.id, access=LOCAL)
    purge(after_s=0)
    for _ in range(2):  # set aside, then removed
        time.sleep(0.05)
        collect(grace_s=0)
    trim_cache()
    assert copies(server, *NODES) == []
    kept = {path.name for path in (server.home("server") / "cache").glob("*")}
    assert not kept & {dataset.data_digest, dataset.profile_digest, dataset.upload_digest}
    assert not list((server.home("server") / "uploads").glob("*"))


def copies(cluster: Cluster, *names: str) -> list[str]:
    """Return the files in the homes of nodes that have what was imported."""
    homes = [cluster.home(name) for name in names]
    files = [path for home in homes for path in home.rglob("*") if path.is_file()]
    return [str(path) for path in files if b"secret-0" in path.read_bytes() or path.parent.name == "cache"]
