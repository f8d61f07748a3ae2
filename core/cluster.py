"""Other nodes of the Ray cluster that this process runs on: connecting to it, and keeping cores of them for one work.

A run that works on a cluster is a job there, in whose environment Ray says where the cluster is. Ray is imported when
it is asked for, in a run's process: pages never load it.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import RemoteError, SettingsError
from core.resources import usable_cores

__all__ = ["NODE_LABEL", "Cluster", "ClusterNode", "connect_cluster"]

ADDRESS = "RAY_ADDRESS"
"""Variable that Ray sets in the environment of its jobs."""
NODE_LABEL = "ray.io/node-id"
"""Label of each node that holds its id."""
_ROOT = Path(__file__).resolve().parents[1]
_REMOVAL_S = 5.0


@dataclass(frozen=True)
class ClusterNode:
    """A node of the cluster that is alive.

    Parameters
    ----------
    id : str
        Its id in the cluster.
    address : str
        Its address.
    cores : float
        Number of cores that the cluster counts of it.
    free_cores : float
        Number of these that no work holds.
    """

    id: str
    address: str
    cores: float
    free_cores: float


class Cluster:
    """The cluster that this process is connected to.

    Parameters
    ----------
    ray : module
        Ray, connected.

    Attributes
    ----------
    ray : module
        Ray, so that nobody else has to import it.
    node_id : str
        Id of the node that this process runs on.
    """

    def __init__(self, ray: Any) -> None:
        self.ray = ray
        self.node_id: str = ray.get_runtime_context().get_node_id()

    def nodes(self) -> list[ClusterNode]:
        """Return the nodes that are alive, those with the most free cores first."""
        from ray._private.state import available_resources_per_node  # Ray has no other name for it

        free = available_resources_per_node()
        nodes = [
            ClusterNode(
                node["NodeID"],
                node["NodeManagerAddress"],
                node["Resources"].get("CPU", 0.0),
                free.get(node["NodeID"], {}).get("CPU", 0.0),
            )
            for node in self.ray.nodes()
            if node["Alive"]
        ]
        return sorted(nodes, key=lambda node: (-node.free_cores, node.id))

    def other_nodes(self) -> list[ClusterNode]:
        """Return the nodes besides this process's own that have a free core, those with the most of them first."""
        return [node for node in self.nodes() if node.id != self.node_id and node.free_cores >= 1]

    def own_cores(self) -> int:
        """Return how many cores of its own node this process may use."""
        counted = [int(node.cores) for node in self.nodes() if node.id == self.node_id and node.cores >= 1]
        return min([usable_cores(), *counted])

    def is_alive(self, node_id: str) -> bool:
        """Return whether a node is there."""
        return any(node["NodeID"] == node_id and node["Alive"] for node in self.ray.nodes())

    @contextlib.contextmanager
    def reserve(
        self, cores: Sequence[float], timeout_s: float, node_ids: Sequence[str] | None = None, *, memory_mb: float = 0
    ) -> Iterator[list[Any]]:
        """Keep cores and memory of other nodes, each amount on a node of its own, until the end of the block.

        A node that ends is replaced by another one as soon as that has the cores free.

        Parameters
        ----------
        cores : sequence of float
            Number of cores on each node.
        timeout_s : float
            Seconds to wait for them.
        node_ids : sequence of str, optional
            Ids of the nodes; by default any but this process's own.
        memory_mb : float, default=0
            Memory on each node (MB), which other runs do not get then.

        Yields
        ------
        list
            A scheduling strategy of Ray for what works on each node; empty where the cores were not free in time.
        """
        from ray.util.placement_group import placement_group, remove_placement_group
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        if not cores:
            yield []
            return
        memory = {"memory": int(memory_mb * 2**20)} if memory_mb else {}
        group = placement_group(
            [{"CPU": math.ceil(count), **memory} for count in cores],
            strategy="STRICT_SPREAD",
            bundle_label_selector=[{NODE_LABEL: label} for label in node_ids or [f"!{self.node_id}"] * len(cores)],
        )
        try:
            ready, _ = self.ray.wait([group.ready()], timeout=timeout_s)
            yield [
                PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=index)
                for index in range(len(cores) if ready else 0)
            ]
        finally:
            with contextlib.suppress(self.ray.exceptions.RayError):
                remove_placement_group(group)

    def run_on(self, node_ids: Sequence[str], function: Any, *arguments: Any) -> None:
        """Call a function once on each node, without a core of its own, and wait a few seconds for the calls to end."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        remote = self.ray.remote(num_cpus=0, max_retries=0)(function)
        calls = [
            remote.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False)).remote(*arguments)
            for node_id in node_ids
        ]
        if calls:
            self.ray.wait(calls, num_returns=len(calls), timeout=_REMOVAL_S)


@contextlib.contextmanager
def connect_cluster(nodes: int) -> Iterator[Cluster]:
    """Connect to the cluster that this process runs on; what is connected already stays so afterwards.

    Parameters
    ----------
    nodes : int
        Number of nodes that were asked for, which errors name.

    Raises
    ------
    SettingsError
        When Ray is not installed, or this process does not run on a cluster.
    RemoteError
        When the cluster cannot be reached.

    Examples
    --------
    >>> with connect_cluster(2) as cluster:  # doctest: +SKIP
    ...     print(len(cluster.other_nodes()))
    """
    try:
        import ray
    except ImportError as error:
        raise SettingsError(
            f"Work on {nodes} nodes needs Ray, which is not installed here.",
            "Install it on each node, `pip install -r requirements-cluster.txt`, or set nodes to 1.",
        ) from error
    if ray.is_initialized():
        yield Cluster(ray)
        return
    if not os.environ.get(ADDRESS):
        raise SettingsError(
            f"{nodes} nodes were asked for, and this process does not run on a Ray cluster.",
            "Start Plumbline with PLUMBLINE_ENGINE=ray://HOST and without a sandbox for runs, or set nodes to 1.",
        )
    handler = signal.getsignal(signal.SIGTERM)
    if str(_ROOT) not in sys.path:
        sys.path.append(str(_ROOT))  # which Ray hands on to processes of other nodes
    try:
        ray.init(address="auto", log_to_driver=False, configure_logging=False)
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise RemoteError(
            f"The Ray cluster that this process runs on cannot be reached ({reason}).",
            "Look at the nodes with `ray status`, and start the run again.",
        ) from error
    try:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # Ray's would end the process before it can put its folder in order
        yield Cluster(ray)
    finally:
        ray.shutdown()
