"""A search on several nodes of a Ray cluster: the same trials as on one machine, and what happens when parts end.

The nodes are on this machine, with a core each as far as the cluster knows.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from core import node_folder
from core.datasets import load_sample
from tests.ray_nodes import ray_cluster

pytestmark = pytest.mark.nightly

FIXED = {"time_budget_s": None, "folds": 2, "early_stopping": False, "ensemble": False}
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def cluster():
    with ray_cluster() as nodes:
        nodes.add(cpus=1)
        nodes.add(cpus=1)
        yield nodes


@pytest.fixture
def on_cluster(monkeypatch):
    """Make this process one that runs on a cluster."""

    def use(nodes):
        for name, value in (nodes.variables() | {"RAY_ADDRESS": nodes.address}).items():
            monkeypatch.setenv(name, value)

    return use


def actors():
    """Return the processes of searchers on nodes."""
    names = ((process, process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
    return [process for process, name in names if any("SearchActor" in part for part in name)]


def unpacked():
    root = node_folder._root()
    return sorted(path.name for path in root.iterdir() if path.name != "folders")


def outcome(result):
    return [(trial["trial"], trial["learner"], trial["config"], trial["score"]) for trial in result.trials]


def test_two_nodes_do_the_trials_of_two_searchers(cluster, on_cluster, run_search, diabetes):
    values = FIXED | {"target": "progression", "max_trials": 9, "learners": ("lgbm", "rf", "xgboost"), "ensemble": True}
    one = run_search(diabetes.frame, max_concurrent_trials=2, **values).result
    on_cluster(cluster)
    during = []
    searched = run_search(diabetes.frame, nodes=2, watch=lambda _: during.append(len(actors())), **values)
    two = searched.result
    assert outcome(two) == outcome(one)
    assert two.winner["config"] == one.winner["config"]
    assert next(event.message for event in searched.events if event.phase == "search").endswith(", on 2 nodes")
    assert max(during) == 1, "the searcher of the second node"
    assert (actors(), searched.left, unpacked()) == ([], [], [])


def test_with_a_budget_both_nodes_do_trials(cluster, on_cluster, run_search, yes_or_no, tmp_path):
    on_cluster(cluster)
    searched = run_search(
        yes_or_no,
        target="y",
        nodes=2,
        max_concurrent_trials=2,
        time_budget_s=120,
        max_trials=12,
        early_stopping=False,
        folds=2,
        workdir=tmp_path,
    )
    assert (searched.result.stop_code, len(searched.result.trials)) == ("trials", 12)
    done = [(tmp_path / f"searcher{index}" / "events.jsonl").read_text().count('"trial", "trial"') for index in (0, 1)]
    assert min(done) > 0, "by each node"


def test_a_trial_over_its_limit_ends_and_its_node_continues(cluster, on_cluster, run_search, quick):
    learner, config = quick
    configs = [[learner, config | {"n_estimators": 5 + index}] for index in range(8)]
    configs[3] = [learner, config | {"n_estimators": 10_000_000}]
    configs[5] = [learner, config | {"subsample": 7.0}]
    on_cluster(cluster)
    searched = run_search(
        load_sample("wine").frame, target="cultivar", nodes=2, trial_timeout_s=5, max_trials=8, configs=configs, **FIXED
    )
    trials = searched.result.trials
    assert [[trial["learner"], trial["config"]] for trial in trials] == configs
    statuses = [trial["status"] for trial in trials]
    assert statuses == ["finished"] * 3 + ["timed_out", "finished", "failed", "finished", "finished"]
    assert "its limit of 5 s" in trials[3]["message"]


def test_fewer_nodes_than_asked_for_are_said_and_used(cluster, on_cluster, run_search, quick):
    learner, config = quick
    configs = [[learner, config | {"n_estimators": 5 + index}] for index in range(6)]
    on_cluster(cluster)
    searched = run_search(load_sample("wine").frame, target="cultivar", nodes=3, max_trials=6, configs=configs, **FIXED)
    assert [trial["config"] for trial in searched.result.trials] == [config for _, config in configs]
    (finding,) = [finding for finding in searched.result.findings if finding.check == "nodes"]
    assert finding.message.startswith("The search worked on 2 nodes and not on 3")


@pytest.mark.parametrize("spare", [True, False], ids=["another node", "no other node"])
def test_a_node_that_is_lost_costs_one_trial(cluster, on_cluster, run_search, quick, spare, monkeypatch):
    monkeypatch.setattr("core.automl.tuning.remote_process.START_S", 12)
    learner, config = quick
    configs = [[learner, config | {"n_estimators": 5 + index}] for index in range(8)]
    configs[3] = [learner, config | {"n_estimators": 10_000_000}]
    with ray_cluster() as nodes:
        nodes.token = cluster.token  # which Ray reads once per process
        nodes.add(cpus=1)
        lost = nodes.add(cpus=1)
        on_cluster(nodes)
        killed = []

        def kill(event):
            if event.values.get("trial") == 3 and not killed:
                time.sleep(2)
                killed.append(lost.kill())
                if spare:
                    nodes.add(cpus=1)

        searched = run_search(
            load_sample("wine").frame,
            watch=kill,
            target="cultivar",
            nodes=2,
            max_trials=8,
            trial_timeout_s=120,
            configs=configs,
            **FIXED,
        )
    trials = searched.result.trials
    assert [trial["status"] for trial in trials] == ["finished"] * 3 + ["failed"] + ["finished"] * 4
    assert trials[3]["message"].startswith("its process was ended")
    assert [trial["config"] for trial in trials] == [config for _, config in configs]
    assert actors() == []


def test_nothing_of_a_search_that_is_killed_is_left(cluster, on_cluster, tmp_path):
    """The process of the search ends at once, without a chance to close anything."""
    on_cluster(cluster)
    script = (
        "from core.automl import AutoMLSettings, search\n"
        "from core.datasets import load_sample\n"
        "values = dict(target='progression', nodes=2, time_budget_s=600, early_stopping=False)\n"
        "search(load_sample('diabetes').frame, AutoMLSettings(**values))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=os.environ.copy())
    _wait(lambda: actors() and unpacked())
    process.kill()
    process.wait()
    _wait(lambda: not actors())
    _wait(lambda: node_folder.remove_unused("", 0) or not unpacked())  # as the next search of a node does


def _wait(condition):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)
