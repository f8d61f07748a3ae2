"""What a search on several nodes needs besides a cluster: folders of a node, messages, numbers of workers, errors."""

import multiprocessing
import time

import pytest

from core import node_folder
from core.automl import AutoMLSettings, Trial, search
from core.automl.tuning.search_nodes import worker_count
from core.automl.tuning.warm_start import LIMITS
from core.automl.tuning.worker_plan import WorkerPlan, worker_plan
from core.datasets import load_sample
from core.errors import SettingsError, StorageError


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(node_folder.tempfile, "gettempdir", lambda: str(tmp_path))
    return node_folder._root()


def hold(name, filled, claimed, release):
    def fill(folder):
        (folder / "content").write_text("x")
        filled.value += 1

    node_folder.claim_folder(name, fill)
    claimed.set()
    release.wait(30)


def names(root):
    return {path.name for path in root.iterdir()} - {"folders"}


def test_a_folder_is_filled_once_and_stays_as_long_as_a_process_uses_it(root):
    fork = multiprocessing.get_context("fork")
    filled, releases, processes = fork.Value("i", 0), [], []
    for _ in range(2):
        claimed, release = fork.Event(), fork.Event()
        process = fork.Process(target=hold, args=("data-1", filled, claimed, release))
        process.start()
        assert claimed.wait(30)
        releases.append(release)
        processes.append(process)
    assert filled.value == 1
    assert names(root) == {"data-1", "data-1.lock"}
    processes[0].kill()
    processes[0].join()
    node_folder.remove_unused("data-1", 0)
    assert (root / "data-1" / "content").read_text() == "x"
    releases[1].set()
    node_folder.remove_unused("data-1", 10)
    processes[1].join()
    assert names(root) == set()


def test_others_cannot_read_it_and_a_folder_of_others_is_refused(root, monkeypatch):
    assert root.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(node_folder.os, "getuid", lambda: 12345)
    (root.parent / "plumbline-nodes-12345").mkdir()
    with pytest.raises(StorageError, match="belongs to another user"):
        node_folder.remove_unused("data-1", 0)


def test_a_plan_counts_its_seconds_by_the_clock_of_the_node(tmp_path, monkeypatch):
    settings = AutoMLSettings(target="y", time_budget_s=60, nodes=2, max_concurrent_trials=2)
    trials = [Trial(1, "rf", {"max_leaves": 4}, "finished", score=0.5)]
    plan = worker_plan(1, settings, tmp_path, "roc_auc", trials, None, left_s=50.0, searchers=2, jobs=3)
    message = plan.to_message()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 1_000_000)  # another machine, which started earlier
    own = WorkerPlan.from_message(message, tmp_path / "data", tmp_path / "favorite")
    assert own.until - time.monotonic() == pytest.approx(50, abs=1)
    assert (own.data, own.favorite) == (str(tmp_path / "data"), str(tmp_path / "favorite"))
    assert (own.jobs, own.warm_start, own.learners, own.explores) == (3, trials, plan.learners, False)


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ({"nodes": 3}, (4, 8, 12)),
        ({"nodes": 3, "max_concurrent_trials": 2}, (2, 2, 2)),
        ({"nodes": 3, "time_budget_s": None, "max_trials": 9}, (3, 3, 3)),
    ],
)
def test_a_search_has_as_many_workers_as_its_nodes_have_unless_its_trials_are_fixed(values, counts, monkeypatch):
    monkeypatch.setattr("core.automl._settings.usable_cores", lambda: 16)
    settings = AutoMLSettings(target="y", **values)
    assert tuple(worker_count(settings, nodes) for nodes in (1, 2, 3)) == counts


def test_nodes_are_a_limit_that_may_differ_when_a_search_is_continued():
    assert "nodes" in LIMITS


def test_several_nodes_without_a_cluster_are_refused(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    settings = AutoMLSettings(target="progression", nodes=2)
    with pytest.raises(SettingsError, match=r"does not run on a Ray cluster.*PLUMBLINE_ENGINE"):
        search(load_sample("diabetes").frame, settings)


def test_without_ray_the_requirements_are_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    settings = AutoMLSettings(target="progression", nodes=2)
    with pytest.raises(SettingsError, match=r"needs Ray.*requirements-cluster\.txt"):
        search(load_sample("diabetes").frame, settings)
