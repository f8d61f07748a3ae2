"""The nodes of a cluster that a search works on: which there are, and which worker is on which of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from core.automl._settings import AutoMLSettings
from core.automl.tuning.processes import HelperProcess
from core.automl.tuning.remote_process import RemoteProcess
from core.automl.tuning.shared_data import SharedData
from core.automl.tuning.worker import WORKER_MODULE, SearcherProcess, WorkerHandle
from core.cluster import Cluster, connect_cluster
from core.datasets import Finding
from core.node_folder import remove_unused

__all__ = ["SearchNodes", "search_nodes"]

_WAIT_S = 10.0  # for other nodes, at most
_BUDGET_SHARE = 0.1  # of the time budget, at most
_REMOVE_S = 3.0
_SEARCHER_MB = 700
"""Memory of a searcher, which is its libraries for most tables."""


@dataclass
class SearchNodes:
    """Workers of a search on one or several nodes.

    Parameters
    ----------
    workers : list of WorkerHandle
        The workers, in the order of their turns.
    nodes : int
        Number of nodes that they are on.
    findings : list of Finding
        Finding about nodes that were asked for and are not there.
    """

    workers: list[WorkerHandle]
    nodes: int = 1
    findings: list[Finding] = field(default_factory=list)


@contextlib.contextmanager
def search_nodes(settings: AutoMLSettings, folder: Path) -> Iterator[SearchNodes]:
    """Start the workers of a search, which wait for their plans, and end them after the block.

    Worker 0 and every n-th after it are processes of this machine, the others are actors on other nodes. Without a time
    budget there are as many workers as the settings say, whatever nodes there are, each with the same number of cores:
    the trials are the same on one node and on several.

    Parameters
    ----------
    settings : AutoMLSettings
        Settings of the search.
    folder : Path
        Folder of the search.

    Raises
    ------
    SettingsError
        When the settings ask for several nodes and this process does not run on a cluster.
    """
    with contextlib.ExitStack() as stack:
        nodes = SearchNodes([])
        stack.callback(_close, nodes)
        if settings.nodes == 1:
            for index in range(settings.searchers):
                nodes.workers.append(WorkerHandle(folder / f"searcher{index}"))
        else:
            nodes.workers.append(WorkerHandle(folder / "searcher0"))  # it loads its libraries while this one connects
            cluster = stack.enter_context(connect_cluster(settings.nodes))
            _start_on_nodes(settings, folder, cluster, nodes, stack)
        yield nodes


def _start_on_nodes(
    settings: AutoMLSettings, folder: Path, cluster: Cluster, nodes: SearchNodes, stack: contextlib.ExitStack
) -> None:
    own_cores = cluster.own_cores()
    others = cluster.other_nodes()
    fixed = max(1, own_cores // max(1, -(-settings.searchers // settings.nodes)))
    if settings.time_budget_s is None:
        # The trials depend on the number of cores of a worker, and so that must not depend on the nodes there are.
        others = [node for node in others if node.free_cores >= fixed]
    others = others[: settings.nodes - 1]
    cores = [own_cores, *(min(own_cores, int(node.free_cores)) for node in others)]
    wait_s = min(_WAIT_S, _BUDGET_SHARE * (settings.time_budget_s or 60 * _WAIT_S))
    memory_mb = _SEARCHER_MB * -(-settings.searchers // settings.nodes)
    strategies = stack.enter_context(cluster.reserve(cores[1:], wait_s, memory_mb=memory_mb))
    cores = cores[: 1 + len(strategies)]
    nodes.nodes = len(cores)
    if nodes.nodes < settings.nodes:
        nodes.findings.append(_fewer_nodes(settings.nodes, nodes.nodes))
    count = worker_count(settings, nodes.nodes)
    per_node = [len(range(index, count, nodes.nodes)) for index in range(nodes.nodes)]
    shares = [max(1, node_cores // max(1, number)) for node_cores, number in zip(cores, per_node, strict=True)]
    if settings.time_budget_s is None:
        shares = [fixed] * len(shares)
    data = SharedData(folder, cluster.ray)
    used: list[RemoteProcess] = []
    stack.callback(_clean, cluster, used, data)
    stack.callback(_close, nodes)  # workers end before their files are removed and their cores given back
    nodes.workers[0].jobs = shares[0]
    for index in range(1, count):
        node = index % nodes.nodes
        start: Callable[[Path], SearcherProcess] | None = None
        if node:
            # Of more searchers than cores, each has a part of one.
            number = min(shares[node], max(0.01, int(100 * cores[node] / per_node[node]) / 100))
            start = partial(_start_remote, cluster, strategies[node - 1], number, data, used)
        nodes.workers.append(WorkerHandle(folder / f"searcher{index}", start, shares[node]))


def worker_count(settings: AutoMLSettings, nodes: int) -> int:
    """Return how many workers a search has on the nodes there are.

    Parameters
    ----------
    settings : AutoMLSettings
        Settings of the search.
    nodes : int
        Number of nodes.

    Examples
    --------
    >>> worker_count(AutoMLSettings(target="y", time_budget_s=None, max_trials=9, nodes=3), 2)
    3
    """
    if settings.time_budget_s is None:  # where the trials do not depend on the nodes there are
        return settings.searchers
    return settings.model_copy(update={"nodes": nodes}).searchers


def _start_remote(
    cluster: Cluster, strategy: Any, cores: float, data: SharedData, used: list[RemoteProcess], folder: Path
) -> SearcherProcess:
    """Start a searcher on another node, and on this one where the nodes left have no room for it."""
    own = [process for process in used if process.folder == folder]
    if own and own[-1].never_started:
        return HelperProcess(WORKER_MODULE, folder)
    process = RemoteProcess(folder, cluster, strategy, cores, data)
    used.append(process)
    return process


def _close(nodes: SearchNodes) -> None:
    for worker in nodes.workers:
        worker.close()


def _clean(cluster: Cluster, used: list[RemoteProcess], data: SharedData) -> None:
    """Remove what the searchers have left on their nodes."""
    if not data.digest:
        return
    node_ids = {process.node_id for process in used if process.node_id is not None}
    alive = {node.id for node in cluster.nodes()}
    cluster.run_on(sorted(node_ids & alive), remove_unused, f"data-{data.digest}", _REMOVE_S)


def _fewer_nodes(asked: int, nodes: int) -> Finding:
    have = "one node" if nodes == 1 else f"{nodes} nodes"
    return Finding(
        "nodes",
        "notice",
        None,
        f"The search worked on {have} and not on {asked}: no other nodes of the cluster had a free core.",
        "Start it when the cluster has less to do, or add nodes to the cluster.",
        {"asked": asked, "nodes": nodes},
    )
