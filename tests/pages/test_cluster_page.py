"""Pages of an installation that places runs on a cluster: nodes and queue, what a run needs, what it waits for."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import Run, RunState, runs
from core.jobs import placing
from core.settings import get_settings
from tests.answers import answering
from tests.pages.conftest import World, labels, texts, visit
from tests.ray_nodes import free_port

NODES = ("a" * 56, "b" * 56)


def node(name: str, number: int, **resources: float) -> dict[str, Any]:
    """Return a node as Ray's dashboard has it."""
    raylet = {"nodeId": NODES[number], "state": "ALIVE", "resourcesTotal": resources}
    return {"hostname": name, "raylet": raylet}


@pytest.fixture
def cluster(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """A cluster that takes jobs and never starts one; what it was asked."""
    gigabyte = 1e9
    nodes = [node("node-1", 0, CPU=8, memory=32 * gigabyte), node("node-2", 1, CPU=4, GPU=1, memory=16 * gigabyte)]
    usage = {NODES[0]: {"CPU": [2.0, 8.0], "memory": [4 * gigabyte, 32 * gigabyte]}}
    usage[NODES[1]] = {"CPU": [0.0, 4.0], "GPU": [0.0, 1.0], "memory": [0.0, 16 * gigabyte]}
    types = {"nodeTypeMapping": {name: f"node_{name}" for name in NODES}}
    report = {"loadMetricsReport": {"usageByNode": usage}, "autoscalerReport": types}
    answers = {
        ("GET", "/nodes?view=summary"): (200, {"data": {"summary": nodes}}),
        ("GET", "/api/cluster_status"): (200, {"data": {"clusterStatus": report}}),
        ("POST", "/api/jobs/"): (200, {"submission_id": "x"}),
    }
    with answering(answers) as (address, requests):
        monkeypatch.setenv("PLUMBLINE_ENGINE", f"ray://{address}")
        monkeypatch.delenv("PLUMBLINE_MAX_RUNNING")
        get_settings.cache_clear()
        # Nobody looks at what was asked for: the cluster would be asked about jobs that it does not know.
        monkeypatch.setattr(placing, "look_after", lambda: None)
        yield requests


def queued(world: World, **fields: Any) -> Run:
    """Store a run that waits."""
    values = {"workspace": "local", "task": "automl", "title": "One that waits", "dataset_id": world.credit.id}
    run = Run(**values | {"cpus": 2, "needs_mb": 2_000} | fields)
    return runs.add(run, access=dataclasses.replace(LOCAL, workspace=run.workspace))


def test_the_cluster_has_its_nodes_and_what_works_and_waits(world: World, cluster: list[Any]) -> None:
    queued(world)
    queued(world, workspace="another", title="What others do")
    lease = time.time() + 600
    working = {"state": RunState.RUNNING, "claim_token": "t", "lease_until": lease, "host_id": "x", "node": "node-1"}
    queued(world, title="One that works", started_at=time.time(), **working)
    test = visit("runs", tab="Cluster")
    assert not test.exception
    assert {metric.label: metric.value for metric in test.metric} == {
        "Nodes": "2",
        "CPUs in use": "2 of 12",
        "GPUs": "1",
        "Memory": "48.0 GB",
    }
    nodes, works, waits = (frame.value for frame in test.dataframe)
    assert nodes.to_dict("records") == [
        {"Node": "node-1", "CPUs": "2 of 8", "GPUs": "0 of 0", "Memory (GB)": "4 of 32", "Runs": 1},
        {"Node": "node-2", "CPUs": "0 of 4", "GPUs": "0 of 1", "Memory (GB)": "0 of 16", "Runs": 0},
    ]
    assert works["Run"].tolist() == ["One that works"]
    assert works["Computer"].tolist() == ["node-1"]
    assert sorted(waits["Run"]) == ["A run of another workspace", "One that waits"]
    assert set(waits["State"]) == {"Waiting for a node"}
    assert "What others do" not in texts(test)


def test_without_an_engine_there_is_no_cluster(world: World) -> None:
    test = visit("runs", tab="Cluster")
    assert not test.exception
    assert not test.metric
    assert "Cluster" not in [tab.label for tab in test.tabs]


def test_a_run_that_was_placed_says_what_it_waits_for(world: World, cluster: list[Any]) -> None:
    run = queued(world)
    test = visit("runs", run=run.id)
    assert "Waiting for a node of the Ray cluster at 127.0.0.1:" in texts(test)
    assert "with 2 CPUs and 2.1 GB of memory." in texts(test)
    [(*_, body)] = [request for request in cluster if request[0] == "POST"]
    assert (body["entrypoint_num_cpus"], body["entrypoint_memory"]) == (2, 2_000 * 2**20)


def test_a_cluster_that_is_away_is_named_and_the_run_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_ENGINE", f"ray://127.0.0.1:{free_port()}")
    get_settings.cache_clear()
    run = queued(world)
    test = visit("runs", run=run.id)
    assert not test.exception
    assert "cannot be reached: Connection refused. Runs wait until it answers." in texts(test)
    assert jobs.get(run.id, access=LOCAL).state is RunState.QUEUED
    assert "cannot be reached" in visit("runs", tab="Cluster").error[0].value


def test_the_form_of_a_search_says_what_it_needs(world: World, cluster: list[Any]) -> None:
    test = visit("automl", dataset=world.credit.id, target=world.credit.roles.get("target", "credit"))
    assert not test.exception
    assert "Resources: 2 CPUs and 2.3 GB of memory" in [expander.label for expander in test.expander]
    fields = {field.label: field for field in test.number_input}
    assert (fields["CPUs"].value, fields["GPUs"].value, fields["Memory (GB)"].value) == (2, 0, 2.3)
    [nodes] = [box for box in test.selectbox if box.label == "Nodes"]
    assert nodes.options == ["1", "2"]
    fields["CPUs"].set_value(16)
    test.run()
    assert "No node of the cluster has 16 CPUs" in texts(test)


def test_a_training_asks_for_a_gpu_where_a_node_has_one(world: World, cluster: list[Any]) -> None:
    settings = {"base_model": "minilm-l6", "nodes": 1}
    needs = jobs.estimate_needs("finetune", settings, world.reviews.id, access=LOCAL)
    assert (needs.cpus, needs.gpus) == (4, 1)
    assert jobs.estimate_needs("finetune", settings | {"nodes": 2}, world.reviews.id, access=LOCAL).gpus == 0
    assert dataclasses.replace(needs, memory_mb=0).fit(cpus=4, gpus=1, memory_mb=0)
    assert "Resources" not in labels(visit("finetune", dataset=world.reviews.id))
