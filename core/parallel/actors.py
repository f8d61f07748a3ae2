"""Lanes on other nodes of a cluster: actors of Ray, which end with the process that they work for."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.cluster import Cluster, connect_cluster
from core.parallel.lanes import ONE_THREAD, LostLaneError, unpack_answer
from core.parallel.messages import Answer, answer

__all__ = ["ActorLane", "LaneActor", "lanes_on_nodes"]

_WAIT_S = 10.0
_START_S = 120.0
R = TypeVar("R")


class LaneActor:
    """What an actor does.

    Parameters
    ----------
    shared : array of uint8
        Further arguments of each call, as `dumps` returns them.
    """

    def __init__(self, shared: NDArray[np.uint8]) -> None:
        self._shared: tuple[object, ...] = pickle.loads(shared.data)

    def ready(self) -> None:
        """Return once the actor has begun."""

    def call(self, function: Callable[..., R], item: object) -> Answer[R]:
        """Return what the function makes of an item."""
        return answer(function, item, self._shared)


class ActorLane:
    """An actor on another node.

    Parameters
    ----------
    cluster : Cluster
        The cluster.
    strategy : object
        Scheduling strategy of Ray that leads to the node.
    shared : object
        Reference of the shared arguments in the cluster.
    """

    def __init__(self, cluster: Cluster, strategy: Any, shared: Any) -> None:
        self._ray = cluster.ray
        self._began = False
        self._actor = (
            self._ray.remote(LaneActor)
            .options(num_cpus=1, scheduling_strategy=strategy, runtime_env={"env_vars": ONE_THREAD})
            .remote(shared)
        )

    def call(self, function: Callable[..., R], item: object) -> R:
        """Return what the function makes of an item on the node."""
        try:
            if not self._began:  # an actor whose node is gone before it began waits for its cores for ever
                self._ray.get(self._actor.ready.remote(), timeout=_START_S)
                self._began = True
            received: Answer[R] = self._ray.get(self._actor.call.remote(function, item))
        except self._ray.exceptions.RayError as error:
            raise LostLaneError(f"ended on another node ({type(error).__name__})") from error
        return unpack_answer(received)

    def close(self) -> None:
        """End the actor."""
        with contextlib.suppress(self._ray.exceptions.RayError, ValueError):
            self._ray.kill(self._actor)


@contextlib.contextmanager
def lanes_on_nodes(nodes: int, shared: bytes) -> Iterator[list[ActorLane]]:
    """Yield a lane for each free core of further nodes, and give the cores back afterwards.

    Parameters
    ----------
    nodes : int
        Number of nodes, with the one of this process.
    shared : bytes
        Further arguments of each call, as `dumps` returns them; they are put into the cluster once.

    Yields
    ------
    list of ActorLane
        The lanes; fewer where the cluster has fewer nodes, or free cores.

    Raises
    ------
    SettingsError
        When this process does not run on a cluster.
    """
    with connect_cluster(nodes) as cluster:
        own_cores = cluster.own_cores()
        cores = [min(own_cores, int(node.free_cores)) for node in cluster.other_nodes()[: nodes - 1]]
        with cluster.reserve(cores, _WAIT_S) as strategies:
            lanes: list[ActorLane] = []
            if strategies:
                reference = cluster.ray.put(np.frombuffer(shared, np.uint8))
                for strategy, count in zip(strategies, cores, strict=True):
                    lanes += [ActorLane(cluster, strategy, reference) for _ in range(count)]
            try:
                yield lanes
            finally:
                for lane in lanes:
                    lane.close()
